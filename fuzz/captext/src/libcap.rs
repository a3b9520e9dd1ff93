//! libcap, as far as it reads and prints texts: cap_from_text(3), cap_iab(3), cap_from_name(3).

use linux::caps::{CapSet, Sets};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

#[allow(non_camel_case_types)]
type cap_t = *mut c_void;
#[allow(non_camel_case_types)]
type cap_iab_t = *mut c_void;

unsafe extern "C" {
    fn cap_from_text(text: *const c_char) -> cap_t;
    fn cap_to_text(caps: cap_t, length: *mut isize) -> *mut c_char;
    fn cap_init() -> cap_t;
    fn cap_get_flag(caps: cap_t, value: c_int, flag: c_int, raised: *mut c_int) -> c_int;
    fn cap_set_flag(caps: cap_t, flag: c_int, count: c_int, values: *const c_int, raised: c_int) -> c_int;
    fn cap_free(object: *mut c_void) -> c_int;
    fn cap_max_bits() -> c_int;
    fn cap_from_name(name: *const c_char, value: *mut c_int) -> c_int;
    fn cap_iab_from_text(text: *const c_char) -> cap_iab_t;
    fn cap_iab_to_text(iab: cap_iab_t) -> *mut c_char;
}

/// CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE.
const FLAGS: [c_int; 3] = [0, 1, 2];

/// How many capabilities this kernel has, by libcap's count.
pub fn count() -> u8 {
    // SAFETY: no preconditions.
    u8::try_from(unsafe { cap_max_bits() }).expect("at most 64")
}

/// Takes a text that libcap has allocated.
fn taken(text: *mut c_char) -> String {
    assert!(!text.is_null(), "libcap could not print");
    // SAFETY: libcap returned a NUL-terminated string.
    let copy = unsafe { CStr::from_ptr(text) }.to_str().expect("ASCII").to_string();
    // SAFETY: libcap allocated it and nobody else has it.
    unsafe { cap_free(text.cast()) };
    copy
}

/// What libcap makes of a text: the sets, and the text that it prints of them.
pub fn read(text: &CString) -> Option<(Sets, String)> {
    // SAFETY: the text is NUL-terminated.
    let caps = unsafe { cap_from_text(text.as_ptr()) };
    if caps.is_null() {
        return None;
    }
    let set = |flag| {
        let bits = (0..64).fold(0_u64, |set, value| {
            let mut raised = 0;
            // SAFETY: `caps` is libcap's and `raised` valid for a write.
            let done = unsafe { cap_get_flag(caps, value, flag, &mut raised) };
            set | u64::from(done == 0 && raised != 0) << value
        });
        CapSet(bits)
    };
    let [effective, permitted, inheritable] = FLAGS.map(set);
    // SAFETY: `caps` is libcap's; no length is asked for.
    let printed = taken(unsafe { cap_to_text(caps, std::ptr::null_mut()) });
    // SAFETY: libcap allocated it and it is not used again.
    unsafe { cap_free(caps) };
    Some((Sets { effective, permitted, inheritable }, printed))
}

/// What libcap prints of sets.
pub fn print(sets: &Sets) -> String {
    // SAFETY: no preconditions.
    let caps = unsafe { cap_init() };
    for (flag, set) in FLAGS.into_iter().zip([sets.effective, sets.permitted, sets.inheritable]) {
        for value in (0..64).filter(|value| set.0 >> value & 1 != 0) {
            // One at a time: libcap takes no more at once than the kernel has.
            // SAFETY: `caps` is libcap's and `value` is one value.
            let done = unsafe { cap_set_flag(caps, flag, 1, &value, 1) };
            assert_eq!(done, 0, "libcap could not set {value}");
        }
    }
    // SAFETY: `caps` is libcap's; no length is asked for.
    let printed = taken(unsafe { cap_to_text(caps, std::ptr::null_mut()) });
    // SAFETY: libcap allocated it and it is not used again.
    unsafe { cap_free(caps) };
    printed
}

/// What libcap prints of the tuple that it reads.
pub fn read_iab(text: &CString) -> Option<String> {
    // SAFETY: the text is NUL-terminated.
    let iab = unsafe { cap_iab_from_text(text.as_ptr()) };
    if iab.is_null() {
        return None;
    }
    // SAFETY: `iab` is libcap's.
    let printed = taken(unsafe { cap_iab_to_text(iab) });
    // SAFETY: libcap allocated it and it is not used again.
    unsafe { cap_free(iab) };
    Some(printed)
}

/// The capability that libcap takes a text for.
pub fn from_name(text: &CString) -> Option<u8> {
    let mut value = 0;
    // SAFETY: the text is NUL-terminated and `value` valid for a write.
    let done = unsafe { cap_from_name(text.as_ptr(), &mut value) };
    (done == 0).then(|| u8::try_from(value).ok()).flatten()
}
