//! Short manual pages made of an applet's record and option table, as man(7) source.
//!
//! `ctrbox man` prints one where the whole page is not installed beside the program. The whole pages are made of the same,
//! with the texts of man/source, and every way to install ctrbox brings them. In the binary they would take some 15 KB, even
//! compressed.

use crate::Applet;
use crate::help::{VERSION, option_names};
use crate::text::push_all;

/// The day of the last change to the pages, since a page must not depend on the day it is made.
const DATE: &str = "2026-11-23";

/// The environment variables that every command reads.
const ENVIRONMENT: &str = "\
.TP
\\fBCTRBOX_HINTS\\fP
\\fBnever\\fP leaves out the hint: lines below a message.
.TP
\\fBCTRBOX_TRACE\\fP
\\fB1\\fP writes each system call that matters to standard error as it is made;
any other value names the file that they are added to.
";

/// Replaced by a description in the whole pages.
const NOT_WHOLE: &str = "\
.PP
Examples, exit statuses and differences: man/ in the source; not installed here.
";

/// The page of an applet.
pub fn page(applet: &Applet) -> String {
    let name = applet.name;
    let mut out = String::new();
    let title = name.to_ascii_uppercase();
    push_all(&mut out, &[".TH ", &title, " ", applet.section.number(), " ", DATE, " \"ctrbox ", VERSION, "\"\n"]);
    push_all(&mut out, &[".SH NAME\n", name, " \\- ", &escaped(applet.summary), "\n.SH SYNOPSIS\n"]);
    for (index, form) in applet.synopsis.lines().enumerate() {
        if index > 0 {
            out.push_str(".br\n");
        }
        push_all(&mut out, &["\\fB", &escaped(name), "\\fP ", &escaped(form), "\n"]);
    }
    out.push_str(".SH DESCRIPTION\n");
    paragraph(applet.summary, &mut out);
    out.push_str(NOT_WHOLE);
    if !applet.notes.is_empty() {
        out.push_str(".PP\n.EX\n");
        applet.notes.lines().for_each(|text| line(text, &mut out));
        out.push_str(".EE\n");
    }
    options(applet, &mut out);
    push_all(&mut out, &[".SH ENVIRONMENT\n", ENVIRONMENT]);
    out
}

fn options(applet: &Applet, out: &mut String) {
    let specs = applet.options;
    if !specs.is_empty() {
        out.push_str(".SH OPTIONS\n");
    }
    for spec in specs.iter() {
        let names = option_names(&spec, false);
        // The argument follows the last name: `-f, --fork` has a space before it, too.
        let last = names.as_bytes().windows(2).rposition(|pair| pair == b" -").map_or(0, |at| at + 1);
        let end = names.get(last..).and_then(|name| name.find(['=', '[', ' '])).map_or(names.len(), |at| last + at);
        let (names, argument) = names.split_at_checked(end).unwrap_or((&names, ""));
        push_all(out, &[".TP\n\\fB", &escaped(names), "\\fP", &escaped(argument), "\n"]);
        paragraph(spec.help, out);
    }
}

/// Adds filled text, in lines of at most 72 characters.
fn paragraph(text: &str, out: &mut String) {
    let mut row = String::new();
    for word in text.split_ascii_whitespace() {
        if !row.is_empty() && row.len() + word.len() > 72 {
            line(&row, out);
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    line(&row, out);
}

/// Escapes what is special to roff.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            _ => out.push(character),
        }
    }
    out
}

/// Adds a line of text, with a dot at its beginning escaped: roff would take it for a request.
fn line(text: &str, out: &mut String) {
    push_all(out, &[if text.starts_with('.') { "\\&" } else { "" }, &escaped(text), "\n"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_text_is_a_request_and_none_is_long() {
        let mut out = String::new();
        line(".it's", &mut out);
        assert_eq!(out, "\\&.it\\(aqs\n");
        out.clear();
        paragraph(&"word ".repeat(30), &mut out);
        assert!(out.lines().count() == 3 && out.lines().all(|line| line.len() <= 72));
    }
}
