//! A machine that boots a kernel with an initramfs: qemu(1).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The console of a machine that boots this.
pub fn console(kernel: &str, machine: &str, initramfs: &Path) -> String {
    let (program, console) = match machine {
        "x86_64" => ("qemu-system-x86_64 -M pc,accel=tcg -cpu max", "ttyS0"),
        "aarch64" => ("qemu-system-aarch64 -M virt,accel=tcg -cpu cortex-a57", "ttyAMA0"),
        _ => panic!("a machine that is not known: {machine}"),
    };
    let mut words = ["timeout", "3600"].into_iter().chain(program.split(' '));
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["-m", "1024", "-no-reboot", "-display", "none", "-net", "none", "-monitor", "none"]);
    command.args(["-serial", "stdio", "-kernel", kernel, "-initrd"]).arg(initramfs);
    // Without `no_timer_check` the kernel panics where the emulator has to wait for a busy machine.
    let parameters = format!("console={console} panic=-1 quiet loglevel=1 mitigations=off no_timer_check");
    command.args(["-append", &parameters]);
    // Into a file, in which can be seen how far it is.
    let log = initramfs.with_file_name("console");
    let _ = command.stdin(Stdio::null()).stdout(fs::File::create(&log).unwrap()).status().unwrap();
    String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned()
}
