//! Descriptors, disks, limits and signals.

use crate::scene::check;

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
for form in "capsh --print" "getpcaps 1" "getcap one two" "getcap -r ." "mount" "lsns" "findmnt" "findmnt -H" "unshare --help" "chroot --version" "capsh --decode=3" \
    "setpriv --dump" "setpriv --list-caps" "mountpoint /proc" "mountpoint -d /proc" "blkid -k" "findfs x" "ctrbox --list" "ctrbox man mount" "ctrbox explain unshare true"; do
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
for form in "capsh --print" "getcap -r ." "mount" "lsns -t uts" "findmnt" "unshare --help" "getpcaps 1" "setpriv --dump" "mountpoint /proc" "ctrbox man mount"; do
    # The reader ends before anything is written.
    mkfifo pipe; (exec 3<pipe) & exec 4>pipe; wait $!
    status=0; $form >&4 2>err || status=$?
    [ "$status" = 141 ] && [ ! -s err ] || wrong "$form: $status: $(cat err)"
    # With SIGPIPE ignored, too, and where there is no standard output.
    status=0; $surround ignoring 13 $form >&4 2>err || status=$?
    [ "$status" = 0 ] && [ ! -s err ] || wrong "$form, ignored: $status: $(cat err)"
    status=0; $form >&- 2>err || status=$?
    [ "$status" = 0 ] && [ ! -s err ] || wrong "$form, closed: $status: $(cat err)"
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
