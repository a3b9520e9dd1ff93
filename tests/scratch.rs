//! A directory that goes when the test ends, and copies of the tree that packages and images are made in.

use crate::{document, sandbox};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A new directory below the machine's directory for temporary files; removed when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// `name` tells whose it is.
    pub fn new(name: &str) -> std::io::Result<Scratch> {
        let path = std::env::temp_dir().join(format!("ctrbox-{name}-{}", std::process::id()));
        fs::create_dir(&path)?;
        // Whatever the caller's umask: programs of other users look into it, too.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command that must succeed.
#[allow(clippy::panic)]
pub fn run(command: &mut Command) -> Output {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error}"),
    };
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
    output
}

/// Copies what packages and images are made from, with the binary that is tested.
pub fn copy_of_tree(to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to.join("target"))?;
    let made_from = [
        "scripts man completions LICENSE-MIT LICENSE-APACHE LICENSES-THIRD-PARTY README.md CHANGELOG.md sbom.cdx.json",
        // What cargo reads to know the package.
        "Cargo.toml Cargo.lock .cargo src applets tests",
    ];
    for name in made_from.iter().flat_map(|names| names.split(' ')) {
        run(Command::new("cp").arg("-r").arg(document::tree().join(name)).arg(to));
    }
    run(Command::new("cp").arg(sandbox::artefact()?).arg(to.join("target/ctrbox")));
    Ok(())
}
