//! Laws that hold for every period, in every zone, around every change of its clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use redengine_core::Timestamp;
use redengine_core::period::{
    BusinessDays, CivilSpan, Cron, Cycle, Dates, Interval, Moment, Period, Place, Point, Unit,
    Weekday, Window,
};
use redengine_core::time::Zone;

const HOUR: i64 = 3_600_000_000;

/// Zones with odd habits: half hours, midnights, skipped days, negative summer time, two hours.
const ODD: [&str; 16] = [
    "UTC",
    "Europe/Helsinki",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Europe/Dublin",
];

fn zones() -> impl Strategy<Value = Zone> {
    let all = Zone::names();
    prop_oneof![
        select(ODD.to_vec()).prop_map(str::to_owned),
        any::<Index>().prop_map(move |index| index.get(&all).clone()),
    ]
    .prop_filter_map("not a zone", |name| Zone::named(&name).ok())
}

/// An instant from 1970 to 2100, as likely as not near a change of the zone's clock.
fn instants() -> impl Strategy<Value = (Zone, Timestamp)> {
    let seconds = 0..4_102_444_800_i64;
    let offset = prop_oneof![
        Just(0),
        Just(-1),
        -3 * HOUR..3 * HOUR,
        (-300..300_i64).prop_map(|minutes| minutes * HOUR / 60),
    ];
    (zones(), seconds, any::<bool>(), offset).prop_map(|(zone, second, near, offset)| {
        let at = Timestamp::from_micros(second * 1_000_000);
        let change = zone.next_transition(at).filter(|_| near).unwrap_or(at);
        (zone, Timestamp::from_micros(change.as_micros() + offset))
    })
}

fn weekdays() -> impl Strategy<Value = Weekday> {
    select(vec![
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ])
}

fn points(unit: Unit) -> BoxedStrategy<Point> {
    let time = |most: i64| {
        prop_oneof![Just(0), (0..most / 60_000_000 + 1).prop_map(move |m| m * 60_000_000), 0..most]
    };
    let in_day = prop_oneof![Just(None), time(24 * HOUR).prop_map(Some)];
    let whole =
        |most| time(most).prop_map(|time| Point { place: Place::Whole, time: Some(time) }).boxed();
    let place = match unit {
        Unit::Second => return whole(1_000_000),
        Unit::Minute => return whole(60_000_000),
        Unit::Hour => return whole(HOUR),
        Unit::Day => return whole(24 * HOUR),
        Unit::Week => weekdays().prop_map(Place::Weekday).boxed(),
        Unit::Month => prop_oneof![
            5 => (1..=31_u8).prop_map(Place::MonthDay),
            1 => Just(Place::LastDay),
            1 => weekdays().prop_map(Place::LastWeekday),
        ]
        .boxed(),
        Unit::Year => prop_oneof![
            (1..=12_u8).prop_map(Place::Month),
            (1..=12_u8, 1..=31_u8).prop_map(|(month, day)| Place::YearDay(month, day)),
            Just(Place::YearDay(2, 29)),
        ]
        .boxed(),
    };
    (place, in_day).prop_map(|(place, time)| Point { place, time }).boxed()
}

fn windows(points: BoxedStrategy<Point>) -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window::Full),
        points.clone().prop_map(Window::Starting),
        points.clone().prop_map(Window::On),
        points.clone().prop_map(Window::After),
        points.clone().prop_map(Window::Before),
        (points.clone(), points).prop_map(|(from, to)| Window::Between(from, to)),
    ]
}

fn within() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        4 => Just(None),
        1 => (1..4_000_000_000_u64).prop_map(|micros| Some(Duration::from_micros(micros))),
        1 => (1..4_000_000_u64).prop_map(|seconds| Some(Duration::from_secs(seconds))),
    ]
}

fn cycles() -> impl Strategy<Value = Period> {
    let units = vec![
        Unit::Second,
        Unit::Minute,
        Unit::Hour,
        Unit::Day,
        Unit::Week,
        Unit::Month,
        Unit::Year,
    ];
    select(units).prop_flat_map(|unit| {
        (windows(points(unit)), within())
            .prop_map(move |(window, within)| Period::Cycle(Cycle { unit, window, within }))
    })
}

/// Windows of hours and days, so that brute force sees enough of them.
fn short_cycles() -> impl Strategy<Value = Period> {
    select(vec![Unit::Hour, Unit::Day, Unit::Week]).prop_flat_map(|unit| {
        windows(points(unit))
            .prop_map(move |window| Period::Cycle(Cycle { unit, window, within: None }))
    })
}

fn crons() -> impl Strategy<Value = Period> {
    let texts = vec![
        "* * * * *",
        "*/15 * * * *",
        "30 2 * * *",
        "0,30 1-3 * * *",
        "30 */2 * * *",
        "0 0 * * *",
        "59 23 L * *",
        "0 0 29 2 *",
        "15 1 15W * *",
        "0 12 LW * *",
        "0 3 * * FRI#2",
        "0 3 * * 5L",
        "0 0 */2 * MON",
        "0 0 13 * FRI",
        "22 22-3 * NOV-FEB FRI-MON",
        "~ ~ * * *",
        "*/10 * 2 * * *",
        "30 15 2 * * *",
    ];
    select(texts).prop_map(|text| Period::Cron(Cron::parse(text).unwrap()))
}

fn days() -> impl Strategy<Value = Period> {
    let date = (0..47_000_i32)
        .prop_map(|day| NaiveDate::from_num_days_from_ce_opt(day + 719_163).unwrap());
    let dates = proptest::collection::vec(date, 0..40).prop_map(Dates::new);
    prop_oneof![
        dates.clone().prop_map(BusinessDays::without).prop_map(Period::BusinessDays),
        Just(Period::BusinessDays(BusinessDays::weekends())),
        dates.prop_map(Period::Dates),
    ]
}

/// Spans of dates, also around the days that a zone skipped.
fn spans() -> impl Strategy<Value = Period> {
    let date = prop_oneof![
        (0..47_000_i32)
            .prop_map(|day| NaiveDate::from_num_days_from_ce_opt(day + 719_163).unwrap()),
        (28..=31_u32).prop_map(|day| NaiveDate::from_ymd_opt(2011, 12, day).unwrap()),
    ];
    let time = proptest::option::of((0..96_i64).prop_map(|quarter| quarter * 900_000_000));
    let moment = (date, time).prop_map(|(date, time)| Moment { date, time });
    prop_oneof![
        moment.clone().prop_map(CivilSpan::after),
        moment.clone().prop_map(CivilSpan::before),
        moment.clone().prop_map(|moment| CivilSpan::on(moment.date)),
        (moment.clone(), moment.clone())
            .prop_filter_map("in order", |(from, to)| CivilSpan::between(from, to)),
        (moment, 1..10_i64).prop_filter_map("within a day", |(from, quarters)| {
            let time = from.time.unwrap_or(0) + quarters * 900_000_000;
            CivilSpan::between(from, Moment { date: from.date, time: Some(time) })
        }),
    ]
    .prop_map(Period::Span)
}

fn sets(members: impl Strategy<Value = Period> + 'static) -> impl Strategy<Value = Period> {
    let members = proptest::collection::vec(members.boxed(), 1..4);
    (members, any::<bool>())
        .prop_map(|(members, all)| if all { Period::All(members) } else { Period::Any(members) })
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - 1)
}

/// Checks what must hold around an instant, and for some intervals after it.
fn check(period: &Period, zone: &Zone, at: Timestamp) -> Result<(), TestCaseError> {
    let last = period.seek_back(at, zone);
    let first = period.seek(at, zone);
    if let Some(last) = last {
        prop_assert!(last.start <= at, "seek_back gave {last:?}");
        prop_assert!(!last.is_empty());
    }
    if let Some(first) = first {
        prop_assert!(first.end > at, "seek gave {first:?}");
        prop_assert!(!first.is_empty());
    }
    let current = period.current(at, zone);
    prop_assert_eq!(current.is_some(), period.contains(at, zone));
    match current {
        Some(current) => prop_assert_eq!((first, last), (Some(current), Some(current))),
        None => {
            prop_assert!(first.is_none_or(|first| first.start > at));
            prop_assert!(last.is_none_or(|last| last.end <= at), "{last:?} is not over");
        }
    }
    prop_assert!(period.next(at, zone).is_none_or(|next| next.start > at));
    prop_assert!(period.previous(at, zone).is_none_or(|previous| previous.end <= at));
    prop_assert!(period.next_edge(at, zone).is_none_or(|edge| edge > at));

    let mut interval = last.or(first);
    for _ in 0..8 {
        let Some(this) = interval.filter(|this| this.end < Timestamp::MAX) else { break };
        for inside in [this.start, before(this.end)] {
            prop_assert_eq!(period.seek(inside, zone), Some(this));
            prop_assert_eq!(period.seek_back(inside, zone), Some(this));
        }
        let next = period.seek(this.end, zone);
        if let Some(next) = next {
            prop_assert!(next.start >= this.end, "{this:?} then {next:?}");
            prop_assert_eq!(period.seek_back(before(next.start), zone), Some(this));
            prop_assert_eq!(period.contains(this.end, zone), next.start == this.end);
            prop_assert_eq!(period.next(this.start, zone), Some(next));
            prop_assert_eq!(period.previous(next.start, zone), Some(this));
        }
        interval = next;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn cycles_are_in_order_and_seek_agrees_with_seek_back(
        period in cycles(), (zone, at) in instants()
    ) {
        check(&period, &zone, at)?;
    }

    #[test]
    fn cron_is_in_order_and_seek_agrees_with_seek_back(
        period in crons(), (zone, at) in instants()
    ) {
        check(&period, &zone, at)?;
    }

    #[test]
    fn days_are_in_order_and_seek_agrees_with_seek_back(
        period in prop_oneof![2 => days(), 1 => spans()], (zone, at) in instants()
    ) {
        check(&period, &zone, at)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn sets_contain_what_their_members_contain(
        period in sets(prop_oneof![short_cycles(), sets(short_cycles())]), (zone, at) in instants()
    ) {
        for step in 0..16 {
            let at = Timestamp::from_micros(at.as_micros() + step * 97 * HOUR / 60);
            prop_assert_eq!(period.contains(at, &zone), is_member(&period, at, &zone));
        }
    }

    #[test]
    fn sets_are_in_order(
        period in sets(prop_oneof![4 => short_cycles(), 1 => days(), 1 => spans(), 1 => sets(short_cycles())]),
        (zone, at) in instants()
    ) {
        check(&period, &zone, at)?;
    }

    #[test]
    fn no_value_panics(
        unit in select(vec![Unit::Second, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year]),
        window in windows(wild_points()),
        within in any::<Option<Duration>>(),
        at in any::<i64>(),
        zone in zones(),
    ) {
        let cycle = Period::Cycle(Cycle { unit, window, within });
        let at = Timestamp::from_micros(at);
        for period in [cycle.clone(), Period::All(vec![cycle.clone(), Period::Always]), Period::Any(vec![cycle, Period::Never])] {
            let _ = (period.seek(at, &zone), period.seek_back(at, &zone));
            let _ = (period.next(at, &zone), period.previous(at, &zone), period.next_edge(at, &zone));
        }
        let _ = (zone.to_local(at), zone.next_transition(at), zone.previous_transition(at));
    }

    #[test]
    fn no_text_panics(text in "[0-9*,/~#LWa-z@ ?-]{0,24}", seed in ".*") {
        if let Ok(cron) = Cron::parse(&text) {
            prop_assert_eq!(Cron::parse(&cron.to_string()), Ok(cron.clone()));
            let _ = cron.spread(&seed);
        }
    }
}

/// Values that no parser makes.
fn wild_points() -> BoxedStrategy<Point> {
    let place = prop_oneof![
        Just(Place::Whole),
        weekdays().prop_map(Place::Weekday),
        any::<u8>().prop_map(Place::MonthDay),
        Just(Place::LastDay),
        weekdays().prop_map(Place::LastWeekday),
        any::<u8>().prop_map(Place::Month),
        any::<(u8, u8)>().prop_map(|(month, day)| Place::YearDay(month, day)),
    ];
    (place, any::<Option<i64>>()).prop_map(|(place, time)| Point { place, time }).boxed()
}

fn is_member(period: &Period, at: Timestamp, zone: &Zone) -> bool {
    match period {
        Period::All(members) => members.iter().all(|member| is_member(member, at, zone)),
        Period::Any(members) => members.iter().any(|member| is_member(member, at, zone)),
        leaf => leaf.contains(at, zone),
    }
}

/// Every zone, every change of its clock: the day's edges are in order, and midnight is midnight.
#[test]
fn days_adjoin_around_every_change_of_every_zone() {
    let daily = Period::Cycle(Cycle { unit: Unit::Day, window: Window::Full, within: None });
    let hourly = Period::Cycle(Cycle { unit: Unit::Hour, window: Window::Full, within: None });
    let until = Timestamp::from_micros(4_102_444_800_000_000);
    for name in Zone::names() {
        let zone = Zone::named(&name).unwrap();
        let mut change = Timestamp::from_micros(0);
        let mut count = 0;
        while let Some(next) = zone.next_transition(change).filter(|next| *next < until) {
            assert!(next > change, "{name}: {change} then {next}");
            // Later changes of a year are like those of the year before; not all need be seen.
            if count < 60 {
                for period in [&daily, &hourly] {
                    adjoin(period, &zone, next);
                }
            }
            assert_eq!(zone.previous_transition(next.after(Duration::from_micros(1))), Some(next));
            change = next;
            count += 1;
        }
    }
}

fn adjoin(period: &Period, zone: &Zone, at: Timestamp) {
    let mut last: Option<Interval> = None;
    let mut from = at.before(Duration::from_hours(26));
    while from < at.after(Duration::from_hours(26)) {
        let this = period.seek(from, zone).unwrap();
        assert!(last.is_none_or(|last| last.end == this.start), "{zone} {at}: {last:?} {this:?}");
        (last, from) = (Some(this), this.end);
    }
}
