//! What cron expressions match, and what is said of wrong ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use proptest::prelude::*;
use redengine_core::Timestamp;
use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;

fn next(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let period = Period::Cron(Cron::parse(cron).unwrap());
    let zone = Zone::named(zone).unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    let mut found = Vec::new();
    while let Some(next) = period.next(at, &zone).filter(|_| found.len() < count) {
        at = next.start;
        found.push(zone.to_local(at).format("%a %Y-%m-%d %H:%M:%S").to_string());
    }
    found
}

fn next_days(cron: &str, count: usize) -> Vec<String> {
    next(cron, "UTC", "2026-01-01T00:00:00Z", count)
        .iter()
        .map(|at| at.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn l_is_the_last_day() {
    assert_eq!(next_days("0 1 L * *", 3), ["Sat 2026-01-31", "Sat 2026-02-28", "Tue 2026-03-31"]);
    assert_eq!(next_days("0 1 L-3 2,3 *", 2), ["Wed 2026-02-25", "Sat 2026-03-28"]);
    assert_eq!(next_days("0 1 LW * *", 3), ["Fri 2026-01-30", "Fri 2026-02-27", "Tue 2026-03-31"]);
    assert_eq!(next_days("0 1 * * 5L", 2), ["Fri 2026-01-30", "Fri 2026-02-27"]);
}

#[test]
fn w_is_the_nearest_weekday_of_the_same_month() {
    // The 15th of February is a Sunday, the 1st of February and of March too.
    assert_eq!(next_days("0 1 15W 2 *", 1), ["Mon 2026-02-16"]);
    assert_eq!(next_days("0 1 1W 2,3 *", 2), ["Mon 2026-02-02", "Mon 2026-03-02"]);
    // The 1st of August is a Saturday, the 31st of May a Sunday.
    assert_eq!(next_days("0 1 1W 8 *", 1), ["Mon 2026-08-03"]);
    assert_eq!(next_days("0 1 31W 5 *", 1), ["Fri 2026-05-29"]);
    // April has no 31st, and nothing near it.
    assert_eq!(next_days("0 1 31W 4 *", 1), [""; 0]);
}

#[test]
fn a_number_sign_counts_the_weekdays_of_a_month() {
    assert_eq!(next_days("0 1 * * FRI#2", 2), ["Fri 2026-01-09", "Fri 2026-02-13"]);
    assert_eq!(next_days("0 1 * * 7#5", 2), ["Sun 2026-03-29", "Sun 2026-05-31"]);
}

#[test]
fn six_fields_begin_with_seconds() {
    let found = next("*/20 59 23 * * *", "UTC", "2026-01-01T00:00:00Z", 4);
    let expected = ["00", "20", "40"].map(|second| format!("Thu 2026-01-01 23:59:{second}"));
    assert_eq!(found[..3], expected);
    assert_eq!(found[3], "Fri 2026-01-02 23:59:00");

    let period = Period::Cron(Cron::parse("5 * * * * *").unwrap());
    let at: Timestamp = "2026-01-01T00:00:05.5Z".parse().unwrap();
    let current = period.current(at, &Zone::utc()).unwrap();
    assert_eq!(current.end.to_string(), "2026-01-01T00:00:06Z");
}

#[test]
fn a_leap_day_is_found_across_eight_years_and_an_impossible_date_at_once() {
    let found = next("0 0 29 2 *", "Europe/Helsinki", "2096-03-01T00:00:00Z", 1);
    assert_eq!(found, ["Fri 2104-02-29 00:00:00"]);
    assert!(Cron::parse("0 0 31 2,4,6,9,11 *").unwrap().never_matches());
    assert!(Cron::parse("0 0 30 2 *").unwrap().never_matches());
    assert!(!Cron::parse("0 0 30 2 MON").unwrap().never_matches());
}

#[test]
fn a_step_from_a_weekday_on_goes_to_sunday() {
    let days = ["Fri 2026-01-02", "Sun 2026-01-04", "Fri 2026-01-09"];
    assert_eq!(next_days("0 1 * * 5/2", 3), days);
    assert_eq!(next_days("0 1 * * FRI/2", 3), days);
    assert_eq!(Cron::parse("0 1 * * 7/2"), Cron::parse("0 1 * * SUN"));
}

#[test]
fn a_job_in_the_gap_runs_after_it_and_a_job_in_the_fold_once() {
    let gap = "2026-03-08T00:00:00-05:00";
    assert_eq!(
        next("30 2 * * *", "America/New_York", gap, 2),
        ["Sun 2026-03-08 03:00:00", "Mon 2026-03-09 02:30:00"],
    );
    // Two jobs of the gap are one run, and one that is due just then is the same.
    assert_eq!(
        next("0,30 2-3 * * *", "America/New_York", gap, 3),
        ["Sun 2026-03-08 03:00:00", "Sun 2026-03-08 03:30:00", "Mon 2026-03-09 02:00:00"],
    );
    let fold = "2026-11-01T00:00:00-04:00";
    assert_eq!(
        next("30 1 * * *", "America/New_York", fold, 2),
        ["Sun 2026-11-01 01:30:00", "Mon 2026-11-02 01:30:00"],
    );
    assert_eq!(
        next("30 * * * *", "America/New_York", fold, 4),
        [
            "Sun 2026-11-01 00:30:00",
            "Sun 2026-11-01 01:30:00",
            "Sun 2026-11-01 01:30:00",
            "Sun 2026-11-01 02:30:00",
        ],
    );
}

#[test]
fn a_tilde_is_picked_by_the_seed() {
    let cron = Cron::parse("~ 10~12 * * *").unwrap();
    assert_eq!(cron.spread("fetch"), cron.spread("fetch"));
    assert_eq!(cron.spread("fetch").to_string(), "~ 10~12 * * *");
    // Written down, so that no release moves anybody's jobs.
    let at = Period::Cron(cron.spread("fetch"));
    let first = at.next("2026-01-01T00:00:00Z".parse().unwrap(), &Zone::utc()).unwrap();
    assert_eq!(first.start.to_string(), "2026-01-01T10:09:00Z");

    let mut minutes = [0; 60];
    for task in 0..6_000 {
        let period =
            Period::Cron(Cron::parse("~ * * * *").unwrap().spread(&format!("task-{task}")));
        let first = period.next("2026-01-01T00:00:00Z".parse().unwrap(), &Zone::utc()).unwrap();
        minutes[first.start.to_utc().minute() as usize] += 1;
    }
    assert!(minutes.iter().all(|count| (50..200).contains(count)), "{minutes:?}");
}

#[test]
fn an_expression_prints_in_one_spelling() {
    for (written, printed) in [
        ("  05  4 *  jan-Mar\tmon,FRI ", "5 4 * JAN-MAR MON,FRI"),
        ("@daily", "0 0 * * *"),
        ("0 0 ? * 5l", "0 0 * * 5L"),
        ("*/1 7/5 l-3 * fri#2", "* 7/5 L-3 * FRI#2"),
        ("0 7/1 1-5/1 1,3/1 7/1", "0 7/1 1-5 1,3/1 7/1"),
        ("~ 0~5 1~ * *", "~ 0~5 1~ * *"),
        // From 9 on, which is not 9 alone.
        ("0 9/1 1-5/1 * *", "0 9/1 1-5 * *"),
    ] {
        let cron = Cron::parse(written).unwrap();
        assert_eq!(cron.to_string(), printed);
        assert_eq!(Cron::parse(printed), Ok(cron));
    }
    assert_eq!(Cron::parse("0 0 * * 0"), Cron::parse("0 0 * * sun"));
    assert_ne!(Cron::parse("0 0 1 * 0"), Cron::parse("0 0 * * 0"));
}

#[test]
fn errors_name_what_is_wrong_and_what_is_allowed() {
    let cases = [
        ("0 25 * * *", "25", "`25` is no hour; allowed are 0 to 23"),
        ("0 0 * * Monday", "Monday", "`Monday` is no day of the week; did you mean `MON`?"),
        ("0 0 * foo *", "foo", "`foo` is no month; allowed are 1 to 12 and JAN to DEC"),
        (
            "0 0 * * 8",
            "8",
            "`8` is no day of the week; allowed are 0 to 7 (0 and 7 are Sunday) and SUN to SAT",
        ),
        ("*/0 * * * *", "0", "`0` is no step; allowed are whole numbers from 1"),
        ("*/-5 * * * *", "-5", "`-5` is no step; allowed are whole numbers from 1"),
        ("1,,2 * * * *", "1,,2", "a minute is missing in `1,,2`"),
        ("-5 * * * *", "", "a minute is missing"),
        ("H * * * *", "H", "`H` is no minute; for a value that is picked once, write `~`"),
        (
            "@dayly",
            "@dayly",
            "`@dayly` is no nickname of a cron expression; did you mean `@daily`?",
        ),
        ("0 0 * * 1#6", "6", "`6` is no number of a week in a month; allowed are 1 to 5"),
        ("0 0 L/2 * *", "L/2", "`L` can have no step"),
        ("0 0 L-31 * *", "31", "`31` is no number of days; allowed are 0 to 30"),
        ("9~5 * * * *", "9~5", "`9~5` is empty; the lower value comes first"),
        (
            "0 0 *",
            "0 0 *",
            "a cron expression has five fields (minute, hour, day of the month, month, day of the \
             week), or six with seconds first; `0 0 *` has 3",
        ),
        (
            "0 0 * * ä",
            "ä",
            "`ä` is no day of the week; allowed are 0 to 7 (0 and 7 are Sunday) and SUN to SAT",
        ),
    ];
    for (text, part, message) in cases {
        let error = Cron::parse(text).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(&text[error.span], part, "{text}");
    }
}

/// A field as text, and the values it stands for.
fn field(low: u32, high: u32) -> BoxedStrategy<(String, Vec<u32>)> {
    let values = proptest::collection::btree_set(low..=high, 1..5);
    prop_oneof![
        2 => Just(("*".to_owned(), (low..=high).collect())),
        1 => (1..8_u32).prop_map(move |step| {
            (format!("*/{step}"), (low..=high).step_by(step as usize).collect())
        }),
        2 => values.prop_map(|values| {
            let text: Vec<String> = values.iter().map(ToString::to_string).collect();
            (text.join(","), values.into_iter().collect())
        }),
        2 => (low..=high, low..=high).prop_map(move |(from, to)| {
            let values = (low..=high)
                .filter(|v| if from <= to { from <= *v && *v <= to } else { *v >= from || *v <= to });
            (format!("{from}-{to}"), values.collect())
        }),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn matches_are_those_of_brute_force(
        minute in field(0, 59), hour in field(0, 23), date in field(1, 31), month in field(1, 12),
        weekday in field(0, 6), day in 0..40_000_i64, second in 0..86_400_i64,
    ) {
        let text = [&minute, &hour, &date, &month, &weekday].map(|field| field.0.as_str()).join(" ");
        let cron = Cron::parse(&text).unwrap();
        let is_day = |day: NaiveDate| {
            let by_date = date.1.contains(&day.day());
            let by_weekday = weekday.1.contains(&day.weekday().num_days_from_sunday());
            let star = date.0.starts_with('*') || weekday.0.starts_with('*');
            month.1.contains(&day.month())
                && if star { by_date && by_weekday } else { by_date || by_weekday }
        };
        let start = chrono::DateTime::from_timestamp(day * 86_400 + second, 0).unwrap().naive_utc();
        let expected = brute_force(start, is_day, &hour.1, &minute.1);
        let period = Period::Cron(cron);
        let at = Timestamp::from(start.and_utc());
        let found = period.next(at, &Zone::utc()).map(|next| next.start.to_utc().naive_utc());
        match expected {
            Some(expected) => prop_assert_eq!(found, Some(expected), "{}", text),
            None => prop_assert!(found.is_none_or(|found| (found - start).num_days() >= 3_000)),
        }
        let first = period.next(at, &Zone::utc());
        if let Some(first) = first {
            let back = period.previous(first.end, &Zone::utc());
            prop_assert_eq!(back, Some(first));
        }
    }
}

/// Looks at each day, then at each minute of the first that matches.
fn brute_force(
    after: NaiveDateTime,
    is_day: impl Fn(NaiveDate) -> bool,
    hours: &[u32],
    minutes: &[u32],
) -> Option<NaiveDateTime> {
    after.date().iter_days().take(3_000).filter(|day| is_day(*day)).find_map(|day| {
        (0..1_440)
            .map(|minute| day.and_hms_opt(minute / 60, minute % 60, 0).unwrap())
            .filter(|at| hours.contains(&at.hour()) && minutes.contains(&at.minute()))
            .find(|at| *at > after)
    })
}
