//! Text and tree say the same.

use std::collections::HashSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use redengine_core::expr::{
    Age, Basis, Count, Custom, Expr, Happening, Literal, LookBack, Outcome, Quantifier, Statement,
    Times, parse, parse_period, semantic_hash,
};
use redengine_core::period::{
    BusinessDays, CivilSpan, Cron, Cycle, Dates, Interval, Moment, Period, Place, Point, Unit,
    Weekday, Window,
};
use redengine_core::time::{Timestamp, Zone};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..100_000_u64).prop_map(Duration::from_secs),
        (1..5_000_000_u64).prop_map(Duration::from_micros),
        (1..400_u64).prop_map(Duration::from_hours),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("fetch".to_owned()),
        "[a-zA-Z '\"&|~(),ü日\n-]{0,8}x[a-z '\"]{0,4}".prop_map(|name| name),
    ]
}

fn task() -> impl Strategy<Value = Option<String>> {
    option::of(name())
}

fn zone() -> impl Strategy<Value = Option<Zone>> {
    let names = ["UTC", "Europe/Helsinki", "America/Argentina/Buenos_Aires", "Etc/GMT+5"];
    let zones: Vec<Zone> = names.iter().filter_map(|name| Zone::named(name).ok()).collect();
    option::of(prop::sample::select(zones))
}

fn weekday() -> impl Strategy<Value = Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    prop::sample::select(vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun])
}

fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![
        Unit::Second,
        Unit::Minute,
        Unit::Hour,
        Unit::Day,
        Unit::Week,
        Unit::Month,
        Unit::Year,
    ])
}

/// A time in so many microseconds, often a whole minute or second.
fn time(length: i64) -> impl Strategy<Value = i64> {
    (0..length, prop::sample::select(vec![1, SECOND, 60 * SECOND]))
        .prop_map(|(time, step)| time / step * step)
}

fn point(unit: Unit) -> BoxedStrategy<Point> {
    let whole = |length| {
        time(length).prop_map(|time| Point { place: Place::Whole, time: Some(time) }).boxed()
    };
    let placed = |place: BoxedStrategy<Place>| {
        (place, option::of(time(DAY))).prop_map(|(place, time)| Point { place, time }).boxed()
    };
    match unit {
        Unit::Second => whole(SECOND),
        Unit::Minute => whole(60 * SECOND),
        Unit::Hour => whole(3_600 * SECOND),
        Unit::Day => whole(DAY),
        Unit::Week => placed(weekday().prop_map(Place::Weekday).boxed()),
        Unit::Month => placed(
            prop_oneof![
                (1..=31_u8).prop_map(Place::MonthDay),
                Just(Place::LastDay),
                weekday().prop_map(Place::LastWeekday),
            ]
            .boxed(),
        ),
        Unit::Year => prop_oneof![
            (1..=12_u8).prop_map(|month| Point { place: Place::Month(month), time: None }),
            placed((1..=12_u8, 1..=28_u8).prop_map(|(m, d)| Place::YearDay(m, d)).boxed()),
        ]
        .boxed(),
    }
}

fn window(unit: Unit) -> impl Strategy<Value = Window> {
    // Nothing of a day is before its start, which is no window.
    let before = point(unit)
        .prop_filter("a window", move |point| unit != Unit::Day || point.time != Some(0));
    prop_oneof![
        Just(Window::Full),
        point(unit).prop_map(Window::Starting),
        point(unit).prop_map(Window::On),
        point(unit).prop_map(Window::After),
        before.prop_map(Window::Before),
        (point(unit), point(unit)).prop_map(|(from, to)| Window::Between(from, to)),
    ]
}

fn cycle() -> impl Strategy<Value = Cycle> {
    unit()
        .prop_flat_map(|unit| (Just(unit), window(unit), option::of(duration())))
        .prop_map(|(unit, window, within)| Cycle { unit, window, within })
}

fn count() -> impl Strategy<Value = Count> {
    let n = 0..1_000_u64;
    prop_oneof![
        Just(Count::AtLeast(1)),
        n.clone().prop_map(Count::AtLeast),
        n.clone().prop_map(Count::MoreThan),
        n.clone().prop_map(Count::LessThan),
        n.clone().prop_map(Count::AtMost),
        n.clone().prop_map(Count::Exactly),
        (n.clone(), n).prop_map(|(a, b)| Count::Between(a.min(b), a.max(b))),
    ]
}

fn look_back() -> impl Strategy<Value = LookBack> {
    prop_oneof![
        Just(LookBack::Ever),
        duration().prop_map(LookBack::Past),
        (cycle(), zone())
            .prop_filter("not each second", |(cycle, _)| cycle.unit != Unit::Second)
            .prop_map(|(cycle, zone)| LookBack::Window {
                period: Period::Cycle(cycle).into(),
                zone
            }),
    ]
}

fn age() -> impl Strategy<Value = Age> {
    prop_oneof![
        Just(Age::Any),
        duration().prop_map(Age::MoreThan),
        duration().prop_map(Age::LessThan),
        (duration(), duration()).prop_map(|(a, b)| Age::Between(a.min(b), a.max(b))),
    ]
}

fn moment() -> impl Strategy<Value = Moment> {
    let date = (0..47_000_i32).prop_map(|day| {
        chrono::NaiveDate::from_num_days_from_ce_opt(day + 719_163).expect("a date")
    });
    (date, option::of(time(DAY))).prop_map(|(date, time)| Moment { date, time })
}

fn span() -> impl Strategy<Value = Period> {
    let instant = || (0..4_102_444_800_000_000_i64, prop::sample::select(vec![1, SECOND]));
    let instants = (instant(), 1..DAY).prop_map(|((start, step), length)| {
        let start = start / step * step;
        let [start, end] = [start, start + length].map(Timestamp::from_micros);
        Period::Fixed(Interval { start, end })
    });
    prop_oneof![
        (moment(), moment())
            .prop_filter_map("in order", |(from, to)| CivilSpan::between(from, to))
            .prop_map(Period::Span),
        moment().prop_map(CivilSpan::after).prop_map(Period::Span),
        moment().prop_map(CivilSpan::before).prop_map(Period::Span),
        moment().prop_map(|moment| Period::Span(CivilSpan::on(moment.date))),
        instants,
    ]
}

/// Periods that are neither `&` nor `|`.
fn one_period() -> impl Strategy<Value = Times> {
    let crons = vec!["*/5 * * * *", "0 30 7 * * MON-FRI", "@daily", "~ 7 * * *"];
    let part = cycle().prop_filter("a part of more than a second", |cycle| {
        let part = !matches!(cycle.window, Window::Full | Window::Starting(_));
        cycle.unit != Unit::Second && (part || cycle.within.is_some())
    });
    prop_oneof![
        1 => Just(Period::Always.into()),
        1 => Just(Period::Never.into()),
        4 => part.prop_map(|cycle| Period::Cycle(cycle).into()),
        1 => Just(Period::BusinessDays(BusinessDays::weekdays()).into()),
        1 => Just(Period::BusinessDays(BusinessDays::weekends()).into()),
        1 => option::of(name()).prop_map(Times::BusinessDays),
        1 => name().prop_map(Times::Calendar),
        1 => prop::sample::select(crons)
            .prop_map(|text| Period::Cron(Cron::parse(text).expect("a cron expression")).into()),
        2 => span().prop_map(Times::from),
    ]
}

/// Periods of any depth, in normal form.
fn period() -> impl Strategy<Value = Times> {
    one_period().prop_recursive(3, 8, 3, |inner| {
        (vec(inner, 2..4), any::<bool>()).prop_map(|(members, all)| normal(&members, all))
    })
}

/// Joins periods as the language does: flat, and without `always`.
fn normal(members: &[Times], all: bool) -> Times {
    let always = Times::Period(Period::Always);
    let mut flat = Vec::new();
    for member in members {
        match member {
            Times::All(inner) if all => flat.extend(inner.clone()),
            Times::Any(inner) if !all => flat.extend(inner.clone()),
            member if *member == always && all => {}
            member => flat.push(member.clone()),
        }
    }
    match flat.as_slice() {
        [] => always,
        [only] => only.clone(),
        _ if all => Times::All(flat),
        _ if flat.contains(&always) => always,
        _ => Times::Any(flat),
    }
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        name().prop_map(Literal::Text),
        any::<i64>().prop_map(Literal::Int),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Literal::Float),
        any::<bool>().prop_map(Literal::Bool),
    ]
}

fn statement() -> impl Strategy<Value = Statement> {
    let happenings = vec![
        Happening::Started,
        Happening::Succeeded,
        Happening::Failed,
        Happening::Finished,
        Happening::Terminated,
        Happening::Inacted,
        Happening::Crashed,
    ];
    let outcomes =
        vec![Outcome::Succeeded, Outcome::Failed, Outcome::Finished, Outcome::Terminated];
    let bases = vec![Basis::Due, Basis::Finish, Basis::Success, Basis::Fail];
    let which = prop::sample::select(vec![Quantifier::All, Quantifier::Any]);
    let crons = vec!["*/5 * * * *", "0 30 7 * * MON-FRI", "@daily", "0 0 1,15 * 3"];
    prop_oneof![
        (period(), zone()).prop_map(|(period, zone)| Statement::InPeriod { period, zone }),
        (period(), zone(), 0..4_u32).prop_map(|(period, zone, retries)| Statement::Once {
            period,
            zone,
            retries
        }),
        (cycle(), zone(), 0..4_u32).prop_map(|(cycle, zone, retries)| Statement::Once {
            period: Period::Cycle(cycle).into(),
            zone,
            retries
        }),
        (duration(), prop::sample::select(bases))
            .prop_map(|(interval, basis)| Statement::Every { interval, basis }),
        (prop::sample::select(crons), option::of(duration()), zone()).prop_map(
            |(text, within, zone)| Statement::Cron {
                cron: Cron::parse(text).expect("a cron expression"),
                within,
                zone,
            }
        ),
        (task(), prop::sample::select(happenings), count(), look_back())
            .prop_map(|(task, event, count, within)| Statement::Has { task, event, count, within }),
        (vec(name(), 1..4), which, prop::sample::select(outcomes)).prop_map(
            |(tasks, which, outcome)| {
                let which = if tasks.len() == 1 { Quantifier::All } else { which };
                Statement::After { tasks, which, outcome }
            }
        ),
        (task(), age()).prop_map(|(task, age)| Statement::Running { task, age }),
        (option::of(0..9_u64), option::of(duration()))
            .prop_map(|(count, after)| Statement::Retry { count, after }),
        count().prop_map(Statement::Cycles),
        duration().prop_map(Statement::SchedulerStarted),
        duration().prop_map(Statement::SchedulerRunOver),
        name().prop_map(Statement::ParamExists),
        (name(), name()).prop_map(|(name, value)| Statement::ParamIs { name, value }),
        name().prop_map(Statement::Env),
        ("[a-z]{3}_[a-z]{1,5}", vec(literal(), 0..3)).prop_map(|(name, args)| {
            Statement::Custom(Custom { name: name.into(), args, probe: None })
        }),
        phrase(),
    ]
}

/// A statement in words of a user's own.
fn phrase() -> impl Strategy<Value = Statement> {
    let word = || prop::sample::select(vec!["exists", "is", "Daily", "task", "über", "_"]);
    let words = prop_oneof![
        word().prop_map(str::to_owned),
        literal().prop_map(|literal| literal.to_string()),
        literal().prop_map(|literal| format!("and {literal}")),
    ];
    (literal(), vec(words, 0..5)).prop_map(|(literal, words)| {
        let text = format!("file {literal} {}", words.join(" "));
        match parse(&text) {
            Ok(Expr::Statement(statement @ Statement::Phrase(_), _)) => statement,
            other => panic!("`{text}` is {other:?}"),
        }
    })
}

/// Expressions of any form, also not the normal one.
fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        8 => statement().prop_map(|statement| Expr::Statement(statement, None)),
        1 => any::<bool>().prop_map(Expr::Const),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|expr| Expr::Not(Box::new(expr))),
            vec(inner.clone(), 0..4).prop_map(Expr::All),
            vec(inner.clone(), 0..4).prop_map(Expr::Any),
            (inner.clone(), duration()).prop_map(|(expr, held)| Expr::For(Box::new(expr), held)),
            inner.clone().prop_map(|expr| Expr::Newly(Box::new(expr))),
            (inner.clone(), inner).prop_map(|(a, b)| Expr::Since(Box::new(a), Box::new(b))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_parses_back(expr in expr()) {
        let text = expr.to_string();
        let back = parse(&text);
        prop_assert_eq!(back.as_ref(), Ok(&expr.normal()), "{}", text);
        prop_assert_eq!(back.unwrap().to_string(), text);
    }

    #[test]
    fn a_printed_period_parses_back(period in period()) {
        let text = period.to_string();
        if text.contains("cron") {
            // A cron expression is a period only within a statement.
            prop_assert!(parse_period(&text).is_err(), "{}", text);
            let once: Expr = Statement::Once { period, zone: None, retries: 0 }.into();
            prop_assert_eq!(parse(&format!("once in ({text})")), Ok(once), "{}", text);
        } else {
            prop_assert_eq!(parse_period(&text), Ok(period), "{}", text);
        }
    }

    #[test]
    fn white_space_means_nothing(expr in expr()) {
        let spread = spread(&expr.to_string());
        prop_assert_eq!(parse(&spread), Ok(expr.normal()), "{}", spread);
    }

    #[test]
    fn order_and_doubles_do_not_change_the_hash(members in vec(expr(), 1..5)) {
        let all = Expr::All(members.clone());
        let mut other: Vec<Expr> = members.iter().rev().cloned().collect();
        other.push(members[0].clone());
        prop_assert_eq!(semantic_hash(&all), semantic_hash(&Expr::All(other)));
        prop_assert_eq!(semantic_hash(&all), semantic_hash(&all.clone().normal()));
        prop_assert_eq!(semantic_hash(&all), semantic_hash(&parse(&all.to_string()).unwrap()));
    }

    #[test]
    fn the_order_of_periods_does_not_change_the_hash(members in vec(period(), 2..4), all: bool) {
        let hash = |members: &[Times]| {
            let period = normal(members, all);
            semantic_hash(&Statement::Once { period, zone: None, retries: 0 }.into())
        };
        let mut other: Vec<Times> = members.iter().rev().cloned().collect();
        other.push(members[0].clone());
        prop_assert_eq!(hash(&members), hash(&other));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn no_sequence_of_words_panics(words in vec(prop::sample::select(WORDS.to_vec()), 0..14)) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(expr) => prop_assert_eq!(parse(&expr.to_string()).unwrap(), expr),
            Err(error) => {
                prop_assert!(!error.problems.is_empty());
                let _ = error.to_string();
            }
        }
    }
}

/// Puts more white space where there is some, outside of quotes.
fn spread(text: &str) -> String {
    let mut quote = None;
    let mut spread = String::from("\n");
    for c in text.chars() {
        match (c, quote) {
            (' ', None) => spread.push_str(" \r\n\t \u{a0}"),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        spread.push(c);
    }
    spread
}

#[test]
fn days_and_dates_have_one_spelling() {
    let texts = [
        ("ON Weekdays", "on weekdays"),
        ("time in (on weekdays)", "on weekdays"),
        ("time in ((on weekends)) in UTC", "on weekends in UTC"),
        ("on business  days", "on business days"),
        ("on business days of \"x\" in Asia/Tokyo", "on business days of 'x' in Asia/Tokyo"),
        ("on calendar 'first of May'", "on calendar 'first of May'"),
        ("on 2026-05-01", "on 2026-05-01"),
        ("between 2026-05-01 and 2026-05-01", "on 2026-05-01"),
        ("between 2026-05-01 00:00 and 2026-05-01 24:00", "on 2026-05-01"),
        ("after 2026-01-01T10:00", "after 2026-01-01 10:00"),
        ("after 2026-01-01 10 pm", "after 2026-01-01 22:00"),
        ("before 2026-02-01 & daily", "before 2026-02-01 & daily"),
        (
            "between 2026-01-01T00:00:00Z and 2026-01-02T00:00:00.5z",
            "between 2026-01-01T00:00:00Z and 2026-01-02T00:00:00.500Z",
        ),
        ("once in (time of day after 07:00)", "daily after 07:00"),
        ("once in (cron @daily) with 1 retries", "once in (cron '0 0 * * *') with 1 retry"),
        (
            "once in (time of day after 07:00 & (on weekends | on calendar 'x')) in UTC",
            "once in (time of day after 07:00 & (on weekends | on calendar 'x')) in UTC",
        ),
        ("once in (always & on 2026-05-01)", "once in (on 2026-05-01)"),
        ("time in (always)", "always"),
        ("time in (always) in UTC", "time in (always) in UTC"),
        (
            "has failed between 2 and 4 times on 2026-05-01",
            "has failed between 2 and 4 times on 2026-05-01",
        ),
        (
            "has failed between 2026-01-01 and 2026-02-01 in UTC",
            "has failed between 2026-01-01 and 2026-02-01 in UTC",
        ),
        ("has failed in (after 2026-01-01)", "has failed after 2026-01-01"),
        ("has failed in (time of day after 07:00)", "has failed today after 07:00"),
        ("has failed 2 times in (on weekdays)", "has failed exactly 2 times in (on weekdays)"),
    ];
    for (text, normal) in texts {
        assert_eq!(parse(text).unwrap().to_string(), normal);
    }
}

#[test]
fn days_by_value_are_written_one_by_one() {
    let date = |day| chrono::NaiveDate::from_ymd_opt(2026, 12, day).expect("a date");
    let dates = Period::Dates(Dates::new([date(25), date(26)]));
    let once = Statement::Once { period: Times::from(dates), zone: None, retries: 0 };
    assert_eq!(once.to_string(), "once in (on 2026-12-25 | on 2026-12-26)");
    let none = Times::from(Period::Dates(Dates::default()));
    assert_eq!(none.to_string(), "never");
}

#[test]
fn words_are_read_in_any_case() {
    let texts = [
        ("DAILY AFTER 07:00", "daily after 07:00"),
        ("Weekly On MONDAY", "weekly on Mon"),
        (
            "Task 'X' Has Failed At Least 3 Times This Week",
            "task 'X' has failed at least 3 times this week",
        ),
        ("TRUE | Always False", "true | false"),
        ("CRON 0 0 * * fri IN Europe/Helsinki", "cron '0 0 * * FRI' in Europe/Helsinki"),
    ];
    for (text, normal) in texts {
        assert_eq!(parse(text).unwrap().to_string(), normal);
    }
}

const WORDS: &[&str] = &[
    "once in (",
    "time in (",
    "in (",
    "weekdays",
    "business",
    "days",
    "calendar",
    "2026-01-01",
    "2026-02-30",
    "2026-05-01T10:00:00Z",
    "2026-",
    "daily",
    "weekly",
    "after",
    "before",
    "between",
    "and",
    "07:00",
    "Mon",
    "3rd",
    "last",
    "day",
    "within",
    "10 min",
    "1h",
    "in",
    "UTC",
    "task",
    "'x'",
    "tasks",
    ",",
    "any",
    "has",
    "failed",
    "at",
    "least",
    "3",
    "times",
    "today",
    "this",
    "week",
    "past",
    "is",
    "running",
    "more",
    "than",
    "&",
    "|",
    "~",
    "(",
    ")",
    "newly",
    "for",
    "since",
    "cron",
    "*",
    "*/5",
    "every",
    "based",
    "on",
    "finish",
    "retry",
    "time",
    "of",
    "scheduler",
    "cycles",
    "param",
    "env",
    "true",
    "always",
    "never",
    "f(",
    "1.5",
    "with",
    "'",
    "\"",
    "1:",
    "-",
    "\n",
    "é",
    "starting",
    "exists",
    "file",
    "-5",
    "2",
    "retries",
];

#[test]
fn different_conditions_have_different_hashes() {
    let texts = [
        "daily",
        "hourly",
        "~daily",
        "daily & hourly",
        "daily | hourly",
        "true",
        "false",
        "daily after 07:00",
        "daily before 07:00",
        "every 1 min",
        "every 2 min",
        "after task 'x'",
        "after task 'y'",
        "after tasks 'x', 'y'",
        "after any tasks 'x', 'y'",
        "has failed",
        "has succeeded",
        "task 'x' has failed",
        "retry",
        "retry 3",
        "newly daily",
        "~newly daily",
        "newly ~daily",
        "daily for 1 min",
        "daily for 2 min",
        "~(daily for 1 min)",
        "~daily for 1 min",
        "on weekdays",
        "on weekends",
        "on business days",
        "on business days of 'x'",
        "on calendar 'x'",
        "on 2026-05-01",
        "after 2026-05-01",
        "before 2026-05-01",
        "once in (on weekdays)",
        "once in (on weekdays) with 1 retry",
        "once in (on weekdays) in UTC",
        "has failed in (on weekdays)",
        "file 'x' exists",
        "file 'y' exists",
        "file exists 'x'",
        "file_exists('x')",
        "daily since hourly",
        "hourly since daily",
    ];
    let hashes: HashSet<u64> =
        texts.iter().map(|text| semantic_hash(&parse(text).unwrap())).collect();
    assert_eq!(hashes.len(), texts.len());
}

#[test]
fn operators_over_time_hold_together_as_written() {
    let texts = [
        ("~ is running for 10 min", "~is running for 10 min"),
        ("~(is running for 10 min)", "~(is running for 10 min)"),
        ("NEWLY (daily for 1 min)", "newly daily for 1 min"),
        ("(newly daily) for 1 min", "(newly daily) for 1 min"),
        ("~newly ~daily for 60 s", "~newly ~daily for 1 min"),
        ("newly newly_made('x')", "newly newly_made('x')"),
        ("newly (newly daily)", "newly (newly daily)"),
        ("(daily for 1 min) for 2 min", "(daily for 1 min) for 2 min"),
        ("hourly & daily since newly weekly", "hourly & daily since newly weekly"),
        ("hourly & (daily since weekly)", "hourly & daily since weekly"),
        ("(hourly & daily) since weekly", "(hourly & daily) since weekly"),
        ("hourly since (daily since weekly)", "hourly since (daily since weekly)"),
        (
            "cron 0 0 * * * for 1 min since cron @hourly",
            "cron '0 0 * * *' for 1 min since cron '0 * * * *'",
        ),
        ("daily in UTC for 1 min", "daily in UTC for 1 min"),
        ("has failed for 1 min since every 10 s", "has failed for 1 min since every 10 s"),
    ];
    for (text, normal) in texts {
        assert_eq!(parse(text).unwrap().to_string(), normal);
    }
}

#[test]
fn operators_over_time_say_what_is_wrong() {
    let texts = [
        ("daily for", "expected a duration"),
        ("daily for 0 s", "`for` needs a duration above zero"),
        ("daily for 1 min for 2 min", "put what has held in parentheses"),
        ("newly newly daily", "put what follows in parentheses"),
        ("newly", "expected a statement"),
        ("newli daily", "did you mean `newly`?"),
        ("daily since hourly since weekly", "put what belongs together in parentheses"),
        ("daily snce hourly", "did you mean `since`?"),
        ("since daily", "expected a statement"),
    ];
    for (text, said) in texts {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "`{text}`: {error}");
    }
}

#[test]
fn a_hash_can_be_stored() {
    assert_eq!(semantic_hash(&parse("daily & hourly").unwrap()), 16_318_030_770_475_679_849);
}

#[test]
fn serde_writes_the_text() {
    let expr = parse("daily & (hourly | ~true)").unwrap();
    let json = serde_json::to_string(&expr).unwrap();
    assert_eq!(json, "\"daily & (hourly | ~true)\"");
    assert_eq!(serde_json::from_str::<Expr>(&json).unwrap(), expr);
    let error = serde_json::from_str::<Expr>("\"dayly\"").unwrap_err();
    assert!(error.to_string().contains("did you mean `daily`?"), "{error}");
    assert!(serde_json::to_string(&Expr::from("dayly")).is_err());
}
