//! What does not hang on time or tasks: the scheduler, parameters, the environment, constants,
//! custom conditions.

use std::sync::Arc;

use super::{Kind, Parsed, Parser};
use crate::error::shortened;
use crate::expr::{Count, Custom, Expr, Literal, Span, Statement};
use crate::period::Period;

impl Parser<'_> {
    /// `"scheduler" ( "has" [ count ] "cycles" | "has run over" dur | "started" dur "ago" )`
    pub(super) fn scheduler(&mut self) -> Parsed<Expr> {
        self.bump();
        if self.eat("started") {
            let past = self.duration()?;
            self.need("ago")?;
            return Ok(Statement::SchedulerStarted(past).into());
        }
        if !self.eat("has") {
            return self.expected_word(&["has", "started"], "`has` or `started`");
        }
        if self.eat("run") {
            self.need("over")?;
            return Ok(Statement::SchedulerRunOver(self.duration()?).into());
        }
        let Some::<Count>(count) = self.count()? else {
            let words = ["run", "more", "less", "at", "exactly", "between"];
            return self.expected_word(&words, "a number of cycles or `run over`");
        };
        self.need("cycles")?;
        Ok(Statement::Cycles(count).into())
    }

    /// `"param" name ( "exists" | "is" text )`
    pub(super) fn param(&mut self) -> Parsed<Expr> {
        self.bump();
        let name = self.name("a parameter name")?;
        if self.eat("exists") {
            return Ok(Statement::ParamExists(name).into());
        }
        if self.eat("is") {
            let value = self.quoted("a value")?;
            return Ok(Statement::ParamIs { name, value }.into());
        }
        self.expected_word(&["exists", "is"], "`exists` or `is`")
    }

    /// `"env" name`
    pub(super) fn env(&mut self) -> Parsed<Expr> {
        self.bump();
        Ok(Statement::Env(self.name("an environment name")?).into())
    }

    /// `"true" | "false"`
    pub(super) fn constant(&mut self) -> Expr {
        let value = self.is("true");
        self.bump();
        Expr::Const(value)
    }

    /// `"always" [ "true" | "false" ]`
    pub(super) fn always(&mut self) -> Parsed<Expr> {
        self.bump();
        if self.is("true") || self.is("false") {
            return Ok(self.constant());
        }
        self.no_typo_of(&["true", "false"])?;
        Ok(Statement::InPeriod { period: Period::Always.into(), zone: None }.into())
    }

    /// `"never"`
    pub(super) fn never(&mut self) -> Expr {
        self.bump();
        Statement::InPeriod { period: Period::Never.into(), zone: None }.into()
    }

    /// `name "(" [ literal { "," literal } ] ")"`, or a phrase.
    pub(super) fn custom(&mut self) -> Parsed<Expr> {
        let (span, name) = (self.token.span, self.word());
        if self.text.as_bytes().get(span.end) != Some(&b'(') {
            return self.phrase();
        }
        self.bump();
        self.bump();
        let mut args = Vec::new();
        while self.token.kind != Kind::Close {
            args.push(self.literal()?);
            if self.token.kind == Kind::Comma {
                self.bump();
            } else if self.token.kind != Kind::Close {
                return self.expected("`,` or `)`");
            }
        }
        self.bump();
        Ok(Custom { name: Arc::from(name), args, probe: None }.into())
    }

    /// `text | [ "-" ] number | "true" | "false"`
    pub(super) fn literal(&mut self) -> Parsed<Literal> {
        if self.is("true") || self.is("false") {
            let value = self.is("true");
            self.bump();
            return Ok(Literal::Bool(value));
        }
        let start = self.token.span.start;
        let numeric = self.token.kind == Kind::Number || self.word() == "-";
        if !numeric {
            return self.quoted("a text, a number, `true` or `false`").map(Literal::Text);
        }
        let (end, number) = self.number_at(start);
        let Some(literal) = number else {
            let message = format!("`{}` is no number", shortened(&self.text[start..end]));
            return self.wrong(Span { start, end }, message, None);
        };
        self.go_to(end);
        Ok(literal)
    }
}
