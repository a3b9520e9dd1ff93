//! The originals that ours is compared with, and their versions.

use std::collections::BTreeMap;
use std::process::Command;

/// What the applets are the commands of.
pub const PROJECTS: [&str; 3] = ["coreutils", "libcap", "util-linux"];

/// The version of each of [`PROJECTS`], as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(BTreeMap<String, String>);

impl Versions {
    /// These.
    pub fn new<'a>(known: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Versions {
        let named = known.into_iter().filter_map(|(project, version)| Some((project.into(), version?.into())));
        Versions(named.collect())
    }

    /// The version of one of [`PROJECTS`].
    pub fn of(&self, project: &str) -> Option<&str> {
        self.0.get(project).map(String::as_str)
    }

    /// Those that are installed on this machine: Debian's where that is known, else what the programs say.
    pub fn of_host() -> Versions {
        let installed = [
            ("coreutils", package("coreutils").or_else(|| said_version("chroot"))),
            ("libcap", package("libcap2-bin")),
            ("util-linux", package("util-linux").or_else(|| said_version("mount"))),
        ];
        Versions::new(installed.iter().map(|(project, version)| (*project, version.as_deref())))
    }
}

/// The version of an installed package.
fn package(name: &str) -> Option<String> {
    let output = Command::new("dpkg-query").args(["--show", "--showformat=${Version}", name]).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !version.is_empty()).then_some(version)
}

/// The first word of what a program says of itself that begins with a digit.
fn said_version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_string)
}
