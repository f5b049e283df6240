//! What this language reads and the reference's does not, and the other way round.
//!
//! A text that the reference refuses may be read here, because its tree has a form that the
//! reference lacks ([`of_tree`]) or because spelling is freer ([`of_spelling`]). A text that the
//! reference reads over is refused here ([`refused`]). Each rule is in `docs/semantics.md`.

use redengine_core::expr::{
    Age, Basis, Count, Expr, Happening, LookBack, Outcome, Statement, Times,
};
use redengine_core::period::{Cycle, Period, Place, Unit, Window};

const TEMPORAL: &str = "`for`, `newly` and `since` are not in the reference";
const ZONES: &str = "a condition may name its zone";
const WINDOWS: &str = "cycles, windows and points that the reference does not have";
const STATEMENTS: &str = "statements that the reference does not have";
const COUNTS: &str = "counts and ages that the reference does not have";
const CRON: &str = "more of cron than the reference knows";
const TIME_OF: &str = "`time of` takes all windows";
const OWN: &str = "`is running` without a task means the task itself";

/// Tells by which rule a condition has a form that the reference does not have.
pub fn of_tree(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::For(..) | Expr::Newly(_) | Expr::Since(..) => Some(TEMPORAL),
        Expr::Not(inner) => of_tree(inner),
        Expr::All(members) | Expr::Any(members) => members.iter().find_map(of_tree),
        Expr::Statement(statement, _) => of_statement(statement),
        _ => None,
    }
}

/// Tells by which rule a period has a form that the reference does not have.
pub fn of_times(times: &Times) -> Option<&'static str> {
    match times {
        Times::Period(period) => of_fixed(period),
        Times::Past(_) => None,
        Times::All(members) | Times::Any(members) => members.iter().find_map(of_times),
        _ => Some(WINDOWS),
    }
}

/// As [`of_times`], for periods that statements like `daily` are once in.
fn of_windows(times: &Times) -> Option<&'static str> {
    match times {
        Times::Period(period) => of_period(period),
        other => of_times(other),
    }
}

fn of_statement(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::InPeriod { zone: Some(_), .. }
        | Statement::Once { zone: Some(_), .. }
        | Statement::Cron { zone: Some(_), .. }
        | Statement::Has { within: LookBack::Window { zone: Some(_), .. }, .. } => Some(ZONES),
        Statement::InPeriod { period, .. } => of_times(period),
        Statement::Once { retries: 1.., .. } => Some(COUNTS),
        Statement::Once { period, .. } => of_windows(period),
        Statement::Every { basis, .. } if *basis != Basis::Due => Some(STATEMENTS),
        Statement::Has { event: Happening::Crashed, .. } => Some(STATEMENTS),
        Statement::Has { count, .. } if *count != Count::AtLeast(1) => Some(COUNTS),
        Statement::Has { within: LookBack::Window { period, .. }, .. } => of_windows(period),
        Statement::After { outcome: Outcome::Terminated, .. } => Some(STATEMENTS),
        Statement::Running { task: None, .. } => Some(OWN),
        Statement::Running { age, .. } if *age != Age::Any => Some(COUNTS),
        Statement::Cron { within: Some(_), .. } => Some(WINDOWS),
        Statement::Cron { cron, .. } => of_cron(&cron.to_string()),
        Statement::Retry { count: None, .. } | Statement::Retry { after: Some(_), .. } => {
            Some(STATEMENTS)
        }
        Statement::Custom(_) | Statement::Phrase(_) => Some(STATEMENTS),
        _ => None,
    }
}

/// As [`of_period`], for periods that statements like `time of day ..` are true in.
fn of_fixed(period: &Period) -> Option<&'static str> {
    match period {
        Period::Cycle(Cycle { window: Window::On(_), .. }) => Some(TIME_OF),
        other => of_period(other),
    }
}

fn of_period(period: &Period) -> Option<&'static str> {
    match period {
        Period::Always | Period::Never => None,
        Period::All(members) | Period::Any(members) => members.iter().find_map(of_fixed),
        Period::Cycle(cycle) => of_cycle(cycle),
        Period::Cron(cron) => of_cron(&cron.to_string()),
        _ => Some(WINDOWS),
    }
}

fn of_cycle(cycle: &Cycle) -> Option<&'static str> {
    let points = match cycle.window {
        Window::Full => vec![],
        Window::On(point)
        | Window::Starting(point)
        | Window::After(point)
        | Window::Before(point) => {
            vec![point]
        }
        Window::Between(from, to) => vec![from, to],
    };
    let known = |place| matches!(place, Place::Whole | Place::Weekday(_) | Place::MonthDay(_));
    let whole = cycle.unit != Unit::Year && cycle.within.is_none();
    (!whole || !points.iter().all(|point| known(point.place))).then_some(WINDOWS)
}

/// Tells by which rule a cron expression has a form that the reference does not have: seconds,
/// nicknames, `L`, `W`, `#`, `~` and `?`.
pub fn of_cron(text: &str) -> Option<&'static str> {
    let fields = text.split_whitespace();
    let extended = fields.clone().count() == 6
        || text.contains(['@', '#', '~', '?'])
        || fields.skip(2).any(|field| field.contains(['L', 'W']));
    extended.then_some(CRON)
}

/// Tells by which rule a text is spelled as the reference does not allow.
pub fn of_spelling(input: &str) -> Option<&'static str> {
    statements(input).iter().find_map(|statement| {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let any = |known: &[&str]| words.iter().any(|word| known.contains(word));
        let capital = |word: &&str| {
            let letters = word.chars().all(char::is_alphabetic);
            letters && word.contains(char::is_uppercase) && !is_name(word)
        };
        if words.iter().any(capital) {
            Some("words of the language are read in any case")
        } else if statement.trim() != words.join(" ") {
            Some("white space is free")
        } else if statement.contains('!') {
            Some("`!` is another `~`")
        } else if any(&["run", "at"]) {
            Some("`run daily` is another `daily`, `at` another `on`")
        } else if statement.contains('"') {
            Some("names are quoted with `'` or `\"`")
        } else {
            None
        }
    })
}

/// Tells by which rule this language refuses what the reference reads.
pub fn refused(input: &str) -> Option<&'static str> {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let beside = |at: usize, mark: char| {
        let (before, after) = (input[..at].chars().next_back(), input[at + 1..].chars().next());
        match mark {
            '\'' => {
                (letter(before) || before == Some('\'')) && (letter(after) || after == Some('\''))
            }
            _ => before == Some(' ') && letter(after),
        }
    };
    if input.match_indices('\'').any(|(at, _)| beside(at, '\'')) {
        return Some("a quote in a name is doubled (S-QUOTE)");
    }
    if input.match_indices(',').any(|(at, _)| beside(at, ',')) {
        return Some("no text is read over (S-REGEX-SEARCH)");
    }
    let ends = |statement: &String| {
        statement.split_whitespace().filter(|word| word.eq_ignore_ascii_case("and")).count() > 1
    };
    statements(input).iter().any(ends).then_some("a window has two ends (S-DATEUTIL)")
}

/// Cuts a text into its statements, with the closing quote in place of what is quoted.
fn statements(input: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut quote = None;
    for c in input.chars() {
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if matches!(c, '&' | '|' | '~' | '(' | ')') => statements.push(String::new()),
            Some(open) if open != c => {}
            _ => {
                quote = None;
                statements.iter_mut().next_back().into_iter().for_each(|s| s.push(c));
            }
        }
    }
    statements
}

/// Tells whether a word is a name that is written with a capital.
fn is_name(word: &str) -> bool {
    const NAMES: &[&str] = &[
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun",
        "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = word.to_lowercase();
    matches!(word, "AM" | "PM") || NAMES.iter().any(|name| lower.starts_with(name))
}
