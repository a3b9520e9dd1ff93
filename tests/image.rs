//! The images: the same bytes wherever they are made, run by the container tools that people have, booted by
//! real kernels, and all of that for aarch64, too, as far as it can be on another processor.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::sandbox::{Accounts, Run, Side, Stage};
use tests::scratch::{Scratch, copy_of_tree, run};
use tests::{document, needs};

/// A copy of the tree with images made in it.
fn images(scratch: &Scratch, place: &str, mask: &str, arguments: &[&str]) -> PathBuf {
    let tree = scratch.0.join(place);
    copy_of_tree(&tree).unwrap();
    if !arguments.is_empty() {
        // What scripts/build and scripts/fetch made for the other processor.
        let foreign = tree.join("target/aarch64");
        fs::create_dir(&foreign).unwrap();
        for name in ["ctrbox", "debian"] {
            let made = fs::canonicalize(document::tree().join("target/aarch64").join(name)).unwrap();
            symlink(made, foreign.join(name)).unwrap();
        }
    }
    let script = format!("umask {mask}; exec scripts/image {}", arguments.join(" "));
    run(Command::new("bash").args(["-c", &script]).current_dir(&tree));
    tree
}

/// What the programs say of containers, in namespaces that die with all that they mounted and started.
///
/// Here and in older systems, controllers of cgroup v1 stand beside the v2 hierarchy at /sys/fs/cgroup/unified, and
/// where one controller is on that, crun ("cgroups in hybrid mode not supported") ends; it runs without it.
fn contained(script: &str) -> Run {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let scene = "set -e; if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi\n";
    let ran = stage.run(Side::Theirs, Accounts::Host, &[scene, script].concat()).unwrap();
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.left.is_empty(), "{:?}", ran.left);
    ran
}

fn assert_lines(said: &str, lines: &[&str]) {
    for line in lines {
        assert!(said.lines().any(|it| it == *line), "no '{line}' in\n{said}");
    }
}

#[test]
fn images_are_the_same_wherever_they_are_made_and_hold_our_commands() {
    if !needs::present(&["root", "cpio", "readelf", "busybox", "mksh"]) {
        return;
    }
    let scratch = Scratch::new("image").unwrap();
    let sums = [("one", "022"), ("another/place", "077")].map(|(place, mask)| {
        let image = images(&scratch, place, mask, &[]).join("target/image");
        fs::read_to_string(image.join("SHA256SUMS")).unwrap()
    });
    assert_eq!(sums[0], sums[1]);
    let script = "
        mkdir root; tar -xzf ROOTFS -C root
        chroot root /bin/sh -c 'for name in $(ctrbox --list); do readlink -f $(which $name); done' | sort | uniq -c
        chroot root /bin/sh -c 'ctrbox man ctrbox; for name in $(ctrbox --list); do ctrbox man $name; done' | grep -c '^.SH EXAMPLES'
        chroot root /bin/sh -c 'ctrbox --list | wc -l; ls -l /proc /dev /tmp | grep -c ^total'";
    let rootfs = scratch.0.join("one/target/image/rootfs.tar.gz");
    let said = contained(&script.replace("ROOTFS", &rootfs.display().to_string())).stdout;
    let [programs, pages, count, directories] = said.lines().map(str::trim).collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert_eq!((programs, directories), ([count, " /usr/bin/ctrbox"].concat().as_str(), "3"));
    assert_eq!(pages.parse::<usize>().unwrap(), count.parse::<usize>().unwrap() + 1);
    if needs::present(&["skopeo"]) {
        for tag in ["bare", "shell"] {
            let reference = format!("oci:{}:{tag}", scratch.0.join("one/target/image/oci").display());
            run(Command::new("skopeo").args(["inspect", &reference]));
        }
    }
}

#[test]
fn in_a_container_of_the_image_the_tutorial_holds() {
    if !needs::present(&["root", "cpio", "readelf", "busybox", "mksh", "umoci", "runc", "crun", "python3"]) {
        return;
    }
    let scratch = Scratch::new("container").unwrap();
    let oci = images(&scratch, "tree", "022", &[]).join("target/image/oci");
    let script = r#"
        umoci unpack --image OCI:shell bundle >/dev/null 2>&1
        cd bundle
        cat >adapt <<'END'
import json
config = json.load(open('config.json'))
process = config['process']
process['terminal'] = False
# Raising limits takes CAP_SYS_RESOURCE, which the machine may not have.
process.pop('rlimits', None)
process['args'] = ['/bin/sh', '-c', open('inside').read()]
names = 'CHOWN SETPCAP SETFCAP SYS_ADMIN SYS_CHROOT SETUID SETGID'.split()
for set in ['bounding', 'effective', 'permitted']:
    process['capabilities'][set] = ['CAP_' + name for name in names]
# What is dropped from the bounding set alone would stay by way of these.
for set in ['inheritable', 'ambient']:
    process['capabilities'][set] = []
json.dump(config, open('config.json', 'w'))
END
        cat >inside <<'END'
cd /root
mkdir -p rootfs/proc rootfs/tmp rootfs/dev
cp -a /bin /usr /etc rootfs
CTRBOX_TRACE=1 unshare -p -f --mount-proc=$PWD/rootfs/proc chroot rootfs /bin/sh -c 'echo "I am $$"; ls -d /proc/[0-9]*'
capsh --drop=cap_chown,cap_setpcap,cap_setfcap,cap_sys_admin --chroot=$PWD/rootfs --shell=/bin/sh -- -c '
    whoami; touch /tmp/file; chown 1:1 /tmp/file 2>&1; mount -t tmpfs none /tmp || echo "mount $?"' 2>&1
unshare --uts sh -c 'hostname in; hostname'
mountpoint /proc
END
        python3 adapt
        for runtime in runc crun; do
            echo "== $runtime"
            $runtime run "ctrbox-$runtime-$$" </dev/null 2>&1
        done
    "#;
    let said = contained(&script.replace("OCI", &oci.display().to_string())).stdout;
    let lines = [
        "unshare(CLONE_NEWNS|CLONE_NEWPID) = 0",
        "I am 1",
        "/proc/1",
        "root",
        "chown: /tmp/file: Operation not permitted",
        "mount 32",
        "in",
        "/proc is a mountpoint",
    ];
    let [_, by_runc, by_crun] = said.split("== ").collect::<Vec<_>>()[..] else { panic!("{said}") };
    for by in [by_runc, by_crun] {
        assert_lines(by, &lines);
    }
}

#[test]
fn the_lines_of_the_quick_start_look_at_the_image_and_run_it_as_printed() {
    if !needs::present(&["root", "cpio", "readelf", "busybox", "mksh", "skopeo", "umoci", "runc", "script", "sudo"]) {
        return;
    }
    let scratch = Scratch::new("quickstart").unwrap();
    let tree = images(&scratch, "tree", "022", &[]);
    let text = fs::read_to_string(document::tree().join("docs/quickstart.md")).unwrap();
    let listing = document::listings(&text).into_iter().find(|listing| listing.contains("umoci unpack")).unwrap();
    let lines: Vec<&str> = listing.lines().skip_while(|line| !line.starts_with("skopeo inspect")).collect();
    assert!(lines.len() == 3 && lines[2].starts_with("sudo runc run"), "{lines:?}");
    // A terminal, as its reader has one. What is typed before the shell is there is lost, so it is typed again.
    let script = r#"
        cd TREE
        printf '%s\n' 'set -e' LINES >lines
        while sleep 1; do echo 'echo $(ctrbox --list); exit 7'; done | script -qec 'sh lines' /dev/null || echo "status $?"
    "#;
    let lines = lines.iter().map(|line| format!("'{line}'")).collect::<Vec<_>>().join(" ");
    let said = contained(&script.replace("TREE", &tree.display().to_string()).replace("LINES", &lines)).stdout;
    assert!(said.contains(" chroot ") && said.contains(" unshare") && said.contains("status 7"), "{said}");
}

/// The sandbox stands for the node: what is process 1 for podman is the sandbox's, and the pod's program must be
/// found in the namespaces of that.
#[test]
fn the_pod_of_node_shell_enters_the_namespaces_of_the_node() {
    if !needs::present(&[
        "root",
        "cpio",
        "readelf",
        "busybox",
        "mksh",
        "skopeo",
        "podman",
        "crun",
        "catatonit",
        "conmon",
    ]) {
        return;
    }
    let scratch = Scratch::new("pod").unwrap();
    let oci = images(&scratch, "tree", "022", &[]).join("target/image/oci");
    let script = r#"
        mkdir networks
        # podman writes there whatever TMPDIR says, and only the sandbox's own directories can be written to.
        mount -t tmpfs podman /var/tmp
        printf '[containers]\npidns = "host"\n[network]\nnetwork_config_dir = "%s/networks"\n' "$PWD" >containers.conf
        export CONTAINERS_CONF=$PWD/containers.conf
        podman() {
            command podman --root $PWD/root --runroot $PWD/runroot --tmpdir $PWD/tmp --storage-driver vfs \
                --cgroup-manager cgroupfs --runtime crun --events-backend file "$@"
        }
        skopeo copy --quiet oci:OCI:bare docker-archive:bare.tar:localhost/ctrbox:bare
        podman load --quiet --input bare.tar
        podman kube play YAML >/dev/null
        podman wait node-shell-shell
        podman logs node-shell-shell | tee logs
        podman kube down YAML >/dev/null
        # podman keeps its parent cgroups; any that another's containers are in cannot be removed.
        find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} + 2>/dev/null || true
        for name in mnt pid uts; do grep -q -x -F "$(readlink /proc/self/ns/$name)" logs || echo "not our $name"; done
    "#;
    let yaml = fs::canonicalize(document::tree().join("docs/node-shell.yaml")).unwrap();
    let script = script.replace("OCI", &oci.display().to_string()).replace("YAML", &yaml.display().to_string());
    let said = contained(&script).stdout;
    assert_lines(&said, &["0", "node sandbox"]);
    assert!(!said.contains("not our"), "{said}");
}

#[test]
fn the_initramfs_boots_lists_its_mounts_and_powers_off() {
    if cfg!(not(target_arch = "x86_64"))
        || !needs::present(&["qemu-system-x86_64", "cpio", "readelf", "busybox", "mksh", "kernel"])
    {
        return;
    }
    let scratch = Scratch::new("boot").unwrap();
    copy_of_tree(&scratch.0).unwrap();
    let booted = run(Command::new(scratch.0.join("scripts/image")).arg("--boot").args(needs::kernel())).stdout;
    let said = String::from_utf8_lossy(&booted).to_string();
    assert!(said.contains("reboot: Power down"), "{said}");
}

/// The same program for aarch64. qemu-user passes its system calls on to this machine's kernel; a user namespace it
/// cannot make, since the emulator has threads (unshare(2), EINVAL): that is what the boot below is for.
#[test]
fn the_program_for_aarch64_does_the_same() {
    if cfg!(not(target_arch = "x86_64")) || !needs::present(&["root", "aarch64", "qemu-aarch64"]) {
        return;
    }
    let script = r#"
        emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
        mkdir foreign; cp TREE/target/aarch64/ctrbox foreign
        cp "$(type -P setcap)" ours; setcap cap_kill=ep ours
        compare() {
            expected=$(ctrbox "$@" 2>&1; echo "status $?")
            got=$("$emulator" foreign/ctrbox "$@" 2>&1; echo "status $?")
            if [ "$expected" = "$got" ]; then echo same; else printf '%s: %s\ninstead of %s\n' "$*" "$got" "$expected"; fi
        }
        compare --list
        for applet in $(ctrbox --list); do compare $applet --help; compare man $applet; done
        compare explain unshare -p -f --mount-proc=rootfs/proc chroot rootfs /bin/bash
        compare capsh --print
        compare capsh --drop=cap_chown --iab=^cap_kill -- -c 'grep Cap /proc/self/status'
        compare capsh --explain=cap_sys_admin
        compare getcap -r .
        compare setcap cap_net_raw=ep foreign/ctrbox
        compare getcap -n foreign/ctrbox ours
        compare getpcaps 1
        compare lsns -rn -t uts -o type,nprocs,user
        compare mount
        compare mountpoint -d /proc
        compare unshare -m -p -f --mount-proc bash -c 'echo $$ /proc/[0-9]*'
        compare unshare -u -i -n -C -T true
        compare nsenter -t 1 -a readlink /proc/self/ns/mnt
        compare chroot --userspec=65534:65534 --groups=4 / id
        compare setpriv --reuid 65534 --clear-groups --no-new-privs grep -E '^(Uid|Groups|NoNewPrivs)' /proc/self/status
        compare mount -t tmpfs -o size=1m,nosuid none /mnt
        compare mountpoint /mnt
        compare umount /mnt
        compare umount /mnt
        # Without the new mount calls, which this emulator does not know.
        LIBMOUNT_FORCE_MOUNT2=always compare mount nowhere /mnt
    "#;
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let tree = fs::canonicalize(document::tree()).unwrap();
    let script = script.replace("TREE", &tree.display().to_string());
    let ran = stage.run(Side::Ours, Accounts::Host, &script).unwrap();
    let other: Vec<_> = ran.stdout.lines().filter(|line| *line != "same").collect();
    assert!(ran.status == 0 && other.is_empty(), "{}\n{}", other.join("\n"), ran.stderr);
}

#[test]
fn the_images_for_aarch64_boot_too() {
    if cfg!(not(target_arch = "x86_64"))
        || !needs::present(&["aarch64", "qemu-system-aarch64", "cpio", "readelf", "busybox", "mksh", "skopeo"])
    {
        return;
    }
    let scratch = Scratch::new("aarch64").unwrap();
    let tree = images(&scratch, "tree", "022", &["--arch", "aarch64", "--boot"]);
    for tag in ["bare", "shell"] {
        let reference = format!("oci:{}:{tag}", tree.join("target/aarch64/image/oci").display());
        let config = run(Command::new("skopeo").args(["inspect", "--config", &reference])).stdout;
        assert!(String::from_utf8_lossy(&config).contains(r#""architecture": "arm64""#));
    }
}

#[test]
fn one_layout_has_the_images_for_both_processors() {
    if cfg!(not(target_arch = "x86_64"))
        || !needs::present(&["aarch64", "cpio", "readelf", "busybox", "mksh", "skopeo"])
    {
        return;
    }
    let scratch = Scratch::new("both").unwrap();
    let target = images(&scratch, "tree", "077", &["--arch", "x86_64", "--arch", "aarch64"]).join("target");
    let skopeo = |arguments: &[&str], layout: &str, tag: &str| {
        let reference = format!("oci:{}:{tag}", target.join(layout).join("oci").display());
        let said = run(Command::new("skopeo").args(arguments).arg(reference)).stdout;
        String::from_utf8(said).unwrap()
    };
    for tag in ["bare", "shell"] {
        for (architecture, layout) in [("amd64", "image"), ("arm64", "aarch64/image")] {
            let inspect = ["--override-arch", architecture, "inspect", "--config"];
            let config = skopeo(&inspect, "images", tag);
            assert!(config.contains(&format!("\"architecture\": \"{architecture}\"")), "{config}");
            assert_eq!(config, skopeo(&inspect, layout, tag));
        }
        // Whole, as a registry would get it.
        let copy = format!("oci:{}", scratch.0.join(tag).display());
        let reference = format!("oci:{}:{tag}", target.join("images/oci").display());
        run(Command::new("skopeo").args(["copy", "--all", &reference, &copy]));
    }
}
