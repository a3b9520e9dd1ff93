//! A list of rows, or a tree of them, as JSON, in the layouts of libsmartcols(3).

use linux::environment::variable;

/// How it is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// With a line for each value.
    Pretty,
    /// With a line for each row.
    Compact,
    /// A row in each line, and nothing around them.
    Lines,
    /// The rows by themselves, each pretty.
    Stream,
}

/// The text so far.
pub(super) struct Json {
    pub(super) out: Vec<u8>,
    layout: Layout,
    /// How deep the row is that is being written; none before the first.
    depth: Option<usize>,
    /// Whether the row has a value.
    has_value: bool,
}

impl Json {
    /// `LIBSMARTCOLS_JSON` may ask for another layout.
    pub(super) fn new(is_stream: bool) -> Json {
        let wanted = variable("LIBSMARTCOLS_JSON").unwrap_or_default();
        let layout = match wanted.as_encoded_bytes() {
            b"compact" if !is_stream => Layout::Compact,
            b"compact" | b"lines" => Layout::Lines,
            _ if is_stream => Layout::Stream,
            _ => Layout::Pretty,
        };
        Json { out: Vec::new(), layout, depth: None, has_value: false }
    }

    /// Begins a new line with so many blanks, where lines are broken.
    fn line(&mut self, blanks: usize) {
        if matches!(self.layout, Layout::Pretty | Layout::Stream) {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + blanks, b' ');
        }
    }

    fn add(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn begin(&mut self, name: &str) {
        match self.layout {
            Layout::Pretty => {
                self.add("{\n   \"");
                self.add(name);
                self.add("\": [\n");
            }
            Layout::Compact => {
                self.add("{\"");
                self.add(name);
                self.add("\":[\n");
            }
            Layout::Lines | Layout::Stream => {}
        }
    }

    /// Begins a row, below the one before if it is deeper.
    pub(super) fn row(&mut self, depth: usize) {
        match self.depth {
            Some(above) if depth > above => {
                self.name(b"children");
                self.add("[");
                self.line(6 + 6 * depth);
            }
            Some(before) => {
                self.close(before, depth);
                self.add(match self.layout {
                    Layout::Compact if depth == 0 => ",\n",
                    Layout::Lines | Layout::Stream if depth == 0 => "\n",
                    _ => ",",
                });
            }
            None if self.layout == Layout::Pretty => self.add("      "),
            None => {}
        }
        self.depth = Some(depth);
        self.has_value = false;
        self.add("{");
    }

    /// The blanks before a value.
    fn blanks(&self) -> usize {
        if self.layout == Layout::Stream { 3 } else { 9 + 6 * self.depth.unwrap_or(0) }
    }

    /// Begins a value: its name, in lower case.
    pub(super) fn name(&mut self, name: &[u8]) {
        if self.has_value {
            self.add(",");
        }
        self.has_value = true;
        self.line(self.blanks());
        self.add("\"");
        self.out.extend(name.iter().map(u8::to_ascii_lowercase));
        self.add(if matches!(self.layout, Layout::Pretty | Layout::Stream) { "\": " } else { "\":" });
    }

    /// An array of the texts that NULs separate.
    pub(super) fn array(&mut self, list: &[u8]) {
        if list.is_empty() {
            return self.add("[]");
        }
        let is_pretty = matches!(self.layout, Layout::Pretty | Layout::Stream);
        self.add("[");
        self.line(self.blanks() + 4);
        for (index, text) in list.split(|byte| *byte == 0).enumerate() {
            if index > 0 {
                self.add(if is_pretty { ", " } else { "," });
            }
            json_string(text, &mut self.out);
        }
        self.line(self.blanks());
        self.add("]");
    }

    /// Ends the row at depth `from`, and those around it up to the one at depth `to`.
    fn close(&mut self, from: usize, to: usize) {
        for depth in (to..=from).rev() {
            self.line(if self.layout == Layout::Stream { 0 } else { 6 + 6 * depth });
            self.add("}");
            if depth > to {
                self.line(3 + 6 * depth);
                self.add("]");
            }
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(depth) = self.depth {
            self.close(depth, 0);
        }
        self.add(match (self.layout, self.depth) {
            (Layout::Pretty, _) => "\n   ]\n}\n",
            (Layout::Compact, Some(_)) => "\n]}\n",
            (Layout::Compact, None) => "]}\n",
            (Layout::Lines | Layout::Stream, Some(_)) => "\n",
            (Layout::Lines | Layout::Stream, None) => "",
        });
    }
}

/// Adds a JSON string. Bytes that are not UTF-8 become U+FFFD, since JSON cannot hold them.
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
