//! Every applet that can explain itself reads any command line and makes its plan of it, without carrying
//! it out: the first byte chooses the applet, NUL separates the arguments.
#![no_main]

use cli::{Invocation, Output};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let Some(applet) = applets::APPLETS.get(usize::from(*choice) % applets::APPLETS.len()) else { return };
    let args: Vec<&OsStr> = rest.split(|&byte| byte == 0).map(OsStr::from_bytes).collect();
    let invocation = Invocation { applet, argv0: OsStr::new(applet.name), args: &args };
    let _ = applets::explain(applet, &invocation, &mut Output::default());
    let _ = cli::table::help(&invocation);
});
