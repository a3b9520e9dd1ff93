//! The steps in words, in the order in which they are made.

use super::options::Options;
use super::values::{Groups, RuleObject, listed};
use cli::add;
use cli::explain::{Explanation, NO_CALL};
use linux::caps::{self, CapSet};
use run::explain as shared;
use std::ffi::OsStr;

/// Tells what the options do before the program runs.
pub fn explanation(options: &Options, program: &[&'static OsStr]) -> Explanation {
    let mut explanation = Explanation::default();
    if options.groups == Some(Groups::Init) {
        shared::look_up(&mut explanation, "");
    }
    if let Some(blocked) = options.blocked {
        explanation.tell("make rules that take rights: {0}", "landlock_create_ruleset()", &[&listed(blocked)]);
        for (allowed, place) in &options.rules {
            let allowed = listed(*allowed);
            match place {
                RuleObject::Path(path) => {
                    explanation.tell("but leave them at {0} and below: {1}", "landlock_add_rule()", &[path, &allowed]);
                }
                RuleObject::Port(port) => {
                    explanation.tell(
                        "but leave them at TCP port {0}: {1}",
                        "landlock_add_rule()",
                        &[&u32::from(*port), &allowed],
                    );
                }
            }
        }
    }
    if options.gains_nothing() {
        explanation.tell("gain no privilege by exec from here on", "prctl(PR_SET_NO_NEW_PRIVS, 1)", &[]);
    }
    for (label, exec) in [(&options.selinux, ""), (&options.apparmor, "exec ")] {
        if let Some(label) = label {
            let call = "write(\"/proc/self/attr/exec\", \"{1}{0}\")";
            explanation.tell("have the security label become {0} at the exec", call, &[label, &exec]);
        }
    }
    if options.reset_env {
        explanation.tell("set HOME, SHELL, USER, LOGNAME, PATH and TERM, and no other variable", NO_CALL, &[]);
    }
    let id = |id: Option<u32>| id.map_or_else(|| "-1".to_string(), |id| id.to_string());
    let (ruid, euid) = (options.ruid.map(|id| id.0), options.euid.map(|id| id.0));
    let (rgid, egid) = (options.rgid.map(|id| id.0), options.egid.map(|id| id.0));
    if options.ruid.is_some() || options.euid.is_some() {
        let call = "prctl(PR_SET_KEEPCAPS, 1), setresuid({0}, {1}, {1}), capset()";
        explanation.tell(
            "become real user {0} and effective user {1}, and keep the capabilities",
            call,
            &[&id(ruid), &id(euid)],
        );
    }
    if options.rgid.is_some() || options.egid.is_some() {
        let call = "setresgid({0}, {1}, {1})";
        explanation.tell("become real group {0} and effective group {1}", call, &[&id(rgid), &id(egid)]);
    }
    match &options.groups {
        None | Some(Groups::Keep) => {}
        Some(Groups::Clear) => shared::identity(&mut explanation, true, None, None),
        Some(Groups::Init) => explanation.tell("take the groups of that user", "setgroups(...)", &[]),
        Some(Groups::These(groups)) => {
            let list = linux::credentials::list(groups);
            explanation.tell("take the groups {0}", "setgroups({1}, [{0}])", &[&list, &groups.len()]);
        }
    }
    if let Some(changes) = &options.securebits {
        let bits = shown(&mut changes.iter().map(|(gains, bits)| (*gains, format!("{bits:#x}"))));
        explanation.tell("change the securebits:{0}", "prctl(PR_SET_SECUREBITS, ...)", &[&bits]);
    }
    for (changes, what, call) in [
        (&options.bounding, "bounding set", "prctl(PR_CAPBSET_DROP, ...)"),
        (&options.inheritable, "inheritable set, if it is another", "capset()"),
        (&options.ambient, "ambient set", "prctl(PR_CAP_AMBIENT, ...)"),
    ] {
        if let Some(changes) = changes {
            explanation.tell(
                "change the {0}:{1}",
                call,
                &[&what, &shown(&mut changes.iter().map(|(gains, set)| (*gains, names(*set))))],
            );
        }
    }
    match options.death_signal {
        None => {}
        Some(None) => {
            explanation.tell("keep the signal that comes when the parent ends", "prctl(PR_SET_PDEATHSIG, ...)", &[])
        }
        Some(Some(signal)) => shared::die_with_parent(&mut explanation, signal),
    }
    if let Some(tracer) = options.tracer {
        let words = "name who else may trace the program, where Yama restricts that";
        explanation.tell(words, "prctl(PR_SET_PTRACER, {0})", &[&tracer]);
    }
    if options.blocked.is_some() {
        explanation.tell("be under these rules from here on", "landlock_restrict_self()", &[]);
    }
    if let Some(file) = &options.filter {
        let call = "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ...)";
        explanation.tell("have the filter in {0} asked before each system call", call, &[file]);
    }
    explanation.run(program, "");
    explanation
}

/// ` +cap_chown -cap_kill`.
fn shown(changes: &mut dyn Iterator<Item = (bool, String)>) -> Vec<u8> {
    let mut list = Vec::new();
    for (gains, members) in changes {
        add!(&mut list, if gains { " +" } else { " -" }, members);
    }
    list
}

/// `all`, or the names.
pub fn names(set: CapSet) -> String {
    if set == CapSet::first(caps::count()) { "all".to_string() } else { caps::names(set) }
}
