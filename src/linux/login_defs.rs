//! Settings of logins, login.defs(5): lines of a name and a value.

/// Where they are.
pub const FILE: &str = "/etc/login.defs";

/// How much of the file is read, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// The value of the last line with this name, compared without regard to case. `#` begins a comment anywhere in a
/// line.
///
/// ```
/// let text = b"# the paths\nENV_PATH PATH=/usr/bin:/bin\n";
/// let value = linux::login_defs::value(text, "ENV_PATH").expect("a value");
/// assert_eq!(linux::login_defs::path(value), b"/usr/bin:/bin");
/// ```
pub fn value<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let line = line.split(|byte| *byte == b'#').next()?.trim_ascii_start();
        let end = line.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'=');
        let (found, rest) = line.split_at_checked(end.unwrap_or(line.len()))?;
        found.eq_ignore_ascii_case(name.as_bytes()).then(|| {
            let rest = trimmed_start(rest, |byte| byte == b'=' || is_around(byte));
            let kept = rest.iter().rposition(|byte| !is_around(*byte)).map_or(0, |last| last + 1);
            rest.get(..kept).unwrap_or_default()
        })
    })
}

/// The directories of a value that may be written as an assignment: `PATH=/usr/bin:/bin`.
pub fn path(value: &[u8]) -> &[u8] {
    match value.strip_prefix(b"PATH=") {
        None | Some([]) => value,
        Some(path) => trimmed_start(path, |byte| byte == b'"'),
    }
}

/// What may stand around a value.
fn is_around(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'"'
}

fn trimmed_start(text: &[u8], is_trimmed: impl Fn(u8) -> bool) -> &[u8] {
    let start = text.iter().position(|byte| !is_trimmed(*byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_last_lines_without_what_is_around_it() {
        let of = |text: &'static [u8]| value(text, "ENV_PATH");
        assert_eq!(of(b"ENV_PATH /a\n  env_path \t= \"/b c\" \r # /d\nENV_PATHS /e\n#ENV_PATH /f"), Some(&b"/b c"[..]));
        assert_eq!(of(b"ENV_PATH=/a=/b"), Some(&b"/a=/b"[..]));
        assert_eq!((of(b"ENV_PATH /a\nENV_PATH"), of(b"ENV_PATH \"\"")), (Some(&b""[..]), Some(&b""[..])));
        assert_eq!((of(b""), of(b"=ENV_PATH /a\n\"ENV_PATH\" /a\nENV_PATH,/a")), (None, None));
    }

    #[test]
    fn a_path_may_be_an_assignment() {
        let read = [&b"PATH=/a:/b"[..], b"PATH=\"/a", b"/a", b"PATH="].map(path);
        assert_eq!(read, [&b"/a:/b"[..], b"/a", b"/a", b"PATH="]);
    }
}
