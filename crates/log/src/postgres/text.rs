//! Text as PostgreSQL can keep it: it has no NUL.
//!
//! A NUL is written as `\u{1}0`, and a `\u{1}` as `\u{1}1`. Both are so rare that nearly every text
//! is in the table as it is, for people to read.

use std::borrow::Cow;

const ESCAPE: char = '\u{1}';

pub(super) fn encode(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, "\u{1}1").replace('\0', "\u{1}0"))
}

pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        let parts = ["", "a", "\0", "\u{1}", "0", "1", "ä"];
        for one in parts {
            for two in parts {
                for three in parts {
                    for four in parts {
                        let text = [one, two, three, four].concat();
                        let encoded = encode(&text);
                        assert!(!encoded.contains('\0'));
                        assert_eq!(decode(&encoded), text);
                    }
                }
            }
        }
    }
}
