//! Expected outputs as patterns: exact text, redactions, elided lines.

use crate::Result;
use regex::Regex;
use std::collections::BTreeMap;

/// The named redactions, and what each matched last.
#[derive(Debug, Default)]
pub struct Redactions {
    expressions: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
}

/// How an output was as printed.
#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    /// The redactions that stand in the pattern, in its order.
    pub redacted: Vec<String>,
}

impl Redactions {
    /// Names a regular expression.
    pub fn define(&mut self, name: &str, expression: &str) -> Result<()> {
        Regex::new(expression).map_err(|error| format!("[{name}]: {error}"))?;
        self.expressions.insert(name.to_string(), expression.to_string());
        Ok(())
    }

    /// The text with each `[NAME]` that has matched something replaced by what it matched last.
    pub fn fill_in(&self, text: &str) -> String {
        let mut text = text.to_string();
        for (name, value) in &self.values {
            text = text.replace(&format!("[{name}]"), value);
        }
        text
    }

    /// Compares an output's lines with the expected ones; `None` if they differ. `columns`: runs of blanks are equal.
    pub fn compare(&mut self, expected: &[String], actual: &[String], columns: bool) -> Result<Option<Match>> {
        let mut redacted = Vec::new();
        let mut pattern = String::from("^");
        for line in expected {
            if line == "..." {
                pattern.push_str("(?:.*\n)*?");
            } else {
                pattern.push_str(&self.line(line, columns, &mut redacted));
                pattern.push_str("[ \t]*\n");
            }
        }
        pattern.push('$');
        let actual: String = actual.iter().map(|line| format!("{line}\n")).collect();
        let regex = Regex::new(&pattern).map_err(|error| error.to_string())?;
        let Some(captures) = regex.captures(&actual) else { return Ok(None) };
        for name in &redacted {
            if let Some(value) = captures.name(name) {
                self.values.insert(name.clone(), value.as_str().to_string());
            }
        }
        Ok(Some(Match { redacted }))
    }

    /// Whether a line with this pattern somewhere in it is among the lines.
    pub fn any_line(&self, pattern: &str, lines: &str) -> Result<bool> {
        let regex = self.line(&self.fill_in(pattern), false, &mut Vec::new());
        Ok(Regex::new(&regex).map_err(|error| error.to_string())?.is_match(lines))
    }

    /// One line as a regular expression; a redaction captures where it stands first.
    fn line(&self, line: &str, columns: bool, redacted: &mut Vec<String>) -> String {
        let mut pattern = String::new();
        let mut rest = line;
        while let Some(character) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("[..]") {
                pattern.push_str(".*?");
                rest = after;
                continue;
            }
            let named = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            if let Some((name, after)) = named
                && let Some(expression) = self.expressions.get(name)
            {
                if redacted.iter().any(|known| known == name) {
                    pattern.push_str(&format!("(?:{expression})"));
                } else {
                    pattern.push_str(&format!("(?P<{name}>{expression})"));
                    redacted.push(name.to_string());
                }
                rest = after;
            } else if columns && character == ' ' {
                pattern.push_str(" +");
                rest = rest.trim_start_matches(' ');
            } else {
                let (this, after) = rest.split_at(character.len_utf8());
                pattern.push_str(&regex::escape(this));
                rest = after;
            }
        }
        pattern
    }
}

/// The words of `expected` that are not among the words of `actual`.
pub fn missing_words<'a>(expected: &'a [String], actual: &[String]) -> Vec<&'a str> {
    let printed: Vec<&str> = actual.iter().flat_map(|line| line.split_whitespace()).collect();
    expected
        .iter()
        .flat_map(|line| line.split_whitespace())
        .filter(|word| *word != "..." && !printed.contains(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_string).collect()
    }

    fn compare(expected: &str, actual: &str, columns: bool) -> bool {
        let mut redactions = Redactions::default();
        redactions.define("PID", "[0-9]+").unwrap();
        redactions.compare(&lines(expected), &lines(actual), columns).unwrap().is_some()
    }

    #[test]
    fn text_is_exact_except_for_blanks_at_the_end() {
        assert!(compare("a.b (c)", "a.b (c)  ", false));
        assert!(!compare("a.b", "axb", false));
        assert!(!compare("a", "a\nb", false));
        assert!(!compare("a\nb", "a", false));
        assert!(compare("", "", false));
        assert!(!compare("", "a", false));
    }

    #[test]
    fn redactions_stand_for_their_expression_and_other_brackets_for_themselves() {
        assert!(compare("[PID] [OTHER]", "42 [OTHER]", false));
        assert!(!compare("[PID]", "x", false));
        assert!(compare("a [..] b", "a x y b", false));
    }

    #[test]
    fn three_dots_are_any_number_of_lines() {
        assert!(compare("...\nb\n...", "a\nb\nc", false));
        assert!(compare("...\nb", "b", false));
        assert!(!compare("...\nb", "a", false));
    }

    #[test]
    fn columns_may_be_wider_but_not_absent() {
        assert!(compare("a   b", "a b", true));
        assert!(!compare("a   b", "a b", false));
        assert!(!compare("a b", "ab", true));
    }

    #[test]
    fn what_a_redaction_matched_can_be_typed() {
        let mut redactions = Redactions::default();
        redactions.define("PID", "[0-9]+").unwrap();
        redactions.compare(&lines("root [PID] [PID]"), &lines("root 7 8"), false).unwrap().unwrap();
        assert_eq!(redactions.fill_in("/proc/[PID]/ns"), "/proc/7/ns");
        assert!(redactions.any_line("open(/proc/[PID])", "x\nopen(/proc/7) = 3\n").unwrap());
    }

    #[test]
    fn a_shape_is_its_words() {
        assert!(missing_words(&lines("b a ..."), &lines("a  c\nb")).is_empty());
        assert_eq!(missing_words(&lines("a d"), &lines("a")), ["d"]);
    }
}
