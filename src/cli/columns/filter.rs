//! Expressions that choose rows by their cells: scols-filter(5).

use super::fields::find;
use super::lex::{ONE, Token, next, read_number};
use super::{Cell, Columns, Shape};
use crate::failure::Line;
use crate::regex::Regex;
use crate::{Failure, text};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// How deep parentheses may be: each level is a recursion.
const DEEPEST: usize = 100;

/// What a row must be.
#[derive(Debug)]
pub struct Filter(Node);

#[derive(Debug)]
enum Node {
    Literal(Value),
    /// A column by its place, and whether its cells are numbers.
    Holder(usize, bool),
    Not(Box<Node>),
    /// By the name of the operator.
    Two(&'static str, Box<Node>, Box<Node>),
    /// Whether it matches, or does not.
    Match(Box<Node>, Regex, bool),
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Bool(bool),
    /// In units of 10^-18.
    Number(u128),
    Text(Vec<u8>),
    /// An empty cell of a column of numbers or of texts.
    Missing {
        is_number: bool,
    },
}

/// Asks for the cell of a column.
pub type Ask<'a> = &'a mut dyn FnMut(usize) -> Cell;

/// What an option gave: a filter, or what is said of a column in it that is unknown, once all options are read.
pub type Given = Option<Result<Filter, Vec<u8>>>;

/// How that is said.
const UNKNOWN_COLUMN: &[u8] = b"unknown column";

impl Filter {
    /// Reads an option's expression, which may be empty. What is none is told at once.
    pub fn given(expression: &OsStr, columns: Columns) -> Result<Given, Failure> {
        match expression.as_bytes() {
            b"" => Ok(None),
            text => match Filter::parse(text, columns) {
                Err(line) if !line.starts_with(UNKNOWN_COLUMN) => Err(Failure::new(1, line)),
                parsed => Ok(Some(parsed)),
            },
        }
    }

    /// The filter of an option, if its columns are known.
    pub fn known(given: &Given) -> Result<Option<&Filter>, Failure> {
        let parsed = given.as_ref().map(Result::as_ref);
        parsed.transpose().map_err(|line| wrong_filter(line.clone()))
    }

    /// Parses an expression. The error is the message.
    pub fn parse(expression: &[u8], columns: Columns) -> Result<Filter, Vec<u8>> {
        let mut rest = expression;
        let token = next(&mut rest);
        let mut parser = Parser { expression, columns, rest, token, depth: 0, unknown: None };
        let node = parser.either()?;
        match (&parser.token, parser.unknown.take()) {
            (Token::End, None) => Ok(Filter(node)),
            (Token::End, Some(unknown)) => Err(unknown),
            _ => Err(parser.unexpected(true)),
        }
    }

    /// Whether a row is wanted.
    pub fn accepts(&self, ask: Ask<'_>) -> Result<bool, Vec<u8>> {
        self.0.is_true(ask)
    }
}

/// What is said of an expression that is none, or cannot be applied.
pub fn wrong_filter(line: Vec<u8>) -> Failure {
    let failure = Failure::new(1, line);
    if failure.lines.iter().any(|line| matches!(line, Line::Named(text) if text.starts_with(UNKNOWN_COLUMN))) {
        return failure.and(Line::Named("failed to initialize filter".into()));
    }
    failure
}

struct Parser<'a> {
    expression: &'a [u8],
    columns: Columns,
    rest: &'a [u8],
    token: Token,
    depth: usize,
    /// The message about the first name that is no column's.
    unknown: Option<Vec<u8>>,
}

impl Parser<'_> {
    fn take(&mut self) -> Token {
        core::mem::replace(&mut self.token, next(&mut self.rest))
    }

    /// Takes one of these operators.
    fn take_one(&mut self, names: &str) -> Option<&'static str> {
        let Token::Operator(name) = self.token else { return None };
        names.split(' ').any(|known| known == name).then(|| {
            self.take();
            name
        })
    }

    fn wrong(&self, what: &[u8]) -> Vec<u8> {
        text!["failed to parse \"", self.expression, "\": ", what]
    }

    fn unexpected(&self, at_end: bool) -> Vec<u8> {
        let expecting = if at_end && self.depth == 0 { ", expecting end of file" } else { "" };
        self.wrong(&text!["syntax error, unexpected ", self.token.name(), expecting])
    }

    fn either(&mut self) -> Result<Node, Vec<u8>> {
        let mut node = self.both()?;
        while let Some(name) = self.take_one("OR") {
            node = Node::Two(name, Box::new(node), Box::new(self.both()?));
        }
        Ok(node)
    }

    fn both(&mut self) -> Result<Node, Vec<u8>> {
        let mut node = self.compared()?;
        while let Some(name) = self.take_one("AND") {
            node = Node::Two(name, Box::new(node), Box::new(self.compared()?));
        }
        Ok(node)
    }

    fn compared(&mut self) -> Result<Node, Vec<u8>> {
        let mut node = self.single()?;
        loop {
            if let Some(name) = self.take_one("REG NREG") {
                let Token::Text(pattern) = &self.token else {
                    let wrong = self.unexpected(false);
                    self.single()?;
                    return Err(wrong);
                };
                let regex = Regex::new(pattern.trim_ascii()).map_err(|why| self.wrong(why.as_bytes()))?;
                self.take();
                node = Node::Match(Box::new(node), regex, name == "REG");
            } else if let Some(name) = self.take_one("EQ NE LE LT GE GT") {
                node = Node::Two(name, Box::new(node), Box::new(self.single()?));
            } else {
                return Ok(node);
            }
        }
    }

    fn single(&mut self) -> Result<Node, Vec<u8>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(b"memory exhausted"));
        }
        let node = self.inner();
        self.depth -= 1;
        node
    }

    fn inner(&mut self) -> Result<Node, Vec<u8>> {
        if self.take_one("NEG").is_some() {
            return Ok(Node::Not(Box::new(self.single()?)));
        }
        if self.take_one("'('").is_some() {
            let node = self.either()?;
            return if self.take_one("')'").is_some() { Ok(node) } else { Err(self.unexpected(true)) };
        }
        if let Token::Holder(name) = &self.token {
            let place = find(self.columns, name).unwrap_or_else(|| {
                // An error of syntax is reported before an unknown column.
                self.unknown.get_or_insert_with(|| text!["unknown column: ", name]);
                0
            });
            let is_number = self.columns.get(place).is_some_and(|column| column.shape == Shape::Number);
            self.take();
            return Ok(Node::Holder(place, is_number));
        }
        if matches!(self.token, Token::Operator(_) | Token::Invalid | Token::End) {
            return Err(self.unexpected(false));
        }
        Ok(Node::Literal(match self.take() {
            Token::Number(value) | Token::Float(value) => Value::Number(value),
            Token::Text(text) => Value::Text(text),
            other => Value::Bool(other == Token::Bool(true)),
        }))
    }
}

fn inapplicable() -> Vec<u8> {
    "failed to apply filter: Invalid argument".into()
}

impl Node {
    fn value(&self, ask: Ask<'_>) -> Result<Value, Vec<u8>> {
        match self {
            Node::Literal(value) => Ok(value.clone()),
            Node::Holder(place, is_number) => match ask(*place) {
                Some(text) if *is_number => read_number(&text).map(Value::Number).ok_or_else(inapplicable),
                Some(text) if !text.is_empty() => Ok(Value::Text(text)),
                _ => Ok(Value::Missing { is_number: *is_number }),
            },
            _ => self.is_true(ask).map(Value::Bool),
        }
    }

    fn is_true(&self, ask: Ask<'_>) -> Result<bool, Vec<u8>> {
        match self {
            Node::Not(node) => Ok(!node.is_true(ask)?),
            Node::Two("AND", one, other) => Ok(one.is_true(ask)? && other.is_true(ask)?),
            Node::Two("OR", one, other) => Ok(one.is_true(ask)? || other.is_true(ask)?),
            Node::Two(name, one, other) => {
                let (left, right) = (one.value(ask)?, other.value(ask)?);
                // Numbers or texts are compared as the literal wants it; without one, as the left side.
                let by_right = matches!((&**one, &**other), (Node::Holder(..), Node::Literal(_)));
                compare(name, left, right, by_right)
            }
            Node::Match(node, regex, wanted) => match node.value(ask)? {
                Value::Text(text) => Ok(regex.matches(text.trim_ascii()) == *wanted),
                Value::Missing { .. } => Ok(!wanted),
                Value::Number(value) if matches!(**node, Node::Holder(..)) => {
                    Ok(regex.matches(&written(value)) == *wanted)
                }
                _ => Err(inapplicable()),
            },
            node => Ok(match node.value(ask)? {
                Value::Bool(value) => value,
                Value::Number(value) => value != 0,
                Value::Text(text) => !text.is_empty(),
                Value::Missing { .. } => false,
            }),
        }
    }
}

fn written(value: u128) -> Vec<u8> {
    text![(value / ONE) as u64]
}

/// Converts a value to the type of another one.
fn cast(value: Value, like: &Value) -> Result<Value, Vec<u8>> {
    Ok(match (like, value) {
        (Value::Bool(_), Value::Number(value)) => Value::Bool(value != 0),
        (Value::Bool(_), Value::Text(text)) => Value::Bool(text.eq_ignore_ascii_case(b"true") || text == b"1"),
        (Value::Bool(_), Value::Missing { .. }) => Value::Bool(false),
        (Value::Number(_), Value::Bool(value)) => Value::Number(u128::from(value) * ONE),
        (Value::Number(_), Value::Text(text)) => Value::Number(read_number(&text).ok_or_else(inapplicable)?),
        (Value::Text(_), Value::Bool(value)) => Value::Text(if value { "true".into() } else { "false".into() }),
        (Value::Text(_), Value::Number(value)) => Value::Text(written(value)),
        (_, value) => value,
    })
}

fn compare(name: &str, left: Value, right: Value, by_right: bool) -> Result<bool, Vec<u8>> {
    let (left, right) = if by_right { (cast(left, &right)?, right) } else { (left.clone(), cast(right, &left)?) };
    let order = match (&left, &right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.trim_ascii().cmp(right.trim_ascii()),
        // A missing value equals nothing; a missing number is not unequal to anything, either.
        (Value::Missing { is_number }, _) | (_, Value::Missing { is_number }) => return Ok(name == "NE" && !is_number),
        _ => return Err(inapplicable()),
    };
    Ok(match name {
        "EQ" => order == Ordering::Equal,
        "NE" => order != Ordering::Equal,
        "LT" => order == Ordering::Less,
        "LE" => order != Ordering::Greater,
        "GT" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Column;

    static COLUMNS: Columns = crate::columns!(&[
        Column::new("NAME", Shape::Left, 0),
        Column::new("ID", Shape::Number, 0),
        Column::new("NONE", Shape::Number, 0),
    ]);

    fn accepts(expression: &str) -> Result<bool, String> {
        let cells: [Cell; 3] = [Some("ab".into()), Some("27".into()), None];
        let text = |text: Vec<u8>| String::from_utf8(text).expect("UTF-8");
        let filter = Filter::parse(expression.as_bytes(), COLUMNS).map_err(text)?;
        filter.accepts(&mut |place| cells.get(place).cloned().flatten()).map_err(text)
    }

    #[test]
    fn operators_bind_as_the_manual_says() {
        for (expression, wanted) in [
            ("NAME == 'ab' && ID > 26.5", true),
            ("false and false or true", true),
            ("!(NAME == \"x\") and not NONE", true),
            ("id eq 27 || nosuch", false),
            ("NAME =~ '^a' && NAME !~ 'c'", true),
            ("NONE == 0 || NONE != 0", false),
            ("1K == 1024 && 1KiB < 1M", true),
            ("ID == '27'", true),
            ("2 == true", false),
            ("1 < 2 < 3", false),
        ] {
            assert_eq!(accepts(expression).unwrap_or(false), wanted, "{expression}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (expression, why) in [
            ("", "failed to parse \"\": syntax error, unexpected end of file"),
            ("ID == 27 ID", "failed to parse \"ID == 27 ID\": syntax error, unexpected HOLDER, expecting end of file"),
            ("(1 2", "failed to parse \"(1 2\": syntax error, unexpected NUMBER"),
            ("ID = 27", "failed to parse \"ID = 27\": syntax error, unexpected invalid token, expecting end of file"),
            ("nosuch", "unknown column: nosuch"),
            ("NAME > 5", "failed to apply filter: Invalid argument"),
            ("NAME =~ '('", "failed to parse \"NAME =~ '('\": Unmatched ( or \\("),
        ] {
            assert_eq!(accepts(expression), Err(why.to_string()));
        }
        assert!(accepts(&"(".repeat(100_000)).is_err());
    }
}
