//! Inputs: texts made by the grammar, then damaged, and some of no grammar at all.

use linux::caps::NAMES;

/// xorshift64*: a small generator, so that a run can be repeated by its seed.
pub struct Random(u64);

impl Random {
    /// Any seed but 0 will do.
    pub fn new(seed: u64) -> Random {
        Random(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// A set of 64: empty, full, sparse, dense, or a run.
    pub fn set(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::MAX,
            2 => self.next() & self.next() & self.next(),
            3 => self.next() | self.next() | self.next(),
            4 => (u64::MAX >> self.below(64)) << self.below(64),
            _ => self.next(),
        }
    }

    fn item(&mut self, out: &mut String) {
        match self.below(12) {
            0 => out.push_str(self.pick(&["all", "ALL", "All", "aLL"])),
            1 => out.push_str(&self.below(70).to_string()),
            2 => out.push_str(&format!("0{:o}", self.below(80))),
            3 => out.push_str(&format!("0x{:x}", self.below(80))),
            4 => out.push_str(self.pick(&[
                "cap_",
                "",
                "cap_foo",
                "chown",
                "0x",
                "00",
                "18446744073709551617",
                "cap_chown1",
                "allx",
                "none",
            ])),
            5 => out.push_str(&self.known_name().to_uppercase()),
            _ => out.push_str(self.known_name()),
        }
    }

    fn known_name(&mut self) -> &'static str {
        NAMES.split(' ').nth(self.below(41)).unwrap_or_default()
    }

    fn flags(&mut self, out: &mut String) {
        for _ in 0..self.below(4) {
            out.push_str(self.pick(&["e", "i", "p"]));
        }
    }

    /// Something like a capability text.
    pub fn text(&mut self) -> Vec<u8> {
        let mut out = String::new();
        for clause in 0..self.below(5) {
            if clause > 0 || self.one_in(8) {
                out.push_str(self.pick(&[" ", " ", " ", "\t", "\n", "  ", "\x0b", "\x0c", "\r"]));
            }
            if !self.one_in(3) {
                for item in 0..=self.below(4) {
                    if item > 0 {
                        out.push(',');
                    }
                    self.item(&mut out);
                }
            }
            for _ in 0..=self.below(3) {
                out.push_str(self.pick(&["=", "+", "-", "=", "+"]));
                self.flags(&mut out);
            }
        }
        self.damaged(out)
    }

    /// Something like an IAB tuple.
    pub fn tuple(&mut self) -> Vec<u8> {
        let mut out = String::new();
        for item in 0..self.below(6) {
            if item > 0 {
                out.push(',');
            }
            for _ in 0..self.below(3) {
                out.push_str(self.pick(&["!", "^", "%"]));
            }
            if !self.one_in(20) {
                self.item(&mut out);
            }
        }
        if self.one_in(12) {
            out.push(',');
        }
        self.damaged(out)
    }

    /// Something like a name.
    pub fn name(&mut self) -> Vec<u8> {
        let mut out = String::new();
        self.item(&mut out);
        self.damaged(out)
    }

    /// The text as it is, or with some bytes put in, taken out or replaced; now and then of no
    /// grammar at all. No NUL: it ends a C string.
    fn damaged(&mut self, text: String) -> Vec<u8> {
        const ALPHABET: &[u8] = b"cap_chown,all=+-eip !^%0x163\t\n\xff@[{`E";
        let mut text = text.into_bytes();
        if self.one_in(20) {
            let length = self.below(24);
            return (0..length).map(|_| ALPHABET[self.below(ALPHABET.len())]).collect();
        }
        if self.one_in(3) {
            for _ in 0..=self.below(3) {
                let byte =
                    if self.one_in(4) { 1 + self.below(255) as u8 } else { ALPHABET[self.below(ALPHABET.len())] };
                let at = self.below(text.len() + 1);
                match self.below(3) {
                    0 => text.insert(at, byte),
                    1 if at < text.len() => text[at] = byte,
                    _ if at < text.len() => {
                        text.remove(at);
                    }
                    _ => {}
                }
            }
        }
        text
    }
}
