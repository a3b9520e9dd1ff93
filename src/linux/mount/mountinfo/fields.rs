//! The fields of a line of mountinfo, and whether any of its bytes is special: eight bytes are looked at at a time.

/// The fields of a line, which single blanks separate. Eight bytes are looked at at a time: twenty thousand mounts are
/// two megabytes.
pub(super) struct Fields<'a> {
    line: &'a [u8],
    /// Where the next field starts.
    pub(super) start: usize,
    /// Where the eight bytes are that are being looked at.
    at: usize,
    /// The top bit of each of them that is a blank and has not been used.
    blanks: u64,
    /// Has a top bit if one of the bytes so far is special.
    special: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

// Inlined: the function is a few instructions and runs for every eight bytes, so a call would take most of the time.

/// The top bit of each byte that is `byte`.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    !(((difference & !TOPS) + !TOPS) | difference | !TOPS)
}

/// The eight bytes at `at`; behind the end there are letters.
#[inline(always)]
fn word_at(line: &[u8], at: usize) -> u64 {
    let rest = line.get(at..).unwrap_or_default();
    u64::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(|| last_word(rest)))
}

#[inline(never)]
fn last_word(rest: &[u8]) -> [u8; 8] {
    let mut word = [b'x'; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    word
}

/// Has a top bit set if any byte is a backslash, a control character or not ASCII. Carries from byte to byte do no
/// harm: they only come from such a byte.
#[inline(always)]
const fn special(word: u64) -> u64 {
    let from_backslash = word ^ (ONES * b'\\' as u64);
    word | word.wrapping_sub(ONES * b' ' as u64)
        | word.wrapping_add(ONES)
        | (from_backslash.wrapping_sub(ONES) & !from_backslash)
}

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a [u8]) -> Fields<'a> {
        let word = word_at(line, 0);
        Fields { line, start: 0, at: 0, blanks: equal(word, b' '), special: special(word) }
    }

    #[inline(always)]
    fn look_at(&mut self, at: usize) {
        let word = word_at(self.line, at);
        self.at = at;
        self.blanks = equal(word, b' ');
        self.special |= special(word);
    }

    /// Whether no byte of the line is special: then no field needs unescaping or disarming.
    pub(super) fn is_plain(&mut self) -> bool {
        while self.at + 8 < self.line.len() {
            self.look_at(self.at + 8);
        }
        self.special & TOPS == 0
    }

    /// The text to the next blank; `None` at the end of the line.
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.start;
        while self.blanks == 0 {
            if self.at + 8 >= self.line.len() {
                self.start = self.line.len();
                return self.line.get(start..).filter(|rest| !rest.is_empty());
            }
            self.look_at(self.at + 8);
        }
        let end = self.at + self.blanks.trailing_zeros() as usize / 8;
        self.blanks &= self.blanks - 1;
        self.start = end + 1;
        self.line.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_plain_if_there_is_nothing_to_unescape_or_to_hide() {
        for (line, plain) in [
            (&b"abc def"[..], true),
            (b"abcdefgh\\040", false),
            (b"12345678\x01", false),
            (b"\x7f", false),
            // U+009B, which a terminal takes for ESC [.
            (b"123456789\xc2\x9b", false),
        ] {
            assert_eq!(Fields::new(line).is_plain(), plain, "{line:?}");
        }
    }

    #[test]
    fn every_field_is_found_wherever_it_ends() {
        for length in 0..20 {
            let line = ["x".repeat(length), "y".repeat(length), String::new(), "z".to_string()].join(" ");
            let mut fields = Fields::new(line.as_bytes());
            for part in line.split(' ') {
                assert_eq!(fields.next(), Some(part.as_bytes()), "{line}");
            }
            assert_eq!(fields.next(), None);
        }
    }
}
