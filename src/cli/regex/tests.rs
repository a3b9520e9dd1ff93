use super::*;

#[test]
fn expressions_match_as_regex_7_says() {
    for (pattern, text, matches) in [
        ("", "x", true),
        ("^a$", "a", true),
        ("^a$", "ab", false),
        ("b|c", "xc", true),
        ("^(b|cd|)e$", "cde", true),
        ("^(b|cd|)e$", "e", true),
        ("^(ab)*c", "ababc", true),
        ("^(ab)+c", "c", false),
        ("^ab?c", "ac", true),
        ("^a{2,3}$", "aa", true),
        ("^a{2,3}$", "aaaa", false),
        ("^a{2}$", "aa", true),
        ("^(a|b){2,}$", "abab", true),
        ("[^a-c]", "abc", false),
        ("[]x]", "]", true),
        ("^[[:digit:]-]+$", "1-2", true),
        ("a.c", "a\u{e9}c", true),
        ("\\.", "a", false),
        ("x*", "", true),
        ("(a*)*b", "aaac", false),
        ("\\bro\\b", "rw,ro", true),
        ("\\<ro\\>", "erode", false),
        ("\\Bod\\B", "erode", true),
        ("\\`e.*e\\'", "erode", true),
        ("^^e", "erode", true),
    ] {
        assert_eq!(
            Regex::new(pattern.as_bytes()).expect(pattern).matches(text.as_bytes()),
            matches,
            "{pattern} {text}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_and_nothing_takes_for_ever() {
    for pattern in [
        "(",
        "[",
        "[a",
        "[a-c-e]",
        "*a",
        "^*a",
        "a|$+",
        "{1}",
        "a{2",
        "a{2x",
        "a{3,2}",
        "[z-a]",
        "[[:no:]]",
        "\\",
        "(a{255}){255}",
    ] {
        assert!(Regex::new(pattern.as_bytes()).is_err(), "{pattern}");
    }
    assert!(Regex::new("(".repeat(100_000).as_bytes()).is_err());
    let slow = Regex::new(b"^(a|a|a|a*)*b$").expect("an expression");
    assert!(!slow.matches(&[b'a'; 10_000]));
}
