//! Reads and prints random texts by ours and by libcap, and tells where they differ.
//!
//! `captext-against-libcap [COUNT [SEED]]`: COUNT texts of each kind (1,000,000). Differences
//! with a known reason are counted by it; any other is printed, and the status is 1.

mod libcap;
mod random;

use linux::caps::{CapSet, Sets, parse, parse_iab, print, read_item};
use random::Random;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::process::ExitCode;

/// How many differences are printed before it stops.
const ENOUGH: usize = 20;

#[derive(Default)]
struct Tally {
    compared: BTreeMap<&'static str, usize>,
    accepted: BTreeMap<&'static str, usize>,
    known: BTreeMap<&'static str, usize>,
    unknown: usize,
}

impl Tally {
    fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        kind: &'static str,
        input: &dyn std::fmt::Debug,
        ours: Option<T>,
        theirs: Option<T>,
        reason: impl FnOnce() -> Option<&'static str>,
    ) {
        *self.compared.entry(kind).or_default() += 1;
        *self.accepted.entry(kind).or_default() += usize::from(theirs.is_some());
        if ours == theirs {
            return;
        }
        match reason() {
            Some(reason) => *self.known.entry(reason).or_default() += 1,
            None => {
                self.unknown += 1;
                println!("{kind} {input:?}\n  ours   {ours:?}\n  theirs {theirs:?}");
            }
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let rounds = arguments.next().unwrap_or(1_000_000);
    let seed = arguments.next().unwrap_or(1);
    let count = libcap::count();
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    for _ in 0..rounds {
        let text = random.text();
        let ours = parse(&text, count).ok().map(|sets| (sets, print(&sets, count)));
        let c = CString::new(text.clone()).expect("no NUL");
        tally.compare("text", &c, ours, libcap::read(&c), || None);

        let sets = Sets {
            effective: CapSet(random.set()),
            permitted: CapSet(random.set()),
            inheritable: CapSet(random.set()),
        };
        let ours = print(&sets, count);
        tally.compare("sets", &sets, Some(ours), Some(libcap::print(&sets)), || None);

        let text = random.tuple();
        let ours = parse_iab(&text).ok().map(|iab| iab.print(count));
        let c = CString::new(text.clone()).expect("no NUL");
        let refused = ours.is_none();
        tally.compare("tuple", &c, ours, libcap::read_iab(&c), || {
            let ends_in_prefix = matches!(text.last(), Some(b'!' | b'^' | b'%'));
            (refused && ends_in_prefix)
                .then_some("prefixes at the end with no capability after them: libcap ignores them")
        });

        let text = random.name();
        let c = CString::new(text.clone()).expect("no NUL");
        let ours = read_item(&text).ok().map(|(capability, _)| capability.0);
        tally.compare("name", &c, ours, libcap::from_name(&c), || None);
        if tally.unknown >= ENOUGH {
            println!("stopped: there are more");
            break;
        }
    }
    for (kind, compared) in &tally.compared {
        println!("{kind}: {compared} compared, of which libcap took {}", tally.accepted[kind]);
    }
    for (reason, count) in &tally.known {
        println!("{count} times: {reason}");
    }
    println!("seed {seed}: {} differences without a reason", tally.unknown);
    if tally.unknown == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
