//! Kernels and seccomp filters without the newer system calls.

use crate::scene::{Surroundings, check};

/// Calls that came after Linux 5.1.
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
