//! How far a session has followed its log, and whether it is the same log still.
//!
//! Always: the record at a place is told by its run and action, so that another record under the same
//! number is seen. A log that was restored from a copy, or whose server was taken over from by one that
//! lacks the last records, goes on with numbers that it has given before.

use redengine_core::record::{Action, Recorded, RunId, Seq};
use redengine_core::runlog::{LogError, Query, RunLog};

/// All records up to one of them are known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) seq: Seq,
    /// Which record that is; `None`: there was none of this number.
    record: Option<(RunId, Action)>,
}

/// What a log is to who has followed it up to a place.
pub(super) enum Looked {
    /// It has all that was known of it, and this is its last record.
    Same(Seq),
    /// It lacks some of that, and ends here.
    Replaced(Place),
}

impl Place {
    /// The end of a log.
    pub(super) async fn end(log: &dyn RunLog) -> Result<Self, LogError> {
        let last = log.last_seq().await?;
        Self::at(last, log).await
    }

    async fn at(seq: Seq, log: &dyn RunLog) -> Result<Self, LogError> {
        let place = Self::skipped_to(seq);
        if seq == Seq(0) {
            return Ok(place);
        }
        let there = log.read(place.and_later().limit(1)).await?;
        Ok(there.first().filter(|there| there.seq == seq).map_or(place, Self::of))
    }

    /// The place of a record.
    pub(super) fn of(Recorded { seq, record }: &Recorded) -> Self {
        Self { seq: *seq, record: Some((record.run, record.action)) }
    }

    /// A place before which there are no more records, whatever was there.
    pub(super) fn skipped_to(seq: Seq) -> Self {
        Self { seq, record: None }
    }

    /// Asks for the record that is here, and those after it.
    pub(super) fn and_later(self) -> Query {
        Query::all().after(Seq(self.seq.0.saturating_sub(1)))
    }

    /// Tells whether a record may be the one that was known here. One that is gone was pruned.
    pub(super) fn may_be(self, there: Option<&Recorded>) -> bool {
        let here = there.filter(|there| there.seq == self.seq);
        here.is_none_or(|here| self.record.is_none() || self.record == Self::of(here).record)
    }

    /// Looks what has become of a log that did not answer for a while.
    pub(super) async fn look(self, log: &dyn RunLog) -> Result<Looked, LogError> {
        let end = Self::end(log).await?;
        if end.seq < self.seq {
            return Ok(Looked::Replaced(end));
        }
        let here = if end.seq == self.seq { end } else { Self::at(self.seq, log).await? };
        let is_other = |known| here.record.is_some_and(|there| there != known);
        Ok(match self.record {
            Some(known) if is_other(known) => Looked::Replaced(end),
            _ => Looked::Same(end.seq),
        })
    }
}
