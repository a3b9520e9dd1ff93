//! Writes the manual pages in `man/` and the completions in `completions/` anew: `scripts/documents`.

use std::fs;
use std::io;
use tests::{document, sandbox};

fn main() -> io::Result<()> {
    for (path, text) in document::all(&sandbox::artefact()?)? {
        let path = document::tree().join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
