//! Extended regular expressions: regex(7). They only say whether a text matches. All alternatives are followed at once, so
//! that the time is bounded by the product of the lengths of text and expression.

/// An expression that was read.
#[derive(Debug)]
pub struct Regex(Vec<Step>);

/// A step of a match.
#[derive(Clone, Debug)]
enum Step {
    /// A character in one of these ranges, or with `false` in none of them.
    Any(Vec<(u32, u32)>, bool),
    /// The beginning of the text.
    Begin,
    /// Its end.
    End,
    /// Between these: whether a character of a word may stand before the place, and behind it. Bit 2 * before + behind.
    Word(u8),
    /// Go on at the next step and at this one.
    Fork(usize),
    /// Go on at this step.
    Jump(usize),
    /// It matches.
    Done,
}

/// The most steps of an expression, which `(a{255}){255}` would exceed.
const MOST: usize = 20_000;
const DEEPEST: usize = 100;
const TOO_BIG: &str = "Regular expression too big";

/// Whether it is a letter, a digit or `_`.
fn is_of_word(one: Option<&u32>) -> bool {
    one.and_then(|one| u8::try_from(*one).ok()).is_some_and(|one| one.is_ascii_alphanumeric() || one == b'_')
}

/// The characters of a text. Bytes that are not UTF-8 get numbers above those of all characters.
fn characters(text: &[u8]) -> Vec<u32> {
    let mut all = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        all.extend(chunk.valid().chars().map(u32::from));
        all.extend(chunk.invalid().iter().map(|byte| 0x11_0000 + u32::from(*byte)));
    }
    all
}

impl Regex {
    /// Compiles an expression. The error is the message of regcomp(3).
    pub fn new(pattern: &[u8]) -> Result<Regex, &'static str> {
        let pattern = characters(pattern);
        let mut reader = Reader { rest: &pattern, steps: Vec::new(), depth: 0 };
        reader.either()?;
        reader.steps.push(Step::Done);
        Ok(Regex(reader.steps))
    }

    /// Whether any part of a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        let text = characters(text);
        // The steps that a match may have reached, and the place in the text at which each was added last.
        let (mut now, mut next) = (Vec::new(), Vec::new());
        let mut added = vec![usize::MAX; self.0.len()];
        for at in 0..=text.len() {
            next.clear();
            now.push(0);
            let mut index = 0;
            while let Some(place) = now.get(index).copied() {
                index += 1;
                match added.get_mut(place) {
                    Some(last) if *last != at => *last = at,
                    _ => continue,
                }
                match self.0.get(place) {
                    Some(Step::Done) => return true,
                    Some(Step::Begin) if at == 0 => now.push(place + 1),
                    Some(Step::End) if at == text.len() => now.push(place + 1),
                    Some(Step::Word(sides)) => {
                        let before = at.checked_sub(1).and_then(|at| text.get(at));
                        let side = u8::from(is_of_word(before)) * 2 + u8::from(is_of_word(text.get(at)));
                        if sides >> side & 1 != 0 {
                            now.push(place + 1);
                        }
                    }
                    Some(Step::Fork(there)) => now.extend([place + 1, *there]),
                    Some(Step::Jump(there)) => now.push(*there),
                    Some(Step::Any(ranges, wanted)) => {
                        let is_in = |one: &u32| ranges.iter().any(|(from, to)| (from..=to).contains(&one));
                        if text.get(at).is_some_and(|one| is_in(one) == *wanted) {
                            next.push(place + 1);
                        }
                    }
                    _ => {}
                }
            }
            core::mem::swap(&mut now, &mut next);
        }
        false
    }
}

struct Reader<'a> {
    rest: &'a [u32],
    steps: Vec<Step>,
    depth: usize,
}

const fn letter(byte: u8) -> u32 {
    byte as u32
}

impl Reader<'_> {
    fn first(&self) -> Option<u8> {
        self.rest.first().and_then(|one| u8::try_from(*one).ok())
    }

    fn take(&mut self) -> Option<u32> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take_one(&mut self, byte: u8) -> bool {
        let is = self.first() == Some(byte);
        if is {
            self.take();
        }
        is
    }

    /// Reads branches with bars between them.
    fn either(&mut self) -> Result<(), &'static str> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TOO_BIG);
        }
        let start = self.steps.len();
        let mut ends = Vec::new();
        let mut branch = start;
        loop {
            self.branch()?;
            if !self.take_one(b'|') {
                break;
            }
            self.insert(branch, Step::Fork(self.steps.len() + 2));
            ends.push(self.steps.len());
            self.steps.push(Step::Jump(0));
            branch = self.steps.len();
        }
        let end = self.steps.len();
        for place in ends {
            if let Some(step) = self.steps.get_mut(place) {
                *step = Step::Jump(end);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Inserts a step and moves the targets of the jumps behind it.
    fn insert(&mut self, place: usize, step: Step) {
        for step in self.steps.get_mut(place..).unwrap_or_default() {
            if let Step::Fork(there) | Step::Jump(there) = step {
                *there += 1;
            }
        }
        self.steps.insert(place, step);
    }

    fn branch(&mut self) -> Result<(), &'static str> {
        // Nothing that could be repeated is before this.
        let mut is_first = true;
        while let Some(one) = self.rest.first().copied() {
            let start = self.steps.len();
            match u8::try_from(one).unwrap_or(b'a') {
                b'|' => return Ok(()),
                b')' if self.depth > 1 => return Ok(()),
                b'*' | b'+' | b'?' | b'{' if is_first => return Err("Invalid preceding regular expression"),
                _ => self.atom()?,
            }
            let is_group = one == letter(b'(');
            is_first = !is_group && matches!(self.steps.get(start..), Some([Step::Begin | Step::End | Step::Word(_)]));
            if !is_first {
                self.repeat(start)?;
            }
        }
        Ok(())
    }

    /// Reads one character, class, anchor or group.
    fn atom(&mut self) -> Result<(), &'static str> {
        let Some(one) = self.take() else { return Ok(()) };
        let step = match u8::try_from(one).unwrap_or(b'a') {
            b'^' => Step::Begin,
            b'$' => Step::End,
            b'.' => Step::Any(Vec::new(), false),
            b'[' => self.class()?,
            b'(' => {
                self.either()?;
                return if self.take_one(b')') { Ok(()) } else { Err("Unmatched ( or \\(") };
            }
            b'\\' => {
                let Some(escaped) = self.take() else { return Err("Trailing backslash") };
                match u8::try_from(escaped).unwrap_or(b'a') {
                    b'w' | b'W' => {
                        let mut ranges = named("alnum").unwrap_or_default();
                        ranges.push((letter(b'_'), letter(b'_')));
                        Step::Any(ranges, escaped == letter(b'w'))
                    }
                    b'<' => Step::Word(0b0010),
                    b'>' => Step::Word(0b0100),
                    b'b' => Step::Word(0b0110),
                    b'B' => Step::Word(0b1001),
                    b'`' => Step::Begin,
                    b'\'' => Step::End,
                    b's' | b'S' => Step::Any(named("space").unwrap_or_default(), escaped == letter(b's')),
                    _ => Step::Any(vec![(escaped, escaped)], true),
                }
            }
            _ => Step::Any(vec![(one, one)], true),
        };
        self.steps.push(step);
        Ok(())
    }

    /// Reads `[a-z]` from behind its bracket.
    fn class(&mut self) -> Result<Step, &'static str> {
        const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
        let wanted = !self.take_one(b'^');
        let mut ranges = Vec::new();
        // Whether a range, or a class, has just ended, behind which none can begin.
        let mut is_range = false;
        loop {
            let Some(one) = self.take() else {
                return Err(if ranges.is_empty() { "Invalid regular expression" } else { UNMATCHED });
            };
            if one == letter(b']') && !ranges.is_empty() {
                return Ok(Step::Any(ranges, wanted));
            }
            if one == letter(b'[') && self.take_one(b':') {
                let end = self.rest.windows(2).position(|two| *two == [letter(b':'), letter(b']')]);
                let (name, rest) = self.rest.split_at_checked(end.ok_or(UNMATCHED)?).ok_or(UNMATCHED)?;
                let name: String = name.iter().filter_map(|one| char::from_u32(*one)).collect();
                ranges.extend(named(&name).ok_or("Invalid character class name")?);
                self.rest = rest.get(2..).unwrap_or_default();
                is_range = true;
                continue;
            }
            if is_range && one == letter(b'-') && self.first() != Some(b']') {
                return Err("Invalid range end");
            }
            let mut last = one;
            if let [dash, end, ..] = self.rest
                && *dash == letter(b'-')
                && *end != letter(b']')
            {
                last = *end;
                self.rest = self.rest.get(2..).unwrap_or_default();
            }
            if last < one {
                return Err("Invalid range end");
            }
            is_range = last > one;
            ranges.push((one, last));
        }
    }

    /// Reads how often the steps from `start` on are repeated.
    fn repeat(&mut self, start: usize) -> Result<(), &'static str> {
        loop {
            let bounds = match self.first() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => {
                    self.take();
                    let bounds = self.bounds()?;
                    self.times(start, bounds)?;
                    continue;
                }
                _ => return Ok(()),
            };
            self.take();
            self.times(start, bounds)?;
        }
    }

    /// Reads `{2,3}` from behind its brace.
    fn bounds(&mut self) -> Result<(usize, Option<usize>), &'static str> {
        let is_open = !self.rest.contains(&letter(b'}'));
        let invalid = if is_open { "Unmatched \\{" } else { "Invalid content of \\{\\}" };
        let least = self.number();
        let bounds =
            if self.take_one(b',') { (least.unwrap_or(0), self.number()) } else { (least.ok_or(invalid)?, least) };
        if !self.take_one(b'}') {
            return Err(invalid);
        }
        match bounds {
            (least, most) if least > 32_767 || most.is_some_and(|most| most > 32_767) => Err(TOO_BIG),
            (least, Some(most)) if most < least => Err(invalid),
            bounds => Ok(bounds),
        }
    }

    fn number(&mut self) -> Option<usize> {
        let mut value = None;
        while let Some(digit @ b'0'..=b'9') = self.first() {
            self.take();
            value = Some(value.unwrap_or(0_usize).saturating_mul(10).saturating_add(usize::from(digit - b'0')));
        }
        value
    }

    /// Repeats the steps from `start` on.
    fn times(&mut self, start: usize, (least, most): (usize, Option<usize>)) -> Result<(), &'static str> {
        let part: Vec<Step> = self.steps.split_off(start);
        let count = most.unwrap_or(least + 1).max(1);
        if part.len().saturating_add(2).saturating_mul(count).saturating_add(start) > MOST {
            return Err(TOO_BIG);
        }
        for _ in 0..least {
            self.copy(&part, start);
        }
        match most {
            None => {
                let fork = self.steps.len();
                self.steps.push(Step::Fork(fork + part.len() + 2));
                self.copy(&part, start);
                self.steps.push(Step::Jump(fork));
            }
            Some(most) => {
                let end = self.steps.len() + (most - least) * (part.len() + 1);
                for _ in least..most {
                    self.steps.push(Step::Fork(end));
                    self.copy(&part, start);
                }
            }
        }
        Ok(())
    }

    /// Adds a copy of steps that stood at `from`, with the targets of their jumps moved.
    fn copy(&mut self, part: &[Step], from: usize) {
        let by = self.steps.len() - from;
        for step in part {
            let mut step = step.clone();
            if let Step::Fork(there) | Step::Jump(there) = &mut step {
                *there += by;
            }
            self.steps.push(step);
        }
    }
}

/// The characters of a named class, of which only ASCII has any.
fn named(name: &str) -> Option<Vec<(u32, u32)>> {
    let is = match name {
        "alnum" => u8::is_ascii_alphanumeric,
        "alpha" => u8::is_ascii_alphabetic,
        "digit" => u8::is_ascii_digit,
        "lower" => u8::is_ascii_lowercase,
        "upper" => u8::is_ascii_uppercase,
        "xdigit" => u8::is_ascii_hexdigit,
        "punct" => u8::is_ascii_punctuation,
        "cntrl" => u8::is_ascii_control,
        "graph" => u8::is_ascii_graphic,
        "space" => |byte: &u8| matches!(byte, b' ' | 9..=13),
        "blank" => |byte: &u8| matches!(byte, b' ' | b'\t'),
        "print" => |byte: &u8| matches!(byte, b' '..=b'~'),
        _ => return None,
    };
    Some((0..128_u8).filter(is).map(|byte| (letter(byte), letter(byte))).collect())
}

#[cfg(test)]
mod tests;
