//! The originals that ours is compared with, and their versions: see `scripts/originals`.

use crate::document;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest ones are what ours is held to.
const NEWEST: &str = "unstable";
/// This machine's own.
const HOST: &str = "host";
/// Where this machine's own are looked for.
const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// One generation of them.
pub struct Originals {
    /// `debian12`, `debian13`, `unstable` or `host`.
    pub name: String,
    /// What the rows' `differs` is judged by.
    pub versions: Versions,
    /// Where `scripts/originals` has unpacked them; `None` for this machine's own.
    unpacked: Option<Unpacked>,
}

struct Unpacked {
    directory: PathBuf,
    /// The path of the directory as it stands in the programs, with slashes to spare.
    prefix: String,
}

impl Originals {
    /// Those that the variable `CTRBOX_AGAINST` names, else the newest.
    pub fn chosen() -> io::Result<Originals> {
        let name = std::env::var("CTRBOX_AGAINST").ok().filter(|name| !name.is_empty());
        Originals::named(name.as_deref().unwrap_or(NEWEST))
    }

    /// Those of this name, which `scripts/originals` unpacks if it has not yet.
    pub fn named(name: &str) -> io::Result<Originals> {
        let (versions, unpacked) = match name {
            HOST => (Versions::of_host(), None),
            _ => {
                let made = Command::new(document::tree().join("scripts/originals")).arg(name).status()?;
                if !made.success() {
                    return Err(io::Error::other(format!(
                        "scripts/originals {name}: {made}; CTRBOX_AGAINST={HOST} compares with this machine's own"
                    )));
                }
                let directory = document::tree().join("target/originals").join(name);
                let about = fs::read_to_string(directory.join("about"))?;
                let words: BTreeMap<&str, &str> = about.lines().filter_map(|line| line.split_once(' ')).collect();
                let prefix = words.get("prefix").copied().unwrap_or_default().to_string();
                let versions = Versions::new(PROJECTS.map(|project| (project, words.get(project).copied())));
                (versions, Some(Unpacked { directory, prefix }))
            }
        };
        Ok(Originals { name: name.to_string(), versions, unpacked })
    }

    /// Whether they are what ours is held to.
    pub fn are_newest(&self) -> bool {
        self.name == NEWEST
    }

    /// Copies the commands of these names into the empty directory `commands`, and what they need below `stage`.
    ///
    /// Copies: an ordinary user need not be able to search the directories that lead to the tree, and none of them
    /// is set-user-ID, as little as ours.
    pub fn copy(&self, names: &[&str], stage: &Path, commands: &Path) -> io::Result<()> {
        let made = stage.join("made");
        fs::create_dir(&made)?;
        let libraries = stage.join("libraries");
        for name in names {
            let from = match &self.unpacked {
                Some(unpacked) => Some(unpacked.directory.join("bin").join(name)),
                None => installed(name),
            };
            let Some(mut program) = from.and_then(|from| fs::read(from).ok()) else { continue };
            if let Some(unpacked) = &self.unpacked {
                replace_path(&mut program, &format!("{}/lib", unpacked.prefix), &libraries)?;
            }
            fs::write(made.join(name), program)?;
            fs::set_permissions(made.join(name), fs::Permissions::from_mode(0o755))?;
        }
        copy(&made.join("."), commands)?;
        fs::remove_dir_all(made)?;
        match &self.unpacked {
            Some(unpacked) => copy(&unpacked.directory.join("lib"), &libraries),
            None => Ok(()),
        }
    }
}

/// The program of this name that is installed.
pub fn installed(name: &str) -> Option<PathBuf> {
    DIRECTORIES.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.exists())
}

/// Copies a file or a directory.
///
/// By a process of its own: a descriptor of ours could be open for writing in a process that another thread just
/// forks, and then a program could not be executed (ETXTBSY).
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !Command::new("cp").arg("-r").arg(from).arg(to).status()?.success() {
        return Err(io::Error::other(format!("cannot copy {}", from.display())));
    }
    Ok(())
}

/// Writes a path over every place of one that is longer, with slashes before it.
fn replace_path(bytes: &mut [u8], old: &str, new: &Path) -> io::Result<()> {
    let new = new.to_string_lossy();
    let padding = old.len().checked_sub(new.len()).ok_or_else(|| io::Error::other(format!("{new} is too long")))?;
    let written = ["/".repeat(padding).as_str(), &new].concat();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(old.len()).position(|it| it == old.as_bytes()))
    {
        if let Some(place) = bytes.get_mut(at + found..at + found + old.len()) {
            place.copy_from_slice(written.as_bytes());
        }
        at += found + old.len();
    }
    Ok(())
}

/// What the applets are the commands of.
pub const PROJECTS: [&str; 3] = ["coreutils", "libcap", "util-linux"];

/// The version of each of [`PROJECTS`], as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(BTreeMap<String, String>);

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<String> = self.0.iter().map(|(project, version)| format!("{project} {version}")).collect();
        f.write_str(&words.join(", "))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_over_a_longer_one_and_nothing_else_moves() {
        let mut bytes = b"a\0////old/lib/ld.so\0////old/lib\0".to_vec();
        replace_path(&mut bytes, "////old/lib", Path::new("/new")).unwrap();
        assert_eq!(bytes, b"a\0////////new/ld.so\0////////new\0");
        assert!(replace_path(&mut bytes, "/new", Path::new("/longer")).is_err());
    }
}
