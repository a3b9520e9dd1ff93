//! Compares our names, numbers and sets with those of the crate caps, which others wrote.

use super::{Cap, CapSet as Set, NAMED, NAMES, Sets, find, get, name, set};
use crate::credentials::Pid;
use ::caps::{CapSet, Capability};

/// The crate's number of a capability as ours.
fn own(capability: Capability) -> Cap {
    Cap(capability.index())
}

/// A set as the crate reads it.
fn seen(set: CapSet) -> Set {
    caps::read(None, set).unwrap().into_iter().fold(Set::EMPTY, |seen, capability| seen | Set::of(own(capability)))
}

/// Runs a function in a new thread, so that its changes of capabilities end with the thread. Skipped without
/// privilege, since then there is nothing to change.
fn apart(work: impl FnOnce() + Send + 'static) {
    if get(Pid::SELF).unwrap().permitted.has(Cap::SETPCAP) {
        std::thread::spawn(work).join().unwrap();
    }
}

#[test]
fn the_names_and_numbers_are_those_of_the_crate() {
    let theirs = caps::all();
    assert_eq!((theirs.len(), NAMES.split(' ').count()), (usize::from(NAMED), usize::from(NAMED)));
    for capability in theirs {
        let name = name(own(capability));
        assert_eq!(capability.to_string(), name.to_ascii_uppercase());
        assert_eq!(find(name.as_bytes()), Some(own(capability)));
        assert_eq!(Set::of(own(capability)), Set(capability.bitmask()));
    }
}

#[test]
fn the_sets_of_a_thread_are_those_that_the_crate_reads() {
    let Sets { effective, permitted, inheritable } = get(Pid::SELF).unwrap();
    let known = Set::first(NAMED);
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
        let kill = Set::of(own(Capability::CAP_KILL));
        set(&Sets { effective: before.permitted & !kill, inheritable: kill, ..before }).unwrap();
        assert!(!has(CapSet::Effective, Capability::CAP_KILL) && has(CapSet::Permitted, Capability::CAP_KILL));
        assert_eq!(seen(CapSet::Inheritable), kill);
        super::raise_ambient(own(Capability::CAP_KILL)).unwrap();
        assert_eq!(seen(CapSet::Ambient), kill);
        super::clear_ambient().unwrap();
        assert!(!has(CapSet::Ambient, Capability::CAP_KILL));
        super::drop_bounding(own(Capability::CAP_SYS_BOOT)).unwrap();
        assert!(!has(CapSet::Bounding, Capability::CAP_SYS_BOOT));
        super::set_keep_capabilities(1).unwrap();
        assert!(caps::securebits::has_keepcaps().unwrap());
        super::set_securebits(0).unwrap();
        assert!(!caps::securebits::has_keepcaps().unwrap());
        set(&Sets::default()).unwrap();
        assert_eq!((seen(CapSet::Effective), seen(CapSet::Permitted)), (Set::EMPTY, Set::EMPTY));
    });
}
