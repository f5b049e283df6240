//! Zones: names, the one policy for gaps and folds, and chrono's view of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use chrono::{MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use redengine_core::Timestamp;
use redengine_core::time::Zone;

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_name_is_found_in_any_case_and_kept_as_it_is_usually_spelled() {
    assert_eq!(Zone::named("america/new_york").unwrap().name(), "America/New_York");
    assert_eq!(Zone::named("UTC"), Ok(Zone::utc()));
    // An alias stays what the user calls it.
    assert_eq!(Zone::named("us/pacific").unwrap().name(), "US/Pacific");
}

#[test]
fn an_unknown_name_comes_with_the_one_that_was_meant() {
    let meant = |name: &str| Zone::named(name).unwrap_err().suggestion;
    assert_eq!(meant("Europe/Helsiki").as_deref(), Some("Europe/Helsinki"));
    assert_eq!(meant("helsinki").as_deref(), Some("Europe/Helsinki"));
    assert_eq!(meant("New York").as_deref(), Some("America/New_York"));
    assert_eq!(meant("xyzzyxyzzy"), None);
    for name in ["", "+02:00", "Etc/Unknown", "../../etc/passwd", "Europe/ä"] {
        assert!(Zone::named(name).is_err(), "{name}");
    }
}

#[test]
fn the_database_in_use_tells_its_version() {
    assert!(Zone::database().starts_with("20"), "{}", Zone::database());
    assert!(Zone::names().len() > 400);
    assert!(!Zone::system().name().is_empty());
}

#[test]
fn a_time_in_a_gap_is_the_transition_and_one_in_a_fold_the_first() {
    let zone = Zone::named("America/New_York").unwrap();
    assert_eq!(zone.to_instant(local("2026-03-08T02:30:00")), at("2026-03-08T03:00:00-04:00"));
    assert_eq!(zone.to_instant(local("2026-11-01T01:30:00")), at("2026-11-01T01:30:00-04:00"));
    let samoa = Zone::named("Pacific/Apia").unwrap();
    assert_eq!(samoa.to_instant(local("2011-12-30T12:00:00")), at("2011-12-31T00:00:00+14:00"));
    assert_eq!(zone.to_local(at("2026-07-01T00:00:00Z")), local("2026-06-30T20:00:00"));
}

#[test]
fn transitions_go_on_when_the_written_ones_end() {
    let zone = Zone::named("Europe/Helsinki").unwrap();
    let spring = zone.next_transition(at("2026-01-01T00:00:00Z"));
    assert_eq!(spring, Some(at("2026-03-29T01:00:00Z")));
    let far = at("3333-01-01T00:00:00Z");
    assert_eq!(zone.next_transition(far), Some(at("3333-03-29T01:00:00Z")));
    assert_eq!(zone.previous_transition(far), Some(at("3332-10-26T01:00:00Z")));
    assert_eq!(zone.to_local(at("3333-07-01T00:00:00Z")), local("3333-07-01T03:00:00"));
    assert_eq!(Zone::utc().next_transition(far), None);

    let kathmandu = Zone::named("Asia/Kathmandu").unwrap();
    assert_eq!(kathmandu.previous_transition(far), Some(at("1985-12-31T18:30:00Z")));
    assert_eq!(kathmandu.next_transition(far), None);
}

#[test]
fn chrono_sees_none_one_or_two() {
    let zone = Zone::named("America/New_York").unwrap();
    let seen = |text: &str| zone.from_local_datetime(&local(text));
    assert!(matches!(seen("2026-03-08T02:30:00"), MappedLocalTime::None));
    assert!(matches!(seen("2026-03-08T03:00:00"), MappedLocalTime::Single(_)));
    assert!(matches!(seen("2026-11-01T02:00:00"), MappedLocalTime::Single(_)));
    let MappedLocalTime::Ambiguous(first, second) = seen("2026-11-01T01:30:00") else {
        panic!("not two");
    };
    assert_eq!(first.to_rfc3339(), "2026-11-01T01:30:00-04:00");
    assert_eq!(second.to_rfc3339(), "2026-11-01T01:30:00-05:00");
    let noon = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap().and_hms_opt(16, 0, 0).unwrap();
    assert_eq!(zone.from_utc_datetime(&noon).with_timezone(&Utc).naive_utc(), noon);
    assert_eq!(zone.from_utc_datetime(&noon).to_string(), "2026-07-01 12:00:00 -04:00");
}

#[test]
fn the_shortest_step_over_a_transition_changes_the_local_time_by_it() {
    let zone = Zone::named("Australia/Lord_Howe").unwrap();
    let change = zone.next_transition(at("2026-01-01T00:00:00Z")).unwrap();
    let before = zone.to_local(change.before(Duration::from_micros(1)));
    let step = zone.to_local(change) - before;
    assert_eq!(step.num_microseconds(), Some(1 - 1_800_000_000));
}

#[test]
fn a_zone_may_have_rules_of_its_own() {
    let older = include_bytes!("../../../tests/data/tzdb-2025b/America/Havana");
    let zone = Zone::from_tzif("America/Havana", older).unwrap();
    assert_eq!(zone.name(), "America/Havana");
    let autumn = zone.next_transition(at("2026-07-01T00:00:00Z"));
    assert_eq!(autumn, Some(at("2026-11-01T05:00:00Z")));
    // The name does not make them equal: conditions in both are different ones.
    assert_ne!(zone, Zone::named("America/Havana").unwrap());
    assert_eq!(zone, Zone::from_tzif("America/Havana", older).unwrap());
    let error = Zone::from_tzif("Mars/Olympus", b"no rules").unwrap_err();
    assert!(error.to_string().contains("`Mars/Olympus`"), "{error}");
}
