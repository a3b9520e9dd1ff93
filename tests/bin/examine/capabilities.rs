//! Capabilities, in the ways in which commands write them.

use super::values::{Word, list, mostly, one_of};
use proptest::prelude::*;

/// The name of a capability.
pub fn capability() -> BoxedStrategy<Word> {
    let usual = one_of(&[
        "cap_chown",
        "cap_sys_admin",
        "cap_net_raw",
        "cap_setpcap",
        "cap_setuid",
        "cap_kill",
        "CAP_SETGID",
        "12",
        "40",
    ]);
    let rarer = one_of(&[
        "cap_checkpoint_restore",
        "cap_audit_read",
        "chown",
        "all",
        "0",
        "41",
        "63",
        "64",
        "cap_nosuch",
        "cap_",
        "cap_41",
    ]);
    mostly(prop_oneof![4 => usual, 1 => rarer].boxed())
}

/// A capability as setpriv writes it.
pub fn signed_capability() -> BoxedStrategy<Word> {
    let name = one_of(&[
        "chown",
        "net_raw",
        "sys_admin",
        "setpcap",
        "setuid",
        "setgid",
        "kill",
        "all",
        "cap_5",
        "cap_40",
        "cap_41",
        "cap_64",
        "ALL",
        "CHOWN",
        "cap_chown",
        "nosuch",
        "",
        "0",
        "bpf",
    ]);
    (one_of(&["+", "-", "+", "-", ""]), name).prop_map(|(sign, name)| [sign, name].concat()).boxed()
}

/// cap_from_text(3)'s text.
pub fn capability_text() -> BoxedStrategy<Word> {
    let whole = one_of(&[
        "=",
        "=ep",
        "=eip",
        "all=p",
        "cap_net_raw=ep",
        "cap_net_raw+ep",
        "cap_chown,cap_kill=eip",
        "cap_setuid=i",
        "=p cap_kill-p",
        "cap_net_raw=p cap_net_raw+e",
        "all=e",
        "cap_chown=e",
        "=i",
        "cap_40=ep",
        "40=ep",
        "cap_net_raw=pie",
        "CAP_KILL=ep",
        "cap_41=p",
        "cap_63=ep",
        "cap_64=ep",
        "all-i",
        "=ep cap_sys_admin-ep",
        "cap_kill",
        "cap_kill+",
        "+ep",
        "-ep",
        "cap_kill=epx",
        "cap_kill=ep ",
        " =ep",
        "cap_chown=p,cap_kill=p",
        "cap_chown=p+i-e",
        "cap_kill==p",
        "",
    ]);
    let clause =
        (list(capability(), ",", 3), one_of(&["=", "+", "-"]), one_of(&["e", "p", "i", "ep", "eip", "pi", "ei", ""]))
            .prop_map(|(names, operator, letters)| [names, operator, letters].concat())
            .boxed();
    mostly(prop_oneof![2 => whole, 1 => list(clause, " ", 3)].boxed())
}

/// cap_iab_from_text(3)'s text.
pub fn iab() -> BoxedStrategy<Word> {
    let one = (one_of(&["", "!", "^", "%", "!^", "!%", "%^", "^!"]), capability())
        .prop_map(|(mark, name)| [mark, name].concat())
        .boxed();
    mostly(list(one, ",", 3))
}
