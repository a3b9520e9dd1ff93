//! Parses numbers as strtoul(3) does, but reports overflow, which callers of strtoul(3) tend to ignore.

use crate::Errno;

/// The result of strtoul(3): the value, and how many bytes were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The value; `None` if it does not fit in 64 bits.
    pub value: Option<u64>,
    /// How many bytes belong to the number, leading white space included.
    pub length: usize,
    /// Whether a minus sign stands before it.
    pub negative: bool,
}

/// strtoul(3): optional white space, optional sign, digits. `base` is 8, 10, 16, or 0 for
/// `0x` and `0` prefixes. `None` if there are no digits.
///
/// ```
/// let read = linux::number::read(b" 0x1fg", 0).expect("digits");
/// assert_eq!((read.value, read.length), (Some(31), 5));
/// ```
pub fn read(text: &[u8], base: u32) -> Option<Read> {
    let mut at = text.iter().take_while(|byte| is_space(**byte)).count();
    let sign = text.get(at).copied().filter(|byte| matches!(byte, b'+' | b'-'));
    at += usize::from(sign.is_some());
    let rest = text.get(at..).unwrap_or_default();
    let hexadecimal = matches!(rest, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit());
    let base = match base {
        0 if hexadecimal => 16,
        0 if rest.first() == Some(&b'0') => 8,
        0 => 10,
        base => base,
    };
    if base == 16 && hexadecimal {
        at += 2;
    }
    let digits = text.get(at..).unwrap_or_default();
    let mut value = Some(0_u64);
    let mut count = 0;
    for digit in digits.iter().map_while(|byte| char::from(*byte).to_digit(base)) {
        value = value.and_then(|value| value.checked_mul(u64::from(base))?.checked_add(u64::from(digit)));
        count += 1;
    }
    (count > 0).then_some(Read { value, length: at + count, negative: sign == Some(b'-') })
}

/// The whole text as a decimal number, digits only.
///
/// ```
/// use linux::number::decimal;
/// assert_eq!(decimal(b"1000"), Some(1000));
/// assert_eq!([decimal(b""), decimal(b"-1"), decimal(b"0x10")], [None; 3]);
/// ```
pub fn decimal(text: &[u8]) -> Option<u64> {
    in_base(text, 10)
}

/// The whole text as a number, digits of this base only.
///
/// ```
/// use linux::number::in_base;
/// assert_eq!([in_base(b"ff", 16), in_base(b"8", 8), in_base(b"", 8)], [Some(255), None, None]);
/// ```
pub fn in_base(text: &[u8], base: u32) -> Option<u64> {
    let mut value = 0_u64;
    for byte in text {
        let digit = char::from(*byte).to_digit(base)?;
        value = value.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    (!text.is_empty()).then_some(value)
}

/// [`read`], if nothing stands behind the number.
///
/// ```
/// use linux::number::whole;
/// assert_eq!(whole(b" -0x1f", 0).and_then(|read| read.value), Some(31));
/// assert_eq!(whole(b"5x", 0), None);
/// ```
pub fn whole(text: &[u8], base: u32) -> Option<Read> {
    read(text, base).filter(|read| read.length == text.len())
}

/// The whole text as [`read`] reads it, without a minus sign.
///
/// ```
/// use linux::number::natural;
/// assert_eq!([natural(b"+010", 0), natural(b"-0", 0), natural(b"1 ", 0)], [Some(8), None, None]);
/// ```
pub fn natural(text: &[u8], base: u32) -> Option<u64> {
    whole(text, base).filter(|read| !read.negative)?.value
}

/// The whole text as a decimal number with an optional sign, after white space.
///
/// ```
/// assert_eq!(linux::number::signed(b" -5"), Some(-5));
/// ```
pub fn signed(text: &[u8]) -> Option<i64> {
    let read = whole(text, 10)?;
    let value = i128::from(read.value?);
    i64::try_from(if read.negative { -value } else { value }).ok()
}

/// The whole text as strtoul(3) reads it, with optional white space and plus sign. A negative number has no value;
/// strtoul(3) would wrap it around to a very large one.
pub fn unsigned(text: &[u8]) -> Option<u64> {
    let read = whole(text, 10)?;
    read.value.filter(|value| !read.negative || *value == 0)
}

/// [`unsigned`] as a user or group number, 0 to 4294967295.
///
/// ```
/// use linux::number::id;
/// assert_eq!([id(b"+42"), id(b"4294967296"), id(b"-1")], [Some(42), None, None]);
/// ```
pub fn id(text: &[u8]) -> Option<u32> {
    unsigned(text).and_then(|value| u32::try_from(value).ok())
}

/// A size: a number with K, M, G... or KiB... (of 1024) or KB... (of 1000) behind it, and with a fraction before one of
/// them. `EINVAL` if it is none, `ERANGE` if it does not fit in 64 bits.
///
/// ```
/// use linux::{Errno, number::size};
/// assert_eq!([size(b"10"), size(b"1.5K"), size(b"1kB")], [Ok(10), Ok(1536), Ok(1000)]);
/// assert_eq!([size(b"1X"), size(b"16E")], [Err(Errno::EINVAL), Err(Errno::ERANGE)]);
/// ```
pub fn size(text: &[u8]) -> Result<u64, Errno> {
    let read = read(text, 0).filter(|read| !read.negative).ok_or(Errno::EINVAL)?;
    let value = read.value.ok_or(Errno::ERANGE)?;
    let mut suffix = text.get(read.length..).unwrap_or_default();
    let mut fraction = &b""[..];
    if let Some(rest) = suffix.strip_prefix(b".") {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (fraction, suffix) = rest.split_at_checked(digits).unwrap_or_default();
        if fraction.is_empty() || suffix.is_empty() {
            return Err(Errno::EINVAL);
        }
    }
    let Some((letter, unit)) = suffix.split_first() else { return Ok(value) };
    let power = b"kmgtpezy".iter().position(|known| *known == letter.to_ascii_lowercase()).ok_or(Errno::EINVAL)?;
    let base: u64 = match unit {
        b"" | b"iB" => 1024,
        b"B" => 1000,
        _ => return Err(Errno::EINVAL),
    };
    let mut factor = 1_u64;
    for _ in 0..=power {
        factor = factor.checked_mul(base).ok_or(Errno::ERANGE)?;
    }
    let mut size = value.checked_mul(factor).ok_or(Errno::ERANGE)?;
    // What is less than a byte is lost.
    let mut scale = 1_u64;
    for digit in fraction {
        scale = scale.saturating_mul(10);
        let part = factor.checked_mul(u64::from(digit - b'0')).ok_or(Errno::ERANGE)? / scale;
        size = size.checked_add(part).ok_or(Errno::ERANGE)?;
    }
    Ok(size)
}

/// isspace(3) of the C locale.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, base: u32) -> Option<u64> {
        read(text.as_bytes(), base)?.value
    }

    #[test]
    fn base_zero_takes_decimal_octal_and_hexadecimal() {
        assert_eq!(value("12", 0), Some(12));
        assert_eq!(value("012", 0), Some(10));
        assert_eq!(value("0x1F", 0), Some(31));
        assert_eq!(value(" +7", 0), Some(7));
        assert_eq!(read(b"0xg", 0).map(|read| read.length), Some(1));
        assert_eq!(read(b"x", 0), None);
    }

    #[test]
    fn a_number_over_64_bits_has_no_value() {
        assert_eq!(value("18446744073709551615", 10), Some(u64::MAX));
        assert_eq!(read(b"18446744073709551616", 10).map(|read| read.value), Some(None));
    }

    #[test]
    fn sizes_have_suffixes() {
        for (text, value) in [
            ("10", Ok(10)),
            ("1K", Ok(1024)),
            ("2MiB", Ok(2 << 20)),
            ("1kB", Ok(1000)),
            ("0x10", Ok(16)),
            ("1X", Err(Errno::EINVAL)),
            ("", Err(Errno::EINVAL)),
            ("-1", Err(Errno::EINVAL)),
            ("99999999999999999999", Err(Errno::ERANGE)),
            ("9999999999999999E", Err(Errno::ERANGE)),
        ] {
            assert_eq!(size(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn an_id_may_have_a_plus_sign_and_fits_in_32_bits() {
        assert_eq!(
            [id(b"4294967295"), id(b"+42"), id(b" 42"), id(b"-0")],
            [Some(u32::MAX), Some(42), Some(42), Some(0)]
        );
        for bad in ["4294967296", "-1", "+-1", "++1", "+ 1", "+", "1 ", ""] {
            assert_eq!(id(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_whole_text_is_a_number_or_none() {
        assert_eq!([in_base(b"ff", 16), in_base(b"777", 8), in_base(b"8", 8)], [Some(255), Some(0o777), None]);
        assert_eq!([in_base(b"", 16), in_base(b"0x1", 16), in_base(b" 1", 10)], [None; 3]);
        assert_eq!([signed(b" -5"), signed(b"+7"), signed(b"-"), signed(b"5x")], [Some(-5), Some(7), None, None]);
        assert_eq!([signed(b"-9223372036854775808"), signed(b"9223372036854775808")], [Some(i64::MIN), None]);
    }
}
