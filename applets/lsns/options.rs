//! The options, as a struct and as the table that fills it; the columns.

use cli::Table;
use cli::columns::filter::{Filter, Given};
use cli::columns::{self, Column, Columns, Form, Shape};
use cli::{Failure, Opt, id};
use linux::namespace::KINDS;
use linux::process::Pid;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What the tree is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The processes shown, as a tree by their parents: the default output.
    Processes,
    /// PID and user namespaces, by their parents.
    Parent,
    /// All, by the user namespaces that own them.
    Owner,
}

/// The options of a command line.
#[derive(Debug, Default)]
pub struct Options {
    pub form: Form,
    list: bool,
    pub no_headings: bool,
    columns: Option<&'static OsStr>,
    all_columns: bool,
    pub persistent: bool,
    pub task: Option<Pid>,
    pub no_truncate: bool,
    pub no_wrap: bool,
    /// The CLONE_NEW* bits of the kinds to show; none means all.
    pub kinds: i32,
    pub tree: Option<Tree>,
    pub list_columns: bool,
    pub filter: Given,
}

impl Options {
    /// Whether processes are not shown as a tree. Every column makes none of namespaces.
    pub fn is_flat(&self, is_one: bool) -> bool {
        (self.list || self.all_columns && !is_one) && self.tree.is_none()
    }

    /// The columns to show, `default` if none are named.
    pub fn fields(&self, default: &str) -> Result<Vec<usize>, Failure> {
        columns::fields(COLUMNS, self.columns, default, self.all_columns.then_some(|_| true))
    }
}

/// Every column, in the order of `--output-all`. A field is an index into it; see [`super::rows`].
pub static COLUMNS: Columns = cli::columns!(&[
    Column::new("NS namespace identifier (inode number)", Shape::Number, 10),
    Column::new("TYPE kind of namespace", Shape::Left, 5),
    Column::new("PATH path to the namespace", Shape::Left, 0),
    Column::new("NPROCS number of processes in the namespace", Shape::Number, 5),
    Column::new("PID lowest PID in the namespace", Shape::Number, 5),
    Column::new("PPID PPID of the PID", Shape::Number, 5),
    Column::new("COMMAND command line of the PID", Shape::Cut, 0),
    Column::new("UID UID of the PID", Shape::Number, 0),
    Column::new("USER username of the PID", Shape::Left, 0),
    Column::new("NETNSID namespace ID as used by network subsystem", Shape::Right, 0),
    Column::new("NSFS nsfs mountpoint (usually used network subsystem)", Shape::Lines, 0),
    Column::new("PNS parent namespace identifier (inode number)", Shape::Number, 10),
    Column::new("ONS owner namespace identifier (inode number)", Shape::Number, 10),
]);

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('J'), "json", "use JSON output format", |o| o.form = Form::Json),
    Opt::flag(Some('l'), "list", "use list format output", |o| o.list = true),
    Opt::flag(Some('n'), "noheadings", "don't print headings", |o| o.no_headings = true),
    Opt::value(Some('o'), "output", "list", "define which output columns to use", |o, list| {
        o.columns = Some(list);
        Ok(())
    }),
    Opt::flag(None, "output-all", "output all columns", |o| o.all_columns = true),
    Opt::flag(Some('P'), "persistent", "namespaces without processes", |o| o.persistent = true),
    Opt::value(Some('p'), "task", "pid", "print process namespaces", |o, pid| {
        o.task = Some(id::pid(pid, "PID", 1)?);
        Ok(())
    }),
    Opt::value(Some('Q'), "filter", "expr", "apply display filter", |o, expression| {
        o.filter = Filter::given(expression, COLUMNS)?;
        Ok(())
    }),
    Opt::flag(Some('r'), "raw", "use the raw output format", |o| o.form = Form::Raw),
    Opt::flag(Some('u'), "notruncate", "don't truncate text in columns", |o| o.no_truncate = true),
    Opt::flag(Some('W'), "nowrap", "don't use multi-line representation", |o| o.no_wrap = true),
    Opt::value(Some('t'), "type", "name", "namespace type (mnt, net, ipc, user, pid, uts, cgroup, time)", |o, name| {
        let kind = KINDS.into_iter().find(|kind| name == kind.file());
        o.kinds |= kind.ok_or_else(|| cli::fail!(1, "unknown namespace type: ", name))?.flag();
        Ok(())
    }),
    Opt::maybe(Some('T'), "tree", "rel", "use tree format (parent, owner, or process)", |o, relation| {
        o.tree = Some(
            match relation
                .as_ref()
                .map(|relation| relation.as_bytes().strip_prefix(b"=").unwrap_or(relation.as_bytes()))
            {
                None | Some(b"owner") => Tree::Owner,
                Some(b"parent") => Tree::Parent,
                Some(b"process") => Tree::Processes,
                Some(other) => return Err(cli::fail!(1, "unknown tree type: ", other)),
            },
        );
        Ok(())
    }),
    Opt::flag(Some('H'), "list-columns", "list the available columns", |o| o.list_columns = true),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, "json,raw persistent,task");
