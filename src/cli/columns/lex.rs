//! The words of a filter: scols-filter(5).

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A number, in quintillionths (10^-18).
    Number(u128),
    /// A number with a point, in quintillionths.
    Float(u128),
    /// A text in quotes.
    Text(Vec<u8>),
    /// The name of a column.
    Holder(Vec<u8>),
    /// `true` or `false`.
    Bool(bool),
    /// An operator or a parenthesis, by the name that messages have for it.
    Operator(&'static str),
    /// None of these: an error.
    Invalid,
    /// The end.
    End,
}

/// The number 1 in units of 10^-18.
pub(super) const ONE: u128 = 1_000_000_000_000_000_000;

impl Token {
    /// How messages call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Token::Number(_) => "NUMBER",
            Token::Float(_) => "FLOAT",
            Token::Text(_) => "STRING",
            Token::Holder(_) => "HOLDER",
            Token::Bool(true) => "TRUE",
            Token::Bool(false) => "FALSE",
            Token::Operator(name) => name,
            Token::Invalid => "invalid token",
            Token::End => "end of file",
        }
    }
}

/// Operators: their signs, and their names in messages. `>=` stands before `>`, with which it begins.
const SIGNS: &str = "==:EQ !=:NE =~:REG !~:NREG <=:LE >=:GE &&:AND ||:OR <:LT >:GT !:NEG (:'(' ):')'";

/// Operators that are called in words as in messages.
const WORDS: &str = "AND OR EQ NE LE LT GE GT";

/// Takes the first word.
pub(super) fn next(rest: &mut &[u8]) -> Token {
    *rest = rest.trim_ascii_start();
    for pair in SIGNS.split(' ') {
        if let Some((sign, name)) = pair.split_once(':')
            && let Some(after) = rest.strip_prefix(sign.as_bytes())
        {
            *rest = after;
            return Token::Operator(name);
        }
    }
    match *rest {
        [] => Token::End,
        [quote @ (b'"' | b'\''), after @ ..] => {
            let end = after.iter().position(|byte| byte == quote || *byte == b'\n');
            let (text, behind) = after.split_at(end.unwrap_or(after.len()));
            match behind {
                [b'\n', ..] | [] => {
                    *rest = &[];
                    Token::Invalid
                }
                [_, behind @ ..] => {
                    *rest = behind;
                    Token::Text(text.to_vec())
                }
            }
        }
        [b'0'..=b'9', ..] => number(rest),
        [b'a'..=b'z' | b'A'..=b'Z', ..] => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.%:/-".contains(byte);
            let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            named(word)
        }
        [_, after @ ..] => {
            *rest = after;
            Token::Invalid
        }
    }
}

/// What a word of letters means.
fn named(word: &[u8]) -> Token {
    let upper = word.to_ascii_uppercase();
    let is_one_case = word == upper || *word == *word.to_ascii_lowercase();
    match upper.as_slice() {
        _ if !is_one_case => {}
        b"TRUE" => return Token::Bool(true),
        b"FALSE" => return Token::Bool(false),
        b"NOT" => return Token::Operator("NEG"),
        upper => {
            if let Some(name) = WORDS.split(' ').find(|known| known.as_bytes() == upper) {
                return Token::Operator(name);
            }
        }
    }
    Token::Holder(word.to_vec())
}

fn number(rest: &mut &[u8]) -> Token {
    let whole = digits(rest);
    if let [b'.', b'0'..=b'9', ..] = *rest {
        *rest = rest.get(1..).unwrap_or_default();
        let mut unit = ONE;
        let mut value = whole.saturating_mul(ONE);
        while let [digit @ b'0'..=b'9', after @ ..] = *rest {
            unit /= 10;
            value = value.saturating_add(u128::from(digit - b'0') * unit);
            *rest = after;
        }
        return Token::Float(value);
    }
    let mut value = whole;
    if let [letter, after @ ..] = *rest
        && let Some(power) = b"KMGTPEZY".iter().position(|known| known == letter)
    {
        *rest = after.strip_prefix(b"iB").unwrap_or(after);
        for _ in 0..=power {
            value = value.saturating_mul(1024);
        }
    }
    Token::Number(value.min(u128::from(u64::MAX)).saturating_mul(ONE))
}

/// Takes digits.
fn digits(rest: &mut &[u8]) -> u128 {
    let mut value = 0_u128;
    while let [digit @ b'0'..=b'9', after @ ..] = *rest {
        value = value.saturating_mul(10).saturating_add(u128::from(digit - b'0')).min(u128::from(u64::MAX));
        *rest = after;
    }
    value
}

/// A whole text as a number, or one with a point, in quintillionths.
pub(super) fn read_number(text: &[u8]) -> Option<u128> {
    let mut rest = text.trim_ascii();
    match (next(&mut rest), rest) {
        (Token::Number(value) | Token::Float(value), []) if !text.ends_with(b"B") => Some(value),
        _ => None,
    }
}
