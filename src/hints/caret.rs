//! Marks the place where a capability text is wrong: cap_from_text(3).

use cli::{Failure, failure::hints_wanted, text};
use linux::caps::{self, TextError, TextErrorKind};

/// Adds hints that show the text with what is wrong marked, and say what it is.
pub fn point_at(failure: Failure, text: &[u8], error: TextError) -> Failure {
    if !hints_wanted() {
        return failure;
    }
    let before = text.get(..error.offset).unwrap_or(text);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = error.offset - start;
    // Each byte is shown in one column, so that the mark stands below the place; of a long text only what is near it.
    let from = if column > 60 { column - 40 } else { 0 };
    let shown: Vec<u8> = line
        .iter()
        .skip(from)
        .take(column - from + 40)
        .map(|byte| if (0x20..0x7f).contains(byte) { *byte } else { b'?' })
        .collect();
    let mut mark = vec![b' '; column - from];
    let room = shown.len().saturating_sub(mark.len()).max(1);
    mark.extend(std::iter::repeat_n(b'^', error.length.clamp(1, room)));
    let wrong = text.get(error.offset..error.offset + error.length).unwrap_or_default();
    failure.hint(shown).hint(text![mark, " ", explain(error.kind, wrong)])
}

fn explain(kind: TextErrorKind, wrong: &[u8]) -> Vec<u8> {
    let what = match kind {
        TextErrorKind::UnknownName => {
            return match caps::nearest(wrong) {
                Some(name) => match caps::find(name.as_bytes()) {
                    Some(number) => text!["no capability has this name; did you mean ", name, " (", number, ")?"],
                    None => text!["no capability has this name; did you mean ", name, "?"],
                },
                None => text!["no capability has this name; 'capsh --suggest=WORD' searches their descriptions"],
            };
        }
        TextErrorKind::NumberTooLarge => "the numbers of capabilities end at 63",
        TextErrorKind::EmptyItem => "a capability is missing here",
        TextErrorKind::NoOperator => "after the names come '=', '+' or '-' and flags, without a space",
        TextErrorKind::NoList => "'+' and '-' need capabilities before them, such as 'all'",
        TextErrorKind::NoFlags => "flags are missing here: any of e, i and p",
        TextErrorKind::UnknownFlag => "the flags are e, i and p",
        TextErrorKind::SecondEquals => "'=' can only come first after the names",
        TextErrorKind::Unexpected => "this cannot stand here",
    };
    text![what]
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::capability::parse;

    fn hints(text: &str) -> Vec<String> {
        let failure = point_at(Failure::silent(1), text.as_bytes(), parse(text.as_bytes()).unwrap_err());
        failure.hints.iter().map(|hint| String::from_utf8(hint.clone()).unwrap()).collect()
    }

    #[test]
    fn the_mark_stands_below_what_is_wrong() {
        let hints = hints("cap_chown=p\ncap_kil+p x");
        assert_eq!(hints, ["cap_kil+p x", "^^^^^^^ no capability has this name; did you mean cap_kill (5)?"]);
    }

    #[test]
    fn a_long_text_is_shown_around_the_mark() {
        let text = format!("{}cap_chown", "cap_kill,".repeat(50));
        let hints = hints(&text);
        let column = hints[1].find('^').unwrap();
        assert_eq!((column, hints[0].len()), (40, 40));
        assert!(hints[0].ends_with("cap_chown"));
    }
}
