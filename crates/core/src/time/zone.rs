//! Time zones; gaps and folds.

use std::fmt;

/// A time zone: an IANA name and its rules.
#[derive(Clone)]
pub struct Zone(jiff::tz::TimeZone, Box<str>);

/// A name that is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{name}`{}", suggestion.as_ref().map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
pub struct ZoneError {
    /// The name.
    pub name: String,
    /// The zone that was likely meant.
    pub suggestion: Option<String>,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.1)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.1 == other.1
    }
}

impl Eq for Zone {}

impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.1.hash(state);
    }
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC, "UTC".into())
    }

    /// Looks up a zone by its IANA name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        jiff::tz::TimeZone::get(name)
            .map(|zone| Self(zone, name.into()))
            .map_err(|_| ZoneError { name: name.to_owned(), suggestion: None })
    }

    /// Tells its IANA name.
    pub fn name(&self) -> &str {
        &self.1
    }
}
