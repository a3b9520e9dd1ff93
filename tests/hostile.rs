//! Hostile surroundings: closed descriptors, full disks, small limits, filters, no /proc, roots made by
//! somebody else. Each command must do what it was asked for or fail with a word, never crash or hang.
//!
//! The scripts print a line for everything that is wrong, so what they print must be empty.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

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
    "lsns -rnl -t uts -t net -o type,user"
    "capsh --print"
    "capsh --drop=cap_chown --iab=^cap_kill --chroot=rootfs --shell=/state -- state"
    "mount"
    "mount -t tmpfs -o size=64k,noexec tmpfs view"
    "mount --bind -o ro rootfs view"
    "umount view/under"
    "mountpoint view/under"
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

struct Surroundings(Stage);

impl Surroundings {
    fn new() -> Surroundings {
        let mut stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
        stage.timeout = std::time::Duration::from_secs(120);
        let copy = stage.root().join("bin/surround");
        let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_surround")).arg(&copy).status().unwrap();
        assert!(copied.success());
        Surroundings(stage)
    }

    /// Runs a script, which must find nothing wrong and leave nothing behind.
    fn check(&self, script: &str) {
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

fn check(script: &str) {
    Surroundings::new().check(script);
}

#[test]
fn closed_standard_descriptors_are_not_taken_for_other_files() {
    check(
        r#"
without() { local which=$1; shift; case $which in
    0) "$@" <&- ;; 1) "$@" >&- ;; 2) "$@" 2>&- ;; 012) "$@" <&- >&- 2>&- ;; esac; }
for form in "${FORMS[@]}"; do
    # What is printed cannot be compared where it cannot be printed.
    for which in 0 2; do
        usual=$(effect $form)
        hindered=$(effect without $which $form)
        [ "$usual" = "$hindered" ] || wrong "without $which: $form: $(diff <(echo "$usual") <(echo "$hindered"))"
    done
    for which in 1 012; do
        status=0
        prepare "$form"
        without $which $form 2>err || status=$?
        [ "$status" -lt 128 ] || wrong "without $which: $form: status $status"
        clean
    done
done
# An error message must not end up in a file that is being written.
cat >rootfs/etc/fstab </dev/null
mount -t tmpfs -o x-what tmpfs view 2>&-
grep -c . /run/mount/utab >count; [ "$(cat count)" = 1 ] || wrong "utab: $(cat /run/mount/utab)"
mount -o remount,x-new,bogus=1 view 2>&-
grep -q 'mount:' /run/mount/utab && wrong "a message in utab: $(cat /run/mount/utab)"
CTRBOX_TRACE=trace unshare -u chroot rootfs /missing <&- >&- 2>&-
grep -q -v '^[a-z0-9_]*(' trace && wrong "a message in the trace: $(cat trace)"
# What the program finds closed stays closed.
for which in 0 1 2; do
    found=$(without $which unshare -u -m bash -c "[ -e /proc/\$\$/fd/$which ] && echo open >&\$((which == 1 ? 2 : 1))" 2>&1)
    [ "$found" = open ] && wrong "$which is open in the program"
done
true
"#,
    );
}

#[test]
fn a_full_disk_is_reported_and_nothing_pretends_to_be_written() {
    check(
        r#"
for form in "capsh --print" "getpcaps 1" "getcap one two" "getcap -r ." "mount" "lsns" "unshare --help" "chroot --version" "capsh --decode=3" \
    "setpriv --dump" "setpriv --list-caps" "mountpoint /proc" "mountpoint -d /proc" "ctrbox --list" "ctrbox man mount" "ctrbox explain unshare true"; do
    status=0
    $form >/dev/full 2>err || status=$?
    [ "$status" != 0 ] || wrong "$form: success on a full disk"
    grep -q 'No space left on device' err || wrong "$form: $(cat err)"
done
# The trace never changes what a command does.
CTRBOX_TRACE=/dev/full unshare -u true || wrong "a full trace"
# The userspace mount table on a disk with no room: the mount is reported, and its table's failure.
mount -t tmpfs -o size=4k run /run; mkdir /run/mount
cat /dev/zero >/run/mount/full 2>/dev/null
status=0; mount -t tmpfs -o x-what tmpfs view 2>err || status=$?
[ "$status" = 16 ] || wrong "status $status when utab cannot be written: $(cat err)"
grep -q 'filesystem was mounted, but failed to update userspace mount table' err || wrong "$(cat err)"
mounts | grep -q view || wrong "it is not mounted"
ls /run/mount | grep -v -x -e full -e utab -e utab.lock -e utab.act -e utab.event >left && wrong "left: $(cat left)"
umount view 2>/dev/null
# A new root where nothing can be made.
mount -t tmpfs -o size=0,nr_inodes=1 tmpfs view
status=0; mount -t tmpfs -o X-mount.mkdir tmpfs view/made 2>err || status=$?
[ "$status" != 0 ] && [ -s err ] || wrong "X-mount.mkdir on a full disk: $status"
true
"#,
    );
}

#[test]
fn small_limits_of_descriptors_processes_and_memory_are_reported() {
    check(
        r#"
for form in "${FORMS[@]}"; do
    for limit in 0 1 2 3 4 5 6 8; do sane "nofile $limit" $surround limited nofile $limit -- "$form"; done
done
for form in "unshare -U -f true" "unshare -U -p -f --kill-child true"; do
    $ORDINARY $surround limited nproc 0 $form 2>err
    [ $? = 1 ] && grep -q 'fork failed: Resource temporarily unavailable' err || wrong "nproc: $form: $(cat err)"
done
true
"#,
    );
}

#[test]
fn a_small_address_space_ends_in_a_message() {
    check(
        r#"
# Below this not even the program itself fits.
least=0
for limit in 400 500 600 700 800 900 1000 1200 1400 1600; do
    if $surround limited as $((limit * 1024)) ctrbox --list >/dev/null 2>&1; then least=$limit; break; fi
done
[ "$least" -gt 0 ] || wrong "ctrbox needs more than 1600 KB"
for form in "${FORMS[@]}"; do
    for more in 0 8 64 128 256 1024; do
        # The test's program needs more than ours.
        case $form in *state*) status=0; timeout -s KILL 20 $surround limited as $(((least + more) * 1024)) $form >out 2>err || status=$?
            # 126 and 127: the program does not fit. Killed: the kernel kills it in its exec.
            case $status in 0 | 1 | 125 | 126 | 127 | 137 | 139) ;; *) wrong "$form with $((least + more)) KB: $status: $(cat err)" ;; esac ;;
        *) sane "as $((least + more)) KB" $surround limited as $(((least + more) * 1024)) -- "$form" ;; esac
    done
done
true
"#,
    );
}

#[test]
fn an_empty_environment_is_enough() {
    check(
        r#"
for form in "${FORMS[@]}"; do
    # Without PATH the commands are found by their paths, and the programs where execvp looks.
    case $form in *state*) continue ;; esac
    sane "no environment" env -i -- "$(command -v ${form%% *}) ${form#* }"
done
for form in "unshare -u" "nsenter -t $target -u" "chroot /"; do
    # The shell of the passwd entry, or /bin/sh.
    found=$(echo 'echo $0' | env -i $(command -v ${form%% *}) ${form#* } 2>&1)
    case $found in *sh*) ;; *) wrong "$form: $found" ;; esac
done
env -i $(command -v unshare) -u true || wrong "no PATH"
true
"#,
    );
}

#[test]
fn a_missing_or_empty_name_is_no_applet() {
    check(
        r#"
commands=$(dirname $(command -v ctrbox))
for applet in ctrbox $(ctrbox --list); do
    status=0
    $surround argc0 $commands/$applet >out 2>err || status=$?
    [ "$status" = 127 ] && [ -s err ] && [ ! -s out ] || wrong "argc 0: $applet: $status: $(cat out err)"
    for name in "" / /// nosuch "$(printf 'caf\351')" "unshare/" "x-mount"; do
        status=0
        $surround argv0 "$name" $commands/$applet --help >out 2>err || status=$?
        [ "$status" = 127 ] && [ -s err ] && [ ! -s out ] || wrong "argv0 '$name': $applet: $status"
    done
done
$surround argv0 /no/such/unshare $commands/ctrbox -u true || wrong "the last component counts"
true
"#,
    );
}

#[test]
fn arguments_of_128_kib_are_taken_whole_or_refused() {
    check(
        r#"
# The longest that the kernel lets pass, with its NUL.
long=$(head -c 131071 /dev/zero | tr '\0' x)
ids=$(seq -s, 1 20000 | head -c 131071)
try() {
    local status=0
    timeout -s KILL 20 "$@" >out 2>err </dev/null || status=$?
    [ "$status" -lt 128 ] && { [ -s err ] || [ -s out ]; } ||
        wrong "$1 $(echo "$2" | head -c 30): $status: $(head -c 300 err)"
}
for applet in $(ctrbox --list); do
    try $applet "$long"
    try $applet --"${long:2}"
    try $applet -"${long:1}"
    try $applet "$long" "$long"
    try $applet --help="${long:7}"
done
try chroot --userspec="${long:11}" rootfs /state
try chroot --groups="${long:9}" rootfs /state
try chroot --userspec=5:5 --groups="${ids:9}" rootfs /state state
try unshare --map-user="${long:11}" true
try unshare --map-users="${long:12}" true
try unshare -R "$long" true
try unshare --net="${long:6}" true
try unshare -u "$long"
try nsenter --target="${long:9}" true
try nsenter --uts="${long:6}" true
try nsenter -t $target -u --wdns="${long:7}" true
try mount -o "$long" tmpfs view
try mount -t tmpfs -o "size=${long:5}" tmpfs view
try mount -t "$long" x view
try mount -t tmpfs "$long" view/none
try mount LABEL="${long:6}" view
try umount "$long"
try mountpoint -x "$long"
try pivot_root "$long" "$long"
try switch_root "$long" /state
try setpriv --reuid="${long:8}" true
try setpriv --groups="${ids:9}" $state
try setpriv --inh-caps="${long:11}" true
try setpriv --securebits="${long:13}" true
try setpriv --landlock-access="fs:${long:20}" true
try setpriv --landlock-access="net:${long:20}" --landlock-rule="net-port::${long:20}" true
try setpriv --landlock-access=fs --landlock-rule="path-beneath::${long:30}" true
try setpriv --seccomp-filter="${long:17}" true
try setpriv --ptracer="${long:10}" true
try setcap "$long" one
try setcap cap_chown=p "$long"
try setcap -n "$long" cap_chown=p one
try capsh --caps="${long:7}"
try capsh --iab="${long:6}"
try capsh --drop="${long:7}"
try capsh --user="${long:7}"
try capsh --chroot="${long:9}"
try capsh --decode="${long:9}"
try capsh --shell="${long:8}" -- -c true
try lsns -o "$long"
try lsns -t "$long"
try lsns -p "${ids:9}"
try lsns "${ids:9}"
# As an argument of the program it arrives whole.
[ "$(unshare -u bash -c 'echo ${#1}' x "$long")" = 131071 ] || wrong "an argument is cut"
true
"#,
    );
}

#[test]
fn names_need_not_be_utf_8() {
    check(
        r#"
odd=$(printf 'd\351j\340 \377\001')
mkdir "$odd" "$odd/$odd"; cp one "$odd/prog$odd"
cp "${ORDINARY%% *}" "$odd/state"
[ "$(chroot "$odd" /state state | grep -c ran)" = 1 ] || wrong "chroot"
status=0; chroot "$odd$odd" true 2>err || status=$?
[ $status = 125 ] && [ -s err ] || wrong "chroot to what is not there: $status"
[ "$(unshare -u "$PWD/$odd/state" state | grep -c ran)" = 1 ] || wrong "unshare"
[ "$(unshare -u -w "$odd" bash -c 'basename "$PWD"')" = "$odd" ] || wrong "unshare -w"
touch "$odd/ns"; unshare --uts="$odd/ns" true || wrong "unshare --uts"; nsenter --uts="$odd/ns" true || wrong "nsenter --uts"
umount "$odd/ns" || wrong "umount of a namespace"
setcap cap_chown=ep "$odd/prog$odd" || wrong setcap
[ "$(getcap "$odd/prog$odd")" = "$odd/prog$odd cap_chown=ep" ] || wrong "getcap: $(getcap "$odd/prog$odd")"
[ "$(getcap -r "$odd")" = "$odd/prog$odd cap_chown=ep" ] || wrong "getcap -r"
mount -t tmpfs "source$odd" "$odd/$odd" || wrong mount
mount | LC_ALL=C grep -q -a "^source" || wrong "mount lists it not"
umount "$odd/$odd" || wrong umount
for applet in $(ctrbox --list); do
    for argument in "--$odd" "-$odd" "$odd" "--help=$odd"; do
        status=0
        timeout -s KILL 20 $applet "$argument" >out 2>err </dev/null || status=$?
        [ "$status" -lt 128 ] || wrong "$applet '$argument': $status"
    done
done
mount -t tmpfs t "$odd/$odd"; mountpoint -q "$odd/$odd" || wrong mountpoint
mkdir "$odd/$odd/$odd"; unshare -m pivot_root "$odd/$odd" "$odd/$odd/$odd" || wrong pivot_root
cp "$odd/state" "$odd/$odd/$odd/"; ln -s "$odd/state" "$odd/$odd/init"
[ "$(unshare -m switch_root "$odd/$odd" /init state 2>/dev/null | grep -c ran)" = 1 ] || wrong switch_root
umount "$odd/$odd"
[ "$(setpriv --nnp "$PWD/$odd/state" state | grep -c ran)" = 1 ] || wrong setpriv
setpriv --reuid="$odd" --clear-groups true 2>/dev/null && wrong "setpriv --reuid"
for option in --userspec --groups; do chroot $option="$odd" / true 2>/dev/null && wrong "chroot $option"; done
unshare --map-user="$odd" true 2>/dev/null && wrong "unshare --map-user"
nsenter --target="$odd" true 2>/dev/null && wrong "nsenter --target"
mount -t "$odd" x view 2>/dev/null && wrong "mount -t"
mount -o "$odd" -t tmpfs x view 2>/dev/null && wrong "mount -o"
capsh --user="$odd" 2>/dev/null && wrong "capsh --user"
# In the environment and in account files.
printf 'caf\351:x:7:8::/:/bin/sh\n' >>rootfs/etc/passwd
printf 'gr\374n:x:9:caf\351\n' >>rootfs/etc/group
found=$(chroot --userspec="$(printf 'caf\351')" rootfs /state state)
case $found in *"7:8 [8, 9]"*) ;; *) wrong "a user's name: $found" ;; esac
SHELL=$odd unshare -u 2>/dev/null && wrong "a shell that is not there"
LC_ALL=$odd LANG=$odd TERM=$odd CTRBOX_TRACE=$odd/t CTRBOX_HINTS=$odd unshare -u true || wrong "odd variables"
true
"#,
    );
}

#[test]
fn an_ignored_sigchld_hides_no_status() {
    check(
        r#"
for form in "unshare -f" "unshare -p -f --kill-child" "unshare -f --forward-signals" "unshare -r -f --map-users=1:1000:5" "nsenter -t $target -p" "nsenter -t $target -p --forward-signals"; do
    status=0
    $surround ignoring 17 $form bash -c 'exit 7' 2>err || status=$?
    [ "$status" = 7 ] || wrong "$form: $status: $(cat err)"
    $surround ignoring 17 $form bash -c 'grep SigIgn /proc/self/status' >out
    [ $((0x$(cut -f 2 out) >> 16 & 1)) = 1 ] || wrong "$form: the program does not get SIGCHLD ignored: $(cat out)"
done
status=0; $surround ignoring 17 capsh -+ -c 'exit 7' || status=$?
[ "$status" = 7 ] || wrong "capsh -+: $status"
# A helper program's status is mount's.
mkdir sbin; printf '#!/bin/sh\nexit 9\n' >sbin/mount.odd; chmod +x sbin/mount.odd
mount --bind sbin/mount.odd /sbin/mount.ext4 2>/dev/null
sane "SIGCHLD ignored" $surround ignoring 17 -- "mount -t tmpfs tmpfs view"
true
"#,
    );
}

#[test]
fn a_reader_that_is_gone_ends_it_quietly() {
    check(
        r#"
for form in "capsh --print" "getcap -r ." "mount" "lsns -t uts" "unshare --help" "getpcaps 1" "setpriv --dump" "mountpoint /proc" "ctrbox man mount"; do
    # The reader ends before anything is written.
    mkfifo pipe; (exec 3<pipe) & exec 4>pipe; wait $!
    status=0; $form >&4 2>err || status=$?
    [ "$status" = 141 ] && [ ! -s err ] || wrong "$form: $status: $(cat err)"
    # With SIGPIPE ignored it is a write error.
    status=0; $surround ignoring 13 $form >&4 2>err || status=$?
    [ "$status" != 0 ] && [ "$status" -lt 128 ] && grep -q 'Broken pipe' err || wrong "$form, ignored: $status: $(cat err)"
    exec 4>&-; rm pipe
done
for how in "unshare -u" "unshare -f" "nsenter -t $target -u" "chroot /" "capsh --shell=/bin/bash --"; do
    program="bash"; [ "${how%% *}" = capsh ] && program=
    [ "$($how $program -c 'grep SigIgn /proc/self/status')" = "$(grep SigIgn /proc/self/status)" ] || wrong "$how: SIGPIPE is not as it was"
    $surround ignoring 13 $how $program -c 'grep SigIgn /proc/self/status' | grep -q '1...$' || wrong "$how: SIGPIPE is no longer ignored"
done
true
"#,
    );
}

const NEW_CALLS: &[&str] = &[
    "clone3",
    "openat2",
    "pidfd_open",
    "pidfd_getfd",
    "fsopen",
    "fsconfig",
    "open_tree",
    "move_mount",
    "mount_setattr",
    "statmount",
    "listmount",
    "statx",
    "faccessat2",
    "close_range",
    "getxattrat",
    "setxattrat",
    "open_tree_attr",
];

#[test]
fn filters_that_refuse_the_new_system_calls_are_survived() {
    let surroundings = Surroundings::new();
    let all = NEW_CALLS.join(",");
    for errno in ["ENOSYS", "EPERM"] {
        surroundings.check(&format!(
            r#"
# One that takes a descriptor of another process.
bash -c 'exec 5<>/dev/udp/127.0.0.1/9; touch open; exec sleep 1000' & socket=$!
until [ -e open ]; do [ -e /proc/$socket ] || {{ wrong "no socket"; break; }}; done
for form in "${{FORMS[@]}}" "nsenter -t $socket --net-socket 5 $state"; do
    sane "{errno} for all" $surround denying {errno} {all} -- "$form"
    for call in clone3 openat2 pidfd_open pidfd_getfd fsopen open_tree move_mount mount_setattr statmount statx; do
        sane "{errno} for $call" $surround denying {errno} $call -- "$form"
    done
done
true
"#
        ));
    }
}

#[test]
fn a_filter_is_named_where_it_may_be_what_refuses() {
    check(
        r#"
for form in "unshare -U true" "unshare -u true"; do
    $surround denying EPERM unshare $form 2>err && wrong "$form: it ran"
    grep -q '^unshare: unshare failed: Operation not permitted$' err || wrong "$form: $(cat err)"
    grep -q '^hint: a seccomp filter is on this process, .*seccomp=unconfined$' err || wrong "$form: $(cat err)"
done
true
"#,
    );
}

#[test]
fn on_a_kernel_without_the_new_system_calls_everything_still_works() {
    let all = NEW_CALLS.join(",");
    check(&format!(
        r#"
for form in "${{FORMS[@]}}"; do
    usual=$(effect $form)
    old=$(effect $surround denying ENOSYS {all} $form)
    [ "$usual" = "$old" ] || wrong "$form: $(cat err; diff <(echo "$usual") <(echo "$old"))"
done
true
"#
    ));
}

#[test]
fn without_proc_or_sys_nothing_is_claimed_that_is_not_so() {
    check(
        r#"
for form in "${FORMS[@]}"; do usual; done
mount -t tmpfs none /sys || wrong "cannot cover /sys"
# It lists that one, too.
unset 'USUAL[mount]'
for form in "${FORMS[@]}"; do sane "no /sys" -- "$form"; done
# From here on neither /proc nor /sys shows anything: what is mounted is seen by statfs.
mount -t tmpfs none /proc || wrong "cannot cover /proc"
for form in "${FORMS[@]}"; do
    prepare "$form" 2>/dev/null
    status=0
    timeout -s KILL 20 $form >out 2>err </dev/null || status=$?
    [ "$status" -lt 128 ] || wrong "no /proc: $form: $status: $(cat err)"
    [ "$status" = 0 ] || [ -s err ] || wrong "no /proc: $form: $status without a word"
    kind=$(stat -f -c %T view)
    case $form in
    "mount -t"*) [ "$status" != 0 ] || [ "$kind" = tmpfs ] || wrong "$form: success without /proc, but $kind" ;;
    umount*) [ "$status" = 0 ] && [ -d view/under ] && [ "$(stat -c %d view)" != "$(stat -c %d view/under)" ] && wrong "$form: success without /proc" ;;
    "unshare -r"* | "unshare --map"*) [ "$status" != 0 ] || grep -q 'ran as 0:0' out || wrong "$form: no map, and yet: $(cat out)" ;;
    esac
    clean
done
true
"#,
    );
}

#[test]
fn a_root_made_by_somebody_else_cannot_lead_out_or_stall() {
    check(
        r#"
farm() {
    rm -rf rootfs/etc; mkdir rootfs/etc
    ln -s "$1" rootfs/etc/passwd; ln -s "$1" rootfs/etc/group
}
try() {
    status=0
    timeout -s KILL 20 chroot --userspec=ordinary rootfs /state state >out 2>err </dev/null || status=$?
    [ "$status" = 125 ] && [ -s err ] && [ ! -s out ] || wrong "$1: $status: $(cat out err)"
    timeout -s KILL 20 capsh --chroot=rootfs --user=ordinary --shell=/state -- state >out 2>err && wrong "capsh, $1: $(cat out)"
    status=0
    timeout -s KILL 20 unshare -R rootfs >out 2>err </dev/null; status=$?
    [ "$status" = 137 ] && wrong "unshare -R, $1: it hangs"
}
# Up and out, by an absolute link, through another process's root, and round in circles.
for link in ../../../../../../etc/passwd /etc/passwd $PWD/rootfs/../passwd passwd /proc/1/root/etc/passwd /proc/self/cwd/etc/passwd /dev/fd/0 /etc; do
    farm $link
    try "$link"
done
mount -t proc proc rootfs/proc; farm /proc/$target/root/etc/passwd; try "another process's root"
farm /proc/self/fd/0; try "a descriptor"; umount rootfs/proc
# Files that never end, or never begin.
for kind in fifo directory zero; do
    rm -rf rootfs/etc; mkdir rootfs/etc
    case $kind in
    fifo) mkfifo rootfs/etc/passwd rootfs/etc/group ;;
    directory) mkdir rootfs/etc/passwd rootfs/etc/group ;;
    zero) mknod rootfs/etc/passwd c 1 5; mknod rootfs/etc/group c 1 5 ;;
    esac
    try $kind
done
# Programs that are links to nowhere, to themselves, directories, pipes, or that name themselves as interpreter.
rm -rf rootfs/etc
ln -s loop rootfs/loop; ln -s /nowhere rootfs/dangling; mkfifo rootfs/pipe; chmod +x rootfs/pipe
printf '#!/self\n' >rootfs/self; printf '#!' >rootfs/bang; printf '#!/%04000d\n' 0 >rootfs/long; : >rootfs/empty
printf '\177ELF' >rootfs/elf; head -c 64 rootfs/state >rootfs/cut; chmod +x rootfs/self rootfs/bang rootfs/long rootfs/empty rootfs/elf rootfs/cut
(head -c 32 rootfs/state; printf '\377\377\377\377\377\377\377\177\377\377\377\377\377\377\377\177'; head -c 4000 /dev/zero | tr '\0' '\377') >rootfs/wild; chmod +x rootfs/wild
for program in /loop /dangling /pipe /self /bang /long /empty /elf /cut /wild /tmp /state/x; do
    for how in "chroot rootfs" "unshare -R rootfs" "nsenter -t $target -u -r$PWD/rootfs" "capsh --chroot=rootfs --shell=$program --"; do
        status=0
        timeout -s KILL 20 $how $program >out 2>err </dev/null || status=$?
        case $status in 1 | 126 | 127) [ -s err ] || wrong "$how $program: no word" ;; *) wrong "$how $program: $status: $(cat err)" ;; esac
    done
done
# A root that is itself a link, and one that leads nowhere.
ln -s rootfs farm; ln -s farm/tmp/.. again; ln -s rounds rounds
[ "$(chroot again /state state | grep -c ran)" = 1 ] || wrong "a root by links"
for root in rounds one /proc/self/fd/0 /dev/null; do
    for how in chroot "unshare -R" "capsh --chroot=$root --shell=/state -- x"; do
        $how $root /state state >out 2>err </dev/null && wrong "$how $root: $(cat out)"
    done
done
true
"#,
    );
}
