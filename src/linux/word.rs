//! Words of a static table, without pointers.

use core::ops::Deref;

/// A text of at most `SIZE` bytes. In a static table it is no pointer, which the start of a
/// position-independent program would have to write, and copy the page for that.
#[derive(Clone, Copy)]
pub struct Word<const SIZE: usize> {
    length: u8,
    bytes: [u8; SIZE],
}

impl<const SIZE: usize> Word<SIZE> {
    /// The compiler refuses one that is too long.
    pub const fn new(text: &str) -> Word<SIZE> {
        let mut bytes = [0; SIZE];
        let (here, _) = bytes.split_at_mut(text.len());
        here.copy_from_slice(text.as_bytes());
        Word { length: text.len() as u8, bytes }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Words of each of these.
    pub const fn all<const COUNT: usize>(texts: [&str; COUNT]) -> [Word<SIZE>; COUNT] {
        let mut words = [Word::new(""); COUNT];
        let (mut texts, mut room) = (texts.as_slice(), words.as_mut_slice());
        while let ([text, rest @ ..], [word, after @ ..]) = (texts, room) {
            *word = Word::new(text);
            (texts, room) = (rest, after);
        }
        words
    }
}

impl<const SIZE: usize> Deref for Word<SIZE> {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: the bytes are those of the text that it was made of.
        unsafe { core::str::from_utf8_unchecked(self.as_bytes()) }
    }
}

impl<const SIZE: usize> core::fmt::Debug for Word<SIZE> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_text_it_was_made_of() {
        static WORDS: [Word<4>; 3] = Word::all(["", "ab", "abcd"]);
        assert_eq!(WORDS.map(|word| word.to_string()), ["", "ab", "abcd"]);
        assert_eq!(Word::<4>::new("ab").as_bytes(), b"ab");
    }
}
