//! The program built in several ways: its size, and what a start of it takes.

use crate::peers::{Peer, Ready};
use crate::report::{Time, time};
use crate::rows::ROWS;
use crate::scene::{Scene, fresh_copy};
use crate::{Result, Turns, WARM_UP};
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// One way to build it, and the program.
pub struct Build {
    name: String,
    program: PathBuf,
}

impl Build {
    /// `NAME=FILE`.
    pub fn parse(text: &str) -> Result<Build> {
        let (name, program) = text.split_once('=').ok_or("a build is NAME=FILE")?;
        Ok(Build { name: name.to_string(), program: PathBuf::from(program) })
    }
}

/// Prints a line for each; the ratio is to the time of the first. They take turns with the floor.
pub fn print(builds: &[Build], scene: &Scene, rounds: usize) -> Result<()> {
    let row = ROWS.iter().find(|row| row.name == "unshare").ok_or("there is no row unshare")?;
    let mut commands = Vec::new();
    for build in builds {
        let Some(mut ready) = Ready::new(row, Peer::Ours, scene)? else { return Err("no unshare".into()) };
        let directory = scene.path(&format!("build-{}", build.name));
        fs::create_dir(&directory)?;
        fresh_copy(&build.program, &directory.join("unshare"))?;
        ready.program = CString::new(directory.join("unshare").as_os_str().as_bytes())?;
        commands.push((build.name.as_str(), fs::metadata(&build.program)?.len(), ready));
    }
    if let Some(floor) = Ready::new(row, Peer::Floor, scene)? {
        let size = fs::metadata(scene.path("floor/UNSHARE"))?.len();
        commands.push(("floor", size, floor));
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); commands.len()];
    let mut turns = Turns::new(commands.len());
    for round in 0..WARM_UP + rounds {
        for &index in turns.next() {
            let (Some((name, _, command)), Some(times)) = (commands.get(index), times.get_mut(index)) else { continue };
            let (time, succeeds) = command.run()?;
            if !succeeds {
                return Err(format!("{name}: unshare fails").into());
            }
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    println!("{:12} {:>9} {:>9}  ratio of a start (unshare PROGRAM) to that of the first", "", "bytes", "time");
    for ((name, size, _), taken) in commands.iter().zip(&times) {
        let Some(Time { median, ratio: [low, middle, high] }) = times.first().and_then(|first| time(first, taken))
        else {
            continue;
        };
        println!("{name:12} {size:9} {median:9.0}  {middle:6.3} ({low:.3} .. {high:.3})");
    }
    Ok(())
}
