//! The last number of a log, as it is told to who waits for more.
//!
//! Always: it only grows, unless the log has lost records that were told of: it was restored from a
//! backup, or a server has taken over that lacks them.

use redengine_core::record::Seq;

/// The last number that is known of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Last {
    number: Seq,
    /// Up to here numbers were told of records that the log has lost since.
    lost: Seq,
}

impl Last {
    /// Tells the number.
    pub(crate) fn number(self) -> Seq {
        self.number
    }

    /// Takes a number whose record is there; tells whether it is news.
    pub(crate) fn tell(&mut self, number: Seq) -> bool {
        let is_news = number > self.number;
        self.number = self.number.max(number);
        is_news
    }

    /// Takes what the log has as its last number, asked after `known` was told; tells whether it is news.
    pub(crate) fn take(&mut self, known: Seq, number: Seq) -> bool {
        if number >= known {
            return self.tell(number);
        }
        self.lost = self.lost.max(known);
        // Else somebody has told of what came after that.
        if self.number == known {
            self.number = number;
        }
        true
    }

    /// Tells whether this number was told and its record was lost, with those of others after it.
    pub(crate) fn has_lost(self, seq: Seq) -> bool {
        self.number < seq && seq <= self.lost
    }
}
