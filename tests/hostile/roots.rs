//! Roots made by somebody else, and without /proc and /sys.

use crate::scene::check;

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
