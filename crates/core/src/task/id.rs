//! The number of a task in its session.

/// A task of a session, as a dense number.
///
/// A number belongs to a name for good: a task that replaces another one, or is added again after
/// it was removed, has the number of its name, and with it the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u32);

impl TaskId {
    /// Makes the id of the task at a place of the registry.
    ///
    /// # Panics
    ///
    /// If there are more than four thousand million tasks.
    pub fn at(index: usize) -> Self {
        // OK because each task takes hundreds of bytes: memory ends long before the numbers do.
        Self(u32::try_from(index).expect("fewer than 2^32 tasks"))
    }

    /// Tells the place in the registry.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
