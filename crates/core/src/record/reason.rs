//! Why a run ended so.

use std::error::Error;
use std::fmt;

/// Why a run ended so: a message and, where it is an error, what caused it.
///
/// It prints as the message, and each cause on a line of its own.
///
/// ```
/// use redengine_core::record::Reason;
///
/// let reason = Reason::new("cannot fetch the prices").because("the connection was refused");
/// assert_eq!(reason.message(), "cannot fetch the prices");
/// assert_eq!(reason.causes(), ["the connection was refused"]);
/// assert_eq!(
///     reason.to_string(),
///     "cannot fetch the prices\n  because: the connection was refused"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    message: String,
    causes: Vec<String>,
}

impl Reason {
    /// Makes a reason without causes.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new() }
    }

    /// Makes the reason of an error: what it says, and what each of its sources says.
    pub fn of(error: &dyn Error) -> Self {
        let sources = std::iter::successors(error.source(), |source| (*source).source());
        Self { message: error.to_string(), causes: sources.map(ToString::to_string).collect() }
    }

    /// Adds what caused the last cause, or the message if there is none yet.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Sets what caused it, the nearest first.
    pub fn with_causes(mut self, causes: Vec<String>) -> Self {
        self.causes = causes;
        self
    }

    /// Tells the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Tells what caused it, the nearest first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }
}

impl From<String> for Reason {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Reason {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, "\n  because: {cause}"))
    }
}
