//! The play itself: types each command, compares, shows the verdict, and counts.

use crate::evidence::{Evidence, applets_named};
use crate::key::{Key, key};
use crate::lesson::{Lesson, State, explained, wrapped};
use crate::machine::{capabilities, need};
use crate::pattern::{Redactions, missing_words};
use crate::terminal::{Account, Terminal};
use crate::transcript::{Block, Item, Rules, Step, parse};
use crate::{Options, Result, sandbox};
use regex::escape;
use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// The exit status of a player whose reader has had enough.
pub const QUIT: u8 = 64;

/// Plays a transcript in a terminal of the sandbox; the exit status.
pub fn play(options: &Options) -> Result<u8> {
    let name = options.file().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let transcript = parse(&fs::read_to_string(sandbox::TRANSCRIPT)?)
        .map_err(|error| format!("{}: {error}", options.file().display()))?;
    let mut redactions = Redactions::default();
    for (name, expression) in &transcript.redactions {
        redactions.define(name, expression)?;
    }
    for (name, line) in [("EFFECTIVE", "CapEff:"), ("BOUNDING", "CapBnd:")] {
        redactions.define(name, &escape(&capabilities(line)?))?;
    }
    let ours = (Path::new(sandbox::OURS), Path::new(sandbox::TRACE));
    let mut player = Player {
        options,
        redactions,
        evidence: Evidence::new((!options.theirs).then_some(ours))?,
        terminals: [None, None],
        variables: Vec::new(),
        unavailable: None,
        tally: Tally::default(),
        lesson: Lesson::parse(&fs::read_to_string(sandbox::LESSON).unwrap_or_default()),
        pages: Vec::new(),
        page: Vec::new(),
        first: None,
        has_quit: false,
        colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    for item in &transcript.items {
        if let Err(error) = player.item(item) {
            player.tally.differ += 1;
            player.say(RED, &format!("    ! {error}"));
            player.say(RED, "    ! the play ends here: what follows was not typed");
            break;
        }
        if player.has_quit {
            break;
        }
    }
    println!();
    let status = player.summary(&name);
    Ok(if player.has_quit && player.tally.differ == 0 { QUIT } else { status })
}

#[derive(Default)]
struct Tally {
    as_printed: usize,
    differ: usize,
    replaced: usize,
    unavailable: BTreeMap<String, usize>,
}

type Page = Vec<(&'static str, String)>;

struct Player<'a> {
    options: &'a Options,
    redactions: Redactions,
    evidence: Evidence,
    terminals: [Option<Terminal>; 2],
    /// What was exported since the last heading.
    variables: Vec<String>,
    /// Why nothing is typed before the next heading, until it is said.
    unavailable: Option<(String, bool)>,
    tally: Tally,
    lesson: Lesson,
    /// What was shown of the commands before, and of this one: colours and lines.
    pages: Vec<Page>,
    page: Page,
    /// What the first shell was in when it was opened.
    first: Option<State>,
    has_quit: bool,
    colour: bool,
}

impl Player<'_> {
    fn item(&mut self, item: &Item) -> Result<()> {
        match item {
            Item::Heading(title) => {
                self.unavailable = None;
                for name in std::mem::take(&mut self.variables) {
                    self.terminal(1)?.enter(&format!("unset {name}"))?;
                }
                println!();
                self.print(BOLD, &format!("== {title}"));
            }
            Item::File(name, text) => {
                let path = Path::new(sandbox::HOME).join(name);
                fs::write(&path, text)?;
                let owner = fs::metadata(sandbox::HOME)?.uid();
                chown(&path, Some(owner), Some(owner))?;
                self.print(DIM, &format!("({name} is written)"));
            }
            Item::Needs(what) => {
                self.unavailable = need(what)?.map(|reason| (reason, false));
            }
            Item::Environment(name, value) if self.unavailable.is_none() => {
                self.terminal(1)?.enter(&format!("export {name}={value}"))?;
                self.variables.push(name.clone());
                self.print(DIM, &format!("(with {name}={value} from here on)"));
            }
            Item::Environment(..) => {}
            Item::Block(block) => self.block(block)?,
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let (reason, steps) = match &block.theirs {
            Some((reason, steps)) if self.options.theirs => (reason.as_str(), steps),
            _ => ("", &block.steps),
        };
        let mut trace = block.rules.trace.as_slice();
        for (step, ours) in steps.iter().zip(&block.steps).filter(|(step, _)| !step.is_comment()) {
            let command = self.redactions.fill_in(&step.command);
            let about = self.lesson.about(&step.command).to_string();
            self.turn_page();
            self.say(BOLD, &format!("{} {command}", step.prompt));
            if let Some(reason) = &block.rules.replaced {
                if self.options.step {
                    self.say_wrapped("", &about);
                }
                self.say_wrapped(YELLOW, &format!("- replaced: {reason}"));
                self.tally.replaced += 1;
                continue;
            }
            if let Some((reason, is_said)) = &mut self.unavailable {
                *self.tally.unavailable.entry(reason.clone()).or_default() += 1;
                if !std::mem::replace(is_said, true) {
                    let text = format!("- not possible here, up to the next heading: {reason}");
                    self.say_wrapped(YELLOW, &text);
                }
                continue;
            }
            self.expect_prompt(block.terminal, &step.prompt)?;
            let before = if self.options.step { Some(self.introduce(block.terminal, &about, &command)?) } else { None };
            if self.has_quit {
                return Ok(());
            }
            let output = self.terminal(block.terminal)?.enter(&command)?;
            let lines_due = if applets_named(&command).is_empty() { &[] } else { std::mem::take(&mut trace) };
            self.judge(step, &command, &output, &block.rules, lines_due)?;
            if let Some(before) = before {
                self.tell_changes(block.terminal, &command, &before)?;
            }
            if step.output != ours.output {
                self.say(DIM, &format!("      (not what ctrbox prints: {reason})"));
            }
        }
        match &block.last_prompt {
            Some(prompt) if self.unavailable.is_none() && block.rules.replaced.is_none() => {
                self.expect_prompt(block.terminal, prompt)
            }
            _ => Ok(()),
        }
    }

    /// Compares what a command printed and did with what it should, and says the verdict.
    fn judge(&mut self, step: &Step, command: &str, output: &[String], rules: &Rules, trace: &[String]) -> Result<()> {
        output.iter().for_each(|line| self.say("", line));
        let mut differences = Vec::new();
        let mut verdict = "as printed".to_string();
        // A command that should print nothing has no shape.
        if let Some(reason) = rules.shape.as_ref().filter(|_| !step.output.is_empty()) {
            verdict = format!("as printed, its shape only: {reason}");
            let missing = missing_words(&step.output, output);
            if !missing.is_empty() {
                differences.push(format!("these words are missing: {}", missing.join(" ")));
            }
        } else {
            match self.redactions.compare(&step.output, output, rules.columns)? {
                Some(compared) if compared.redacted.is_empty() => {}
                Some(compared) => {
                    verdict = format!("as printed but for {}", compared.redacted.join(", ").to_lowercase())
                }
                None => {
                    differences.push("the transcript shows".to_string());
                    differences.extend(step.output.iter().map(|line| format!("  {line}")));
                }
            }
        }
        let started = self.evidence.started_now()?;
        let named = applets_named(command);
        let whose = if self.options.theirs { "the host's own" } else { "ctrbox" };
        for applet in named.difference(&started) {
            differences.push(format!("{whose} was not what ran as {applet}"));
        }
        let traced = self.evidence.traced_now()?;
        if !self.options.theirs {
            for pattern in trace {
                if !self.redactions.any_line(pattern, &traced)? {
                    differences.push(format!("the trace has no line {pattern}"));
                }
            }
        }
        if self.options.trace || !differences.is_empty() {
            traced.lines().for_each(|line| self.say(DIM, &format!("      {line}")));
        } else if self.options.step {
            self.say_list(YELLOW, "calls", traced.lines());
        }
        if differences.is_empty() {
            self.tally.as_printed += 1;
            let by = if named.is_empty() {
                String::new()
            } else {
                format!(" ({whose}: {})", named.into_iter().collect::<Vec<_>>().join(", "))
            };
            self.say_wrapped(GREEN, &format!("= {verdict}{by}"));
        } else {
            self.tally.differ += 1;
            differences.iter().for_each(|line| self.say(RED, &format!("    ! {line}")));
        }
        Ok(())
    }

    /// Says what a command is for and what it will do, and waits; the state before it.
    fn introduce(&mut self, terminal: usize, about: &str, command: &str) -> Result<State> {
        self.say_wrapped("", about);
        if !self.options.theirs {
            let user = if self.terminal(terminal)?.prompt == "$" { fs::metadata(sandbox::HOME)?.uid() } else { 0 };
            let steps = explained(command, user);
            self.say_list(DIM, "explain", steps.iter().map(String::as_str));
        }
        let state = self.state(terminal, command)?;
        self.first.get_or_insert_with(|| state.clone());
        self.ask()?;
        Ok(state)
    }

    /// Says what the shell, or a file, has that it had not before.
    fn tell_changes(&mut self, terminal: usize, command: &str, before: &State) -> Result<()> {
        let now = self.state(terminal, command)?;
        let [_, second] = &self.terminals;
        let other = if second.is_some() { Some(self.state(3 - terminal, "")?) } else { None };
        let lines = now.changed_since(before, self.first.as_ref().unwrap_or(before), other.as_ref());
        if lines.is_empty() && !applets_named(command).is_empty() {
            self.say_list(CYAN, "changed", ["nothing that lasts"].into_iter());
        }
        self.say_list(CYAN, "changed", lines.iter().map(String::as_str));
        Ok(())
    }

    fn state(&mut self, terminal: usize, command: &str) -> Result<State> {
        Ok(State::of_prompt(self.terminal(terminal)?.shell(), command))
    }

    /// Lines below each other, with a word before the first, in 80 columns.
    fn say_list<'l>(&mut self, colour: &'static str, word: &str, lines: impl Iterator<Item = &'l str>) {
        for (index, line) in lines.enumerate() {
            let first = format!("    {:<9}", if index == 0 { word } else { "" });
            let own = " ".repeat(line.len() - line.trim_start().len());
            for line in wrapped(line, &[&first, own.as_str()].concat(), &" ".repeat(13 + own.len() + 3)) {
                self.say(colour, &line);
            }
        }
    }

    /// Indented; in a lesson in 80 columns.
    fn say_wrapped(&mut self, colour: &'static str, text: &str) {
        if self.options.step {
            for line in wrapped(text, "    ", "    ").iter().filter(|line| !line.trim().is_empty()) {
                self.say(colour, line);
            }
        } else {
            self.say(colour, &format!("    {text}"));
        }
    }

    fn turn_page(&mut self) {
        if !self.page.is_empty() {
            self.pages.push(std::mem::take(&mut self.page));
        }
        if self.options.step {
            println!();
        }
    }

    /// Waits for a key; shows pages again until it is one that goes on or quits.
    fn ask(&mut self) -> Result<()> {
        // The page that is shown; the present one comes after the last of them.
        let mut shown = self.pages.len();
        loop {
            let what = if shown == self.pages.len() { "types it" } else { "goes on" };
            match key(&format!("    Enter {what}, b back, a again, q quits "))? {
                Key::On if shown >= self.pages.len() => return Ok(()),
                Key::On => shown += 1,
                Key::Back => shown = shown.saturating_sub(1),
                Key::Again => {}
                Key::Quit => {
                    self.has_quit = true;
                    return Ok(());
                }
            }
            println!("\n    ({} of {}, again)", shown + 1, self.pages.len() + 1);
            for (colour, line) in self.pages.get(shown).unwrap_or(&self.page) {
                self.print(colour, line);
            }
        }
    }

    fn expect_prompt(&mut self, number: usize, expected: &str) -> Result<()> {
        let prompt = &self.terminal(number)?.prompt;
        if prompt == expected {
            return Ok(());
        }
        Err(format!("the prompt is '{prompt}', and the transcript shows '{expected}'").into())
    }

    /// Terminal 1 or 2, opened when it is first used.
    fn terminal(&mut self, number: usize) -> Result<&mut Terminal> {
        let [first, second] = &mut self.terminals;
        let place = if number == 2 { second } else { first };
        match place {
            Some(terminal) => Ok(terminal),
            None => {
                let home = Path::new(sandbox::HOME);
                let id = fs::metadata(home)?.uid();
                let account = Account { id, name: sandbox::USER, home, path: sandbox::PATH };
                let trace: &[_] = if self.options.theirs { &[] } else { &[("CTRBOX_TRACE", sandbox::TRACE)] };
                Ok(place.insert(Terminal::open(&account, trace)?))
            }
        }
    }

    fn summary(&self, name: &str) -> u8 {
        let Tally { as_printed, differ, replaced, unavailable } = &self.tally;
        if *replaced > 0 {
            println!("replaced: {replaced}");
        }
        for (reason, count) in unavailable {
            println!("not possible here: {count}, because {reason}");
        }
        let whose = if self.options.theirs { "the host's own" } else { "ctrbox" };
        let started: Vec<String> =
            self.evidence.started.iter().map(|(applet, count)| format!("{applet} {count}")).collect();
        println!("started, {whose}: {}", started.join(", "));
        let colour = if *differ == 0 { GREEN } else { RED };
        let count = as_printed + differ;
        if self.has_quit {
            println!("stopped here, as you asked; what follows was not typed");
        }
        self.print(colour, &format!("{name}: {count} commands, {as_printed} as printed, {differ} differ"));
        u8::from(*differ > 0 || *as_printed == 0)
    }

    fn say(&mut self, colour: &'static str, text: &str) {
        self.print(colour, text);
        self.page.push((colour, text.to_string()));
    }

    fn print(&self, colour: &str, text: &str) {
        if self.colour && !colour.is_empty() {
            println!("\x1b[{colour}m{text}\x1b[0m");
        } else {
            println!("{text}");
        }
        let _ = std::io::stdout().flush();
    }
}
