//! The capabilities of processes: capget(2), capset(2), prctl(2).

use super::{Cap, CapSet, Sets, name, print};
use crate::credentials::Pid;
use crate::raw::{self, NumberPrctl};
use crate::{Errno, Error, Result, error::Context};
use core::sync::atomic::{AtomicU8, Ordering};

/// _LINUX_CAPABILITY_VERSION_3: two words of 32 bits for each set.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: Pid,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Words {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The sets of a process; 0 is ourselves.
///
/// ```
/// use linux::caps::get;
/// use linux::process::Pid;
/// let sets = get(Pid::SELF)?;
/// // The kernel keeps the effective set within the permitted one.
/// assert!((sets.effective & !sets.permitted).is_empty());
/// # Ok::<(), linux::Error>(())
/// ```
pub fn get(pid: Pid) -> Result<Sets> {
    let mut header = Header { version: VERSION, pid };
    let mut words = [Words::default(); 2];
    // SAFETY: both point to what the kernel expects for this version: a header and two elements.
    let done = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
    raw::checked(done).context("capget", pid.to_string())?;
    let [low, high] = words;
    let join = |low: u32, high: u32| CapSet(u64::from(low) | u64::from(high) << 32);
    Ok(Sets {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
        inheritable: join(low.inheritable, high.inheritable),
    })
}

/// Makes these our own sets.
pub fn set(sets: &Sets) -> Result<()> {
    let mut header = Header { version: VERSION, pid: Pid::SELF };
    let part = |shift: u32| Words {
        effective: (sets.effective.0 >> shift) as u32,
        permitted: (sets.permitted.0 >> shift) as u32,
        inheritable: (sets.inheritable.0 >> shift) as u32,
    };
    let words = [part(0), part(32)];
    // SAFETY: both point to what the kernel expects for this version: a header and two elements.
    let done = raw::checked(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) });
    traced!(done, "capset(\"{}\")", print(sets, count())).context("capset", "").map(drop)
}

/// Raises a permitted capability to effective and returns the sets from before. `EPERM` if it is not permitted. Makes
/// no capset(2) if it is effective already.
pub fn raise(capability: Cap) -> Result<Sets> {
    let before = get(Pid::SELF)?;
    if !before.effective.has(capability) {
        set(&Sets { effective: before.effective | CapSet::of(capability), ..before })?;
    }
    Ok(before)
}

/// Calls `change` with a capability raised to effective, then restores the effective set.
pub fn with_raised<T>(capability: Cap, change: impl FnOnce() -> Result<T>) -> Result<Result<T>> {
    let before = raise(capability)?;
    let result = change();
    if !before.effective.has(capability) {
        set(&Sets { effective: before.effective, ..get(Pid::SELF)? })?;
    }
    Ok(result)
}

/// Keeps the permitted capabilities across execve(2) for any user id: they become inheritable and ambient.
pub fn keep_across_exec() -> Result<()> {
    let kept = get(Pid::SELF)?.permitted;
    set(&Sets { effective: kept, permitted: kept, inheritable: kept })?;
    kept.members().try_for_each(raise_ambient)
}

/// Empties the effective set; the permitted one stays.
pub fn clear_effective() -> Result<()> {
    let sets = get(Pid::SELF)?;
    if sets.effective.is_empty() {
        return Ok(());
    }
    set(&Sets { effective: CapSet::EMPTY, ..sets })
}

/// How many capabilities the running kernel has, numbered from 0. The answer is cached.
pub fn count() -> u8 {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    let known = COUNT.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let named = super::NAMED;
    // Any other error comes from a seccomp filter and says nothing about the kernel: count those that have a name.
    let has = |number: u8| match in_bounding(Cap(number)) {
        Err(errno) => errno != Errno::EINVAL && number < named,
        Ok(_) => true,
    };
    // Most kernels have exactly the named capabilities, which two calls confirm. On others, bisect.
    let (mut low, mut high) = (0, 64);
    if has(named - 1) {
        low = named;
        if !has(named) {
            high = named;
        }
    } else {
        high = named - 1;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if has(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    // So does a filter for which there is no such operation, and of no capabilities `all` would be nothing.
    let count = if low == 0 { named } else { low };
    COUNT.store(count, Ordering::Relaxed);
    count
}

/// Whether a capability is in our bounding set; `EINVAL` if the kernel does not have it.
pub fn in_bounding(capability: Cap) -> core::result::Result<bool, Errno> {
    NumberPrctl::CAPBSET_READ.call([capability.0.into(), 0]).map(|answer| answer != 0)
}

/// Our bounding set, of the first `count` capabilities: all where there is no such set, which bounds nothing.
pub fn bounding(count: u8) -> Result<CapSet> {
    collect(CapSet::first(count), |capability| match in_bounding(capability) {
        Err(Errno::EINVAL) => Ok(true),
        known => known,
    })
}

/// Those of `among` for which `is_in` is true. An error is returned, since a capability that cannot be queried must not
/// pass for dropped.
fn collect(among: CapSet, is_in: fn(Cap) -> core::result::Result<bool, Errno>) -> Result<CapSet> {
    let mut set = CapSet::EMPTY;
    for capability in among.members() {
        if is_in(capability).context("prctl", name(capability))? {
            set |= CapSet::of(capability);
        }
    }
    Ok(set)
}

/// Drops a capability from our bounding set, for good. Needs CAP_SETPCAP.
pub fn drop_bounding(capability: Cap) -> Result<()> {
    let done = NumberPrctl::CAPBSET_DROP.call([capability.0.into(), 0]);
    traced!(done, "prctl(PR_CAPBSET_DROP, {})", name(capability)).context("prctl", name(capability)).map(drop)
}

/// Whether a capability is in our ambient set; `EINVAL` if the kernel does not have it.
pub fn in_ambient(capability: Cap) -> core::result::Result<bool, Errno> {
    let request = [libc::PR_CAP_AMBIENT_IS_SET as u64, capability.0.into()];
    NumberPrctl::CAP_AMBIENT.call(request).map(|answer| answer != 0)
}

/// Every set of ours, read once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// How many capabilities the kernel has.
    pub count: u8,
    /// Effective, permitted and inheritable.
    pub sets: Sets,
    /// The bounding set.
    pub bounding: CapSet,
    /// The ambient set; `None` on a kernel that has none.
    pub ambient: Option<CapSet>,
}

impl Own {
    /// Reads them.
    pub fn read() -> Result<Own> {
        let (count, sets) = (count(), get(Pid::SELF)?);
        let ambient = has_ambient().then(|| ambient_of(&sets)).transpose()?;
        Ok(Own { count, sets, bounding: bounding(count)?, ambient })
    }
}

/// Our ambient set.
pub fn ambient() -> Result<CapSet> {
    ambient_of(&get(Pid::SELF)?)
}

fn ambient_of(sets: &Sets) -> Result<CapSet> {
    // The kernel keeps the ambient set within the permitted and inheritable ones (capabilities(7)), so only those are
    // queried. It knows them all, so that `EINVAL` is a filter's and says nothing of the set.
    collect(sets.permitted & sets.inheritable, in_ambient)
}

/// Whether this kernel tells of ambient capabilities.
pub fn has_ambient() -> bool {
    in_ambient(Cap(0)) != Err(Errno::EINVAL)
}

/// Raises a capability in our ambient set; it must be permitted and inheritable.
pub fn raise_ambient(capability: Cap) -> Result<()> {
    let done = NumberPrctl::CAP_AMBIENT.call([libc::PR_CAP_AMBIENT_RAISE as u64, capability.0.into()]);
    traced!(done, "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, {})", name(capability))
        .context("prctl", name(capability))
        .map(drop)
}

/// Lowers a capability in our ambient set.
pub fn lower_ambient(capability: Cap) -> Result<()> {
    let done = NumberPrctl::CAP_AMBIENT.call([libc::PR_CAP_AMBIENT_LOWER as u64, capability.0.into()]);
    traced!(done, "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, {})", name(capability))
        .context("prctl", name(capability))
        .map(drop)
}

/// Empties our ambient set.
pub fn clear_ambient() -> Result<()> {
    let done = NumberPrctl::CAP_AMBIENT.call([libc::PR_CAP_AMBIENT_CLEAR_ALL as u64, 0]);
    traced!(done, "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)").context("prctl", "").map(drop)
}

/// Whether the securebits let ambient capabilities be raised.
pub fn may_raise_ambient() -> bool {
    securebits().is_ok_and(|bits| bits & NO_AMBIENT_RAISE == 0)
}

/// SECBIT_NO_CAP_AMBIENT_RAISE.
const NO_AMBIENT_RAISE: u32 = 1 << 6;

/// Our securebits: capabilities(7), "The securebits flags".
pub fn securebits() -> Result<u32> {
    NumberPrctl::GET_SECUREBITS.call([0, 0]).context("prctl", "").map(|bits| bits as u32)
}

/// Makes these our securebits. Needs CAP_SETPCAP.
pub fn set_securebits(bits: u32) -> Result<()> {
    let done = NumberPrctl::SET_SECUREBITS.call([bits.into(), 0]);
    traced!(done, "prctl(PR_SET_SECUREBITS, {bits:#x})").context("prctl", format!("{bits:#x}")).map(drop)
}

/// Whether permitted capabilities are kept when user ids change from 0; execve(2) clears it.
pub fn keeps_capabilities() -> Result<bool> {
    nix::sys::prctl::get_keepcaps().map_err(Errno::from).context("prctl", "")
}

/// Sets what [`keeps_capabilities`] tells. The kernel takes 0 and 1.
pub fn set_keep_capabilities(keep: u32) -> Result<()> {
    let done = NumberPrctl::SET_KEEPCAPS.call([keep.into(), 0]);
    traced!(done, "prctl(PR_SET_KEEPCAPS, {keep})").context("prctl", keep.to_string()).map(drop)
}

/// Whether execve(2) can no longer give us privileges.
pub fn no_new_privileges() -> Result<bool> {
    nix::sys::prctl::get_no_new_privs().map_err(Errno::from).context("prctl", "")
}

/// From here on execve(2) gives us no privileges; nothing can undo it.
pub fn set_no_new_privileges() -> Result<()> {
    let done = nix::sys::prctl::set_no_new_privs().map_err(Errno::from);
    traced!(done, "prctl(PR_SET_NO_NEW_PRIVS, 1)").context("prctl", "")
}

/// An `EPERM` for a request that we know the kernel would refuse.
pub(super) fn not_permitted(call: &'static str) -> Error {
    Error::new(call, "", Errno::EPERM)
}
