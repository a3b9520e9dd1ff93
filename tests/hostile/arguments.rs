//! Arguments, names and environments that nobody would type.

use crate::scene::check;

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
    # That there is nothing like it blkid and findmnt say with their status alone, and findmnt prints what is left.
    [ "$status" -lt 128 ] && { [ -s err ] || [ -s out ] || [ "$1 $status" = "blkid 2" ] || [ "$1" = findmnt ]; } ||
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
try findmnt -o "$long"
try findmnt -Q "$long"
try findmnt -Q "TARGET =~ '${long:12}'"
try findmnt -F "$long"
try findmnt -t "$long"
try findmnt "$long"
try findmnt -N "${ids:9}"
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
