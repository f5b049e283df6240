//! The statement forms.

use super::{Entry, Example, Form, Group, Rule};

/// The statement forms, in reading order.
pub static FORMS: &[Form] = &[
    Form {
        group: Group::Repeats,
        begins: &["daily", "hourly", "weekly", "monthly", "minutely", "secondly", "yearly", "run"],
        rule: Rule::Cycle,
        entry: Entry {
            syntax: "[run] secondly|minutely|hourly|daily|weekly|monthly|yearly [WINDOW] \
                     [within DURATION] [with N retries] [in ZONE]",
            true_when: "now is in the window, and no run that began in this window has succeeded, \
                        found nothing to do or been terminated, nor have more than N (0) failed.",
            wakes: "at the window's edges, and when a run of this task ends.",
            looks_back: "to the start of the window.",
            examples: &[
                Example { text: "daily", rust: "daily()" },
                Example { text: "daily after 07:00", rust: "daily().after(\"07:00\")" },
                Example {
                    text: "weekly between Mon and Fri",
                    rust: "weekly().between(\"Mon\", \"Fri\")",
                },
                Example { text: "monthly on last Fri", rust: "monthly().on(\"last Fri\")" },
                Example { text: "hourly starting 15:00", rust: "hourly().starting(\"15:00\")" },
                Example { text: "minutely before 45", rust: "minutely().before(\"45\")" },
                Example { text: "secondly after 250", rust: "secondly().after(\"250\")" },
                Example { text: "yearly on Feb 3rd", rust: "yearly().on(\"Feb 3rd\")" },
                Example {
                    text: "daily at 07:00 within 10 min with 2 retries in Europe/Helsinki",
                    rust: "daily().at(\"07:00\").within(\"10 min\").retries(2)\
                           .in_zone(\"Europe/Helsinki\")",
                },
            ],
        },
    },
    Form {
        group: Group::Repeats,
        begins: &["once"],
        rule: Rule::Once,
        entry: Entry {
            syntax: "once in (PERIOD) [with N retries] [in ZONE]",
            true_when: "now is in an interval of the period, and no run that began in this \
                        interval has succeeded, found nothing to do or been terminated, nor have \
                        more than N (0) failed.",
            wakes: "at the interval's edges, and when a run of this task ends.",
            looks_back: "to the start of the interval.",
            examples: &[
                Example {
                    text: "once in (time of day after 07:00 & on business days)",
                    rust: "once_in(time_of_day().after(\"07:00\") & on_business_days())",
                },
                Example {
                    text: "once in (on calendar 'sales') with 1 retry in UTC",
                    rust: "once_in(on_calendar(\"sales\")).retries(1).in_zone(\"UTC\")",
                },
            ],
        },
    },
    Form {
        group: Group::Repeats,
        begins: &["every"],
        rule: Rule::Every,
        entry: Entry {
            syntax: "every DURATION [based on due|finish|success|fail]",
            true_when: "the last run was due that long ago, or there was none; after a run that \
                        was later than one interval, that long after its start. `based on` counts \
                        from the last such record instead.",
            wakes: "when the interval is over, and when a run of this task starts (or ends so).",
            looks_back: "to the last run.",
            examples: &[
                Example { text: "every 10 s", rust: "every(\"10 s\")" },
                Example {
                    text: "every 10 min based on finish",
                    rust: "every(\"10 min\").based_on(Finish)",
                },
            ],
        },
    },
    Form {
        group: Group::Repeats,
        begins: &["cron"],
        rule: Rule::Cron,
        entry: Entry {
            syntax: "cron EXPRESSION [within DURATION] [in ZONE]",
            true_when: "now is in a match (its minute; with six fields its second; or that long \
                        from its start), and no run that was due in it has begun.",
            wakes: "at the start and the end of a match, and when a run of this task starts.",
            looks_back: "to the start of the match.",
            examples: &[
                Example {
                    text: "cron '*/5 * * * *' within 2 min",
                    rust: "cron(\"*/5 * * * *\").within(\"2 min\")",
                },
                Example {
                    text: "cron '0 7 * * MON-FRI' in Europe/Helsinki",
                    rust: "cron(\"0 7 * * MON-FRI\").in_zone(\"Europe/Helsinki\")",
                },
            ],
        },
    },
    Form {
        group: Group::Repeats,
        begins: &["retry"],
        rule: Rule::Retry,
        entry: Entry {
            syntax: "retry [N] [after DURATION]",
            true_when: "the last run failed, and no more than N in a row did (without N, however \
                        many); with `after`, that long after it, doubling with each.",
            wakes: "when a run of this task ends, and when the pause is over.",
            looks_back: "over the failures in a row.",
            examples: &[
                Example { text: "retry", rust: "retry_forever()" },
                Example { text: "retry 3", rust: "retry(3)" },
                Example { text: "retry 3 after 10 s", rust: "retry(3).after(\"10 s\")" },
            ],
        },
    },
    Form {
        group: Group::Time,
        begins: &["time"],
        rule: Rule::Time,
        entry: Entry {
            syntax: "time of minute|hour|day|week|month|year WINDOW [within DURATION] [in ZONE]",
            true_when: "now is in the window.",
            wakes: "at the window's edges.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example {
                    text: "time of day between 22:00 and 06:00",
                    rust: "time_of_day().between(\"22:00\", \"06:00\")",
                },
                Example { text: "time of week on Mon", rust: "time_of_week().on(\"Mon\")" },
                Example {
                    text: "time of month before 5th",
                    rust: "time_of_month().before(\"5th\")",
                },
                Example {
                    text: "time of year between Nov and Feb",
                    rust: "time_of_year().between(\"Nov\", \"Feb\")",
                },
                Example {
                    text: "time of hour after 45:00",
                    rust: "time_of_hour().after(\"45:00\")",
                },
                Example { text: "time of minute after 30", rust: "time_of_minute().after(\"30\")" },
            ],
        },
    },
    Form {
        group: Group::Time,
        begins: &["time"],
        rule: Rule::Time,
        entry: Entry {
            syntax: "time in (PERIOD) [in ZONE]",
            true_when: "now is in the period.",
            wakes: "at the period's edges.",
            looks_back: NOT_AT_ALL,
            examples: &[Example {
                text: "time in (time of day after 09:00 & on weekdays) in Europe/Berlin",
                rust: "time_in(time_of_day().after(\"09:00\") & on_weekdays())\
                       .in_zone(\"Europe/Berlin\")",
            }],
        },
    },
    Form {
        group: Group::Time,
        begins: &["on"],
        rule: Rule::On,
        entry: Entry {
            syntax: "on weekdays|weekends [in ZONE]",
            true_when: "today is Monday to Friday; Saturday or Sunday.",
            wakes: "at midnight.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example { text: "on weekdays", rust: "on_weekdays()" },
                Example { text: "on weekends", rust: "on_weekends()" },
            ],
        },
    },
    Form {
        group: Group::Time,
        begins: &["on"],
        rule: Rule::On,
        entry: Entry {
            syntax: "on business days [of 'CALENDAR'] [in ZONE]",
            true_when: "today is Monday to Friday and none of the calendar's dates. Without a \
                        name, the calendar `holidays` is meant, if the session has one.",
            wakes: "at midnight.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example { text: "on business days", rust: "on_business_days()" },
                Example {
                    text: "on business days of 'bank holidays'",
                    rust: "on_business_days().of(\"bank holidays\")",
                },
            ],
        },
    },
    Form {
        group: Group::Time,
        begins: &["on"],
        rule: Rule::On,
        entry: Entry {
            syntax: "on calendar 'CALENDAR' [in ZONE]",
            true_when: "today is one of the dates that the session was given by that name, with \
                        `Session::builder().calendar(\"holidays\", [\"2026-12-25\"])`.",
            wakes: "at midnight.",
            looks_back: NOT_AT_ALL,
            examples: &[Example {
                text: "on calendar 'holidays'",
                rust: "on_calendar(\"holidays\")",
            }],
        },
    },
    Form {
        group: Group::Time,
        begins: &["on"],
        rule: Rule::On,
        entry: Entry {
            syntax: "on DATE [in ZONE]",
            true_when: "it is that day.",
            wakes: "at its start and its end.",
            looks_back: NOT_AT_ALL,
            examples: &[Example { text: "on 2026-05-01", rust: "on_date(\"2026-05-01\")" }],
        },
    },
    Form {
        group: Group::Time,
        begins: &["between", "before"],
        rule: Rule::Dates,
        entry: Entry {
            syntax: "between DATE and DATE | before DATE [in ZONE]",
            true_when: "now is in that span. A date by itself as the end is part of it, a time is \
                        not.",
            wakes: "at its ends.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example {
                    text: "between 2026-01-01 and 2026-02-01",
                    rust: "between_dates(\"2026-01-01\", \"2026-02-01\")",
                },
                Example {
                    text: "before 2026-02-01 10:00",
                    rust: "before_date(\"2026-02-01 10:00\")",
                },
            ],
        },
    },
    Form {
        group: Group::Time,
        begins: &["after"],
        rule: Rule::After,
        entry: Entry {
            syntax: "after DATE [in ZONE]",
            true_when: "that date has begun.",
            wakes: "when it begins.",
            looks_back: NOT_AT_ALL,
            examples: &[Example {
                text: "after 2026-01-01 in Asia/Tokyo",
                rust: "after_date(\"2026-01-01\").in_zone(\"Asia/Tokyo\")",
            }],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["after"],
        rule: Rule::After,
        entry: Entry {
            syntax: "after task 'TASK' [succeeded|failed|finished|terminated]",
            true_when: "its latest success (or such an end) is later, by place in the log, than \
                        the latest start of the task that owns the condition.",
            wakes: "when that task ends so, and when this one starts.",
            looks_back: "to the latest such record of each.",
            examples: &[
                Example { text: "after task 'fetch'", rust: "after_success(\"fetch\")" },
                Example { text: "after task 'fetch' failed", rust: "after_fail(\"fetch\")" },
                Example { text: "after task 'fetch' finished", rust: "after_finish(\"fetch\")" },
                Example {
                    text: "after task 'fetch' terminated",
                    rust: "after_termination(\"fetch\")",
                },
            ],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["after"],
        rule: Rule::After,
        entry: Entry {
            syntax: "after [any] tasks 'TASK', 'TASK' .. [succeeded|failed|finished|terminated]",
            true_when: "`after task` is of each of them; with `any`, of one of them.",
            wakes: "when the last (the first) of them gets there, and when this one starts.",
            looks_back: "to the latest such record of each.",
            examples: &[
                Example { text: "after tasks 'a', 'b'", rust: "after_all([\"a\", \"b\"])" },
                Example {
                    text: "after any tasks 'a', 'b' failed",
                    rust: "after_any([\"a\", \"b\"]).failed()",
                },
            ],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["has"],
        rule: Rule::OwnHistory,
        entry: Entry {
            syntax: "has succeeded|failed|finished|started|terminated|inacted|crashed \
                     [COUNT times] [PAST]",
            true_when: "that many records (at least one) of this task in that part of the past \
                        (all of it) say so. `finished` is succeeded, failed or terminated.",
            wakes: "when such a record is written, and when that part moves on.",
            looks_back: "as far as PAST says.",
            examples: &[
                Example { text: "has succeeded today", rust: "succeeded().today()" },
                Example { text: "has failed past 1 hour", rust: "failed().past(\"1 hour\")" },
                Example {
                    text: "has failed at least 3 times this week after Wed",
                    rust: "failed().at_least(3).this_week().after(\"Wed\")",
                },
                Example {
                    text: "has finished between 2026-01-01 and 2026-02-01",
                    rust: "finished().during(between_dates(\"2026-01-01\", \"2026-02-01\"))",
                },
                Example {
                    text: "has started in (time of day after 07:00 & on weekdays)",
                    rust: "started().during(time_of_day().after(\"07:00\") & on_weekdays())",
                },
                Example { text: "has terminated this hour", rust: "terminated().this_hour()" },
                Example { text: "has inacted this month", rust: "inacted().this_month()" },
                Example { text: "has crashed", rust: "crashed()" },
            ],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["task"],
        rule: Rule::TaskHistory,
        entry: Entry {
            syntax: "task 'TASK' has .. | is running ..",
            true_when: "`has ..` or `is running ..` is of that task.",
            wakes: "as these do, on that task's records.",
            looks_back: "as these do.",
            examples: &[
                Example {
                    text: "task 'fetch' has succeeded today",
                    rust: "succeeded().task(\"fetch\").today()",
                },
                Example {
                    text: "task 'fetch' is running more than 10 min",
                    rust: "running().task(\"fetch\").more_than(\"10 min\")",
                },
            ],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["is"],
        rule: Rule::OwnRunning,
        entry: Entry {
            syntax: "is running [more than|less than DURATION | between DURATION and DURATION]",
            true_when: "this task has a live run of that age (any).",
            wakes: "when a run starts or ends, and when a live one reaches that age.",
            looks_back: "to the start of the live runs.",
            examples: &[
                Example { text: "is running", rust: "running()" },
                Example {
                    text: "is running less than 1 min",
                    rust: "running().less_than(\"1 min\")",
                },
                Example {
                    text: "is running between 1 min and 2 min",
                    rust: "running().between(\"1 min\", \"2 min\")",
                },
            ],
        },
    },
    Form {
        group: Group::Tasks,
        begins: &["while"],
        rule: Rule::WhileRunning,
        entry: Entry {
            syntax: "while task 'TASK' is running ..",
            true_when: "`task 'TASK' is running ..` is, which is how it is printed.",
            wakes: "as that does.",
            looks_back: "as that does.",
            examples: &[Example {
                text: "while task 'fetch' is running",
                rust: "running().task(\"fetch\")",
            }],
        },
    },
    Form {
        group: Group::Facts,
        begins: &["scheduler"],
        rule: Rule::Scheduler,
        entry: Entry {
            syntax: "scheduler has COUNT cycles",
            true_when: "the scheduler has looked that often at all that is ready.",
            wakes: "after each cycle.",
            looks_back: SCHEDULER,
            examples: &[Example {
                text: "scheduler has more than 3 cycles",
                rust: "scheduler_cycles().more_than(3)",
            }],
        },
    },
    Form {
        group: Group::Facts,
        begins: &["scheduler"],
        rule: Rule::Scheduler,
        entry: Entry {
            syntax: "scheduler has run over DURATION",
            true_when: "the session has run for that long, or longer.",
            wakes: "when that time is over.",
            looks_back: SCHEDULER,
            examples: &[Example {
                text: "scheduler has run over 1 hour",
                rust: "scheduler_has_run_over(\"1 hour\")",
            }],
        },
    },
    Form {
        group: Group::Facts,
        begins: &["scheduler"],
        rule: Rule::Scheduler,
        entry: Entry {
            syntax: "scheduler started DURATION ago",
            true_when: "the session has run for less than that.",
            wakes: "when that time is over.",
            looks_back: SCHEDULER,
            examples: &[Example {
                text: "scheduler started 10 min ago",
                rust: "scheduler_started_within(\"10 min\")",
            }],
        },
    },
    Form {
        group: Group::Facts,
        begins: &["param"],
        rule: Rule::Param,
        entry: Entry {
            syntax: "param 'NAME' exists | is 'VALUE'",
            true_when: "the session has that parameter; as text, it has that value.",
            wakes: "when the parameter is set or removed.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example { text: "param 'x' exists", rust: "param(\"x\").exists()" },
                Example { text: "param 'x' is 'v'", rust: "param(\"x\").is(\"v\")" },
            ],
        },
    },
    Form {
        group: Group::Facts,
        begins: &["env"],
        rule: Rule::Env,
        entry: Entry {
            syntax: "env 'NAME'",
            true_when: "the parameter `env` has that value.",
            wakes: "when it is set or removed.",
            looks_back: NOT_AT_ALL,
            examples: &[Example { text: "env 'prod'", rust: "env(\"prod\")" }],
        },
    },
    Form {
        group: Group::Others,
        begins: &["true", "false"],
        rule: Rule::Constant,
        entry: Entry {
            syntax: "true | false",
            true_when: "it says so.",
            wakes: "never.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example { text: "true", rust: "always_true()" },
                Example { text: "false", rust: "always_false()" },
            ],
        },
    },
    Form {
        group: Group::Others,
        begins: &["always"],
        rule: Rule::Always,
        entry: Entry {
            syntax: "always [true|false]",
            true_when: "it says so; by itself it is the period that is all time.",
            wakes: "never.",
            looks_back: NOT_AT_ALL,
            examples: &[
                Example { text: "always", rust: "always()" },
                Example { text: "always false", rust: "always_false()" },
            ],
        },
    },
    Form {
        group: Group::Others,
        begins: &["never"],
        rule: Rule::Never,
        entry: Entry {
            syntax: "never",
            true_when: "never: it is the period without an interval.",
            wakes: "never.",
            looks_back: NOT_AT_ALL,
            examples: &[Example { text: "never", rust: "never()" }],
        },
    },
    Form {
        group: Group::Others,
        begins: &[],
        rule: Rule::Call,
        entry: Entry {
            syntax: "NAME([ARGUMENT, ARGUMENT ..])",
            true_when: "the last answer of the function with `#[condition]` of that name is true; \
                        arguments are texts in quotes, numbers, `true` and `false`.",
            wakes: "when the answer changes; it is asked while somebody waits on it.",
            looks_back: NOT_AT_ALL,
            examples: &[Example {
                text: "file_exists('orders.csv', 1, true)",
                rust: "file_exists(\"orders.csv\", 1, true)",
            }],
        },
    },
    Form {
        group: Group::Others,
        begins: &[],
        rule: Rule::Call,
        entry: Entry {
            syntax: "WORDS ARGUMENT [WORDS ARGUMENT ..]",
            true_when: "as the call, in the words that `#[condition(\"file {path} exists\")]` gave \
                        the function. A phrase begins with a word of its own and has an argument.",
            wakes: "when the answer changes; it is asked while somebody waits on it.",
            looks_back: NOT_AT_ALL,
            examples: &[Example {
                text: "file 'orders.csv' exists",
                rust: "parse(\"file 'orders.csv' exists\").unwrap()",
            }],
        },
    },
];

const NOT_AT_ALL: &str = "not at all.";

const SCHEDULER: &str = "to the start of the session.";
