//! What tasks did and do: `has ..`, `is running`, `after ..`, `retry`.

use super::time::AFTER_WINDOW;
use super::{Kind, Parsed, Parser};
use crate::expr::{
    Age, Count, Expr, Happening, LookBack, Outcome, Quantifier, Span, Statement, Times,
};
use crate::period::Period;
use crate::period::Unit;

/// What a task `has` done.
const HAPPENINGS: &[(&str, Happening)] = &[
    ("succeeded", Happening::Succeeded),
    ("failed", Happening::Failed),
    ("finished", Happening::Finished),
    ("started", Happening::Started),
    ("terminated", Happening::Terminated),
    ("inacted", Happening::Inacted),
    ("crashed", Happening::Crashed),
];

/// The outcomes that `after` waits for.
const OUTCOMES: &[(&str, Outcome)] = &[
    ("succeeded", Outcome::Succeeded),
    ("failed", Outcome::Failed),
    ("finished", Outcome::Finished),
    ("terminated", Outcome::Terminated),
];

/// The cycles that `this` goes with; `today` is the day.
const THIS: &[(&str, Unit)] = &[
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("year", Unit::Year),
];

impl Parser<'_> {
    /// `"has" action [ count ] [ period ]`, of the task that owns the condition.
    pub(super) fn own_history(&mut self) -> Parsed<Expr> {
        self.history(None)
    }

    /// `"is" "running" [ age ]`, of the task that owns the condition.
    pub(super) fn own_running(&mut self) -> Parsed<Expr> {
        self.running(None)
    }

    /// `"task" name ( "has" .. | "is running" .. )`
    pub(super) fn task_history(&mut self) -> Parsed<Expr> {
        self.bump();
        let task = self.name("a task name")?;
        if self.is("has") {
            self.history(Some(task))
        } else if self.is("is") {
            self.running(Some(task))
        } else {
            self.expected_word(&["has", "is"], "`has` or `is running`")
        }
    }

    /// `"while" "task" name "is running" [ age ]`
    pub(super) fn while_running(&mut self) -> Parsed<Expr> {
        self.bump();
        self.need("task")?;
        let task = self.name("a task name")?;
        if !self.is("is") {
            return self.expected_word(&["is"], "`is running`");
        }
        self.running(Some(task))
    }

    fn history(&mut self, task: Option<String>) -> Parsed<Expr> {
        self.bump();
        let event = self.need_choice(HAPPENINGS, "what happened, like `succeeded` or `failed`")?;
        let count = self.times()?;
        let within = self.look_back()?;
        Ok(Statement::Has { task, event, count, within }.into())
    }

    /// `[ count ( "time" | "times" ) ]`
    fn times(&mut self) -> Parsed<Count> {
        let Some(count) = self.count()? else { return Ok(Count::AtLeast(1)) };
        if self.eat("times") || self.eat("time") {
            return Ok(count);
        }
        self.expected_word(&["times"], "`times`")
    }

    /// `[ "at least" n | "more than" n | .. | "between" n "and" n | n ]`
    pub(super) fn count(&mut self) -> Parsed<Option<Count>> {
        let count = if self.eat("at") {
            let least =
                self.need_choice(&[("least", true), ("most", false)], "`least` or `most`")?;
            let n = self.int("a number")?;
            if least { Count::AtLeast(n) } else { Count::AtMost(n) }
        } else if self.eat("more") {
            self.need("than")?;
            Count::MoreThan(self.int("a number")?)
        } else if self.eat("less") {
            self.need("than")?;
            Count::LessThan(self.int("a number")?)
        } else if self.eat("exactly") {
            Count::Exactly(self.int("a number")?)
        } else if self.is("between") && !self.date_follows() {
            self.bump();
            let start = self.token.span.start;
            let low = self.int("a number")?;
            self.need("and")?;
            let high = self.int("a number")?;
            if low > high {
                let span = Span { start, end: self.last_end };
                return self.wrong(span, format!("no number is between {low} and {high}"), None);
            }
            Count::Between(low, high)
        } else if self.token.kind == Kind::Number {
            Count::Exactly(self.int("a number")?)
        } else {
            return Ok(None);
        };
        Ok(Some(count))
    }

    /// `[ "today" [ window ] | "this" unit [ window ] | [ "in" ] "past" dur | dates
    /// | "in" "(" times ")" ]`
    fn look_back(&mut self) -> Parsed<LookBack> {
        let dates = ["between", "before", "after"].iter().any(|word| self.is(word));
        if dates && self.date_follows() {
            let period = Times::Period(self.span_of_dates()?);
            return self.looking_back(period);
        }
        if self.is("on") {
            if !self.date_follows() {
                let help = "for other days, write `in (on ..)`";
                self.bump();
                return self.expected_with("a date like `2026-01-01`", Some(help));
            }
            let period = self.on_days()?;
            return self.looking_back(period);
        }
        let unit = if self.eat("today") {
            Unit::Day
        } else if self.eat("this") {
            if self.is("day") {
                return self.expected_with(
                    "`minute`, `hour`, `week`, `month` or `year`",
                    Some("write `today`"),
                );
            }
            self.need_choice(THIS, "`minute`, `hour`, `week`, `month` or `year`")?
        } else if self.is("in") || self.is("past") {
            if self.eat("in") && self.token.kind == Kind::Open {
                let period = self.times_in_parentheses()?;
                return self.looking_back(period);
            }
            self.need("past")?;
            return Ok(LookBack::Past(self.duration()?));
        } else {
            self.no_typo_of(&[
                "today", "this", "past", "in", "at", "more", "less", "exactly", "between",
                "before", "after", "on",
            ])?;
            return Ok(LookBack::Ever);
        };
        let (cycle, options) = self.window_of(unit, AFTER_WINDOW)?;
        let period = Times::Period(Period::Cycle(cycle));
        Ok(LookBack::Window { period, zone: options.zone })
    }

    /// In the window of a period that began last; `[ "in" zone ]` may follow.
    fn looking_back(&mut self, period: Times) -> Parsed<LookBack> {
        let zone = self.options(&["in"])?.zone;
        Ok(LookBack::Window { period, zone })
    }

    fn running(&mut self, task: Option<String>) -> Parsed<Expr> {
        self.bump();
        self.need("running")?;
        let age = if self.eat("more") {
            self.need("than")?;
            Age::MoreThan(self.duration()?)
        } else if self.eat("less") {
            self.need("than")?;
            Age::LessThan(self.duration()?)
        } else if self.eat("between") {
            let start = self.token.span.start;
            let low = self.duration()?;
            self.need("and")?;
            let high = self.duration()?;
            if low > high {
                let span = Span { start, end: self.last_end };
                return self.wrong(span, "the shorter duration comes first".to_owned(), None);
            }
            Age::Between(low, high)
        } else {
            self.no_typo_of(&["more", "less", "between"])?;
            Age::Any
        };
        Ok(Statement::Running { task, age }.into())
    }

    /// `"after" ( "task" name | [ "any" ] "tasks" name { "," name } ) [ outcome ]`, or a date.
    pub(super) fn after(&mut self) -> Parsed<Expr> {
        if self.date_follows() {
            return self.dated();
        }
        self.bump();
        let any = self.eat("any");
        let mut which = if any { Quantifier::Any } else { Quantifier::All };
        let tasks = if self.eat("tasks") {
            self.names()?
        } else if !any && self.eat("task") {
            let task = self.name("a task name")?;
            if self.token.kind == Kind::Comma {
                return self.expected_with(
                    "an outcome or the end",
                    Some("for several tasks, write `after tasks`"),
                );
            }
            vec![task]
        } else {
            let words: &[&str] = if any { &["tasks"] } else { &["task", "tasks", "any"] };
            let what = if any { "`tasks`" } else { "`task`, `tasks`, `any tasks` or a date" };
            if let Some(help) = self.part_of_a_cycle("after") {
                return self.expected_with(what, Some(&help));
            }
            return self.expected_word(words, what);
        };
        if tasks.len() == 1 {
            which = Quantifier::All;
        }
        let outcome = self.outcome()?;
        Ok(Statement::After { tasks, which, outcome }.into())
    }

    /// `name { "," name }`; a comma stands right after a name.
    fn names(&mut self) -> Parsed<Vec<String>> {
        let mut names = vec![self.name("a task name")?];
        while self.token.kind == Kind::Comma {
            if self.token.span.start > self.last_end {
                return self.wrong(
                    self.token.span,
                    "a blank before the comma".to_owned(),
                    Some("write it right after the name"),
                );
            }
            self.bump();
            names.push(self.name("a task name")?);
        }
        Ok(names)
    }

    fn outcome(&mut self) -> Parsed<Outcome> {
        if let Some(outcome) = self.choice(OUTCOMES) {
            self.bump();
            return Ok(outcome);
        }
        self.no_typo_of(&["succeeded", "failed", "finished", "terminated"])?;
        Ok(Outcome::Succeeded)
    }

    /// `"retry" [ int ] [ "after" dur ]`
    pub(super) fn retry(&mut self) -> Parsed<Expr> {
        self.bump();
        let count = match self.token.kind {
            Kind::Number => Some(self.int("a number of retries")?),
            _ => None,
        };
        let after = if self.eat("after") {
            Some(self.duration()?)
        } else {
            self.no_typo_of(&["after"])?;
            None
        };
        Ok(Statement::Retry { count, after }.into())
    }
}
