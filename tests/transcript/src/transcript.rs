//! A transcript: Markdown whose `console` blocks are typed and whose outputs must hold.
//!
//! | In the file | What it means |
//! | --- | --- |
//! | ```` ```console ```` | commands and their outputs, as a terminal shows them |
//! | ```` ```console terminal=2 ```` | the same, in a second terminal |
//! | ```` ```python file=hungry.py ```` | the file is written into the home directory |
//! | `$ …`, `# …`, `root@localhost:/# …` | a command; the prompt before it must be the one printed |
//! | a line after one that ends in `\` | the command goes on |
//! | a command that begins with `#` | a comment: not typed, not counted |
//! | a prompt alone | the block ends there: that prompt must be shown |
//!
//! Outputs are compared exactly, line for line, except for
//!
//! | In an output | What it means |
//! | --- | --- |
//! | `[NAME]` | a redaction: what the regular expression of that name matches |
//! | `[..]` | any text within the line |
//! | `...` alone on a line | any number of lines |
//!
//! and a `[NAME]` in a command is what that redaction matched last. HTML comments are the rules of the block below them:
//!
//! | Comment | What it means |
//! | --- | --- |
//! | `redactions` | (one a line) `[NAME] regular expression` |
//! | `columns` | runs of blanks are equal: their width follows from the values |
//! | `shape: REASON` | every word shown must be printed; others may be, too |
//! | `replaced: REASON` | shown, not typed, and counted apart |
//! | `theirs: REASON` | the block below holds for the host's originals in place of the block above |
//! | `trace: TEXT` | our trace of the block must have a line with this text (redactions allowed) |
//! | `environment: NAME=VALUE` | exported in the shell until the next heading |
//! | `needs: NAME` | what the kernel must have for the steps up to the next heading |
//!
//! A comment that is none of these is an error, so that a mistyped rule cannot pass.

use crate::Result;

/// What a transcript says, in order.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The named redactions: name (without brackets) and regular expression.
    pub redactions: Vec<(String, String)>,
    /// The parts, in order.
    pub items: Vec<Item>,
}

/// One part of a transcript.
#[derive(Debug)]
pub enum Item {
    /// A heading; it ends what `environment` and `needs` began.
    Heading(String),
    /// A file to write: its name and its text.
    File(String, String),
    /// A variable to export.
    Environment(String, String),
    /// What the kernel must have.
    Needs(String),
    /// A console block.
    Block(Block),
}

/// A console block and its rules.
#[derive(Debug, Default)]
pub struct Block {
    /// The terminal it is typed in: 1 or 2.
    pub terminal: usize,
    /// The rules above it.
    pub rules: Rules,
    /// The commands.
    pub steps: Vec<Step>,
    /// The prompt that must be shown after the last of them.
    pub last_prompt: Option<String>,
    /// What holds for the host's originals instead, and why.
    pub theirs: Option<(String, Vec<Step>)>,
}

/// How a block's outputs are compared.
#[derive(Debug, Default)]
pub struct Rules {
    /// Runs of blanks are equal.
    pub columns: bool,
    /// Only the words must be there: the reason.
    pub shape: Option<String>,
    /// Not typed: the reason.
    pub replaced: Option<String>,
    /// What our trace must show.
    pub trace: Vec<String>,
}

/// A command and its output.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The prompt, without the blank after it.
    pub prompt: String,
    /// What is typed; its lines as printed.
    pub command: String,
    /// The output's lines.
    pub output: Vec<String>,
}

impl Step {
    /// Whether it is a comment at the prompt.
    pub fn is_comment(&self) -> bool {
        self.command.starts_with('#')
    }
}

/// Reads a transcript.
pub fn parse(text: &str) -> Result<Transcript> {
    let mut transcript = Transcript::default();
    let mut rules = Rules::default();
    let mut theirs = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix('#') {
            transcript.items.push(Item::Heading(title.trim_start_matches('#').trim().to_string()));
        } else if let Some(comment) = line.strip_prefix("<!--") {
            let mut comment = comment.to_string();
            while !comment.contains("-->") {
                let (_, next) = lines.next().ok_or_else(|| at(number, "this comment has no end"))?;
                comment.push('\n');
                comment.push_str(next);
            }
            let comment = comment.split("-->").next().unwrap_or_default().trim();
            let (name, value) = comment.split_once([':', '\n']).unwrap_or((comment, ""));
            let value = value.trim();
            match name {
                "columns" => rules.columns = true,
                "shape" => rules.shape = Some(words(value)),
                "replaced" => rules.replaced = Some(words(value)),
                "theirs" => theirs = Some(words(value)),
                "trace" => rules.trace.push(value.to_string()),
                "needs" => transcript.items.push(Item::Needs(value.to_string())),
                "environment" => {
                    let (name, value) = value.split_once('=').ok_or_else(|| at(number, "NAME=VALUE is wanted"))?;
                    transcript.items.push(Item::Environment(name.to_string(), value.to_string()));
                }
                "redactions" => {
                    for line in value.lines().filter(|line| !line.trim().is_empty()) {
                        let (name, regex) = line
                            .trim()
                            .strip_prefix('[')
                            .and_then(|line| line.split_once(']'))
                            .ok_or_else(|| at(number, "a redaction is written `[NAME] regular expression`"))?;
                        transcript.redactions.push((name.to_string(), regex.trim().to_string()));
                    }
                }
                _ => return Err(at(number, &format!("no rule is called '{name}'"))),
            }
        } else if let Some(info) = line.strip_prefix("```") {
            let mut text = String::new();
            loop {
                let (_, line) = lines.next().ok_or_else(|| at(number, "this block has no end"))?;
                if line == "```" {
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            let mut words = info.split_whitespace();
            let language = words.next().unwrap_or_default();
            let attribute = words.next().and_then(|word| word.split_once('='));
            match (language, attribute) {
                (_, Some(("file", name))) => transcript.items.push(Item::File(name.to_string(), text)),
                ("console", attribute) => {
                    let terminal = match attribute {
                        None => 1,
                        Some(("terminal", "2")) => 2,
                        Some(_) => return Err(at(number, "only terminal=2 is known here")),
                    };
                    let (steps, last_prompt) = console(&text).map_err(|what| at(number, &what))?;
                    match (theirs.take(), transcript.items.last_mut()) {
                        (None, _) => {
                            let rules = std::mem::take(&mut rules);
                            let block = Block { terminal, rules, steps, last_prompt, theirs: None };
                            transcript.items.push(Item::Block(block));
                        }
                        (Some(reason), Some(Item::Block(block))) if commands(&block.steps).eq(commands(&steps)) => {
                            block.theirs = Some((reason, steps));
                        }
                        (Some(_), _) => return Err(at(number, "`theirs` stands below a block with the same commands")),
                    }
                }
                _ => {}
            }
        }
    }
    Ok(transcript)
}

fn commands(steps: &[Step]) -> impl Iterator<Item = &str> {
    steps.iter().map(|step| step.command.as_str())
}

/// The text with every run of blanks and line ends as one blank.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn at(number: usize, what: &str) -> crate::Error {
    format!("line {}: {what}", number + 1).into()
}

/// The commands of a console block, and the prompt it ends with.
fn console(text: &str) -> std::result::Result<(Vec<Step>, Option<String>), String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last_prompt = None;
    for line in text.lines() {
        if let Some(step) = steps.last_mut()
            && step.command.ends_with('\\')
            && step.output.is_empty()
        {
            step.command.push('\n');
            step.command.push_str(line);
            continue;
        }
        let (first, command) = line.split_once(' ').unwrap_or((line, ""));
        if is_prompt(first) && last_prompt.is_none() {
            match command {
                "" => last_prompt = Some(first.to_string()),
                command => {
                    steps.push(Step { prompt: first.to_string(), command: command.to_string(), output: Vec::new() })
                }
            }
            continue;
        }
        match steps.last_mut() {
            Some(step) if last_prompt.is_none() => step.output.push(line.to_string()),
            _ => return Err(format!("output without a command: {line}")),
        }
    }
    Ok((steps, last_prompt))
}

/// `$`, `#`, or `user@host:directory` and one of them.
fn is_prompt(word: &str) -> bool {
    match word.strip_suffix(['$', '#']) {
        Some("") => true,
        Some(before) => before.split_once(':').is_some_and(|(who, _)| who.contains('@')),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        match parse(text).unwrap().items.pop() {
            Some(Item::Block(block)) => block,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_block_is_commands_with_their_outputs() {
        let block = block("```console\n$ # why\n$ a \\\n    b\none\ntwo\nroot@localhost:/# c\n$\n```\n");
        let step = |prompt: &str, command: &str, output: &[&str]| Step {
            prompt: prompt.into(),
            command: command.into(),
            output: output.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            block.steps,
            [step("$", "# why", &[]), step("$", "a \\\n    b", &["one", "two"]), step("root@localhost:/#", "c", &[])]
        );
        assert!(block.steps[0].is_comment());
        assert_eq!(block.last_prompt.as_deref(), Some("$"));
        assert_eq!(block.terminal, 1);
    }

    #[test]
    fn rules_hold_for_the_next_block_only() {
        let text = "<!-- columns -->\n<!-- trace: x(1) -->\n```console\n$ a\n```\n```console terminal=2\n$ b\n```\n";
        let items = parse(text).unwrap().items;
        let [Item::Block(first), Item::Block(second)] = &items[..] else { panic!() };
        assert!(first.rules.columns && first.rules.trace == ["x(1)"]);
        assert!(!second.rules.columns && second.rules.trace.is_empty() && second.terminal == 2);
    }

    #[test]
    fn an_output_of_the_originals_belongs_to_the_block_above() {
        let text = "```console\n$ a\nours\n```\n<!-- theirs: it is\nold -->\n```console\n$ a\ntheirs\n```\n";
        let (reason, steps) = block(text).theirs.unwrap();
        assert_eq!(reason, "it is old");
        assert_eq!(steps[0].output, ["theirs"]);
        assert!(parse(&text.replace("$ a\ntheirs", "$ b\ntheirs")).is_err());
    }

    #[test]
    fn a_mistyped_rule_is_an_error() {
        assert!(parse("<!-- shapes: x -->\n").is_err());
        assert!(parse("```console\n$ a\n").is_err());
        assert!(parse("```console\nno command\n```\n").is_err());
    }

    #[test]
    fn redactions_and_files_are_read() {
        let text = "<!-- redactions\n[PID]  [0-9]+\n[X]  a b\n-->\n```go file=x.go\nline\n```\n";
        let transcript = parse(text).unwrap();
        assert_eq!(transcript.redactions, [("PID".into(), "[0-9]+".into()), ("X".into(), "a b".into())]);
        assert!(matches!(&transcript.items[..], [Item::File(name, text)] if name == "x.go" && text == "line\n"));
    }
}
