//! The request of a command line, before any table or the machine is read.

use super::args::{Options, bad_usage};
use super::errors::{SYSTEM, USAGE};
use super::source;
use cli::{Failure, Invocation};
use linux::mount::fstab::Fstab;
use linux::mount::options::Options as MountOptions;
use linux::mount::other_namespace::OtherMountNs;
use linux::mount::utab;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

/// How everything is to be done, whatever is mounted.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// How we were called.
    pub invocation: &'a Invocation<'a>,
    /// The options of a command line.
    pub typed: &'a Options,
    /// Successes are told.
    pub verbose: bool,
    /// mount(2) is to be used although the kernel has better.
    pub old_api: bool,
    /// With -N: where we are.
    pub origin: Option<&'a OtherMountNs>,
    /// With -N and -T: the lines of -T, whose files are those of the namespace that was left.
    pub lines: Option<&'a Fstab>,
    /// What remounts change in utab, if many of them are to be written at once.
    pub unwritten: Option<&'a RefCell<Vec<utab::UtabEntry>>>,
}

impl<'a> Settings<'a> {
    /// Those that were typed.
    pub fn of(invocation: &'a Invocation<'a>, typed: &'a Options) -> Settings<'a> {
        let forced = linux::environment::trusted_variable("LIBMOUNT_FORCE_MOUNT2");
        let old_api = forced.is_some_and(|value| value == "always");
        Settings { invocation, typed, verbose: typed.verbose, old_api, origin: None, lines: None, unwritten: None }
    }

    /// Whether utab is written at all.
    pub fn writes_utab(&self) -> bool {
        !self.typed.no_mtab && !utab::path().is_empty()
    }
}

/// One mount to make.
#[derive(Clone, Default)]
pub struct Request {
    /// What to mount.
    pub source: Option<OsString>,
    /// Where.
    pub target: Option<OsString>,
    /// Whether the target was the only operand. It may also be a source: the table decides.
    pub is_either: bool,
    /// Whether an option says which is the source, or the target.
    pub is_named: bool,
    /// The list of -t, or of a table.
    pub types: Option<Vec<u8>>,
    /// Whether a leading `no` negates the list of types, as on the command line. In a table it is part of a type's
    /// name.
    pub negatable: bool,
    /// Options in order.
    pub options: MountOptions,
    /// For a remount: options from a table that the mount already has.
    pub present: MountOptions,
    /// No table is read: --bind, --move and the like.
    pub without_table: bool,
}

impl Request {
    /// The one mount that a command line without -a asks for, which is taken from what was typed.
    pub fn of(typed: &mut Options, operands: &[&'static OsStr]) -> Result<Request, Failure> {
        let without_table = typed.operation || typed.propagation || typed.options.has("move");
        let mut request = Request {
            is_named: typed.source.is_some() || typed.target.is_some(),
            source: typed.source.take(),
            target: typed.target.take(),
            negatable: typed.types.is_some(),
            types: typed.types.take().map(OsString::into_vec),
            options: core::mem::take(&mut typed.options),
            without_table,
            ..Request::default()
        };
        let mut operands = operands.iter().map(OsString::from);
        match (operands.next(), operands.next(), operands.next()) {
            (None, _, _) => {}
            (Some(only), None, _) => match (&request.source, &request.target) {
                (Some(_), Some(_)) => return Err(bad_usage()),
                (Some(_), None) if source::is_tag(&only) => {
                    return Err(cli::fail!(USAGE, "source specified more than once"));
                }
                (Some(_), None) => request.target = Some(only),
                (None, Some(_)) => request.source = Some(only),
                (None, None) if source::is_tag(&only) => (request.source, request.is_either) = (Some(only), true),
                (None, None) => (request.target, request.is_either) = (Some(only), true),
            },
            (source, target, None) if request.source.is_none() && request.target.is_none() => {
                (request.source, request.target) = (source, target);
            }
            _ => return Err(bad_usage()),
        }
        // With the source `none` and nothing but propagation, the command changes an existing mount; with one that is
        // recursive whatever else there is, as with the original.
        if request.source.as_ref().is_some_and(|source| source == "none") && !request.has_one_type() {
            let propagation = request.options.propagation();
            let is_recursive = propagation.iter().any(|(_, recursive)| *recursive);
            let has_flags = || request.options.clone().imply_user_flags().has_flags();
            if is_recursive || !propagation.is_empty() && !has_flags() {
                request.source = None;
                request.without_table = true;
            }
        }
        Ok(request)
    }

    /// Whether there is a choice of types: a list, or with a `no` in front, if that negates, those not named.
    pub fn has_type_list(&self) -> bool {
        self.types.as_deref().is_some_and(|types| types.contains(&b',') || self.negatable && types.starts_with(b"no"))
    }

    /// Whether one type is named.
    pub fn has_one_type(&self) -> bool {
        !self.has_type_list() && self.types.as_deref().is_some_and(|types| types != b"none" && types != b"auto")
    }

    /// The only operand is a target.
    pub fn into_target(mut self) -> Request {
        self.is_either = false;
        self
    }
}

/// Enters the mount namespace of -N, a process or a file.
pub fn enter_namespace(wanted: Option<&OsStr>) -> Result<Option<OtherMountNs>, Failure> {
    wanted
        .map(OtherMountNs::enter)
        .transpose()
        .map_err(|error| cli::fail!(SYSTEM, "failed to set target namespace to ", error.object, ": ", error.errno))
}
