//! Runs a shell or capsh itself, in place of this process or in a child, and waits for the child of `--forkfor`:
//! execve(2), fork(2).

use super::session::{SHELL, Session, StepResult, fail, failed, integer};
use cli::{Failure, Outcome, text};
use hints::explained;
use linux::Errno;
use linux::process::{self, ExecError, Fork, SearchPath, Status, Variables, Wait};
use run::exec::Program;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

impl Session<'_> {
    pub(super) fn set_shell(&mut self, path: &OsStr) -> StepResult {
        self.shell = Some(path.to_os_string());
        Ok(())
    }

    pub(super) fn exec_shell(&mut self, args: &[&'static OsStr]) -> Outcome {
        let program = self.shell_program(args);
        self.exec(&program)
    }

    pub(super) fn launch_shell(&mut self, args: &[&'static OsStr]) -> Outcome {
        let program = self.shell_program(args);
        self.launch(&program)
    }

    pub(super) fn exec_self(&mut self, args: &[&'static OsStr]) -> Outcome {
        let program = self.own_program(args)?;
        self.exec(&program)
    }

    pub(super) fn launch_self(&mut self, args: &[&'static OsStr]) -> Outcome {
        let program = self.own_program(args)?;
        self.launch(&program)
    }

    fn shell_program(&self, args: &[&'static OsStr]) -> Program {
        let shell = self.shell.clone().unwrap_or_else(default_shell).leak();
        self.program(shell, shell, args)
    }

    /// The path of capsh itself: `argv[0]` if it contains a slash, else found by PATH in the current root.
    fn own_program(&self, args: &[&'static OsStr]) -> Result<Program, Failure> {
        let argv0 = self.invocation.argv0;
        let path = if argv0.as_bytes().contains(&b'/') {
            argv0
        } else {
            let path = linux::environment::value("PATH")
                .ok_or_else(|| fail(text!["no PATH environment variable found for re-execing"]))?;
            in_path(&path, argv0).ok_or_else(|| fail(text!["unable to find executable '", argv0, "' in PATH"]))?.leak()
        };
        let mut program = self.program(path, argv0, args);
        if self.quiet {
            program.argv.insert(1, OsStr::new("--quiet"));
        }
        Ok(program)
    }

    fn program(&self, file: &'static OsStr, argv0: &'static OsStr, args: &[&'static OsStr]) -> Program {
        let mut argv = vec![argv0];
        argv.extend_from_slice(args);
        Program { file, argv, environment: self.environment(), search: SearchPath::No }
    }

    /// Ours, with what `--user` has set.
    fn environment(&self) -> Variables {
        match self.variables.is_empty() {
            true => Variables::Inherited,
            false => Variables::Inherited.with(&self.variables),
        }
    }

    /// Puts back what `--forkfor` changed.
    fn restore_sigchld(&mut self) -> StepResult {
        let failed = |error| failed("sigaction failed", &error);
        self.sigchld.take().map_or(Ok(()), |sigchld| sigchld.restore().map_err(failed))
    }

    fn exec(&mut self, program: &Program) -> Outcome {
        self.restore_sigchld()?;
        // What was asked for before the program is not done if it could not be written, and nobody tells it afterwards.
        self.output.flush().map_err(|errno| cli::fail!(1, "write error: ", errno))?;
        let error = program.exec(self.output);
        let failure = fail(text!["execve '", program.file, "' failed!"]);
        Err(explained(failure, hints::Step::Exec(&error), error.errno))
    }

    /// Runs the program in a child; its status is ours.
    fn launch(&mut self, program: &Program) -> Outcome {
        // Flush before fork(2), or the child would write the buffered output again.
        let _ = self.output.flush();
        let not_started = |error: linux::Error| failed("child failed to start", &error);
        let (ours, childs) = process::channel().map_err(not_started)?;
        // If SIGCHLD was inherited as ignored, the kernel would discard the child's status.
        let sigchld = linux::signal::reset_to_default(linux::signal::SIGCHLD).map_err(not_started)?;
        let child = match process::fork().map_err(not_started)? {
            Fork::Child => {
                drop(ours);
                if let Err(error) = sigchld.restore() {
                    let _ = childs.send(&error.errno.0.to_le_bytes());
                    process::exit_child(1)
                }
                let error = program.exec(self.output);
                let _ = childs.send(&error.errno.0.to_le_bytes());
                process::exit_child(1)
            }
            Fork::Parent(child) => child,
        };
        drop(childs);
        let mut answer = [0; 4];
        // The exec closes the channel without a message.
        let refused = match ours.receive(&mut answer) {
            Ok(Some(_)) => Some(Errno(i32::from_le_bytes(answer))),
            _ => None,
        };
        let status = process::wait(child, Wait::End).map_err(not_started)?;
        sigchld.restore().map_err(not_started)?;
        if let Some(errno) = refused {
            let (file, path) = (program.file.into(), program.file.into());
            let error = ExecError { file, path, searched: None, errno };
            let failure = fail(text!["child failed to start: ", errno]);
            return Err(explained(failure, hints::Step::Exec(&error), errno));
        }
        match status {
            Status::Exited(status) => Ok(status),
            Status::Signaled(signal) | Status::Stopped(signal) => {
                Err(fail(text!["child PID=", child, " terminated by signo=", signal]))
            }
        }
    }

    pub(super) fn fork_for(&mut self, value: &OsStr) -> StepResult {
        let seconds = integer("--forkfor value", value)?;
        if self.child.is_some() {
            return Err(fail(text!["already forked"]));
        }
        if seconds == 0 {
            self.usage();
            return Err(fail(text!["require non-zero --forkfor value"]));
        }
        let _ = self.output.flush();
        let failed = |error| failed("unable to fork()", &error);
        self.sigchld = Some(linux::signal::reset_to_default(linux::signal::SIGCHLD).map_err(failed)?);
        match process::fork().map_err(failed)? {
            Fork::Child => {
                std::thread::sleep(Duration::from_secs(u64::from(seconds)));
                process::exit_child(0)
            }
            Fork::Parent(child) => self.child = Some(child),
        }
        Ok(())
    }

    pub(super) fn kill_child(&mut self, value: &OsStr) -> StepResult {
        let signal = integer("--killit signo value", value)?;
        let child = self.child.ok_or_else(|| fail(text!["no forked process to kill"]))?;
        let signal = i32::try_from(signal).unwrap_or(i32::MAX);
        linux::signal::send(child, signal).map_err(|error| failed("Unable to kill child process", &error))?;
        let status =
            process::wait(child, Wait::End).map_err(|error| failed("waitpid of child process failed", &error))?;
        self.child = None;
        self.restore_sigchld()?;
        let got = match status {
            Status::Signaled(signal) | Status::Stopped(signal) => signal,
            Status::Exited(_) => 0,
        };
        if got == signal {
            return Ok(());
        }
        Err(fail(text!["child terminated with odd signal (", signal, " != ", got, ")"]))
    }
}

/// The shell: /bin/bash, else the first of `$SHELL` and /bin/sh that exists in this root. One whose existence cannot
/// be checked is tried, since another shell might read the arguments differently.
fn default_shell() -> OsString {
    let usual = OsString::from(SHELL);
    if !process::is_missing(&usual) {
        return usual;
    }
    for other in [linux::environment::variable("SHELL"), Some(OsString::from("/bin/sh"))] {
        if let Some(other) = other
            && process::is_executable(&other)
        {
            cli::failure::hint(&text!["there is no ", SHELL, " in this root; running ", other]);
            return other;
        }
    }
    usual
}

fn in_path(path: &OsStr, name: &OsStr) -> Option<OsString> {
    path.as_bytes().split(|byte| *byte == b':').find_map(|directory| {
        let mut candidate = OsStr::from_bytes(if directory.is_empty() { b"." } else { directory }).to_os_string();
        candidate.push("/");
        candidate.push(name);
        process::is_executable(&candidate).then_some(candidate)
    })
}
