# bash completion for ctrbox. Made by: ctrbox completion bash

_ctrbox_table() {
    options='' value='' operands=''
    case $1 in
    ctrbox)
        options='--list --list-full --install --uninstall -s --symbolic --force -h --help -V --version --verbose'
        operands='@directory'
        ;;
    doctor)
        options='--json -h --help'
        operands='@other'
        ;;
    shell)
        options='--rootfs --trace -h --help'
        operands='@other'
        case $2 in
        --rootfs | --rootfs=) value='@directory' ;;
        esac
        ;;
    blkid)
        options='-c --cache-file -d --no-encoding -g --garbage-collect -o --output -k --list-filesystems -s --match-tag -t --match-token -l --list-one -L --label -U --uuid -p --probe -i --info -H --hint -S --size -O --offset -u --usages -n --match-types -D --no-part-details -w -h --help -V --version -v'
        operands='@file'
        case $2 in
        -c | --cache-file | --cache-file=) value='@file' ;;
        -o | --output | --output=) value='@other' ;;
        -s | --match-tag | --match-tag=) value='@other' ;;
        -t | --match-token | --match-token=) value='@other' ;;
        -L | --label | --label=) value='@other' ;;
        -U | --uuid | --uuid=) value='@other' ;;
        -H | --hint | --hint=) value='@other' ;;
        -S | --size | --size=) value='@other' ;;
        -O | --offset | --offset=) value='@other' ;;
        -u | --usages | --usages=) value='@other' ;;
        -n | --match-types | --match-types=) value='@other' ;;
        -w) value='@file' ;;
        esac
        ;;
    capsh)
        options='--addamb= --cap-uid= --caps= --chroot= --current --decode= --delamb= --drop= --dropped= --explain= --forkfor= --gid= --groups= --has-a= --has-ambient --has-b= --has-i= --has-no-new-privs --has-p= -h --help --iab= --inh= --inmode= --is-gid= --is-uid= --keep= --killit= --license --mode= --modes --no-new-privs --noamb --noenv --print --quiet --secbits= --shell= --strict --suggest= --supports= --uid= --user='
        operands='@file'
        case $2 in
        --addamb=) value='@capabilities' ;;
        --cap-uid=) value='@other' ;;
        --caps=) value='@capabilities' ;;
        --chroot=) value='@directory' ;;
        --decode=) value='@other' ;;
        --delamb=) value='@capabilities' ;;
        --drop=) value='@capabilities' ;;
        --dropped=) value='@capability' ;;
        --explain=) value='@capability' ;;
        --forkfor=) value='@other' ;;
        --gid=) value='@other' ;;
        --groups=) value='@other' ;;
        --has-a=) value='@capability' ;;
        --has-b=) value='@capability' ;;
        --has-i=) value='@capability' ;;
        --has-p=) value='@capability' ;;
        --iab=) value='@capabilities' ;;
        --inh=) value='@capabilities' ;;
        --inmode=) value='@other' ;;
        --is-gid=) value='@other' ;;
        --is-uid=) value='@other' ;;
        --keep=) value='@other' ;;
        --killit=) value='@other' ;;
        --mode=) value='@other' ;;
        --secbits=) value='@other' ;;
        --shell=) value='@file' ;;
        --suggest=) value='@other' ;;
        --supports=) value='@capability' ;;
        --uid=) value='@other' ;;
        --user=) value='@other' ;;
        esac
        ;;
    captree)
        options='--color --colour --depth= --proc= --verbose'
        operands='@file'
        case $2 in
        --depth=) value='@other' ;;
        --proc=) value='@other' ;;
        esac
        ;;
    chroot)
        options='--groups --userspec --skip-chdir --help --version'
        operands='@program'
        case $2 in
        --groups | --groups=) value='@other' ;;
        --userspec | --userspec=) value='@user' ;;
        esac
        ;;
    findfs)
        options='-h --help -V --version'
        operands='@file'
        ;;
    findmnt)
        options='-F --tab-file -m --mtab -k --kernel -N --task -p --poll -s --fstab -A --all -d --direction -f --first-only -i --invert --id --uniq-id --pseudo -Q --filter -M --mountpoint --shadowed -R --submounts --real -S --source -T --target -t --types -U --uniq -a --ascii -b --bytes -C --nocanonicalize -c --canonicalize -D --df -e --evaluate --hyperlink -I --dfi -J --json -l --list -n --noheadings -O --options -o --output --output-all -P --pairs -r --raw --tree -u --notruncate -v --nofsroot -w --timeout -y --shell -x --verify --verbose --vfs-all -H --list-columns -h --help -V --version'
        operands='@file'
        case $2 in
        -F | --tab-file | --tab-file=) value='@file' ;;
        --kernel=) value='@other' ;;
        -N | --task | --task=) value='@other' ;;
        --poll=) value='@other' ;;
        -d | --direction | --direction=) value='@other' ;;
        --id | --id=) value='@other' ;;
        --uniq-id | --uniq-id=) value='@other' ;;
        -Q | --filter | --filter=) value='@other' ;;
        -M | --mountpoint | --mountpoint=) value='@directory' ;;
        -S | --source | --source=) value='@other' ;;
        -T | --target | --target=) value='@file' ;;
        -t | --types | --types=) value='@types' ;;
        --hyperlink=) value='@other' ;;
        -O | --options | --options=) value='@options' ;;
        -o | --output | --output=) value='@other' ;;
        -w | --timeout | --timeout=) value='@other' ;;
        esac
        ;;
    getcap)
        options='-h -l -n -r -u --unsorted -v -x --one-file-system'
        operands='@file'
        ;;
    getpcaps)
        options='-h --help --usage --verbose --ugly --legacy --iab --license'
        operands='@pid'
        ;;
    losetup)
        options='-a --all -d --detach -D --detach-all -f --find -c --set-capacity -j --associated -L --nooverlap --remove -o --offset --sizelimit -b --sector-size -P --partscan -r --read-only --direct-io --loop-ref --show -J --json -l --list -n --noheadings -O --output --output-all --raw -h --help -V --version'
        operands='@file'
        case $2 in
        -j | --associated | --associated=) value='@file' ;;
        -o | --offset | --offset=) value='@other' ;;
        --sizelimit | --sizelimit=) value='@other' ;;
        -b | --sector-size | --sector-size=) value='@other' ;;
        --direct-io=) value='on off' ;;
        --loop-ref | --loop-ref=) value='@other' ;;
        -O | --output | --output=) value='@other' ;;
        esac
        ;;
    lsns)
        options='-J --json -l --list -n --noheadings -o --output --output-all -P --persistent -p --task -Q --filter -r --raw -u --notruncate -W --nowrap -t --type -T --tree -H --list-columns -h --help -V --version'
        operands='@file'
        case $2 in
        -o | --output | --output=) value='@other' ;;
        -p | --task | --task=) value='@pid' ;;
        -Q | --filter | --filter=) value='@other' ;;
        -t | --type | --type=) value='@other' ;;
        --tree=) value='@other' ;;
        esac
        ;;
    mount)
        options='-a --all -c --no-canonicalize -f --fake -F --fork -T --fstab -i --internal-only -l --show-labels --map-groups --map-users -m --mkdir -n --no-mtab --options-mode --options-source --options-source-force --onlyonce -o --options -O --test-opts -r --ro --read-only -t --types --source --target --target-prefix -v --verbose -w --rw --read-write -N --namespace -s -L --label -U --uuid -B --bind -M --move -R --rbind --beneath --exclusive --make-shared --make-slave --make-private --make-unbindable --make-rshared --make-rslave --make-rprivate --make-runbindable -h --help -V --version'
        operands='@file'
        case $2 in
        -T | --fstab | --fstab=) value='@file' ;;
        --map-groups | --map-groups=) value='@other' ;;
        --map-users | --map-users=) value='@other' ;;
        --mkdir=) value='@other' ;;
        --options-mode | --options-mode=) value='@other' ;;
        --options-source | --options-source=) value='@file' ;;
        -o | --options | --options=) value='@options' ;;
        -O | --test-opts | --test-opts=) value='@other' ;;
        -t | --types | --types=) value='@types' ;;
        --source | --source=) value='@file' ;;
        --target | --target=) value='@file' ;;
        --target-prefix | --target-prefix=) value='@file' ;;
        -N | --namespace | --namespace=) value='@file' ;;
        -L | --label | --label=) value='@other' ;;
        -U | --uuid | --uuid=) value='@other' ;;
        esac
        ;;
    mountpoint)
        options='-q --quiet --nofollow -d --fs-devno -x --devno --show -h --help -V --version'
        operands='@file'
        ;;
    nsenter)
        options='-a --all -t --target -m --mount -u --uts -i --ipc -n --net -N --net-socket -p --pid -C --cgroup -U --user --user-parent -T --time -S --setuid -G --setgid --preserve-credentials --keep-caps -r --root -w --wd -W --wdns -e --env -F --no-fork -c --join-cgroup --kill-child --forward-signals -h --help -V --version'
        operands='@program'
        case $2 in
        -t | --target | --target=) value='@target' ;;
        --mount=) value='@file' ;;
        --uts=) value='@file' ;;
        --ipc=) value='@file' ;;
        --net=) value='@file' ;;
        -N | --net-socket | --net-socket=) value='@other' ;;
        --pid=) value='@file' ;;
        --cgroup=) value='@file' ;;
        --user=) value='@file' ;;
        --time=) value='@file' ;;
        -S | --setuid | --setuid=) value='@user' ;;
        -G | --setgid | --setgid=) value='@group' ;;
        --root=) value='@directory' ;;
        --wd=) value='@directory' ;;
        --wdns=) value='@directory' ;;
        --kill-child=) value='HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS' ;;
        esac
        ;;
    pivot_root)
        options='-h --help -V --version'
        operands='@file'
        ;;
    setcap)
        options='-f -h -n -q -r -v --license'
        operands='@file'
        case $2 in
        -n) value='@other' ;;
        esac
        ;;
    setpriv)
        options='-d --dump --no-new-privs --nnp --ambient-caps --inh-caps --bounding-set --list-caps --ruid --euid --rgid --egid --reuid --regid --clear-groups --keep-groups --init-groups --groups --securebits --pdeathsig --ptracer --selinux-label --apparmor-profile --landlock-access --landlock-rule --seccomp-filter --reset-env -h --help -V --version'
        operands='@program'
        case $2 in
        --ambient-caps | --ambient-caps=) value='@signed' ;;
        --inh-caps | --inh-caps=) value='@signed' ;;
        --bounding-set | --bounding-set=) value='@signed' ;;
        --ruid | --ruid=) value='@user' ;;
        --euid | --euid=) value='@user' ;;
        --rgid | --rgid=) value='@group' ;;
        --egid | --egid=) value='@group' ;;
        --reuid | --reuid=) value='@user' ;;
        --regid | --regid=) value='@group' ;;
        --groups | --groups=) value='@other' ;;
        --securebits | --securebits=) value='@other' ;;
        --pdeathsig | --pdeathsig=) value='keep clear HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS' ;;
        --ptracer | --ptracer=) value='@pid' ;;
        --selinux-label | --selinux-label=) value='@other' ;;
        --apparmor-profile | --apparmor-profile=) value='@other' ;;
        --landlock-access | --landlock-access=) value='@other' ;;
        --landlock-rule | --landlock-rule=) value='@other' ;;
        --seccomp-filter | --seccomp-filter=) value='@file' ;;
        esac
        ;;
    switch_root)
        options='-h --help -V --version'
        operands='@file'
        ;;
    umount)
        options='-a --all -A --all-targets -c --no-canonicalize -d --detach-loop --fake -f --force -g --graceful -i --internal-only -n --no-mtab -l --lazy -O --test-opts -R --recursive -r --read-only -t --types -v --verbose -q --quiet -N --namespace -h --help -V --version'
        operands='@file'
        case $2 in
        -O | --test-opts | --test-opts=) value='@other' ;;
        -t | --types | --types=) value='@types' ;;
        -N | --namespace | --namespace=) value='@file' ;;
        esac
        ;;
    unshare)
        options='-m --mount -u --uts -i --ipc -n --net -p --pid -U --user -C --cgroup -T --time -f --fork --forward-signals --kill-child --mount-proc --mount-binfmt -l --load-interp --propagation -R --root -w --wd -S --setuid -G --setgid --map-user --map-group -r --map-root-user -c --map-current-user --map-auto --map-subids --map-users --map-groups --owner --setgroups --keep-caps --monotonic --boottime --clear-env --whitelist-env -h --help -V --version'
        operands='@program'
        case $2 in
        --mount=) value='@file' ;;
        --uts=) value='@file' ;;
        --ipc=) value='@file' ;;
        --net=) value='@file' ;;
        --pid=) value='@file' ;;
        --user=) value='@file' ;;
        --cgroup=) value='@file' ;;
        --time=) value='@file' ;;
        --kill-child=) value='HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS' ;;
        --mount-proc=) value='@directory' ;;
        --mount-binfmt=) value='@directory' ;;
        -l | --load-interp | --load-interp=) value='@other' ;;
        --propagation | --propagation=) value='slave shared private unchanged' ;;
        -R | --root | --root=) value='@directory' ;;
        -w | --wd | --wd=) value='@directory' ;;
        -S | --setuid | --setuid=) value='@user' ;;
        -G | --setgid | --setgid=) value='@group' ;;
        --map-user | --map-user=) value='@user' ;;
        --map-group | --map-group=) value='@group' ;;
        --map-users | --map-users=) value='auto subids all' ;;
        --map-groups | --map-groups=) value='auto subids all' ;;
        --owner | --owner=) value='@user' ;;
        --setgroups | --setgroups=) value='allow deny' ;;
        --monotonic | --monotonic=) value='@other' ;;
        --boottime | --boottime=) value='@other' ;;
        --whitelist-env | --whitelist-env=) value='@other' ;;
        esac
        ;;
    esac
}

# The processes that have other namespaces.
_ctrbox_targets() {
    stat -Lc "%n %i" /proc/self/ns/* /proc/*/ns/* 2>/dev/null |
        awk -F "[/ ]" '$3 == "self" { own[$5] = $6 } $3 + 0 && $5 !~ /_/ && own[$5] != $6 && !seen[$3]++ { print $3 }'
}

# Completes the last word of a list.
_ctrbox_list() {
    local last=${2##*,}
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -P "${2:0:${#2}-${#last}}" -W "$1" -- "$last")
}

_ctrbox() {
    local applet=${1##*/} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options value operands
    COMPREPLY=()
    if [[ $applet == ctrbox ]]; then
        if ((COMP_CWORD == 1)); then
            _ctrbox_table ctrbox ''
            mapfile -t COMPREPLY < <(compgen -W "blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare doctor shell explain man completion $options" -- "$word")
            return
        fi
        case ${COMP_WORDS[1]} in
        man) value='blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare' ;;
        completion) value='bash zsh fish' ;;
        explain)
            applet=${COMP_WORDS[2]##*/}
            if ((COMP_CWORD == 2)); then value='blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare'; fi
            ;;
        -*) ;;
        *) applet=${COMP_WORDS[1]} ;;
        esac
    fi
    # Bash takes `--name=value` for three words.
    if [[ $word == = ]]; then
        before+='=' word=
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}=
    fi
    if [[ -z $value ]]; then
        _ctrbox_table "$applet" "$before"
    fi
    if [[ -z $value && $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
        return
    fi
    # Where the words are known, a file is none of them.
    [[ ${value:-$operands} =~ ^@(file|directory|program|other)$ ]] || compopt +o bashdefault +o default 2>/dev/null
    case ${value:-$operands} in
    @file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    @directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    @program) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -d -- "$word") ;;
    @user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    @group) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
    @pid) mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [1-9]*)" -- "$word") ;;
    @target) mapfile -t COMPREPLY < <(compgen -W "$(_ctrbox_targets)" -- "$word") ;;
    @capability) mapfile -t COMPREPLY < <(compgen -W 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore' -- "$word") ;;
    @capabilities) _ctrbox_list 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore' "$word" ;;
    @signed) _ctrbox_list '+chown -chown +dac_override -dac_override +dac_read_search -dac_read_search +fowner -fowner +fsetid -fsetid +kill -kill +setgid -setgid +setuid -setuid +setpcap -setpcap +linux_immutable -linux_immutable +net_bind_service -net_bind_service +net_broadcast -net_broadcast +net_admin -net_admin +net_raw -net_raw +ipc_lock -ipc_lock +ipc_owner -ipc_owner +sys_module -sys_module +sys_rawio -sys_rawio +sys_chroot -sys_chroot +sys_ptrace -sys_ptrace +sys_pacct -sys_pacct +sys_admin -sys_admin +sys_boot -sys_boot +sys_nice -sys_nice +sys_resource -sys_resource +sys_time -sys_time +sys_tty_config -sys_tty_config +mknod -mknod +lease -lease +audit_write -audit_write +audit_control -audit_control +setfcap -setfcap +mac_override -mac_override +mac_admin -mac_admin +syslog -syslog +wake_alarm -wake_alarm +block_suspend -block_suspend +audit_read -audit_read +perfmon -perfmon +bpf -bpf +checkpoint_restore -checkpoint_restore +all -all' "$word" ;;
    @types) _ctrbox_list "$(sed 's/.*\t//' /proc/filesystems 2>/dev/null)" "$word" ;;
    @options) _ctrbox_list 'ro rw nosuid nodev noexec noatime relatime remount bind rbind private rprivate shared rshared slave rslave loop defaults X-mount.mkdir X-mount.owner= X-mount.mode= X-mount.idmap=' "$word" ;;
    @other | '') ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${value:-$operands}" -- "$word") ;;
    esac
}

# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
_ctrbox_applet() {
    local theirs=${_ctrbox_theirs[$1]} program
    program=$(type -P "$1")
    if [[ $program -ef $(type -P ctrbox) || $(readlink -f "$program") == */ctrbox ]]; then
        _ctrbox "$@"
        return
    fi
    if [[ -z $theirs ]]; then
        complete -r "$1" 2>/dev/null
        _comp_load "$1" 2>/dev/null || _completion_loader "$1" 2>/dev/null
        if [[ $(complete -p "$1" 2>/dev/null) =~ ' -F '([^ ]*) ]]; then theirs=${BASH_REMATCH[1]}; else theirs=:; fi
        _ctrbox_theirs[$1]=$theirs
        complete -o bashdefault -o default -F _ctrbox_applet "$1"
    fi
    "$theirs" "$@"
}

declare -A _ctrbox_theirs
complete -F _ctrbox ctrbox
for _ctrbox_name in blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare; do
    if [[ $(complete -p "$_ctrbox_name" 2>/dev/null) =~ ' -F '([^ ]*) && ${BASH_REMATCH[1]} != _ctrbox* ]]; then
        _ctrbox_theirs[$_ctrbox_name]=${BASH_REMATCH[1]}
    fi
    complete -o bashdefault -o default -F _ctrbox_applet "$_ctrbox_name"
done
unset _ctrbox_name
