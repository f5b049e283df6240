//! The past: what a scheduler must know to go on.

use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Record, Recorded};
use redengine_core::runlog::{Past, PastOf, Query};

use super::kit::{
    Checked, Log, add, at, begin, checks, end, ensure, fine, latest, open, past, read, same, won,
};

checks![
    a_task_without_records_has_no_past,
    pasts_are_in_the_order_in_which_they_were_asked_for,
    records_are_counted_by_action,
    failures_in_a_row_are_counted,
    the_latest_of_each_action_is_there,
    the_greatest_start_of_each_action_is_there,
    runs_that_have_not_ended_are_there,
    as_many_as_are_wanted_of_each_action_are_there,
];

async fn a_task_without_records_has_no_past(log: Log) -> Checked {
    won(&log, latest(begin("b", 1), None)).await?;
    let past = past(&log, "a", Keep::of(ActionSet::of(&Action::ALL), 9)).await?;
    same("counts", &past.counts, &[0; 6])?;
    same("failures", &past.failures, &0)?;
    same("records", &past.records, &Vec::new())
}

async fn pasts_are_in_the_order_in_which_they_were_asked_for(log: Log) -> Checked {
    for number in 1..=6 {
        add(&log, begin(["a", "b", "b", "c", "c", "c"][number as usize - 1], number)).await?;
    }
    let of = ["c", "nobody", "a", "b", "c"]
        .map(|task| PastOf { task: task.into(), keep: Keep::default() });
    let pasts = fine(log.past(of.to_vec()).await)?;
    let runs: Vec<u64> = pasts.iter().map(|past| past.counts[0]).collect();
    same("the number of runs of c, nobody, a, b, c", &runs, &vec![3, 0, 1, 2, 3])?;
    same("no pasts", &fine(log.past(Vec::new()).await)?.len(), &0)
}

async fn records_are_counted_by_action(log: Log) -> Checked {
    let mut number = 0;
    for (times, action) in (1..).zip(Action::ALL.into_iter().skip(1)) {
        for _ in 0..times {
            number += 1;
            add(&log, begin("a", number)).await?;
            add(&log, begin("b", number + 1000)).await?;
            won(&log, open(end("a", number, action))).await?;
        }
    }
    same("counts", &past(&log, "a", Keep::default()).await?.counts, &[15, 1, 2, 3, 4, 5])?;
    same("counts", &past(&log, "b", Keep::default()).await?.counts, &[15, 0, 0, 0, 0, 0])
}

async fn failures_in_a_row_are_counted(log: Log) -> Checked {
    let mut number = 0;
    let others = [Action::Success, Action::Terminate, Action::Inaction, Action::Crash];
    for other in others {
        for failures in 1..=3 {
            number += 1;
            add(&log, begin("a", number)).await?;
            same(
                "failures after a begin",
                &past(&log, "a", Keep::default()).await?.failures,
                &(failures - 1),
            )?;
            won(&log, open(end("a", number, Action::Fail))).await?;
            same(
                "failures after a failure",
                &past(&log, "a", Keep::default()).await?.failures,
                &failures,
            )?;
        }
        number += 1;
        add(&log, begin("a", number)).await?;
        won(&log, open(end("a", number, other))).await?;
        let failures = past(&log, "a", Keep::default()).await?.failures;
        same(&format!("failures after {other}"), &failures, &0)?;
    }
    Ok(())
}

async fn the_latest_of_each_action_is_there(log: Log) -> Checked {
    let mut number = 0;
    for _ in 0..3 {
        for action in Action::ALL.into_iter().skip(1) {
            number += 1;
            // The latest by number is meant: by time it is the first.
            let started = at(1000 - i64::from(number));
            let record = Record { at: started, started, ..begin("a", number) };
            add(&log, record.clone()).await?;
            won(&log, open(Record { action, ..record })).await?;
        }
    }
    for action in Action::ALL {
        let newest = Query::task("a").actions([action]).newest_first().limit(1);
        holds(&log, Keep::default(), &read(&log, newest).await?).await?;
    }
    Ok(())
}

async fn the_greatest_start_of_each_action_is_there(log: Log) -> Checked {
    let starts = [3, 7, 1, 7, 5];
    let mut number = 0;
    for start in starts {
        for action in Action::ALL.into_iter().skip(1) {
            number += 1;
            let started = at(start * 10 + i64::from(number % 5));
            let record = Record { started, ..begin("a", number) };
            add(&log, record.clone()).await?;
            won(&log, open(Record { action, ..record })).await?;
        }
    }
    let all = read(&log, Query::task("a")).await?;
    let past = past(&log, "a", Keep::default()).await?;
    are_some_of(&past, &all)?;
    for action in Action::ALL {
        let greatest = |records: &[Recorded]| {
            let of_action = records.iter().filter(|recorded| recorded.record.action == action);
            of_action.map(|recorded| recorded.record.started).max()
        };
        same(
            &format!("the greatest start of {action}"),
            &greatest(&past.records),
            &greatest(&all),
        )?;
    }
    Ok(())
}

async fn runs_that_have_not_ended_are_there(log: Log) -> Checked {
    let mut open_runs = Vec::new();
    for number in 1..=20 {
        let begun = add(&log, begin("a", number)).await?;
        if number % 3 == 0 {
            open_runs.push(begun);
        } else {
            won(&log, open(end("a", number, Action::Success))).await?;
        }
    }
    are_open(&log, &open_runs).await?;
    // Those that end are not open any more, and nothing else is lost with them.
    let ended = open_runs.remove(2);
    let record = Record { action: Action::Crash, ..ended.record };
    won(&log, open(record)).await?;
    are_open(&log, &open_runs).await
}

/// Checks that these are the runs that have not ended, however many starts are wanted.
async fn are_open(log: &Log, begun: &[Recorded]) -> Checked {
    for starts in [1, 2, 9, u64::MAX] {
        let keep = Keep::of(ActionSet::of(&[Action::Run]), starts);
        holds(log, keep, begun).await?;
        let mut seqs = past(log, "a", keep).await?.open;
        seqs.sort_unstable();
        let wanted = begun.iter().map(|recorded| recorded.seq).collect();
        same(&format!("the open runs (keeping {starts} starts)"), &seqs, &wanted)?;
    }
    Ok(())
}

async fn as_many_as_are_wanted_of_each_action_are_there(log: Log) -> Checked {
    for number in [1, 2, 3, 9, 4, 5, 2000, 6] {
        add(&log, begin("a", number)).await?;
        add(&log, begin("b", number + 100)).await?;
        won(&log, open(end("a", number, Action::Success))).await?;
    }
    for count in [1, 2, 3, 8, 9, u64::MAX] {
        let wanted = Query::task("a").actions([Action::Success]).newest_first();
        let limit = usize::try_from(count).unwrap_or(usize::MAX);
        let wanted = read(&log, wanted.limit(limit)).await?;
        let keep = Keep::of(ActionSet::of(&[Action::Success]), count);
        holds(&log, keep, &wanted).await?;
        let starts = past(&log, "a", keep).await?;
        let starts = starts.records.iter().filter(|known| known.record.action == Action::Run);
        ensure(starts.count() <= 2, || "more starts than were asked for".to_owned())?;
    }
    Ok(())
}

/// Checks that the past of task `a` has at least the wanted records, and none that is not there.
async fn holds(log: &Log, keep: Keep, wanted: &[Recorded]) -> Checked {
    let past = past(log, "a", keep).await?;
    are_some_of(&past, &read(log, Query::task("a")).await?)?;
    for one in wanted {
        ensure(past.records.contains(one), || format!("{one:?} is missing (keeping {keep:?})"))?;
    }
    Ok(())
}

fn are_some_of(past: &Past, all: &[Recorded]) -> Checked {
    ensure(past.records.is_sorted_by(|one, next| one.seq < next.seq), || {
        format!("records of a past are not in order: {:?}", past.records)
    })?;
    match past.records.iter().find(|recorded| !all.contains(recorded)) {
        Some(strange) => Err(format!("{strange:?} is not in the log")),
        None => Ok(()),
    }
}
