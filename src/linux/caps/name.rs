//! The names of capabilities and the rule by which one is read, libcap's cap_from_name(3).

use crate::caps::{Cap, CapSet, TextErrorKind};
use crate::number;

/// The names of capabilities 0, 1 and so on, separated by blanks. Higher ones are written in decimal.
#[rustfmt::skip]
pub const NAMES: &str = "\
    cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid \
    cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin \
    cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot \
    cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource \
    cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control \
    cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend \
    cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore";

/// How many capabilities have a name.
pub const NAMED: u8 = 41;

/// Where each name begins in `NAMES`, and where one more would.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and would tell an index that is too large")]
const STARTS: [u16; NAMED as usize + 1] = {
    let names = NAMES.as_bytes();
    let mut starts = [0; NAMED as usize + 1];
    let (mut number, mut at) = (1, 0);
    while at < names.len() {
        at += 1;
        if at == names.len() || names[at] == b' ' {
            starts[number] = at as u16 + 1;
            number += 1;
        }
    }
    starts
};

/// The capability with this name, in any case.
///
/// ```
/// use linux::caps::{Cap, find};
/// assert_eq!([find(b"CAP_KILL"), find(b"kill")], [Some(Cap(5)), None]);
/// ```
pub fn find(name: &[u8]) -> Option<Cap> {
    let is_it = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
    (0..NAMED).map(Cap).find(|capability| known_name(*capability).is_some_and(is_it))
}

/// The name of a capability, or its number in decimal.
///
/// ```
/// use linux::caps::{Cap, name};
/// assert_eq!([name(Cap(5)), name(Cap(63))], ["cap_kill", "63"]);
/// ```
pub fn name(capability: Cap) -> String {
    match known_name(capability) {
        Some(name) => name.to_string(),
        None => capability.0.to_string(),
    }
}

/// The name of a capability that has one.
pub fn known_name(capability: Cap) -> Option<&'static str> {
    let number = usize::from(capability.0);
    let (start, next) = (STARTS.get(number)?, STARTS.get(number + 1)?);
    NAMES.get(usize::from(*start)..usize::from(*next) - 1)
}

/// The names of a set's members in increasing order, joined by commas.
///
/// ```
/// use linux::caps::{CapSet, names};
/// assert_eq!(names(CapSet(0b100001)), "cap_chown,cap_kill");
/// ```
pub fn names(set: CapSet) -> String {
    let mut list = String::with_capacity(set.len() as usize * 16);
    push_list(&mut list, set);
    list
}

/// Adds a set's members, joined by commas.
pub(super) fn push_list(out: &mut String, set: CapSet) {
    let mut separator = "";
    for member in set.members() {
        out.push_str(separator);
        separator = ",";
        match known_name(member) {
            Some(name) => out.push_str(name),
            None => out.push_str(&member.0.to_string()),
        }
    }
}

/// Reads a name or a number at the beginning of `text`: the capability and how many bytes it takes.
///
/// A number is read as strtoul(3) with base 0 does and is at most 63; a name is the longest run
/// of letters and underscores. The error tells its kind and the length of what is wrong.
pub fn read_item(text: &[u8]) -> Result<(Cap, usize), (TextErrorKind, usize)> {
    if text.first().is_some_and(u8::is_ascii_digit) {
        let read = number::read(text, 0).ok_or((TextErrorKind::EmptyItem, 0))?;
        return match read.value.and_then(|value| u8::try_from(value).ok()).filter(|value| *value < 64) {
            Some(capability) => Ok((Cap(capability), read.length)),
            None => Err((TextErrorKind::NumberTooLarge, read.length)),
        };
    }
    let length = name_length(text);
    match text.get(..length) {
        Some(name) if length > 0 => {
            find(name).map(|capability| (capability, length)).ok_or((TextErrorKind::UnknownName, length))
        }
        _ => Err((TextErrorKind::EmptyItem, 0)),
    }
}

/// How many letters and underscores `text` begins with.
pub(super) fn name_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count()
}

/// The known name that is most like a misspelt one; `None` if none is near.
///
/// ```
/// use linux::caps::nearest;
/// assert_eq!(nearest(b"cap_sys_amdin"), Some("cap_sys_admin"));
/// assert_eq!(nearest(b"cap_everything"), None);
/// ```
pub fn nearest(wrong: &[u8]) -> Option<&'static str> {
    let wrong = wrong.to_ascii_lowercase();
    let stem = wrong.strip_prefix(b"cap_").unwrap_or(&wrong);
    // Two slips in a short name, one more for each further four letters.
    let limit = 1 + stem.len() / 4;
    let distance = |name: &str| edits(stem, name.as_bytes().get(4..).unwrap_or_default());
    let best = NAMES.split(' ').min_by_key(|name| distance(name))?;
    (distance(best) <= limit).then_some(best)
}

/// How many letters must be put in, taken out, replaced or swapped to make `b` of `a`.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost = at(&row, j) + usize::from(letter != other);
            cost = cost.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(other) && b.get(j - 1) == Some(letter);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            next.push(cost);
        }
        before = core::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_decimal_octal_or_hexadecimal_and_at_most_63() {
        assert_eq!(read_item(b"10"), Ok((Cap(10), 2)));
        assert_eq!(read_item(b"010"), Ok((Cap(8), 3)));
        assert_eq!(read_item(b"0x1f,"), Ok((Cap(31), 4)));
        assert_eq!(read_item(b"0xg"), Ok((Cap(0), 1)));
        assert_eq!(read_item(b"64"), Err((TextErrorKind::NumberTooLarge, 2)));
        assert_eq!(read_item(b"99999999999999999999"), Err((TextErrorKind::NumberTooLarge, 20)));
    }

    #[test]
    fn a_name_is_known_in_any_case_and_only_whole() {
        assert_eq!(read_item(b"CAP_Chown+p"), Ok((Cap(0), 9)));
        assert_eq!(read_item(b"cap_chownx"), Err((TextErrorKind::UnknownName, 10)));
        assert_eq!(read_item(b"chown"), Err((TextErrorKind::UnknownName, 5)));
        assert_eq!(read_item(b"cap_checkpoint_restore"), Ok((Cap(40), 22)));
    }

    #[test]
    fn a_misspelt_name_has_a_nearest_one_and_nonsense_has_none() {
        assert_eq!(nearest(b"cap_chwon"), Some("cap_chown"));
        assert_eq!(nearest(b"chown"), Some("cap_chown"));
        assert_eq!(nearest(b"CAP_NET_BIND_SERVCE"), Some("cap_net_bind_service"));
        assert_eq!(nearest(b"cap_sysadmin"), Some("cap_sys_admin"));
        assert_eq!(nearest(b"cap_bdf"), Some("cap_bpf"));
        assert_eq!(nearest(b"cap_everything"), None);
        assert_eq!(nearest(b""), None);
    }
}
