//! The committed manual pages and completions: what `ctrbox man` and `ctrbox completion` print, with
//! the texts of `man/source/*.txt` put into the pages.
//!
//! Those texts are plain: a line of capitals begins a section; an indented block right below one line
//! says what that line means; one after an empty line is an example; `x` is literal.

use crate::scratch::Scratch;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

const INDENT: &str = "    ";

/// The root of the source tree.
pub fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What every document must hold, by its path below the root of the source tree.
pub fn all(tested: &Path) -> io::Result<BTreeMap<PathBuf, String>> {
    let mut documents = BTreeMap::new();
    // Where no page is beside it, it prints what its tables say.
    let alone = Scratch::new("document")?;
    let ctrbox = &alone.0.join("ctrbox");
    fs::copy(tested, ctrbox)?;
    for (shell, file) in [("bash", "ctrbox.bash"), ("zsh", "_ctrbox"), ("fish", "ctrbox.fish")] {
        documents.insert(Path::new("completions").join(file), output(ctrbox, &["completion", shell])?);
    }
    for name in names(ctrbox)? {
        let page = output(ctrbox, &["man", &name])?;
        let section = page.split(' ').nth(2).unwrap_or_default();
        let path = Path::new("man").join([&name, ".", section].concat());
        let page = with_texts(&page, &manual(&name)?).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        documents.insert(path, page);
    }
    Ok(documents)
}

/// The applets and ctrbox itself.
pub fn names(ctrbox: &Path) -> io::Result<Vec<String>> {
    let list = output(ctrbox, &["--list"])?;
    Ok(iter::once("ctrbox").chain(list.lines()).map(str::to_string).collect())
}

/// The text that is put into the page of an applet.
pub fn manual(name: &str) -> io::Result<String> {
    let path = tree().join("man/source").join([name, ".txt"].concat());
    fs::read_to_string(&path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn output(program: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} {arguments:?} failed", program.display())));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

/// The headings of a manual text and what is below them.
pub fn sections(manual: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut lines = manual.lines().peekable();
    while let Some(line) = lines.next() {
        let is_capitals = !line.is_empty() && line.chars().all(|it| it.is_ascii_uppercase() || it == ' ');
        // A variable's name, too, is in capitals, but what it means is right below it.
        if is_capitals && !line.starts_with(' ') && !lines.peek().is_some_and(|next| next.starts_with(INDENT)) {
            found.push((line, String::new()));
        } else if let Some((_, body)) = found.last_mut() {
            body.extend([line, "\n"]);
        }
    }
    found
}

/// The examples in a manual text: each is one script.
pub fn examples(manual: &str) -> Vec<String> {
    let body = sections(manual).into_iter().find(|(heading, _)| *heading == "EXAMPLES").unwrap_or_default().1;
    body.split("\n\n")
        .map(|block| block.trim_matches('\n'))
        .filter(|block| block.starts_with(INDENT))
        .map(|block| block.lines().map(str::trim_start).collect::<Vec<_>>().join("\n"))
        .collect()
}

/// The indented blocks of a Markdown text that follow an empty line, without their indentation: each is a listing.
pub fn listings(markdown: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let (mut open, mut after_empty) = (false, true);
    for line in markdown.lines() {
        match line.strip_prefix(INDENT) {
            Some(text) if open || after_empty => {
                if !std::mem::replace(&mut open, true) {
                    blocks.push(String::new());
                }
                if let Some(block) = blocks.last_mut() {
                    block.extend([text, "\n"]);
                }
            }
            _ => open = false,
        }
        after_empty = line.is_empty();
    }
    blocks
}

/// A page with the sections of a manual text put where they belong.
fn with_texts(page: &str, manual: &str) -> Result<String, String> {
    let (head, rest) = page.split_once(".SH DESCRIPTION\n").ok_or("the page has no description")?;
    let options_at = rest.find(".SH OPTIONS\n").or_else(|| rest.find(".SH ENVIRONMENT\n")).ok_or("no environment")?;
    let (_, rest) = rest.split_at(options_at);
    let (options, environment) = rest.split_once(".SH ENVIRONMENT\n").ok_or("the page has no environment")?;
    let mut sections = sections(manual).into_iter().peekable();
    let mut out = head.to_string();
    match sections.next() {
        Some(("DESCRIPTION", body)) => out.extend([".SH DESCRIPTION\n", &roff(&body), options]),
        _ => return Err("its first section is not DESCRIPTION".into()),
    }
    let mut environment = Some(environment);
    for (heading, body) in sections {
        if let Some(common) = environment
            && ["EXAMPLES", "ENVIRONMENT"].contains(&heading)
        {
            let own = if heading == "ENVIRONMENT" { roff(&body) } else { String::new() };
            out.extend([".SH ENVIRONMENT\n", &own, common]);
            environment = None;
        }
        if heading != "ENVIRONMENT" {
            out.extend([".SH ", heading, "\n", &roff(&body)]);
        }
    }
    match environment {
        Some(_) => Err("it has no EXAMPLES".into()),
        None => Ok(out),
    }
}

/// A section's body as man(7) source.
fn roff(body: &str) -> String {
    let mut out = String::new();
    for block in body.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty()) {
        let (first, below) = block.split_once('\n').unwrap_or((block, ""));
        let line = |text: &str| [if text.starts_with('.') { "\\&" } else { "" }, &folded(&marked(text)), "\n"].concat();
        if block.starts_with(INDENT) {
            out.push_str(".PP\n.RS 4\n.EX\n");
            out.extend(block.lines().map(|text| [&marked(text.trim_start()), "\n"].concat()));
            out.push_str(".EE\n.RE\n");
        } else if below.starts_with(INDENT) {
            out.extend([".TP\n\\fB", &marked(first), "\\fP\n"]);
            out.extend(below.lines().map(|text| line(text.trim_start())));
        } else {
            out.push_str(if out.is_empty() { "" } else { ".PP\n" });
            out.extend(block.lines().map(line));
        }
    }
    out
}

/// Filled text in lines that are not too long for mandoc.
fn folded(text: &str) -> String {
    match text.get(..72).and_then(|head| head.rfind(' ')).and_then(|space| text.split_at_checked(space)) {
        Some((head, rest)) if text.len() > 79 => [head, "\n", &folded(rest.trim_start())].concat(),
        _ => text.to_string(),
    }
}

/// A line with what stands between backquotes made bold.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (index, piece) in text.split('`').enumerate() {
        let piece = cli::man::escaped(piece);
        out.push_str(&if index % 2 == 1 { format!("\\fB{piece}\\fP") } else { piece });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str =
        "DESCRIPTION\nIt runs `a\\b`.\n\nEXAMPLES\nFirst.\n\n    one\n    two\n\nSecond.\n\n    three\n";

    #[test]
    fn an_example_is_an_indented_block() {
        assert_eq!(examples(MANUAL), ["one\ntwo", "three"]);
    }

    #[test]
    fn a_listing_is_an_indented_block_below_an_empty_line() {
        assert_eq!(listings("a\n\n    one\n      two\n\n- b\n    c\n\n    three\n"), ["one\n  two\n", "three\n"]);
    }

    #[test]
    fn the_texts_stand_around_what_the_table_says() {
        let page = ".TH X 1\n.SH DESCRIPTION\nshort\n.SH OPTIONS\n.TP\nx\n.SH ENVIRONMENT\ncommon\n";
        let page = with_texts(page, MANUAL).unwrap();
        assert!(page.starts_with(".TH X 1\n.SH DESCRIPTION\nIt runs \\fBa\\eb\\fP.\n.SH OPTIONS\n"), "{page}");
        assert!(page.contains(".SH ENVIRONMENT\ncommon\n.SH EXAMPLES\nFirst.\n"), "{page}");
    }
}
