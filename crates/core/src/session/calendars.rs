//! Calendars as a user gives them to a session: names, and the dates that each stands for.
//!
//! What is wrong with one waits until the session is built, so that it is told with all else.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::NaiveDate;

use super::builder::BuildProblem;
use crate::period::{DateError, Dates};

/// Calendars, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Calendars(Vec<(String, Vec<Result<NaiveDate, DateError>>)>);

impl Calendars {
    pub(super) fn add(&mut self, name: String, dates: Vec<Result<NaiveDate, DateError>>) {
        self.0.push((name, dates));
    }

    /// Makes them what conditions may name. A wrong date leaves the others of its calendar as they
    /// are, so that nobody hears of an unknown calendar on top.
    pub(super) fn known(self, problems: &mut Vec<BuildProblem>) -> BTreeMap<String, Dates> {
        let mut known = BTreeMap::new();
        for (name, dates) in self.0 {
            let mut wrong = |reason: String| {
                problems.push(BuildProblem::Calendar { name: name.clone(), reason });
            };
            let mut right = Vec::with_capacity(dates.len());
            for date in dates {
                match date {
                    Ok(date) => right.push(date),
                    Err(error) => wrong(error.to_string()),
                }
            }
            if name.trim().is_empty() || name.contains(char::is_control) {
                wrong("that is no name; take a word like `holidays`".to_owned());
                continue;
            }
            match known.entry(name.clone()) {
                Entry::Vacant(place) => {
                    place.insert(Dates::new(right));
                }
                Entry::Occupied(_) => {
                    let reason = "there are two of that name; give all dates at once, or name one \
                                  otherwise";
                    wrong(reason.to_owned());
                }
            }
        }
        known
    }
}
