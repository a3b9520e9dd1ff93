//! Carries out the options in the original's order: steps that need privilege come before those that give it up.

use super::confine;
use super::explain::names;
use super::options::Options;
use super::values::{Changes, Groups, REFUSED, changed, listed};
use cli::failure::{hint, named_with};
use cli::{Failure, Outcome, Output, text};
use hints::{Step, explained};
use linux::caps::{self, Cap, CapSet, Sets};
use linux::credentials::{Gid, Uid};
use linux::process::{self, Pid, Variables};
use linux::{Errno, accounts, credentials, file, login_defs, namespace, stat};
use run::exec::{Program, failed_to_execute};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

type Done = Result<(), Failure>;

/// Takes an error of the step that is named.
fn failed(what: &'static str) -> impl Fn(linux::Error) -> Failure {
    named_with(REFUSED, what)
}

/// [`failed`], of a step that takes this capability.
fn no_ids(what: &'static str, number: Cap) -> impl Fn(linux::Error) -> Failure {
    move |error| {
        let errno = error.errno;
        explained(failed(what)(error), Step::SetIds(number), errno)
    }
}

/// Sets everything and runs the program.
pub fn carry_out(options: &Options, mut program: Program, output: &mut Output) -> Outcome {
    let needs_user = options.reset_env || options.groups == Some(Groups::Init);
    let user = match options.ruid.filter(|_| needs_user) {
        Some(uid) => look_up(uid)?,
        None => None,
    };
    let groups = groups(options, user.as_ref())?;
    let kept_signal = match options.death_signal {
        Some(None) => Some(process::death_signal().map_err(failed("get pdeathsig failed"))?),
        Some(signal) => signal,
        None => None,
    };
    let confinement = confine::prepare(options)?;
    if options.gains_nothing() {
        caps::set_no_new_privileges().map_err(failed("disallow granting new privileges failed"))?;
    }
    if let Some(label) = &options.selinux {
        if stat::path(OsStr::new("/sys/fs/selinux")).is_err() {
            return Err(cli::fail!(REFUSED, "SELinux is not running"));
        }
        label_exec(label)?;
    }
    if let Some(profile) = &options.apparmor {
        let mut text = OsString::from("exec ");
        text.push(profile);
        label_exec(&text).map_err(|failure| match stat::path(OsStr::new("/sys/kernel/security/apparmor")) {
            Ok(_) => failure,
            Err(_) => failure.hint("AppArmor is not running"),
        })?;
    }
    if options.reset_env {
        let user = match user {
            None => look_up(credentials::real_uid())?,
            found => found,
        };
        program.environment = fresh_environment(user.as_ref())?;
    }
    set_ids(options)?;
    if let Some(groups) = &groups {
        let said = if options.groups == Some(Groups::Init) { "initgroups failed" } else { "setgroups failed" };
        credentials::set_groups(groups).map_err(no_ids(said, Cap::SETGID))?;
    }
    if let Some(changes) = &options.securebits {
        let present = caps::securebits().map_err(failed("getting process secure bits failed"))?;
        let wanted = changed(u64::from(present), changes);
        caps::set_securebits(wanted as u32).map_err(failed("set process securebits failed"))?;
    }
    set_capabilities(options)?;
    if let Some(signal) = kept_signal {
        process::die_with_parent(signal).map_err(failed("set parent death signal failed"))?;
    }
    if let Some(tracer) = options.tracer {
        process::set_tracer(tracer).map_err(|errno| {
            confine::failed("set ptracer", errno)
                .hint("there is no such process, or no Yama in this kernel: --ptracer has no use then")
        })?;
    }
    confinement.enter()?;
    let error = program.exec(output);
    let failure = failed_to_execute(&error);
    let taken = confine::taken_from_exec(options);
    if taken != 0 && error.errno == Errno::EACCES && failure.hints.is_empty() {
        let rule = "Landlock must leave the rights to run it: --landlock-rule path-beneath:";
        return Err(failure.hint(text![rule, listed(taken), ":/usr"]));
    }
    Err(failure)
}

/// The user with this number. Who cannot be looked for is not taken for one that nobody knows.
fn look_up(uid: Uid) -> Result<Option<accounts::User>, Failure> {
    accounts::look_up_uid(uid).map_err(|error| cli::fail!(REFUSED, "cannot read ", error.object, ": ", error.errno))
}

fn groups(options: &Options, user: Option<&accounts::User>) -> Result<Option<Vec<Gid>>, Failure> {
    Ok(match &options.groups {
        None | Some(Groups::Keep) => None,
        Some(Groups::Clear) => Some(Vec::new()),
        Some(Groups::These(groups)) => Some(groups.clone()),
        Some(Groups::Init) => {
            let user = user.ok_or_else(|| {
                let uid = options.ruid.unwrap_or_default();
                let rest = " not found, --init-groups requires an user that can be found on the system";
                cli::fail!(1, "uid ", uid, rest)
            })?;
            Some(accounts::groups_of(&user.name, user.gid).map_err(failed("initgroups failed"))?)
        }
    })
}

fn set_ids(options: &Options) -> Done {
    // Where root's effective user is another one, what is permitted is not effective.
    activate()?;
    if options.ruid.is_some() || options.euid.is_some() {
        let [real, effective, _] = credentials::all_uids();
        caps::set_keep_capabilities(1).map_err(failed("keep process capabilities failed"))?;
        credentials::set_uids(options.ruid.unwrap_or(real), options.euid.unwrap_or(effective))
            .map_err(no_ids("setresuid failed", Cap::SETUID))?;
        // Leaving uid 0 has emptied the effective set; what follows needs it.
        activate()?;
    }
    if options.rgid.is_some() || options.egid.is_some() {
        let [real, effective, _] = credentials::all_gids();
        credentials::set_gids(options.rgid.unwrap_or(real), options.egid.unwrap_or(effective))
            .map_err(no_ids("setresgid failed", Cap::SETGID))?;
    }
    Ok(())
}

/// Makes every permitted capability effective.
fn activate() -> Done {
    let sets = caps::get(Pid::SELF).map_err(failed("activate capabilities"))?;
    if sets.effective == sets.permitted {
        return Ok(());
    }
    caps::set(&Sets { effective: sets.permitted, ..sets }).map_err(failed("activate capabilities"))
}

fn set_capabilities(options: &Options) -> Done {
    let count = caps::count();
    if let Some(changes) = &options.bounding {
        let present = caps::bounding(count).map_err(failed("apply bounding set"))?;
        // A capability outside the bounding set cannot be added back; requesting that is no error.
        let lost = present & !changed(present, changes);
        for capability in lost.members() {
            caps::drop_bounding(capability).map_err(failed("apply bounding set"))?;
        }
    }
    let sets = caps::get(Pid::SELF).map_err(failed("apply capabilities"))?;
    let inheritable = |changes: &Changes<CapSet>| changed(sets.inheritable, changes);
    let inheritable = options.inheritable.as_ref().map_or(sets.inheritable, inheritable);
    let wanted = Sets { inheritable, ..sets };
    if wanted != sets {
        caps::set(&wanted).map_err(failed("apply capabilities"))?;
    }
    let Some(changes) = &options.ambient else { return Ok(()) };
    let present = caps::ambient().map_err(failed("apply ambient capabilities"))?;
    let wanted = changed(present, changes);
    for capability in (present & !wanted).members() {
        caps::lower_ambient(capability).map_err(failed("apply ambient capabilities"))?;
    }
    // The result may have less privilege than requested. The original does not report it.
    let mut missing = CapSet::EMPTY;
    for number in (wanted & !present).members() {
        if caps::raise_ambient(number).is_err() {
            missing |= CapSet::of(number);
        }
    }
    if !missing.is_empty() {
        let why = "what is ambient must be permitted and inheritable (--inh-caps)";
        let why = if caps::may_raise_ambient() { why } else { hints::NO_AMBIENT_RAISE };
        hint(&text!["not ambient now: ", names(missing), "; ", why]);
    }
    Ok(())
}

/// Has the security module change the label at the next execve(2).
fn label_exec(label: &OsStr) -> Done {
    let file = "/proc/self/attr/exec";
    namespace::write_file(file, label.as_encoded_bytes())
        .map_err(|error| cli::fail!(REFUSED, "write failed: ", file, ": ", error.errno))
}

fn fresh_environment(user: Option<&accounts::User>) -> Result<Variables, Failure> {
    let mut variables = Vec::new();
    let mut set = |name: &str, value: &OsStr| {
        let mut entry = OsString::from(name);
        entry.push("=");
        entry.push(value);
        variables.push(entry);
    };
    if let Some(terminal) = linux::environment::value("TERM") {
        set("TERM", &terminal);
    }
    if let Some(user) = user {
        set("SHELL", if user.shell.is_empty() { OsStr::new("/bin/sh") } else { &user.shell });
        set("HOME", &user.home);
        set("USER", &user.name);
        set("LOGNAME", &user.name);
    }
    set("PATH", &login_path(user.is_some_and(|user| user.uid.is_root()))?);
    Ok(Variables::Exactly(variables))
}

/// The PATH of a login, as /etc/login.defs has it.
fn login_path(of_root: bool) -> Result<OsString, Failure> {
    // /bin has programs of its own where it is not /usr/bin by another name.
    let is_merged = match stat::link(OsStr::new("/bin")) {
        Err(error) if error.errno == Errno::ENOENT => false,
        found => found.map_err(failed("cannot read /bin"))?.is_symlink(),
    };
    let (names, otherwise) = match (of_root, is_merged) {
        (true, true) => ("ENV_SUPATH ENV_ROOTPATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
        (true, false) => ("ENV_SUPATH ENV_ROOTPATH", "/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin"),
        (false, true) => ("ENV_PATH", "/usr/local/bin:/usr/bin"),
        (false, false) => ("ENV_PATH", "/usr/local/bin:/bin:/usr/bin"),
    };
    let text = match file::read_at_once(OsStr::new(login_defs::FILE), login_defs::LIMIT) {
        Err(error) if error.errno == Errno::ENOENT => Vec::new(),
        read => read.map_err(failed("cannot read /etc/login.defs"))?,
    };
    let found = names.split(' ').find_map(|name| login_defs::value(&text, name));
    Ok(found.map_or_else(|| otherwise.into(), |value| OsStr::from_bytes(login_defs::path(value)).to_os_string()))
}
