//! The operators, and the parts that statements have in common.

use super::{Entry, Example, Part};

/// The operators, from the loosest to the tightest.
pub static OPERATORS: &[Entry] = &[
    Entry {
        syntax: "a | b",
        true_when: "any of them holds.",
        wakes: "true, when the last of those that hold may end; false, when any may begin to hold.",
        looks_back: "as they do.",
        examples: &[Example {
            text: "daily | after task 'fetch'",
            rust: "daily() | after_success(\"fetch\")",
        }],
    },
    Entry {
        syntax: "a & b",
        true_when: "all of them hold.",
        wakes: "true, when any may end; false, when the last of those that do not hold may.",
        looks_back: "as they do.",
        examples: &[Example {
            text: "every 10 s & time of day after 07:00",
            rust: "every(\"10 s\") & time_of_day().after(\"07:00\")",
        }],
    },
    Entry {
        syntax: "a since b",
        true_when: "a holds, and began to no earlier than b last began or ended.",
        wakes: "when either may change.",
        looks_back: "to the last change of each.",
        examples: &[Example {
            text: "has failed past 1 hour since param 'x' exists",
            rust: "since(failed().past(\"1 hour\"), param(\"x\").exists())",
        }],
    },
    Entry {
        syntax: "newly a",
        true_when: "a holds, and began to later than this task last started.",
        wakes: "when a may change, and when this task starts.",
        looks_back: "to when a began to hold, and to the latest start.",
        examples: &[Example {
            text: "newly param 'x' exists",
            rust: "newly(param(\"x\").exists())",
        }],
    },
    Entry {
        syntax: "a for DURATION",
        true_when: "a has held for that long without a break.",
        wakes: "when that time is over, and when a may change.",
        looks_back: "to when a began to hold.",
        examples: &[Example {
            text: "task 'fetch' is running for 10 min",
            rust: "held_for(running().task(\"fetch\"), \"10 min\")",
        }],
    },
    Entry {
        syntax: "~a",
        true_when: "a is known not to hold; `!a` is the same.",
        wakes: "as a does.",
        looks_back: "as a does.",
        examples: &[Example { text: "~has failed past 1 min", rust: "!failed().past(\"1 min\")" }],
    },
];

/// The parts, in the order in which they are met.
pub static PARTS: &[Part] = &[
    Part {
        name: "WINDOW",
        about: "A part of each cycle, from its first instant to before its last. Without one, the \
                whole cycle is meant.",
        examples: &[
            ("daily before 07:00", "from the start of the cycle to the point"),
            ("daily after 07:00", "from the point to the end of the cycle"),
            ("daily between 22:00 and 06:00", "from point to point, perhaps over the cycle's end"),
            ("weekly between Mon and Fri", "a day as the end is part of the window"),
            ("daily at 10:00", "the hour (day, month) that the point names; `on` is the same"),
            ("weekly starting Tue", "all of it, but the cycle begins at the point"),
            ("daily at 07:00 within 10 min", "so long from its start, instead of to its end"),
        ],
    },
    Part {
        name: "POINT",
        about: "A place in the cycle.",
        examples: &[
            ("secondly after 250", "milliseconds of a second"),
            ("minutely after 30", "seconds of a minute, two digits"),
            ("hourly after 45:00", "minutes and seconds of an hour"),
            ("daily after 07:00", "a time of day; also `07:00:30.5`, `7am`, `07:00 PM`"),
            ("daily before 24:00", "midnight as an end"),
            ("weekly on Mon", "a weekday, short or long"),
            ("weekly after Friday 17:00", "a weekday and a time"),
            ("monthly on 3rd", "a day of the month; also `3`, `3.`, `3rd 10:00`"),
            ("monthly on last day", "the last day of the month; also `last`"),
            ("monthly on last Fri", "the last such weekday of the month"),
            ("yearly on Jan", "a month, short or long"),
            ("yearly after Feb 3rd 10:00", "a month and its day, perhaps with a time"),
        ],
    },
    Part {
        name: "DATE",
        about: "A date by itself is the whole day, in the time of the zone.",
        examples: &[
            ("on 2026-05-01", "year, month, day"),
            ("after 2026-05-01 10:00", "a date and a time of day; also `2026-05-01T10:00`"),
            ("before 2026-05-01T10:00:00Z", "an instant in UTC, whatever the zone"),
        ],
    },
    Part {
        name: "PERIOD",
        about: "What stands in parentheses after `in`: a set of intervals, made of statements \
                of time ([When](#when)) with `&` (where they overlap) and `|` (what overlaps is one). \
                Intervals that merely touch stay apart, so each day is one of its own. A span that \
                moves with now, like `past 2 hours`, is none.",
        examples: &[
            ("once in (time of day after 07:00)", "a window; the same as `daily after 07:00`"),
            ("once in (on weekdays & time of day after 07:00)", "the time after 07:00 on each"),
            ("once in (on weekends | on calendar 'holidays')", "each day that is one or the other"),
            ("once in (on 2026-05-01)", "a date, and spans of dates"),
            ("once in (cron '0 7 * * *')", "the matches of a cron expression"),
            ("time in (always)", "all time; `never` is no time"),
        ],
    },
    Part {
        name: "PAST",
        about: "The part of the past in which records count.",
        examples: &[
            ("has failed past 2 hours", "the elapsed time before now; `in past ..` is the same"),
            (
                "has failed today after 07:00",
                "the window that began last; also in `this minute`, \
                                              `hour`, `week`, `month`, `year`",
            ),
            ("has failed between 2026-01-01 and 2026-02-01", "a span of dates"),
            ("has failed in (on business days)", "the interval of a period that began last"),
        ],
    },
    Part {
        name: "COUNT",
        about: "A comparison of a number. For a status without one, at least 1 is meant.",
        examples: &[
            ("has failed at least 3 times", "3 or more"),
            ("has failed more than 3 times", "4 or more"),
            ("has failed less than 3 times", "2 or fewer"),
            ("has failed at most 3 times", "3 or fewer"),
            ("has failed exactly 3 times", "3; also `3 times`"),
            ("has failed between 2 and 4 times", "2, 3 or 4"),
        ],
    },
    Part {
        name: "DURATION",
        about: "Elapsed time, whatever the clock does. Units are `ms`, `s`, `min`, `h` and `days`, \
                and their longer spellings.",
        examples: &[
            ("every 10 s", "a number and a unit"),
            ("every 1 day 2 hours", "several of them; also `1 day, 2 hours`"),
            ("every 1h30m", "without blanks"),
            ("every 1:30:00", "hours, minutes and seconds"),
        ],
    },
    Part {
        name: "ZONE",
        about: "A time zone by its IANA name, with or without quotes. Without one, the session's \
                `timezone` is meant, and without that the system's.",
        examples: &[("daily after 07:00 in Europe/Helsinki", "07:00 there")],
    },
    Part {
        name: "EXPRESSION",
        about: "A cron expression: minute, hour, day of the month, month, day of the week; with \
                six fields, seconds first. Fields take `*`, numbers, names, ranges, steps, lists, \
                `L`, `W`, `#`, and `~` for a value that is picked by the task's name.",
        examples: &[
            ("cron 0 7 * * MON-FRI", "without quotes"),
            ("cron '*/15 9-17 * * *'", "with quotes"),
            ("cron @hourly", "a nickname"),
            ("cron '~ 3 * * *'", "some minute after 03:00"),
        ],
    },
    Part {
        name: "'NAME'",
        about: "Names of tasks, calendars and parameters, and all other texts, stand in quotes of \
                either kind; a quote in a text is doubled.",
        examples: &[("after task \"it's\"", "the task `it's`")],
    },
];
