//! Tokens of the condition language.
//!
//! Tokens are made one at a time, on demand: what a run of characters means depends on where it
//! stands (`1-5` is a field in `cron`, `Etc/GMT+5` a name after `in`), so the parser may take the
//! raw text from a token's start instead. No token allocates; a text is read once.

use std::borrow::Cow;

use super::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, then letters, digits and `_`.
    Word,
    /// A digit, then digits, letters, `:` and `.`: `10:00`, `3rd`, `1h30m`.
    Number,
    /// `'text'`, with the quotes.
    Text,
    /// A quote that is never closed; the token is the quote.
    Unclosed,
    /// A quoted text that touches a word or another quote: `'it's'`.
    Glued,
    /// `&`
    And,
    /// `|`
    Or,
    /// `~` or `!`
    Not,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// Any other character.
    Other,
    /// The end of the text.
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// Reads tokens from a text.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at a byte of the text, which must be the start of a character.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        self.skip_space();
        let start = self.at;
        let Some(&byte) = self.text.as_bytes().get(start) else {
            return Token { kind: Kind::End, span: Span { start, end: start } };
        };
        let kind = match byte {
            b'&' => self.symbol(Kind::And),
            b'|' => self.symbol(Kind::Or),
            b'~' | b'!' => self.symbol(Kind::Not),
            b'(' => self.symbol(Kind::Open),
            b')' => self.symbol(Kind::Close),
            b',' => self.symbol(Kind::Comma),
            b'\'' | b'"' => self.quoted(byte),
            b'0'..=b'9' => {
                self.skip_while(|c| c.is_alphanumeric() || matches!(c, ':' | '.' | '_'));
                Kind::Number
            }
            _ => self.word(),
        };
        Token { kind, span: Span { start, end: self.at } }
    }

    fn symbol(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        if self.at > start {
            return Kind::Word;
        }
        self.at += self.text[start..].chars().next().map_or(0, char::len_utf8);
        Kind::Other
    }

    /// Reads a quoted text; a doubled quote in it stands for one.
    fn quoted(&mut self, quote: u8) -> Kind {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                None => {
                    self.at = start + 1;
                    return Kind::Unclosed;
                }
                Some(&b) if b == quote && bytes.get(at + 1) == Some(&quote) && at > start + 1 => {
                    at += 2;
                }
                Some(&b) if b == quote => break,
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        // `'it's'` and `task'x'` are slips that must not be read as something else.
        let before = self.text[..start].chars().next_back();
        let after = self.text[self.at..].chars().next();
        let touches = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"');
        if before.is_some_and(touches) || after.is_some_and(touches) {
            Kind::Glued
        } else {
            Kind::Text
        }
    }

    fn skip_space(&mut self) {
        self.skip_while(char::is_whitespace);
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
    }
}

/// Takes the quotes off a [`Kind::Text`].
pub(super) fn unquote(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let (quote, doubled) = if quoted.starts_with('"') { ("\"", "\"\"") } else { ("'", "''") };
    if inner.contains(doubled) { inner.replace(doubled, quote).into() } else { inner.into() }
}

/// Writes a text with quotes so that it reads back.
pub(super) fn quote(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    if !text.contains('\'') {
        write!(f, "'{text}'")
    } else if !text.contains('"') {
        write!(f, "\"{text}\"")
    } else if text.starts_with('\'') {
        // A doubled quote is not read as one right after the opening quote, where `''` is the
        // empty text; so the other kind is chosen.
        write!(f, "\"{}\"", text.replace('"', "\"\""))
    } else {
        write!(f, "'{}'", text.replace('\'', "''"))
    }
}
