//! The text of a cell: escaped for a terminal, and measured in its columns.

/// Adds a text with `\xNN` for the bytes of what is no character or cannot be printed, and for the backslash of
/// what only looks like that; in a raw cell for all but words of ASCII.
pub(super) fn escape(text: &[u8], raw: bool, utf8: bool, out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut add = |bytes: &[u8], special: bool| {
        for &byte in bytes {
            if special {
                let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
                out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
            } else {
                out.push(byte);
            }
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

/// How many columns of a terminal a text takes, and how many bytes of it they are, if there is only so much room.
pub(super) fn measure(text: &[u8], room: usize) -> (usize, usize) {
    let mut used = 0;
    let mut length = 0;
    // Escaped cells are valid UTF-8.
    for character in str::from_utf8(text).unwrap_or_default().chars() {
        let cells = cells(character);
        if used + cells > room {
            break;
        }
        used += cells;
        length += character.len_utf8();
    }
    (used, length)
}

/// How many columns a character takes, as most terminals have it.
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
