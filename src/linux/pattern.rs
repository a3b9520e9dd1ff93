//! Matches names against patterns: glob(7).
//!
//! Not fnmatch(3): musl's brings Unicode tables that are larger than one of our commands.

/// Whether a name is one of those that a pattern stands for: `*` is any bytes but a slash, `?` one character, `[a-z]` one of
/// these, `[^a-z]` and `[!a-z]` one of the others, a backslash takes the next one as it is. A pattern that is not whole
/// stands for nothing.
///
/// ```
/// use linux::pattern::matches;
/// assert!(matches(b"s*p", b"sleep") && matches(b"[^b-z]?", b"ab") && matches(b"\\*", b"*"));
/// assert!(!matches(b"s*", b"s/0") && !matches(b"[", b"[") && !matches(b"?", b""));
/// ```
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to resume if the text after the last star does not match: the star takes one more byte.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            pattern = rest;
            star = Some((rest, name));
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        if let Some((after_pattern, after_name)) = one(pattern, name) {
            (pattern, name) = (after_pattern, after_name);
            continue;
        }
        let Some((after_star, [first, rest @ ..])) = star else { return false };
        if *first == b'/' {
            return false;
        }
        (pattern, name) = (after_star, rest);
        star = Some((after_star, rest));
    }
}

/// What is left of both after one character, if it matches.
fn one<'p, 'n>(pattern: &'p [u8], name: &'n [u8]) -> Option<(&'p [u8], &'n [u8])> {
    let (wanted, after) = pattern.split_first()?;
    let (character, rest) = character(name)?;
    match wanted {
        b'?' => (character != u32::from(b'/')).then_some((after, rest)),
        b'[' => class(after, character).map(|after| (after, rest)),
        _ => {
            let (literal, after) = self::character(pattern.strip_prefix(b"\\").unwrap_or(pattern))?;
            (literal == character).then_some((after, rest))
        }
    }
}

/// Whether a bracket expression contains the character: the pattern after the expression, or `None`.
fn class(pattern: &[u8], character: u32) -> Option<&[u8]> {
    let mut rest = pattern.strip_prefix(b"^").or_else(|| pattern.strip_prefix(b"!")).unwrap_or(pattern);
    let is_negated = rest.len() < pattern.len();
    let mut found = false;
    loop {
        let (first, after) = self::character(rest.strip_prefix(b"\\").unwrap_or(rest))?;
        let mut last = first;
        rest = after;
        if let [b'-', after @ ..] = rest
            && after.first() != Some(&b']')
        {
            (last, rest) = self::character(after.strip_prefix(b"\\").unwrap_or(after))?;
        }
        found |= (first..=last).contains(&character);
        if let Some(after) = rest.strip_prefix(b"]") {
            return (found != is_negated).then_some(after);
        }
    }
}

/// The first character of a UTF-8 text (or its first byte, if that is invalid) and the rest.
fn character(text: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = text.split_first()?;
    let more = match first {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    };
    let mut value = u32::from(*first);
    for byte in rest.get(..more).unwrap_or_default() {
        if byte & 0xc0 != 0x80 {
            return Some((u32::from(*first), rest));
        }
        value = value << 8 | u32::from(*byte);
    }
    Some((value, rest.get(more..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_matched_whole() {
        for (pattern, name) in [
            ("", ""),
            ("*", ""),
            ("**", "ab"),
            ("a*b*c", "a-b-b-c"),
            ("?", "\u{e9}"),
            ("[\u{e0}-\u{ff}]", "\u{e9}"),
            ("a\\[b\\]c", "a[b]c"),
            ("a[[]*", "a[b]c"),
            ("a[]]c", "a]c"),
            ("a[^b]c", "a]c"),
            ("[a-c-]", "-"),
            ("kw/*", "kw/0:1"),
            ("k?/0*", "kw/0"),
            ("[\\]]", "]"),
        ] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("a", ""),
            ("sle", "sleep"),
            ("kw*", "kw/0"),
            ("[z-a]", "b"),
            ("x[", "x["),
            ("one\\", "one"),
            ("[^a]", "a"),
            ("[!a]", "a"),
            ("?", "ab"),
            ("a*b", "a/b"),
            ("[a", "a"),
            ("[", "["),
            ("a**b", "ac"),
        ] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_time_of_their_own() {
        let name = [b'a'; 4096];
        assert!(!matches(&b"a*a*a*a*a*a*a*a*a*a*b".repeat(4), &name));
    }
}
