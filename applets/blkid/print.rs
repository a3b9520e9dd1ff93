//! The output formats of blkid(8): full, list, value, device, export and udev.

use super::list;
use super::options::{Form, Options};
use cli::columns::json_string;
use cli::{Output, add, text};
use linux::mount::probe::{self, Superblock, encode};
use std::ffi::OsStr;

/// Prints devices, one after another.
pub struct Printer<'a> {
    options: &'a Options,
    output: &'a mut Output,
    /// Whether a device was printed before, so that an empty line separates them.
    follows: bool,
}

impl<'a> Printer<'a> {
    pub fn new(options: &'a Options, output: &'a mut Output) -> Printer<'a> {
        Printer { options, output, follows: false }
    }

    /// Prints a device's selected tags. If there are none, a device that was `probed` leaves its end of line all the same.
    pub fn device(&mut self, name: &OsStr, told: &Superblock, probed: bool) {
        let form = self.options.form;
        if form == Form::Device {
            self.output.print_shown(text![name]);
            return;
        }
        if form == Form::List {
            list::device(name, told, self.output);
            return;
        }
        let mut out = Vec::new();
        let mut is_first = true;
        if probed && self.follows && matches!(form, Form::Udev | Form::Export) {
            out.push(b'\n');
        }
        for (tag, value) in &told.values {
            if self.options.shows(tag.as_bytes()) {
                self.value(name, tag, value, is_first, &mut out);
                is_first = false;
            }
        }
        match form {
            Form::Json => {
                let begin = if self.follows { ",{\n" } else { "{\n   \"blkid\": [\n      {\n" };
                out = text![begin, out, "\n      }"];
            }
            Form::Full if probed || !is_first => out.push(b'\n'),
            _ => {}
        }
        self.follows |= probed || !is_first || form == Form::Json;
        self.output.print(out);
    }

    /// Prints the conflicting signatures of a device, in the form that udev imports.
    pub fn ambivalent(&mut self, all: &[Superblock]) {
        let mut out = text![if self.follows { "\n" } else { "" }, "ID_FS_AMBIVALENT="];
        for (index, found) in all.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            add!(&mut out, space, probe::usage(found.fstype), ":", found.fstype);
            if let Some(version) = found.value("VERSION") {
                add!(&mut out, ":", encode(version));
            }
        }
        out.push(b'\n');
        self.output.print(out);
    }

    /// Prints what follows the last device.
    pub fn end(&mut self) {
        if self.options.form == Form::Json {
            self.output.print(if self.follows { "\n   ]\n}\n" } else { "{\n   \"blkid\": [\n\n   ]\n}\n" });
        }
    }

    fn value(&self, device: &OsStr, tag: &str, value: &[u8], is_first: bool, out: &mut Vec<u8>) {
        let options = self.options;
        let begin = is_first && self.follows && out.is_empty();
        match options.form {
            Form::Full => {
                if is_first {
                    add!(out, device, ":");
                }
                add!(out, " ", tag, "=\"");
                printable(value, b"\"\\", options.plain, out);
                out.push(b'"');
            }
            Form::Export => {
                if is_first {
                    add!(out, if begin { "\n" } else { "" }, "DEVNAME=", device, "\n");
                }
                add!(out, tag, "=");
                printable(value, b"\"\\'$`<> ;&|()", options.plain, out);
                out.push(b'\n');
            }
            Form::Json => {
                if is_first {
                    out.extend_from_slice(b"         \"device\": ");
                    json_string(text![device].as_slice(), out);
                }
                add!(out, ",\n         \"", tag.to_ascii_lowercase(), "\": ");
                json_string(value, out);
            }
            Form::Udev => {
                if begin {
                    out.push(b'\n');
                }
                udev(tag, value, out);
            }
            _ => add!(out, value, "\n"),
        }
    }
}

/// Adds a value for a terminal: `^A` for a control character, `M-A` for a byte that is not ASCII, a backslash before the
/// `marked` characters. A `plain` value is added as it is.
fn printable(value: &[u8], marked: &[u8], plain: bool, out: &mut Vec<u8>) {
    if plain {
        out.extend_from_slice(value);
        return;
    }
    for byte in value {
        let mut byte = *byte;
        if byte >= 0x80 {
            out.extend_from_slice(b"M-");
            byte -= 0x80;
        }
        if byte < b' ' || byte == 0x7f {
            out.extend_from_slice(&[b'^', byte ^ 0x40]);
            continue;
        }
        if marked.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// Adds a tag as variables for udev: the value made safe, and for some tags also encoded as `NAME_ENC`.
fn udev(tag: &str, value: &[u8], out: &mut Vec<u8>) {
    let (begin, name) = match tag {
        "PTTYPE" => ("ID_PART_TABLE_", "TYPE"),
        "PTUUID" => ("ID_PART_TABLE_", "UUID"),
        "MINIMUM_IO_SIZE" | "OPTIMAL_IO_SIZE" | "PHYSICAL_SECTOR_SIZE" | "LOGICAL_SECTOR_SIZE" | "ALIGNMENT_OFFSET" => {
            ("ID_IOLIMIT_", tag)
        }
        _ if tag.starts_with("PART_ENTRY_") => ("ID_", tag),
        _ => ("ID_FS_", tag),
    };
    let encoded = encode(value);
    if matches!(tag, "LABEL" | "UUID" | "UUID_SUB" | "LABEL_FATBOOT") {
        add!(out, begin, name, "=", safe(value), "\n", begin, name, "_ENC=", encoded, "\n");
        return;
    }
    // A newline would begin another variable.
    let is_encoded =
        tag == "VERSION" || tag.ends_with("_ID") || begin == "ID_" || value.iter().any(u8::is_ascii_control);
    add!(out, begin, name, "=", if is_encoded { encoded.as_slice() } else { value }, "\n");
}

/// The value with white space at its ends removed, and with an underscore for each other white space and each byte
/// that is not UTF-8.
fn safe(value: &[u8]) -> Vec<u8> {
    let mut safe = Vec::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            safe.push(if byte.is_ascii_whitespace() { b' ' } else { byte });
        }
        safe.resize(safe.len() + chunk.invalid().len(), b'_');
    }
    let mut words = Vec::with_capacity(safe.len());
    for word in safe.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(b'_');
        }
        words.extend_from_slice(word);
    }
    words
}
