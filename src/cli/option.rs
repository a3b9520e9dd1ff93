//! The option table: what an applet's options are called, what they take and what they store.
//!
//! The rows are written as structs and packed into a text by the compiler, and a function has an arm for each row. A
//! struct with its strings would take a hundred bytes a row, and the start of a static PIE writes each pointer.

#![allow(clippy::panic, reason = "these are panics of the compiler: it evaluates this")]

use crate::Failure;
use std::ffi::OsStr;

/// What can be said about an option without its code: its names, its argument, its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The one-letter name.
    pub short: Option<char>,
    /// The long names, separated by spaces; the first is the one that is documented. May be empty.
    pub long: &'static str,
    /// Whether it takes an argument, and how the help calls that.
    pub argument: Argument,
    /// What it does, in one line of the help.
    pub help: &'static str,
}

impl Spec {
    /// The long names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.long.split_ascii_whitespace()
    }

    /// The long name that is documented, or nothing.
    pub fn name(&self) -> &'static str {
        self.names().next().unwrap_or_default()
    }

    /// Whether it is one of these options, which are called by their long names, or by the letter where there is only
    /// that, and have commas between them.
    pub fn is_one_of(&self, list: &str) -> bool {
        let name = self.name();
        let is_it = |member: &[u8]| match (name, member) {
            ("", &[letter]) => self.short == Some(char::from(letter)),
            (name, member) => member == name.as_bytes(),
        };
        list.as_bytes().split(|byte| *byte == b',').any(is_it)
    }
}

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// It takes none.
    None,
    /// It must have one.
    Required(&'static str),
    /// The argument is optional and must be attached: `-mFILE`, `--mount=FILE`.
    Optional(&'static str),
    /// Only the long form takes an optional argument, as in unshare: `--mount=FILE`, but `-m`.
    OptionalLong(&'static str),
}

/// A row of an option table.
pub struct Row<S> {
    /// Names and help.
    pub spec: Spec,
    /// What is done when it is met.
    pub store: S,
}

/// One option of an applet whose options are stored in an `O`.
pub type Opt<O> = Row<Store<O>>;

/// The table of such an applet.
#[derive(Debug)]
pub struct Table<O: 'static> {
    /// What can be said about the rows.
    pub specs: Specs,
    /// Options of which only one may be given, as in [`Spec::is_one_of`], with a blank between two such groups. A
    /// digit before them is the exit status, if it is not that of wrong usage.
    pub exclusive: &'static str,
    /// Does what the row with this index does.
    pub store: fn(&mut O, usize, Option<&'static OsStr>) -> Result<Met, Failure>,
}

/// What an option that was met asks for.
#[derive(Clone, Copy, Debug, Default)]
pub enum Met {
    /// Nothing more: it is stored.
    #[default]
    Stored,
    /// The help.
    Help,
    /// The version, with these features.
    Version(&'static str),
}

/// What is done with an option that was given. Its argument lives as long as the process.
#[derive(Debug)]
pub enum Store<O: 'static> {
    /// It takes no argument.
    Flag(fn(&mut O)),
    /// It takes no argument, and what it stands for may be found wrong.
    CheckedFlag(fn(&mut O) -> Result<(), Failure>),
    /// It has an argument.
    Value(fn(&mut O, &'static OsStr) -> Result<(), Failure>),
    /// It may have an argument.
    Maybe(fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>),
    /// Print the help and end.
    Help,
    /// Print the version, with this list of features if it is not empty, and end.
    Version(&'static str),
}

impl<O> Clone for Store<O> {
    fn clone(&self) -> Store<O> {
        *self
    }
}

impl<O> Copy for Store<O> {}

impl<O> Store<O> {
    /// Does it. `text` is the value, or empty: made by the caller, once for all rows.
    #[inline(always)]
    pub fn apply(self, options: &mut O, value: Option<&'static OsStr>, text: &'static OsStr) -> Result<Met, Failure> {
        match self {
            Store::Flag(store) => store(options),
            Store::CheckedFlag(store) => store(options)?,
            Store::Value(store) => store(options, text)?,
            Store::Maybe(store) => store(options, value)?,
            Store::Help => return Ok(Met::Help),
            Store::Version(features) => return Ok(Met::Version(features)),
        }
        Ok(Met::Stored)
    }
}

impl<O> Opt<O> {
    /// An option without an argument.
    pub const fn flag(short: Option<char>, long: &'static str, help: &'static str, store: fn(&mut O)) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::None, help }, store: Store::Flag(store) }
    }

    /// An option without an argument, whose storing may fail.
    pub const fn flag_checked(
        short: Option<char>,
        long: &'static str,
        help: &'static str,
        store: fn(&mut O) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::None, help }, store: Store::CheckedFlag(store) }
    }

    /// An option with an argument.
    pub const fn value(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, &'static OsStr) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::Required(argument), help }, store: Store::Value(store) }
    }

    /// An option that may have an argument.
    pub const fn maybe(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::Optional(argument), help }, store: Store::Maybe(store) }
    }

    /// An option whose long form may have an argument.
    pub const fn maybe_long(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::OptionalLong(argument), help }, store: Store::Maybe(store) }
    }

    /// `--help`, also as `short`.
    pub const fn help(short: Option<char>) -> Opt<O> {
        let spec = Spec { short, long: "help", argument: Argument::None, help: "display this help" };
        Opt { spec, store: Store::Help }
    }

    /// `--version`, also as `short`.
    pub const fn version(short: Option<char>) -> Opt<O> {
        let spec = Spec { short, long: "version", argument: Argument::None, help: "display version" };
        Opt { spec, store: Store::Version("") }
    }

    /// [`Opt::version`] that lists features behind the version.
    pub const fn version_with(short: Option<char>, features: &'static str) -> Opt<O> {
        Opt { store: Store::Version(features), ..Opt::version(short) }
    }
}

/// A row begins with the letter or a space, the mark of [`Argument`], and four ASCII characters: how long
/// the long names and the argument's name are, and the help, in 128s and ones.
const HEAD: usize = 6;

/// The names and helps of a table.
#[derive(Clone, Copy, Debug)]
pub struct Specs {
    /// For each row its [`HEAD`], the long names, the argument's name, the help. Lengths come first,
    /// so a row is skipped without scanning, which took half of what mount does before its first call.
    text: &'static str,
}

/// Packs what is said about rows that are a constant.
#[macro_export]
macro_rules! specs {
    ($rows:expr) => {{
        const PACKED: [u8; $crate::option::size($rows)] = $crate::option::pack($rows);
        $crate::option::Specs::new(&PACKED)
    }};
}

/// Packs rows that are a constant: `static OPTIONS: Table<Options> = cli::table!(ROWS);`. Options that exclude each other
/// stand behind the rows: `cli::table!(ROWS, "all,recursive types,recursive")`.
#[macro_export]
macro_rules! table {
    ($rows:expr) => {
        $crate::table!($rows, "")
    };
    ($rows:expr, $exclusive:expr) => {
        $crate::option::Table {
            specs: $crate::specs!($rows),
            exclusive: $exclusive,
            store: |options, index, value| {
                let text = value.unwrap_or_default();
                $crate::row!($rows, index, store => store.apply(options, value, text))
            },
        }
    };
}

/// What the row with this index does, given to an expression. Each row is an arm of its own: an array of
/// functions would be pointers, which the start of a static PIE writes.
#[macro_export]
macro_rules! row {
    (@ $rows:expr, $index:expr, $store:ident => $then:expr; $($number:literal)*) => {
        match $index {
            $($number if const { $number < $rows.len() } => {
                let $store = const { $crate::option::store($rows, $number) };
                $then
            })*
            _ => Ok(Default::default()),
        }
    };
    ($rows:expr, $index:expr, $store:ident => $then:expr) => {
        $crate::row!(@ $rows, $index, $store => $then;
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63)
    };
}

impl Specs {
    /// What [`pack`] made.
    pub const fn new(packed: &'static [u8]) -> Specs {
        match core::str::from_utf8(packed) {
            Ok(text) => Specs { text },
            Err(_) => panic!("strings are not made of text"),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The rows.
    pub fn iter(&self) -> Rows {
        Rows { rest: self.text }
    }
}

/// Goes through the rows of a table.
pub struct Rows {
    rest: &'static str,
}

impl Iterator for Rows {
    type Item = Spec;

    #[inline(never)]
    fn next(&mut self) -> Option<Spec> {
        let &[letter, mark, long, name, help_128s, help_ones] = self.rest.as_bytes().first_chunk::<HEAD>()?;
        let (_, rest) = self.rest.split_at_checked(HEAD)?;
        let (long, rest) = rest.split_at_checked(usize::from(long))?;
        let (name, rest) = rest.split_at_checked(usize::from(name))?;
        let (help, rest) = rest.split_at_checked(usize::from(help_128s) * 128 + usize::from(help_ones))?;
        self.rest = rest;
        let argument = match mark {
            b'=' => Argument::Required(name),
            b'?' => Argument::Optional(name),
            b'~' => Argument::OptionalLong(name),
            _ => Argument::None,
        };
        Some(Spec { short: (letter != b' ').then_some(char::from(letter)), long, argument, help })
    }
}

const fn mark(argument: Argument) -> (u8, &'static str) {
    match argument {
        Argument::None => (b'-', ""),
        Argument::Required(name) => (b'=', name),
        Argument::Optional(name) => (b'?', name),
        Argument::OptionalLong(name) => (b'~', name),
    }
}

/// The bytes that rows take when they are packed.
pub const fn size<S>(mut rows: &[Row<S>]) -> usize {
    let mut size = 0;
    while let [Row { spec, .. }, rest @ ..] = rows {
        let (_, name) = mark(spec.argument);
        size += HEAD + spec.long.len() + name.len() + spec.help.len();
        rows = rest;
    }
    size
}

/// Packs rows.
pub const fn pack<S, const SIZE: usize>(mut rows: &[Row<S>]) -> [u8; SIZE] {
    let mut packed = [0; SIZE];
    let mut room: &mut [u8] = &mut packed;
    while let [Row { spec, .. }, rest @ ..] = rows {
        let (mark, name) = mark(spec.argument);
        let letter = if let Some(letter) = spec.short { ascii(letter as usize) } else { b' ' };
        let help = spec.help.len();
        let lengths = [ascii(spec.long.len()), ascii(name.len()), ascii(help / 128), ascii(help % 128)];
        room = put(room, &[letter, mark]);
        room = put(room, &lengths);
        room = put(room, spec.long.as_bytes());
        room = put(room, name.as_bytes());
        room = put(room, spec.help.as_bytes());
        rows = rest;
    }
    packed
}

/// A byte of the text by itself.
pub(crate) const fn ascii(number: usize) -> u8 {
    if number >= 128 {
        panic!("a letter is not ASCII, or a name too long");
    }
    number as u8
}

pub(crate) const fn put<'a>(room: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let (here, after) = room.split_at_mut(bytes.len());
    here.copy_from_slice(bytes);
    after
}

/// What a row does.
pub const fn store<S: Copy>(mut rows: &[Row<S>], index: usize) -> S {
    if rows.len() > 64 {
        panic!("row! has no more arms");
    }
    let mut index = index;
    while let [row, rest @ ..] = rows {
        if index == 0 || rest.is_empty() {
            return row.store;
        }
        index -= 1;
        rows = rest;
    }
    panic!("a table without rows")
}
