//! Command lines: the options are those of the applet's own table.

use super::meant::Examined;
use super::values::{self, Word, mostly, one_of};
use super::{arguments, capabilities, filesystems, usual};
use cli::option::{Argument, Spec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

type Words = Vec<Word>;

fn words(texts: &[&str]) -> Words {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// One option, in one of the ways it can be written.
fn option(applet: &'static str, spec: Spec) -> BoxedStrategy<Words> {
    let name = spec.name();
    let called = match spec.argument {
        Argument::None => "",
        Argument::Required(called) | Argument::Optional(called) | Argument::OptionalLong(called) => called,
    };
    let value = arguments::argument(applet, name, called);
    let short = spec.short.map(|letter| format!("-{letter}").into_bytes());
    let long = (!name.is_empty()).then(|| match (applet, name.starts_with(['=', '-'])) {
        (_, true) => name.as_bytes().to_vec(),
        _ => format!("--{name}").into_bytes(),
    });
    let exact = applet == "capsh" || applet == "getpcaps" || applet == "setcap";
    let abbreviations: Words = match &long {
        Some(long) if !exact => (4..=long.len()).map(|length| long[..length].to_vec()).collect(),
        _ => Vec::new(),
    };
    let plain: Words = short.iter().chain(&long).cloned().collect();
    let joined = |separator: &'static str, names: Words| {
        (select(names), value.clone())
            .prop_map(move |(name, value)| vec![[name, separator.as_bytes().to_vec(), value].concat()])
            .boxed()
    };
    let mut ways: Vec<(u32, BoxedStrategy<Words>)> = Vec::new();
    let required = matches!(spec.argument, Argument::Required(_));
    if !required {
        ways.push((8, select(plain.clone()).prop_map(|name| vec![name]).boxed()));
        if !abbreviations.is_empty() {
            ways.push((1, select(abbreviations.clone()).prop_map(|name| vec![name]).boxed()));
        }
    } else {
        ways.push((
            if exact { 1 } else { 8 },
            (select(plain.clone()), value.clone()).prop_map(|(name, value)| vec![name, value]).boxed(),
        ));
        ways.push((1, select(plain).prop_map(|name| vec![name]).boxed()));
    }
    if let Some(long) = long {
        let takes = spec.argument != Argument::None;
        if takes || !exact {
            ways.push((if takes { 8 } else { 1 }, joined("=", vec![long])));
        }
        if !abbreviations.is_empty() && takes {
            ways.push((1, joined("=", abbreviations)));
        }
    }
    if let (Some(short), true) = (short, spec.argument != Argument::None) {
        ways.push((3, joined("", vec![short])));
    }
    proptest::strategy::Union::new_weighted(ways).boxed()
}

/// Some options of the applet's table.
fn options(applet: &'static str, most: usize, examined: &Examined) -> BoxedStrategy<Vec<Words>> {
    let table = applets::find(applet.as_ref()).expect("an applet");
    let mut each: Vec<(u32, BoxedStrategy<Words>)> = Vec::new();
    let shared = |spec: &Spec| examined.is_shared(applet, spec.name());
    for spec in table.options.iter().filter(shared) {
        // Help and version are asked for seldom: they leave all the rest out.
        let weight = match spec.name() {
            "help" | "version" | "license" | "list-caps" => 1,
            _ => 12,
        };
        each.push((weight, option(applet, spec)));
    }
    // A cluster of letters has none of those that are ours alone.
    let own: Vec<char> = table.options.iter().filter(|spec| !shared(spec)).filter_map(|spec| spec.short).collect();
    let cluster = move |mut word: Word| {
        word.retain(|byte| !own.contains(&char::from(*byte)));
        vec![[b"-".to_vec(), word].concat()]
    };
    each.push((1, values::hostile().prop_map(cluster).boxed()));
    vec(proptest::strategy::Union::new_weighted(each), 0..=most).boxed()
}

/// The program that a command runs.
fn program() -> BoxedStrategy<Words> {
    let usual =
        select(vec![words(&["probe"]), words(&["/bin/probe", "-x", "arg"]), words(&["probe", "a b", ""]), vec![]]);
    let odd = select(vec![
        words(&["missing"]),
        words(&["./f"]),
        words(&["/here/a"]),
        words(&["--", "probe"]),
        words(&["sh", "-c", "true"]),
        words(&["-"]),
        words(&[""]),
        words(&["./x"]),
        words(&["/missing/x"]),
        words(&["/bin/probe/x"]),
        words(&["loop"]),
    ]);
    prop_oneof![6 => usual, 1 => odd, 1 => values::hostile().prop_map(|word| vec![word])].boxed()
}

fn operands(applet: &'static str, examined: &Examined) -> BoxedStrategy<Words> {
    let single = |word: BoxedStrategy<Word>| word.prop_map(|word| vec![word]).boxed();
    match applet {
        "unshare" | "nsenter" | "setpriv" => program(),
        "chroot" => {
            let root = prop_oneof![6 => one_of(&["rootfs", "/here/rootfs", "/", "rootfs/", "."]), 2 => values::directory()];
            prop_oneof![1 => Just(Vec::new()), 12 => (root, program()).prop_map(|(root, program)| [vec![root], program].concat())].boxed()
        }
        "capsh" => prop_oneof![
            4 => Just(Vec::new()),
            3 => Just(words(&["--", "-c", "true"])),
            1 => Just(words(&["--"])),
            1 => Just(words(&["-+", "x"])),
            2 => options("capsh", 3, examined).prop_map(|list| [words(&["=="]), list.concat()].concat()),
            1 => options("capsh", 3, examined).prop_map(|list| [words(&["=+"]), list.concat()].concat()),
            1 => single(values::hostile()),
        ]
        .boxed(),
        "setcap" => {
            let pair = (prop_oneof![5 => capabilities::capability_text(), 1 => one_of(&["-r", "-"])], values::file()).prop_map(|(text, file)| vec![text, file]);
            vec(pair, 0..=3).prop_map(|pairs| pairs.concat()).boxed()
        }
        "getcap" => vec(values::file(), 0..=3).boxed(),
        "getpcaps" => vec(values::process(), 0..=3).boxed(),
        "mount" => prop_oneof![
            2 => Just(Vec::new()),
            4 => single(values::directory()),
            1 => single(filesystems::source()),
            12 => (filesystems::source(), values::directory()).prop_map(|(source, target)| vec![source, target]),
            1 => (filesystems::source(), values::directory(), values::directory()).prop_map(|(source, target, more)| vec![source, target, more]),
        ]
        .boxed(),
        "umount" => vec(prop_oneof![5 => values::directory(), 1 => filesystems::source()], 0..=3).boxed(),
        "lsns" => prop_oneof![5 => Just(Vec::new()), 1 => single(one_of(&["4026531840", "4026531836", "1", "x", "0", "-1", ""])), 1 => single(values::hostile())].boxed(),
        "mountpoint" => prop_oneof![8 => single(mostly(prop_oneof![4 => values::directory(), 1 => one_of(&["/dev/loop0", "/dev/null", "/sys", "/dev"])].boxed())), 1 => vec(values::directory(), 0..=2)].boxed(),
        "blkid" => {
            let image = one_of(&["disk.ext4", "/here/disk.ext2", "disk.squashfs", "disk.erofs", "disk.ext2", "f", "missing", "/dev/null", "a", ""]);
            vec(image, 0..=3).boxed()
        }
        "findfs" => prop_oneof![4 => single(one_of(&["LABEL=nosuch", "UUID=x", "PARTUUID=x", "PARTLABEL=a b", "LABEL=\"x\"", "NOSUCH=x", "LABEL=", "ID=x", "/dev/loop0", "x", ""])), 1 => vec(values::file(), 0..=2)].boxed(),
        "losetup" => {
            // Two devices are the sandbox's own; others are the machine's.
            let device = one_of(&["/dev/loop60", "/dev/loop60", "/dev/loop63", "/dev/null", "missing", "", "disk.ext4"]);
            let file = one_of(&["disk.ext4", "disk.ext4", "/here/disk.ext2", "disk.ext2", "f", "missing", "/dev/null", "a", ""]);
            prop_oneof![2 => Just(Vec::new()), 4 => single(device.clone()), 2 => single(file.clone()), 4 => (device.clone(), file).prop_map(|(device, file)| vec![device, file]), 1 => vec(device, 0..=3)].boxed()
        }
        "pivot_root" => {
            let root = prop_oneof![4 => one_of(&["rootfs", "/here/rootfs", ".", "a", "d"]), 1 => values::directory()];
            let old = prop_oneof![4 => one_of(&["rootfs/old", "/here/rootfs/old", "rootfs", ".", "a/b", "d"]), 1 => values::directory()];
            prop_oneof![10 => (root, old).prop_map(|(root, old)| vec![root, old]), 1 => vec(values::directory(), 0..=3)].boxed()
        }
        "switch_root" => {
            let root = prop_oneof![20 => one_of(&["/here/rootfs"]), 2 => one_of(&["rootfs", "a", "/here/a"]), 1 => values::directory()];
            let init = prop_oneof![6 => one_of(&["/bin/init", "/bin/probe", "bin/init", "/sbin/init", "/missing"]), 1 => values::file()];
            prop_oneof![20 => (root, init, vec(values::hostile(), 0..=2)).prop_map(|(root, init, more)| [vec![root, init], more].concat()), 1 => vec(values::directory(), 0..=1)].boxed()
        }
        "findmnt" => prop_oneof![3 => Just(Vec::new()), 2 => single(values::directory()), 1 => vec(prop_oneof![one_of(&["tmpfs", "root", "/dev/loop0"]), values::directory()], 0..=2)].boxed(),
        _ => vec(prop_oneof![values::file(), values::number()], 0..=2).boxed(),
    }
}

/// A command line of an applet.
pub fn line(applet: &'static str, examined: &Examined) -> BoxedStrategy<Words> {
    let most = match applet {
        "unshare" | "setpriv" | "capsh" | "mount" => 5,
        "nsenter" => 4,
        "pivot_root" | "switch_root" => 1,
        _ => 3,
    };
    let options: BoxedStrategy<Vec<Words>> = match applet {
        // Without a target there is little to enter.
        "nsenter" => (
            options(applet, most, examined),
            prop_oneof![8 => Just(true), 1 => Just(false)],
            option(applet, spec(applet, "target")),
        )
            .prop_map(|(mut options, has, target)| {
                if has {
                    options.insert(0, target);
                }
                options
            })
            .boxed(),
        "pivot_root" | "switch_root" => {
            prop_oneof![9 => Just(Vec::new()), 1 => options(applet, most, examined)].boxed()
        }
        _ => options(applet, most, examined),
    };
    let usual = usual::line(applet);
    let permuted = ["mount", "umount", "losetup", "lsns", "mountpoint", "getcap", "blkid"].contains(&applet);
    let random = (options, operands(applet, examined), any::<bool>())
        .prop_map(move |(options, operands, behind)| {
            let (first, second) =
                if behind && permuted { (operands, options.concat()) } else { (options.concat(), operands) };
            let mut line = vec![applet.as_bytes().to_vec()];
            line.extend(first);
            line.extend(second);
            for word in &mut line {
                word.retain(|&byte| byte != 0);
            }
            // What waits for a change does not wait long.
            if applet == "findmnt" && line.iter().any(|word| word.starts_with(b"-p") || word.starts_with(b"--po")) {
                line.splice(1..1, words(&["-w", "20"]));
            }
            line
        })
        .boxed();
    match usual {
        Some(usual) => {
            let usual = usual.prop_map(move |words| [vec![applet.as_bytes().to_vec()], words].concat());
            prop_oneof![3 => random, 1 => usual].boxed()
        }
        None => random,
    }
}

fn spec(applet: &'static str, name: &str) -> Spec {
    let table = applets::find(applet.as_ref()).expect("an applet");
    table.options.iter().find(|spec| spec.name() == name).expect("an option")
}
