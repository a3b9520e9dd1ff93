//! The table of capsh's options, in the order of the usage text.

use super::session::Action::{self, Do, Help, License, Maybe, With};
use super::session::{Ended, Session};
use cli::Failure;
use cli::option::{Argument, Row, Spec, Specs};
use std::ffi::OsStr;

const fn act(name: &'static str, argument: Argument, help: &'static str, action: Action) -> Row<Action> {
    Row { spec: Spec { short: None, long: name, argument, help }, store: action }
}

const CAPS: Argument = Argument::Required("xxx,...");
const CAP: Argument = Argument::Required("xxx");
const N: Argument = Argument::Required("<n>");
const NONE: Argument = Argument::None;

/// Every option.
#[rustfmt::skip]
const ROWS: &[Row<Action>] = &[
    act("addamb", CAPS, "raise these in the ambient set", With(|it, value| it.add_ambient(value))),
    act("cap-uid", N, "change user but keep the permitted set", With(|it, value| it.capability_set_uid(value))),
    act("caps", Argument::Required("text"), "set e, p and i to what the text says", With(|it, value| it.set_caps(value))),
    act("chroot", Argument::Required("dir"), "change the root directory", With(|it, value| it.chroot(value))),
    act("current", NONE, "print the current sets and the IAB tuple", Do(|it| it.print_current())),
    act("decode", Argument::Required("hex"), "name the capabilities of a mask", With(|it, value| it.decode(value))),
    act("delamb", CAPS, "lower these in the ambient set", With(|it, value| it.delete_ambient(value))),
    act("drop", CAPS, "drop these from the bounding set", With(|it, value| it.drop(value))),
    act("dropped", CAP, "fail unless xxx is out of the bounding set", With(|it, value| it.is_dropped(value))),
    act("explain", CAP, "tell what a capability permits", With(|it, value| it.explain(value))),
    act("forkfor", N, "fork a child that sleeps for n seconds", With(|it, value| it.fork_for(value))),
    act("gid", N, "set the group ids", With(|it, value| it.set_gid(value))),
    act("groups", Argument::Required("g,..."), "set the supplementary groups", With(|it, value| it.set_groups(value))),
    act("has-a", CAP, "fail unless xxx is ambient", With(|it, value| it.has_ambient(value))),
    act("has-ambient", NONE, "fail unless the kernel has an ambient set", Do(|it| it.kernel_has_ambient())),
    act("has-b", CAP, "fail unless xxx is in the bounding set", With(|it, value| it.has_bounding(value))),
    act("has-i", CAP, "fail unless xxx is inheritable", With(|it, value| it.has_inheritable(value))),
    act("has-no-new-privs", NONE, "fail unless no-new-privs is set", Do(|it| it.has_no_new_privileges())),
    act("has-p", CAP, "fail unless xxx is permitted", With(|it, value| it.has_permitted(value))),
    Row { spec: Spec { short: Some('h'), long: "help", argument: NONE, help: "print this text" }, store: Help },
    act("iab", Argument::Required("text"), "set the IAB tuple", With(|it, value| it.set_iab(value))),
    act("inh", CAPS, "set the inheritable set", With(|it, value| it.set_inheritable(value))),
    act("inmode", Argument::Required("mode"), "fail unless this is the current mode", With(|it, value| it.in_mode(value))),
    act("is-gid", N, "fail unless this is the group id", With(|it, value| it.is_gid(value))),
    act("is-uid", N, "fail unless this is the user id", With(|it, value| it.is_uid(value))),
    act("keep", N, "keep permitted ones when uid 0 is left: 0 or 1", With(|it, value| it.set_keep(value))),
    act("killit", N, "kill the child of --forkfor by this signal", With(|it, value| it.kill_child(value))),
    act("license", NONE, "print the license", License),
    act("mode", Argument::Optional("mode"), "print, or set, the mode of the capabilities", Maybe(|it, value| it.mode(value))),
    act("modes", NONE, "list the modes", Do(|it| it.list_modes())),
    act("no-new-privs", NONE, "gain no privileges by exec from here on", Do(|it| it.set_no_new_privileges())),
    act("noamb", NONE, "empty the ambient set", Do(|it| it.clear_ambient())),
    act("noenv", NONE, "let --user leave HOME and USER alone", Do(|it| it.leave_environment())),
    act("print", NONE, "print everything about our capabilities", Do(|it| it.print_all())),
    act("quiet", NONE, "as the first argument: no check of names", Do(|_| Ok(()))),
    act("secbits", N, "set the securebits", With(|it, value| it.set_securebits(value))),
    act("shell", Argument::Required("path"), "what -- and -+ run", With(|it, value| it.set_shell(value))),
    act("strict", NONE, "toggle: raise nothing to help --caps, --drop, --inh", Do(|it| it.toggle_strict())),
    act("suggest", Argument::Required("word"), "explain the capabilities that mention this", With(|it, value| it.suggest(value))),
    act("supports", CAP, "fail unless this kernel has xxx", With(|it, value| it.supports(value))),
    act("uid", N, "set the user ids", With(|it, value| it.set_uid(value))),
    act("user", Argument::Required("name"), "become this user, with its groups", With(|it, value| it.become_user(value))),
];

/// The rows, packed.
pub(super) static OPTIONS: Specs = cli::specs!(ROWS);

/// Does what the row with this index says.
pub(super) fn act_on(session: &mut Session<'_>, index: usize, value: Option<&OsStr>) -> Result<Ended, Failure> {
    let text = value.unwrap_or_default();
    cli::row!(ROWS, index, action => action.act(session, value, text))
}
