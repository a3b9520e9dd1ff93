use super::*;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is on a disk with these bytes and nothing behind them.
fn probed(bytes: &[u8]) -> Probed {
    let read = |offset: u64, buffer: &mut [u8]| {
        let offset = offset as usize;
        buffer.copy_from_slice(&bytes[offset..offset + buffer.len()]);
        buffer.len()
    };
    probe(&Disk::new(&read, bytes.len() as u64))
}

fn found_in(bytes: &[u8]) -> Superblock {
    match probed(bytes) {
        Probed::One(found) => found,
        other => panic!("{other:?}"),
    }
}

/// An image that a mkfs program makes; `None`, told on standard error, where the program is missing.
fn image(name: &str, size: u64, program: &str, arguments: &[&str]) -> Option<PathBuf> {
    let path = std::env::temp_dir().join(format!("ctrbox-probe-{}-{name}", std::process::id()));
    let file = std::fs::File::create(&path).expect("an image file");
    file.set_len(size).expect("its size");
    let done = Command::new(program).args(arguments).arg(&path).output();
    if done.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(path);
    }
    eprintln!("skipped: {program} does not make a {name} image here: {done:?}");
    let _ = std::fs::remove_file(&path);
    None
}

fn found(path: &Path) -> Superblock {
    let probed = device(path.as_os_str()).expect("the image is there");
    let _ = std::fs::remove_file(path);
    match probed {
        Probed::One(found) => found,
        other => panic!("{other:?}"),
    }
}

/// Makes an ISO 9660 of it, with a root directory in the block behind the first volume descriptor.
fn make_disc(head: &mut [u8]) {
    head[32_768..32_774].copy_from_slice(b"\x01CD001");
    head[32_768 + 129] = 8;
    head[32_768 + 158] = 17;
    head[32_768 + 167] = 8;
    head[17 * 2048] = 34;
    head[17 * 2048 + 2] = 17;
    head[17 * 2048 + 32] = 1;
}

const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

#[test]
fn images_of_mkfs_are_known_by_type_label_and_uuid() {
    let make: [(&str, u64, &str, &[&str]); 6] = [
        ("ext2", 4 << 20, "mkfs.ext2", &["-q", "-L", "lab", "-U", UUID]),
        ("ext3", 8 << 20, "mkfs.ext3", &["-q", "-L", "lab", "-U", UUID]),
        ("ext4", 8 << 20, "mkfs.ext4", &["-q", "-L", "lab", "-U", UUID]),
        ("xfs", 320 << 20, "mkfs.xfs", &["-q", "-L", "lab", "-m", "uuid=01234567-89ab-cdef-0123-456789abcdef"]),
        ("btrfs", 128 << 20, "mkfs.btrfs", &["-q", "-L", "lab", "-U", UUID]),
        ("swap", 4 << 20, "mkswap", &["-q", "-L", "lab", "-U", UUID]),
    ];
    for (fstype, size, program, arguments) in make {
        let Some(path) = image(fstype, size, program, arguments) else { continue };
        let found = found(&path);
        assert_eq!(found.fstype, fstype);
        assert_eq!(found.label(), Some(&b"lab"[..]), "{fstype}");
        assert_eq!(found.uuid(), Some(UUID.as_bytes()), "{fstype}");
    }
}

#[test]
fn a_dos_image_has_a_serial_number() {
    let Some(path) = image("vfat", 4 << 20, "mkfs.vfat", &["-n", "LAB", "-i", "89abcdef"]) else { return };
    let found = found(&path);
    assert_eq!((found.fstype, found.label()), ("vfat", Some(&b"LAB"[..])));
    assert_eq!(found.uuid(), Some(&b"89AB-CDEF"[..]));
}

#[test]
fn hand_made_superblocks_are_known() {
    let mut head = vec![0; HEAD];
    head[0..4].copy_from_slice(b"hsqs");
    head[28] = 4;
    assert_eq!((found_in(&head).fstype, found_in(&head).value("VERSION")), ("squashfs", Some(&b"4.0"[..])));

    let mut head = vec![0; HEAD];
    make_disc(&mut head);
    head[32_808..32_816].copy_from_slice(b"A LABEL ");
    head[32_768 + 830..32_768 + 846].copy_from_slice(b"2026112320300001");
    let found = found_in(&head);
    assert_eq!(found.label(), Some(&b"A LABEL"[..]));
    assert_eq!(found.uuid(), Some(&b"2026-11-23-20-30-00-01"[..]));

    let mut head = vec![0; HEAD];
    head[0..8].copy_from_slice(b"LUKS\xba\xbe\0\x02");
    head[24..27].copy_from_slice(b"lab");
    head[168..204].copy_from_slice(UUID.as_bytes());
    let found = found_in(&head);
    assert_eq!((found.fstype, found.label()), ("crypto_LUKS", Some(&b"lab"[..])));
    assert_eq!(found.uuid(), Some(UUID.as_bytes()));

    let mut head = vec![0; HEAD];
    head[1024..1028].copy_from_slice(&[0x10, 0x20, 0xf5, 0xf2]);
    head[1028] = 1;
    head[1030] = 2;
    head[1024 + 124..1024 + 128].copy_from_slice(b"l\0\xe4\0");
    let found = found_in(&head);
    assert_eq!((found.fstype, found.label()), ("f2fs", Some("l\u{e4}".as_bytes())));
}

#[test]
fn two_signatures_are_ambiguous_unless_they_are_of_a_disc_or_a_container() {
    // What is as small as a floppy disk has one signature.
    let mut head = vec![0; 2 << 20];
    assert_eq!(probed(&head), Probed::Nothing);
    assert_eq!(probed(&[]), Probed::Nothing);
    head[0..4].copy_from_slice(b"hsqs");
    head[28] = 4;
    make_disc(&mut head);
    let Probed::Ambiguous(all) = probed(&head) else { panic!() };
    assert_eq!([all[0].fstype, all[1].fstype], ["iso9660", "squashfs"]);
    head[0..8].copy_from_slice(b"LUKS\xba\xbe\0\x01");
    assert_eq!(found_in(&head).fstype, "crypto_LUKS");
}

#[test]
fn no_cut_or_random_beginning_is_read_past_its_end() {
    let mut state = 1_u64;
    let mut head = vec![0; HEAD];
    for round in 0..200 {
        for byte in &mut head {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        head[3..11].copy_from_slice(if round % 2 == 0 { b"NTFS    " } else { b"EXFAT   " });
        let _ = probed(&head[..round * 300]);
        let _ = probed(&head);
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    assert!(device(OsStr::new("/no/such/file")).is_err());
}
