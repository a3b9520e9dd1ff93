//! The commands' main forms, and what is wanted of them in any surroundings.

use std::path::Path;
use tests::sandbox::{Accounts, Side, Stage};

/// What each script begins with. `$state` prints what it runs in; FORMS are the commands' main forms.
///
/// `effect COMMAND` runs one and prints its status, what it printed, and the mounts below the working
/// directory; then it undoes what it did. `sane NAME SURROUNDINGS... -- FORM` wants of a form in these
/// surroundings the effect that it has without them, or a failure that is explained and leaves nothing.
const SCENE: &str = r#"
mount -t tmpfs run /run; mkdir /run/mount
mkdir rootfs rootfs/proc rootfs/etc rootfs/tmp rootfs/dev view
cp -a /dev/null rootfs/dev/
cp "${ORDINARY%% *}" rootfs/state
cp /etc/passwd /etc/group rootfs/etc/
state="$PWD/rootfs/state state"
printf 'LUKS\xba\xbe\0\x01' >image; truncate -s 8k image
cp rootfs/state one; cp rootfs/state two; setcap cap_kill=p two
export NAMESPACES=$(readlink /proc/self/ns/* | tr '\n' ' ')
target=$($TARGET -u -m -p -f)
FORMS=(
    "chroot rootfs /state state"
    "chroot --userspec=ordinary:extra --groups=adm rootfs /state state"
    "unshare -m -u -i -n $state"
    "unshare -r -p -f --mount-proc $state"
    "unshare --map-users=0:1000:5 --map-groups=0:1000:5 -f --kill-child $state"
    "nsenter -t $target -u -p $state"
    "nsenter --uts=/proc/$target/ns/uts -S 5 -G 6 $state"
    "setcap cap_net_bind_service=ep one"
    "getcap one two"
    "getcap -r ."
    "getpcaps 1"
    "captree --depth=1 1"
    "lsns -rnl -t uts -t net -o type,user"
    "findmnt -rn -o TARGET,FSTYPE view/under"
    "capsh --print"
    "capsh --drop=cap_chown --iab=^cap_kill --chroot=rootfs --shell=/state -- state"
    "mount"
    "mount -t tmpfs -o size=64k,noexec tmpfs view"
    "mount --bind -o ro rootfs view"
    "umount view/under"
    "mountpoint view/under"
    "blkid -p -s TYPE image"
    "findfs image"
    "losetup -nO NAME -j image"
    "setpriv --reuid=ordinary --regid=ordinary --init-groups --inh-caps=-all --bounding-set=-chown --nnp $state"
    "unshare -m pivot_root view/under view/under/old"
    "unshare -m -p -f switch_root view/under /state state"
)
wrong() { echo "WRONG: $*"; }
mounts() { grep " $PWD/" /proc/self/mountinfo | cut -d ' ' -f 4-6; }
# A form may need something done before it.
prepare() {
    case $1 in
    *view/under*)
        mount -t tmpfs under view && mkdir -p view/under && mount -t tmpfs under view/under
        mkdir view/under/{old,dev,proc,sys} && cp rootfs/state view/under/
        ;;
    esac
}
clean() {
    while umount view/under 2>/dev/null || umount view 2>/dev/null; do :; done
    setcap -r one 2>/dev/null
}
effect() {
    local status=0
    prepare "$form" 2>/dev/null
    before=$(mounts; getcap one two)
    "$@" >out 2>err </dev/null || status=$?
    after=$(mounts; getcap one two)
    clean
    echo "$status"
    # Without descriptors the test's program cannot read its capabilities, nor capsh the names of ids.
    sed -e 's/ CapInh.*//' -e 's/([a-z?]*)/(name)/g' out
    echo "$after"
}
# Without hindrance, once for each form.
declare -A USUAL
usual() { [ -n "${USUAL[$form]}" ] || USUAL[$form]=$(effect $form); }
sane() {
    local name=$1 form=${*: -1} hindered status
    shift
    usual
    local words=()
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    hindered=$(effect timeout -s KILL 20 "${words[@]}" $form; [ "$before" = "$after" ] || echo "changed")
    status=${hindered%%$'\n'*}
    if [ "$status" -ge 128 ]; then wrong "$name: $form: status $status: $(cat err)"
    elif [ "$status" = 0 ]; then
        # getcap names on standard error what it cannot read, and goes on.
        [ "${hindered%$'\n'changed}" = "${USUAL[$form]}" ] || [[ $form = getcap* && -s err ]] || wrong "$name: $form: $(diff <(echo "${USUAL[$form]}") <(echo "$hindered") | head -n 5)"
    elif [ ! -s err ]; then wrong "$name: $form: status $status without a word"
    elif [ "${hindered%changed}" != "$hindered" ]; then wrong "$name: $form: status $status, but $(cat err): $hindered"
    fi
}
"#;

/// A stage with the program that makes surroundings.
pub struct Surroundings(Stage);

impl Surroundings {
    /// A new one.
    pub fn new() -> Surroundings {
        let mut stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
        stage.timeout = std::time::Duration::from_secs(120);
        let copy = stage.root().join("bin/surround");
        let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_surround")).arg(&copy).status().unwrap();
        assert!(copied.success());
        Surroundings(stage)
    }

    /// Runs a script, which must find nothing wrong and leave nothing behind.
    pub fn check(&self, script: &str) {
        let surround = self.0.root().join("bin/surround");
        let script = format!("surround={}\n{SCENE}\n{script}", surround.display());
        let run = self.0.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        assert!(!run.timed_out, "it hangs: {run:?}");
        assert_eq!(run.stdout, "", "{}", run.stderr);
        // bash tells of children that the kernel killed; those are judged by their status.
        assert_eq!(run.stderr.lines().find(|line| !line.starts_with("/bin/bash: line ")), None);
        assert_eq!(run.left, Vec::<String>::new());
    }
}

/// [`Surroundings::check`] in new ones.
pub fn check(script: &str) {
    Surroundings::new().check(script);
}
