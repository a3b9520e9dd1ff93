//! The text of a cell: escaped, and measured in columns of a terminal.

use std::borrow::Cow;

/// Adds a text with `\xNN` for each byte that cannot be printed, and for the backslash of a literal `\x`. In a raw cell
/// only visible ASCII stays as it is.
fn escape(text: &[u8], raw: bool, utf8: bool, out: &mut Vec<u8>) {
    let mut add = |bytes: &[u8], special: bool| {
        for &byte in bytes {
            if special { hexadecimal(b"\\x", byte, out) } else { out.push(byte) }
        }
    };
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(character) = rest.chars().next() {
            let (bytes, after) = rest.as_bytes().split_at(character.len_utf8());
            rest = rest.get(bytes.len()..).unwrap_or_default();
            let special = match character {
                '\\' => raw || after.first() == Some(&b'x'),
                _ if raw => !character.is_ascii_graphic(),
                _ => character.is_control() || !(utf8 || character.is_ascii()),
            };
            add(bytes, special);
        }
        add(chunk.invalid(), true);
    }
}

/// The lines of a cell in one, with `separator` between them.
pub(super) fn joined(cell: &[u8], separator: u8) -> Vec<u8> {
    let mut line = cell.to_vec();
    for byte in line.iter_mut().filter(|byte| **byte == 0) {
        *byte = separator;
    }
    line
}

/// A text as the format wants it: quoted for pairs, else escaped.
pub(super) fn show(text: Cow<'_, [u8]>, pairs: bool, raw: bool, utf8: bool) -> Cow<'_, [u8]> {
    let stays = |byte: &u8| {
        if pairs { stays_in_quotes(*byte) } else { matches!(byte, b'!'..=b'[' | b']'..=b'~') || *byte == b' ' && !raw }
    };
    if text.iter().all(stays) {
        return text;
    }
    let mut out = Vec::new();
    if pairs {
        quote(&text, &mut out)
    } else {
        escape(&text, raw, utf8, &mut out)
    }
    Cow::Owned(out)
}

fn hexadecimal(mark: &[u8], byte: u8, out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    out.extend_from_slice(mark);
    out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
}

/// Adds a text that stands in double quotes, with `\xNN` for what is not printable ASCII or special to a shell there.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if stays_in_quotes(byte) {
            out.push(byte);
        } else {
            hexadecimal(b"\\x", byte, out);
        }
    }
}

fn stays_in_quotes(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'`' | b'$')
}

/// A text as a hyperlink to a path on this host: the terminal's escape sequence OSC 8.
pub(super) fn link(host: &[u8], path: &[u8], shown: &[u8]) -> Vec<u8> {
    let mut out = b"\x1b]8;;file://".to_vec();
    out.extend_from_slice(host);
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            // A control character would end the link.
            let is_control = character.is_control();
            for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
                if is_control { hexadecimal(b"%", byte, &mut out) } else { out.push(byte) }
            }
        }
        chunk.invalid().iter().for_each(|byte| hexadecimal(b"%", *byte, &mut out));
    }
    out.extend_from_slice(b"\x1b\\");
    out.extend_from_slice(shown);
    out.extend_from_slice(b"\x1b]8;;\x1b\\");
    out
}

/// How many terminal columns a text takes, and how many of its bytes fit if the columns are limited.
pub(super) fn measure(text: &[u8], room: usize) -> (usize, usize) {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        let length = text.len().min(room);
        return (length, length);
    }
    let mut used = 0;
    let mut length = 0;
    let mut in_link = false;
    let mut before = ' ';
    for character in text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
        // Escaped cells have no control characters but those of links, which end in ESC and a backslash.
        in_link |= character == '\x1b';
        let cells = if in_link { 0 } else { cells(character) };
        in_link &= before != '\x1b' || character != '\\';
        before = character;
        if used + cells > room {
            break;
        }
        used += cells;
        length += character.len_utf8();
    }
    (used, length)
}

/// How many columns a character takes on most terminals: 0, 1 or 2.
fn cells(character: char) -> usize {
    match u32::from(character) {
        0x300..0x370 | 0x200b..0x2010 | 0x202a..0x202f | 0xfe00..0xfe10 => 0,
        0x1100..0x1160 | 0x2e80..0xa4d0 | 0xac00..0xd7a4 | 0xf900..0xfb00 | 0xfe30..0xfe70 | 0xff00..0xff61 => 2,
        0x1f300..0x1fb00 | 0x20000..0x40000 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &[u8], raw: bool, utf8: bool) -> String {
        let mut out = Vec::new();
        escape(text, raw, utf8, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_cannot_be_printed_is_escaped() {
        assert_eq!(escaped("a b\té\\y".as_bytes(), false, true), "a b\\x09é\\y");
        assert_eq!(escaped(b"\\x41 \\\\x \xff", false, true), "\\x5cx41 \\\\x5cx \\xff");
        assert_eq!(escaped("é".as_bytes(), false, false), "\\xc3\\xa9");
        assert_eq!(escaped("a b\\\"é".as_bytes(), true, true), "a\\x20b\\x5c\"\\xc3\\xa9");
    }

    #[test]
    fn wide_characters_are_measured_and_cut_whole() {
        assert_eq!(measure("ab".as_bytes(), 9), (2, 2));
        assert_eq!(measure("日本".as_bytes(), 3), (2, 3));
        assert_eq!(measure("e\u{301}x".as_bytes(), 1), (1, 3));
    }
}
