//! The commands, one file or folder each, named after them.
//!
//! Adding one is adding its file, its `mod` line and its line in the table below.

#![forbid(unsafe_code)]

use cli::Applet;
use std::ffi::OsStr;

mod blkid;
mod capsh;
mod captree;
mod chroot;
mod findfs;
mod findmnt;
mod getcap;
mod getpcaps;
mod losetup;
mod lsns;
mod mount;
mod mountpoint;
mod nsenter;
mod pivot_root;
mod setcap;
mod setpriv;
mod switch_root;
mod umount;
mod unshare;

/// Every applet, sorted by name.
pub static APPLETS: &[&Applet] = &[
    &blkid::APPLET,
    &capsh::APPLET,
    &captree::APPLET,
    &chroot::APPLET,
    &findfs::APPLET,
    &findmnt::APPLET,
    &getcap::APPLET,
    &getpcaps::APPLET,
    &losetup::APPLET,
    &lsns::APPLET,
    &mount::APPLET,
    &mountpoint::APPLET,
    &nsenter::APPLET,
    &pivot_root::APPLET,
    &setcap::APPLET,
    &setpriv::APPLET,
    &switch_root::APPLET,
    &umount::APPLET,
    &unshare::APPLET,
];

/// The applet with exactly this name.
pub fn find(name: &OsStr) -> Option<&'static Applet> {
    APPLETS.iter().copied().find(|applet| name == applet.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_applet_says_where_it_belongs() {
        assert!(APPLETS.is_sorted_by_key(|applet| applet.name));
        for applet in APPLETS {
            assert!(!applet.summary.is_empty() && !applet.synopsis.is_empty(), "{}", applet.name);
        }
    }

    #[test]
    fn no_two_options_of_an_applet_clash_and_each_is_documented() {
        for applet in APPLETS {
            let mut seen = Vec::new();
            for spec in applet.options.iter() {
                assert!(!spec.help.is_empty(), "{}: {:?}", applet.name, spec.long);
                let names = spec.names().map(|name| name.to_string()).chain(spec.short.map(String::from));
                for name in names {
                    assert!(!seen.contains(&name), "{}: {name} twice", applet.name);
                    seen.push(name);
                }
            }
        }
    }
}
