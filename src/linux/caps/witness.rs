//! Compares our names, numbers and sets with those of the crate caps, which others wrote.

use super::{NAMED, NAMES, Sets, all, bit, find, get, name, set};
use crate::credentials::Pid;
use ::caps::{CapSet, Capability};

/// A set as the crate has it, as bits.
fn seen(set: CapSet) -> u64 {
    caps::read(None, set).unwrap().into_iter().fold(0, |bits, capability| bits | bit(capability.index()))
}

/// Runs a function in a new thread, so that its changes of capabilities end with the thread. Skipped without
/// privilege, since then there is nothing to change.
fn apart(work: impl FnOnce() + Send + 'static) {
    if get(Pid::SELF).unwrap().permitted & bit(super::SETPCAP) != 0 {
        std::thread::spawn(work).join().unwrap();
    }
}

#[test]
fn the_names_and_numbers_are_those_of_the_crate() {
    let theirs = caps::all();
    assert_eq!((theirs.len(), NAMES.split(' ').count()), (usize::from(NAMED), usize::from(NAMED)));
    for capability in theirs {
        let own = name(capability.index());
        assert_eq!(capability.to_string(), own.to_ascii_uppercase());
        assert_eq!(find(own.as_bytes()), Some(capability.index()));
        assert_eq!(bit(capability.index()), capability.bitmask());
    }
}

#[test]
fn the_sets_of_a_thread_are_those_that_the_crate_reads() {
    let Sets { effective, permitted, inheritable } = get(Pid::SELF).unwrap();
    let known = all(NAMED);
    assert_eq!(seen(CapSet::Effective), effective & known);
    assert_eq!(seen(CapSet::Permitted), permitted & known);
    assert_eq!(seen(CapSet::Inheritable), inheritable & known);
    assert_eq!(seen(CapSet::Bounding), super::bounding(NAMED).unwrap());
    assert_eq!(seen(CapSet::Ambient), super::ambient().unwrap());
}

#[test]
fn what_is_set_raised_and_dropped_the_crate_sees() {
    apart(|| {
        let has = |set, capability| caps::has_cap(None, set, capability).unwrap();
        let before = get(Pid::SELF).unwrap();
        let kill = bit(Capability::CAP_KILL.index());
        set(&Sets { effective: before.permitted & !kill, inheritable: kill, ..before }).unwrap();
        assert!(!has(CapSet::Effective, Capability::CAP_KILL) && has(CapSet::Permitted, Capability::CAP_KILL));
        assert_eq!(seen(CapSet::Inheritable), kill);
        super::raise_ambient(Capability::CAP_KILL.index()).unwrap();
        assert_eq!(seen(CapSet::Ambient), kill);
        super::clear_ambient().unwrap();
        assert!(!has(CapSet::Ambient, Capability::CAP_KILL));
        super::drop_bounding(Capability::CAP_SYS_BOOT.index()).unwrap();
        assert!(!has(CapSet::Bounding, Capability::CAP_SYS_BOOT));
        super::set_keep_capabilities(1).unwrap();
        assert!(caps::securebits::has_keepcaps().unwrap());
        super::set_securebits(0).unwrap();
        assert!(!caps::securebits::has_keepcaps().unwrap());
        set(&Sets::default()).unwrap();
        assert_eq!((seen(CapSet::Effective), seen(CapSet::Permitted)), (0, 0));
    });
}
