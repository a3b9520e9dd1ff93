//! What our commands did to the capabilities of a program, or to a file that it is run from, as the crate caps reads it:
//! others wrote it, and it shares no code with ours.

#![allow(clippy::unwrap_used, clippy::panic)]

use caps::Capability;
use std::collections::BTreeSet;
use std::path::Path;
use tests::sandbox::{Accounts, Side, Stage};

/// What each script begins with: the witness as `$PWD/see`, and with the capability to kill as `./file`.
const SCENE: &str = "cp ${ORDINARY%% *} see; see=$PWD/see";

struct Witness(Stage);

impl Witness {
    fn new() -> Witness {
        Witness(Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap())
    }

    /// The set that the witness read, by the numbers of its members.
    fn set(&self, script: &str, set: &str) -> BTreeSet<u8> {
        let run = self.0.run(Side::Ours, Accounts::Ordinary, &format!("{SCENE}\n{script}")).unwrap();
        let line = run.stdout.lines().find_map(|line| line.strip_prefix(set));
        let line = line.unwrap_or_else(|| panic!("{script}: {set} is not in {run:?}"));
        line.split_whitespace().map(|number| number.parse().unwrap()).collect()
    }
}

fn numbers(capabilities: &[Capability]) -> BTreeSet<u8> {
    capabilities.iter().map(Capability::index).collect()
}

#[test]
fn the_crate_sees_what_each_command_did() {
    use Capability::{CAP_CHOWN, CAP_KILL, CAP_NET_RAW, CAP_SYS_ADMIN};
    let witness = Witness::new();
    let drop = "setpriv --reuid=1000 --regid=1000 --clear-groups";
    for (script, set, wanted) in [
        // setcap: what the file gives a program that an ordinary user runs.
        ("setcap cap_kill,cap_net_raw=p see; $ORDINARY $see caps", "permitted", vec![CAP_KILL, CAP_NET_RAW]),
        ("setcap cap_kill,cap_net_raw=ep see; $ORDINARY $see caps", "effective", vec![CAP_KILL, CAP_NET_RAW]),
        ("setcap cap_kill=ep see; setcap -r see; $ORDINARY $see caps", "permitted", vec![]),
        // setpriv: all three sets, and the ambient one, which survives the exec.
        (&format!("{drop} --inh-caps=-all,+chown --ambient-caps=-all,+chown $see caps"), "ambient", vec![CAP_CHOWN]),
        (&format!("{drop} --inh-caps=-all,+chown --ambient-caps=-all,+chown $see caps"), "effective", vec![CAP_CHOWN]),
        (&format!("{drop} --inh-caps=-all,+kill $see caps"), "inheritable", vec![CAP_KILL]),
        ("setpriv --bounding-set=-all,+kill $see caps", "permitted", vec![CAP_KILL]),
        // capsh: each set by its names.
        (
            "capsh --keep=1 --user=ordinary --inh=cap_kill --addamb=cap_kill --shell=$see -- caps",
            "ambient",
            vec![CAP_KILL],
        ),
        ("capsh --inh=cap_chown,cap_kill --shell=$see -- caps", "inheritable", vec![CAP_CHOWN, CAP_KILL]),
    ] {
        assert_eq!(witness.set(script, set), numbers(&wanted), "{script}: {set}");
    }
    // unshare: the capabilities of a namespace survive the exec, or they do not.
    assert!(witness.set("unshare -U -c --keep-caps $see caps", "ambient").contains(&CAP_SYS_ADMIN.index()));
    assert!(!witness.set("unshare -U -c $see caps", "ambient").contains(&CAP_SYS_ADMIN.index()));
}

#[test]
fn the_crate_misses_what_was_dropped_and_nothing_else() {
    let witness = Witness::new();
    let all = witness.set("$see caps", "bounding");
    for (script, lost) in [
        (
            "capsh --drop=cap_chown,cap_sys_admin --shell=$see -- caps",
            vec![Capability::CAP_CHOWN, Capability::CAP_SYS_ADMIN],
        ),
        ("setpriv --bounding-set=-chown $see caps", vec![Capability::CAP_CHOWN]),
        ("capsh --iab='!cap_kill' --shell=$see -- caps", vec![Capability::CAP_KILL]),
    ] {
        let wanted: BTreeSet<u8> = all.difference(&numbers(&lost)).copied().collect();
        assert_eq!(witness.set(script, "bounding"), wanted, "{script}");
    }
}

#[test]
fn getpcaps_reads_of_another_process_what_the_crate_reads() {
    let script = "$see caps $$ >theirs; getpcaps --legacy $$; grep -c . theirs";
    let witness = Witness::new();
    let run = witness.0.run(Side::Ours, Accounts::Ordinary, &format!("{SCENE}\n{script}")).unwrap();
    assert_eq!(run.status, 0, "{run:?}");
    let seen = witness.set("setpriv --inh-caps=-all,+kill sh -c '$0 caps $$' $see", "inheritable");
    assert_eq!(seen, numbers(&[Capability::CAP_KILL]));
}
