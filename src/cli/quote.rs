//! Quotes names as the messages of GNU coreutils do: in the locale's quotes, or for a shell.

use linux::environment::variable;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// `'x'` in the C locale, in U+2018 and U+2019 in a UTF-8 one. Unprintable bytes are escaped as in C.
pub fn locale(text: &OsStr) -> Vec<u8> {
    let utf8 = is_utf8_locale();
    let (open, close): (&[u8], &[u8]) =
        if utf8 { ("\u{2018}".as_bytes(), "\u{2019}".as_bytes()) } else { (b"'", b"'") };
    let mut out = open.to_vec();
    for chunk in text.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            match character {
                '\\' => out.extend_from_slice(b"\\\\"),
                '\'' if !utf8 => out.extend_from_slice(b"\\'"),
                ' '..='~' => out.extend_from_slice(bytes),
                _ if character.is_ascii() || !utf8 => bytes.iter().for_each(|byte| escape(*byte, &mut out)),
                '\u{2019}' => {
                    out.push(b'\\');
                    out.extend_from_slice(bytes);
                }
                _ if character.is_control() => bytes.iter().for_each(|byte| escape(*byte, &mut out)),
                _ => out.extend_from_slice(bytes),
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(*byte, &mut out));
    }
    out.extend_from_slice(close);
    out
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        0x07 => b'a',
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0b => b'v',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// `'a b'`, `"it's"`, `'/no'$'\n''such'`: always quoted, and readable by a shell.
pub fn shell(text: &OsStr) -> Vec<u8> {
    let bytes = text.as_bytes();
    let utf8 = is_utf8_locale();
    let printable = |text: &[u8]| match std::str::from_utf8(text) {
        Ok(text) => text.chars().all(|it| !it.is_control() && (utf8 || it.is_ascii())),
        Err(_) => false,
    };
    if printable(bytes) {
        let simple = !bytes.iter().any(|byte| matches!(byte, b'"' | b'$' | b'`' | b'\\' | b'!'));
        if bytes.contains(&b'\'') && simple {
            return [b"\"", bytes, b"\""].concat();
        }
    }
    // In single quotes, and in $'...' what cannot be printed.
    let mut out = vec![b'\''];
    let mut escaping = false;
    let plain = |out: &mut Vec<u8>, escaping: &mut bool, bytes: &[u8]| {
        if *escaping {
            out.extend_from_slice(b"''");
            *escaping = false;
        }
        out.extend_from_slice(bytes);
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            if character == '\'' {
                plain(&mut out, &mut escaping, b"'\\''");
            } else if character.is_control() || (!utf8 && !character.is_ascii()) {
                escapes(&mut out, &mut escaping, encoded);
            } else {
                plain(&mut out, &mut escaping, encoded);
            }
        }
        escapes(&mut out, &mut escaping, chunk.invalid());
    }
    out.push(b'\'');
    out
}

fn escapes(out: &mut Vec<u8>, escaping: &mut bool, bytes: &[u8]) {
    for byte in bytes {
        if !*escaping {
            out.extend_from_slice(b"'$'");
            *escaping = true;
        }
        escape(*byte, out);
    }
}

/// Whether LC_ALL, LC_CTYPE or LANG, the first that is set, names a UTF-8 locale.
pub(crate) fn is_utf8_locale() -> bool {
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let name = name.map(|name| name.into_vec().to_ascii_lowercase()).unwrap_or_default();
    name.ends_with(b".utf-8") || name.ends_with(b".utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell_text(text: &str) -> String {
        String::from_utf8(shell(OsStr::new(text))).unwrap()
    }

    #[test]
    fn a_shell_can_read_back_what_is_quoted_for_it() {
        assert_eq!(shell_text("/a b"), "'/a b'");
        assert_eq!(shell_text("it's"), "\"it's\"");
        assert_eq!(shell_text("/no\nsuch"), "'/no'$'\\n''such'");
        assert_eq!(shell_text("it's $5"), "'it'\\''s $5'");
    }
}
