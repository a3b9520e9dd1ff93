//! What is tried: a list of steps that make the surroundings and the caller, and a command line. It goes to the side that
//! runs it as bytes, and to a person as a script.

use std::io::{self, Read, Write};

/// Words; the first says what is done, see `perform.rs`.
pub type Step = Vec<Vec<u8>>;

/// A command line and all that it finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// What is done by root before: mounts, files, processes.
    pub surroundings: Vec<Step>,
    /// What the process that runs the line makes of itself.
    pub caller: Vec<Step>,
    /// The command line; its first word is the applet's name.
    pub line: Vec<Vec<u8>>,
}

/// A step of these words.
pub fn step(words: &[&str]) -> Step {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// Writes a list of byte strings, each behind its length.
fn put(out: &mut Vec<u8>, words: &[Vec<u8>]) {
    out.extend_from_slice(&u32::try_from(words.len()).unwrap().to_le_bytes());
    for word in words {
        out.extend_from_slice(&u32::try_from(word.len()).unwrap().to_le_bytes());
        out.extend_from_slice(word);
    }
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*head) as usize)
}

fn take(bytes: &mut &[u8]) -> Option<Vec<Vec<u8>>> {
    let count = number(bytes)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(bytes)?;
        let (word, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        words.push(word.to_vec());
    }
    Some(words)
}

impl Case {
    /// The bytes that [`Case::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for steps in [&self.surroundings, &self.caller] {
            out.extend_from_slice(&u32::try_from(steps.len()).unwrap().to_le_bytes());
            for step in steps {
                put(&mut out, step);
            }
        }
        put(&mut out, &self.line);
        out
    }

    /// The reverse of [`Case::encode`].
    pub fn decode(mut bytes: &[u8]) -> Option<Case> {
        let mut case = Case::default();
        for steps in [&mut case.surroundings, &mut case.caller] {
            for _ in 0..number(&mut bytes)? {
                steps.push(take(&mut bytes)?);
            }
        }
        case.line = take(&mut bytes)?;
        Some(case)
    }

    /// The script that a person types for it.
    pub fn script(&self) -> String {
        let mut out = String::new();
        for step in self.surroundings.iter().chain(&self.caller) {
            let words: Vec<String> = step.iter().map(|word| quoted(word)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            out.push_str(&shell(&words));
            out.push('\n');
        }
        let line: Vec<String> = self.line.iter().map(|word| quoted(word)).collect();
        out.push_str(&line.join(" "));
        out.push('\n');
        out
    }
}

/// A step as a line of shell.
fn shell(words: &[&str]) -> String {
    match words {
        ["dir", path] => format!("mkdir -p {path}"),
        ["file", path, content] => format!("printf %s {content} >{path}"),
        ["link", target, path] => format!("ln -s {target} {path}"),
        ["remove", path] => format!("rm -rf {path}"),
        ["tmpfs", path, options] => format!("mount -t tmpfs -o {options} tmpfs {path}"),
        ["bind", from, to] => format!("mount --bind {from} {to}"),
        ["rbind", from, to] => format!("mount --rbind {from} {to}"),
        ["move", from, to] => format!("mount --move {from} {to}"),
        ["propagation", word, path] => format!("mount --make-{word} {path}"),
        ["flags", list, path] => format!("mount -o remount,bind,{list} {path}"),
        ["detach", path] => format!("umount -l {path}"),
        ["fstab", lines @ ..] => format!("printf '%s\\n' {} >>/etc/fstab", lines.join(" ")),
        ["utab", line] => format!("printf '%s\\n' {line} >>/run/mount/utab"),
        ["image", kind, path] => format!("cp /images/{kind} {path}  # an image of {kind}"),
        ["two", path] => format!("cp /images/btrfs {path}; btrfs device scan $(losetup -f --show /images/second)"),
        ["attached", device, path] => format!("losetup {device} {path}"),
        ["mounted", kind, path] => format!("mount -t {kind} -o loop /images/{kind} {path}"),
        ["deleted", path] => format!("mkdir gone; mount --bind gone {path}; rmdir gone"),
        ["devices"] => "# of all block devices two loop devices alone are in /proc/partitions".to_string(),
        ["cgroup"] => "mount -t cgroup2 cgroup /sys/fs/cgroup; mkdir /sys/fs/cgroup/t".to_string(),
        ["filecap", path, value] => format!("setfattr -n security.capability -v 0x{value} {path}"),
        ["target", flags, map, doing] => format!("$TARGET {flags} {map} {doing} & # a process in new namespaces"),
        ["zombie"] => "true & # not waited for".to_string(),
        ["dead"] => "true & wait".to_string(),
        ["user", name] => format!("# as the user {name}"),
        ["env", word] => format!("export {word}"),
        ["unset", name] => format!("unset {name}"),
        ["cd", path] => format!("cd {path}"),
        ["close", number] => format!("exec {number}>&-"),
        ["umask", mode] => format!("umask {mode}"),
        words => format!("# {}", words.join(" ")),
    }
}

/// A word as bash reads it.
pub fn quoted(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%^".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    if let Some(&first) = word.first()
        && word.len() > 100
        && word.iter().all(|byte| *byte == first)
    {
        return format!("$(printf '%{}s' | tr ' ' {})", word.len(), quoted(&[first]));
    }
    if word.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\'') {
        return format!("'{}'", String::from_utf8_lossy(word));
    }
    let mut out = "$'".to_string();
    for &byte in word {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\'' => out.push_str("\\'"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out + "'"
}

/// Sends bytes behind their length.
pub fn send(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let mut whole = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
    whole.extend_from_slice(bytes);
    to.write_all(&whole)
}

/// Receives what [`send`] has sent.
pub fn receive(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
