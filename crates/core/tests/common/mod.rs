//! What tests of texts have in common.

use expect_test::Expect;
use redengine_core::expr::parse;

/// Reads conditions and compares what comes of each, printed or told as an error.
pub(crate) fn check(texts: &[&str], expected: &Expect) {
    let read = |text: &&str| parse(text).map_or_else(|e| e.to_string(), |e| e.to_string());
    let read: Vec<String> = texts.iter().map(read).collect();
    expected.assert_eq(&read.join("\n\n"));
}
