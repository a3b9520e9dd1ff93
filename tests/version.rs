//! Versions as Debian orders them (deb-version(7)): a fix that Debian alone has is told from the release without it.

use std::cmp::Ordering;

/// Compares two versions such as `2.38.1` and `1:2.66-4+deb12u3`. Epochs (`1:`) are Debian's affair and do not count.
pub fn compare(left: &str, right: &str) -> Ordering {
    let [left, right] = [left, right].map(|version| version.split_once(':').map_or(version, |(_, rest)| rest));
    let parts = |version| str::rsplit_once(version, '-').unwrap_or((version, ""));
    let ((left, left_revision), (right, right_revision)) = (parts(left), parts(right));
    compare_part(left, right).then_with(|| compare_part(left_revision, right_revision))
}

/// Words and numbers by turns, beginning with a (perhaps empty) word.
fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_word, right_word) =
            (split(&mut left, |c| !c.is_ascii_digit()), split(&mut right, |c| !c.is_ascii_digit()));
        let (left_number, right_number) =
            (split(&mut left, |c| c.is_ascii_digit()), split(&mut right, |c| c.is_ascii_digit()));
        let order = compare_words(left_word, right_word).then_with(|| compare_numbers(left_number, right_number));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn split<'a>(text: &mut &'a str, belongs: fn(char) -> bool) -> &'a str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

/// `~` comes before the end, then letters, then everything else.
fn compare_words(left: &str, right: &str) -> Ordering {
    let rank = |character: Option<char>| match character {
        Some('~') => (0, '~'),
        None => (1, ' '),
        Some(c) if c.is_ascii_alphabetic() => (2, c),
        Some(c) => (3, c),
    };
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        let (one, other) = (left.next(), right.next());
        let order = rank(one).cmp(&rank(other));
        if order != Ordering::Equal || one.is_none() {
            return order;
        }
    }
}

/// Of any length; nothing is 0.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_ordered_as_dpkg_orders_them() {
        let sorted = [
            "2.38~rc1",
            "2.38",
            "2.38.1",
            "2.38.1-5",
            "2.38.1-5+deb12u1",
            "2.38.1-5+deb12u3",
            "2.39",
            "2.41-5",
            "2.42.4-1",
            "2.42.4-1+b1",
            "2.42.10",
            "2.43",
        ];
        for (index, version) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                assert_eq!(compare(version, other), index.cmp(&other_index), "{version} and {other}");
            }
        }
        assert_eq!(compare("1:2.66-4", "2.66-4"), Ordering::Equal);
        assert_eq!(compare("9.01", "9.1"), Ordering::Equal);
    }
}
