//! The reference as a page.

use std::fmt::{self, Display, Formatter};

use super::{Entry, FORMS, Group, OPERATORS, PARTS, Part};

const INTRODUCTION: &str = "\
# Statements

What may stand in a condition, when it is true, and which functions of `redengine::prelude` build it. This page is made of
the table that the parser reads by (`redengine_core::expr::reference`).

A condition is a statement, or several that are joined with `&` (and), `|` (or) and `~` (not). White space and line breaks are
free, and words are read in any case. What is wrong with a text is said with the place and what to write
instead, all at once: by the compiler in `#[task]`, when the session is built elsewhere.

In the syntax, `[..]` may be left out, `a|b` is either, and words in capitals are explained in [Parts](#parts).

";

/// Writes the reference of the language as Markdown.
///
/// ```
/// use redengine_core::expr::reference;
///
/// assert!(reference::markdown().contains("### `every DURATION"));
/// ```
pub fn markdown() -> String {
    Page.to_string()
}

struct Page;

impl Display for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(INTRODUCTION)?;
        for group in Group::ALL {
            writeln!(f, "## {}\n", group.title())?;
            let forms = FORMS.iter().filter(|form| form.group == group);
            forms.map(|form| &form.entry).try_for_each(|entry| write_entry(entry, f))?;
        }
        f.write_str(
            "## Operators\n\nFrom the loosest to the tightest; parentheses go before all.\n\n",
        )?;
        OPERATORS.iter().try_for_each(|entry| write_entry(entry, f))?;
        f.write_str("## Parts\n")?;
        PARTS.iter().try_for_each(|part| write_part(part, f))
    }
}

fn write_entry(entry: &Entry, f: &mut Formatter<'_>) -> fmt::Result {
    let Entry { syntax, true_when, wakes, looks_back, examples } = entry;
    writeln!(f, "### `{syntax}`\n")?;
    writeln!(f, "- **True when** {true_when}")?;
    writeln!(f, "- **Wakes** {wakes}")?;
    writeln!(f, "- **Looks back** {looks_back}\n")?;
    f.write_str("| text | Rust |\n|---|---|\n")?;
    for example in *examples {
        writeln!(f, "| {} | {} |", Cell(example.text), Cell(example.rust))?;
    }
    f.write_str("\n")
}

fn write_part(part: &Part, f: &mut Formatter<'_>) -> fmt::Result {
    let Part { name, about, examples } = part;
    writeln!(f, "\n### `{name}`\n\n{about}\n")?;
    f.write_str("| in | means |\n|---|---|\n")?;
    examples.iter().try_for_each(|(text, means)| writeln!(f, "| {} | {means} |", Cell(text)))
}

/// Code in a table, where `|` would end it.
struct Cell<'a>(&'a str);

impl Display for Cell<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.replace('|', "\\|"))
    }
}
