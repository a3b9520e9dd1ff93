//! The play itself: types each command, compares, shows the verdict, and counts.

use crate::evidence::{Evidence, applets_named};
use crate::pattern::{Redactions, missing_words};
use crate::terminal::{Account, Terminal};
use crate::transcript::{Block, Item, Rules, Step, parse};
use crate::{Options, Result, sandbox};
use nix::mount::{MsFlags, mount};
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

/// The names of the capabilities, by number: include/uapi/linux/capability.h.
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

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
        colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    for item in &transcript.items {
        if let Err(error) = player.item(item) {
            player.tally.differ += 1;
            player.say(RED, &format!("    ! {error}"));
            player.say(RED, "    ! the play ends here: what follows was not typed");
            break;
        }
    }
    println!();
    Ok(player.summary(&name))
}

#[derive(Default)]
struct Tally {
    as_printed: usize,
    differ: usize,
    replaced: usize,
    unavailable: BTreeMap<String, usize>,
}

struct Player<'a> {
    options: &'a Options,
    redactions: Redactions,
    evidence: Evidence,
    terminals: [Option<Terminal>; 2],
    /// What was exported since the last heading.
    variables: Vec<String>,
    /// Why nothing is typed before the next heading.
    unavailable: Option<String>,
    tally: Tally,
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
                self.say(BOLD, &format!("== {title}"));
            }
            Item::File(name, text) => {
                let path = Path::new(sandbox::HOME).join(name);
                fs::write(&path, text)?;
                let owner = fs::metadata(sandbox::HOME)?.uid();
                chown(&path, Some(owner), Some(owner))?;
                self.say(DIM, &format!("({name} is written)"));
            }
            Item::Needs(what) => {
                self.unavailable = need(what)?;
            }
            Item::Environment(name, value) if self.unavailable.is_none() => {
                self.terminal(1)?.enter(&format!("export {name}={value}"))?;
                self.variables.push(name.clone());
                self.say(DIM, &format!("(with {name}={value} from here on)"));
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
            self.say(BOLD, &format!("{} {command}", step.prompt));
            if let Some(reason) = &block.rules.replaced {
                self.say(YELLOW, &format!("    - replaced: {reason}"));
                self.tally.replaced += 1;
                continue;
            }
            if let Some(reason) = &self.unavailable {
                *self.tally.unavailable.entry(reason.clone()).or_default() += 1;
                self.say(YELLOW, &format!("    - not possible here: {reason}"));
                continue;
            }
            self.expect_prompt(block.terminal, &step.prompt)?;
            if self.options.step {
                eprint!("    Enter goes on ");
                std::io::stdin().read_line(&mut String::new())?;
            }
            let output = self.terminal(block.terminal)?.enter(&command)?;
            let lines_due = if applets_named(&command).is_empty() { &[] } else { std::mem::take(&mut trace) };
            self.judge(step, &command, &output, &block.rules, lines_due)?;
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
        for line in output {
            println!("{line}");
        }
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
        }
        if differences.is_empty() {
            self.tally.as_printed += 1;
            let by = if named.is_empty() {
                String::new()
            } else {
                format!(" ({whose}: {})", named.into_iter().collect::<Vec<_>>().join(", "))
            };
            self.say(GREEN, &format!("    = {verdict}{by}"));
        } else {
            self.tally.differ += 1;
            differences.iter().for_each(|line| self.say(RED, &format!("    ! {line}")));
        }
        Ok(())
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
        self.say(colour, &format!("{name}: {count} commands, {as_printed} as printed, {differ} differ"));
        u8::from(*differ > 0 || *as_printed == 0)
    }

    fn say(&self, colour: &str, text: &str) {
        if self.colour {
            println!("\x1b[{colour}m{text}\x1b[0m");
        } else {
            println!("{text}");
        }
        let _ = std::io::stdout().flush();
    }
}

/// Why this machine lacks what a section needs; `None` if it has it.
fn need(what: &str) -> Result<Option<String>> {
    let cgroup = Path::new("/sys/fs/cgroup");
    let has = |path: &str| cgroup.join(path).exists();
    let reason = match what {
        "cgroup1-memory" => (!has("memory/memory.limit_in_bytes")).then(|| {
            "no v1 memory controller is mounted; tests/transcripts/today.md tells the story with v2".to_string()
        }),
        "cgroup2" => match sandbox::cgroup_mounts()?.into_iter().find(|(_, version_2)| *version_2) {
            // Where both versions are mounted, v2 is put where a machine with v2 alone has it.
            Some((directory, _)) if directory != cgroup => {
                mount(Some(&directory), cgroup, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
                None
            }
            Some(_) => None,
            None => Some("no v2 hierarchy is mounted".to_string()),
        },
        "cgroup2-memory" => {
            let controllers = fs::read_to_string(cgroup.join("cgroup.controllers")).unwrap_or_default();
            (!controllers.split_whitespace().any(|name| name == "memory"))
                .then(|| "the kernel has bound the memory controller to a v1 hierarchy (/proc/cgroups)".to_string())
        }
        "unprivileged-userns" => {
            let setting = |path: &str| fs::read_to_string(Path::new("/proc/sys").join(path)).unwrap_or_default();
            let off = [
                ("user/max_user_namespaces", "0"),
                ("kernel/unprivileged_userns_clone", "0"),
                ("kernel/apparmor_restrict_unprivileged_userns", "1"),
            ];
            off.iter()
                .find(|(path, value)| setting(path).trim() == *value)
                .map(|(path, value)| format!("ordinary users may not make user namespaces ({path} is {value})"))
        }
        _ => return Err(format!("nothing is known of a need '{what}'").into()),
    };
    Ok(reason)
}

/// The capabilities of a set of root's, as /proc/self/status has it: names with commas between, lowest first.
fn capabilities(line: &str) -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or_default();
    let set = u64::from_str_radix(value.trim(), 16)?;
    let name = |bit: usize| CAPABILITIES.get(bit).map_or_else(|| bit.to_string(), |name| format!("cap_{name}"));
    Ok((0..64).filter(|bit| set & (1 << bit) != 0).map(name).collect::<Vec<_>>().join(","))
}
