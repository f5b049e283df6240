//! The fields of a cron expression: which values each takes, and sets of them.

/// A field: its name, the values it takes, and their names.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) low: u8,
    pub(super) high: u8,
    /// The highest value that `~` picks: the last days of a month are not in every month.
    pub(super) pick: u8,
    pub(super) names: &'static [&'static str],
}

pub(super) const SECOND: Field = Field { name: "second", low: 0, high: 59, pick: 59, names: &[] };
pub(super) const MINUTE: Field = Field { name: "minute", low: 0, high: 59, pick: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", low: 0, high: 23, pick: 23, names: &[] };
pub(super) const DATE: Field =
    Field { name: "day of the month", low: 1, high: 31, pick: 28, names: &[] };
pub(super) const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    pick: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
pub(super) const WEEKDAY: Field = Field {
    name: "day of the week",
    low: 0,
    high: 6,
    pick: 6,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};

impl Field {
    /// Tells whether it is one of the two that name a day.
    pub(super) fn is_day(&self) -> bool {
        self.name == DATE.name || self.name == WEEKDAY.name
    }

    /// Tells the highest value that may be written: Sunday is 7 too.
    pub(super) fn highest(&self) -> u8 {
        if self.name == WEEKDAY.name { 7 } else { self.high }
    }

    /// Makes the set of a range, which may wrap.
    pub(super) fn range(&self, first: u8, last: u8, step: u8) -> u64 {
        let count = self.high - self.low + 1;
        // Sunday as 7 begins the week when it begins a range, and ends it when it ends one.
        let (first, last) = match (first > self.high, last > self.high) {
            (true, true) => (self.low, self.low),
            (true, false) => (self.low, last),
            _ => (first, last),
        };
        let length = if last >= first { last - first } else { last + count - first };
        let mut set = 0;
        let mut offset = 0_u8;
        while offset <= length {
            let value = (first - self.low + offset) % count + self.low;
            set |= 1 << value;
            match offset.checked_add(step) {
                Some(next) => offset = next,
                None => break,
            }
        }
        set
    }
}

/// Picks a number below `width`: always the same for a seed and a field.
pub(super) fn pick(seed: &str, field: &str, width: u8) -> u8 {
    // FNV-1a, written out because it must not change with a library: it decides when jobs run.
    let bytes = seed.bytes().chain([0xff]).chain(field.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The upper half is the better mixed one; scaled rather than divided, it stays even.
    let scaled = ((hash >> 32) * u64::from(width)) >> 32;
    u8::try_from(scaled).unwrap_or(0)
}

/// Takes the lower half of a set, where all values but those of minutes and seconds are.
pub(super) fn low(set: u64) -> u32 {
    u32::try_from(set & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
