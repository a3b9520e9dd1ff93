//! Strings of JSON.

/// Adds a string of JSON. Bytes that are no text are U+FFFD: JSON has no other word for them.
pub fn json_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in String::from_utf8_lossy(text).bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}
