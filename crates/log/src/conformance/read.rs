//! Reading: which records, in which order, how many.

use redengine_core::record::{Action, Record, Recorded, Seq};
use redengine_core::runlog::{Order, Query};

use super::kit::{Checked, Log, add, at, begin, checks, end, fine, read, run_id, same};

checks![
    an_empty_log_has_no_records,
    records_of_one_instant_are_in_the_order_of_their_numbers,
    records_are_in_the_order_of_their_numbers_when_the_clock_stepped_back,
    each_field_of_a_query_alone,
    the_fields_of_a_query_together,
    as_many_are_counted_as_are_read,
];

async fn an_empty_log_has_no_records(log: Log) -> Checked {
    same("all records", &read(&log, Query::all()).await?, &Vec::new())?;
    same("records of a task", &read(&log, Query::task("a")).await?, &Vec::new())?;
    same("the last number", &fine(log.last_seq().await)?, &Seq(0))
}

async fn records_of_one_instant_are_in_the_order_of_their_numbers(log: Log) -> Checked {
    let mut written = Vec::new();
    for number in (1..20).rev() {
        let record = Record { at: at(0), started: at(0), ..begin("a", number) };
        written.push(add(&log, record).await?);
    }
    in_both_orders(&log, &Query::all(), &written).await?;
    in_both_orders(&log, &Query::task("a").from(at(0)), &written).await
}

async fn records_are_in_the_order_of_their_numbers_when_the_clock_stepped_back(
    log: Log,
) -> Checked {
    let mut written = Vec::new();
    for number in [5, 9, 1, 7, 3] {
        for task in ["a", "b"] {
            let record = begin(task, number);
            let run = run_id(u128::from(number) << 8 | u128::from(task.as_bytes()[0]));
            written.push(add(&log, Record { run, ..record }).await?);
        }
    }
    in_both_orders(&log, &Query::all(), &written).await?;
    for query in [Query::task("b").from(at(3)), Query::all().from(at(3)).until(at(9))] {
        let wanted: Vec<Recorded> =
            written.iter().filter(|recorded| query.matches(recorded)).cloned().collect();
        in_both_orders(&log, &query, &wanted).await?;
    }
    Ok(())
}

/// Writes some of everything: three tasks, all actions, open runs, two clocks.
async fn write(log: &Log) -> Checked<Vec<Recorded>> {
    let mut written = Vec::new();
    let ends = [Action::Success, Action::Fail, Action::Terminate, Action::Inaction, Action::Crash];
    for number in 1..16_u32 {
        let task = ["a", "b", "c"][number as usize % 3];
        written.push(add(log, begin(task, number)).await?);
        if number % 4 != 0 {
            let action = ends[number as usize % 5];
            written.push(add(log, end(task, number, action)).await?);
        }
    }
    Ok(written)
}

/// Queries that have one field each, in all ways.
fn queries(written: &[Recorded]) -> Vec<Query> {
    let middle = &written[written.len() / 2];
    let of_run = Query::all().run(middle.record.run);
    let of_none = Query::all().run(run_id(1 << 100));
    let of_tasks = Query::all().tasks(["c", "nobody", "a", "c"]);
    let of_no_task = Query::all().tasks([""; 0]);
    vec![
        Query::all(),
        Query::task("b"),
        Query::task("nobody"),
        of_tasks,
        of_no_task,
        Query::all().actions([Action::Fail]),
        Query::all().actions([Action::Crash, Action::Run]),
        Query::all().actions(Action::ALL),
        of_run,
        of_none,
        Query::all().after(Seq(0)),
        Query::all().after(middle.seq),
        Query::all().after(Seq(u64::MAX)),
        Query::all().from(middle.record.at),
        Query::all().until(middle.record.at),
        Query::all().from(middle.record.at).until(middle.record.at),
    ]
}

async fn each_field_of_a_query_alone(log: Log) -> Checked {
    let written = write(&log).await?;
    for query in queries(&written) {
        let wanted: Vec<Recorded> =
            written.iter().filter(|recorded| query.matches(recorded)).cloned().collect();
        in_both_orders(&log, &query, &wanted).await?;
        for limit in [0, 1, 3, 1000, usize::MAX] {
            let few: Vec<Recorded> = wanted.iter().take(limit).cloned().collect();
            let what = format!("{query:?} with limit {limit}");
            same(&what, &read(&log, query.clone().limit(limit)).await?, &few)?;
        }
    }
    Ok(())
}

async fn as_many_are_counted_as_are_read(log: Log) -> Checked {
    same("the count of nothing", &fine(log.count(Query::all()).await)?, &0)?;
    let written = write(&log).await?;
    let all = queries(&written).into_iter().chain(combinations(&written));
    for query in all {
        let wanted = written.iter().filter(|recorded| query.matches(recorded)).count();
        let what = format!("the count of {query:?}");
        same(&what, &fine(log.count(query).await)?, &(wanted as u64))?;
    }
    Ok(())
}

/// Queries that have several fields, in all combinations.
fn combinations(written: &[Recorded]) -> Vec<Query> {
    let middle = &written[written.len() / 2];
    let (before, after) = (&written[4], &written[written.len() - 4]);
    let mut queries = vec![Query::all()];
    // Each doubles or triples the queries so far.
    both(&mut queries, |query| {
        [vec!["a"], vec!["b", "c"]]
            .map(|tasks| {
                let tasks = Some(tasks.into_iter().map(Into::into).collect());
                let mut query = query.clone();
                query.tasks = tasks;
                query
            })
            .to_vec()
    });
    both(&mut queries, |query| {
        vec![
            query.clone().actions([Action::Run]),
            query.clone().actions([Action::Success, Action::Fail]),
        ]
    });
    both(&mut queries, |query| vec![query.clone().run(middle.record.run)]);
    both(&mut queries, |query| vec![query.clone().after(before.seq)]);
    both(&mut queries, |query| vec![query.clone().from(before.record.at)]);
    both(&mut queries, |query| vec![query.clone().until(after.record.at)]);
    both(&mut queries, |query| vec![query.clone().limit(2)]);
    both(&mut queries, |query| vec![query.clone().newest_first()]);
    queries
}

async fn the_fields_of_a_query_together(log: Log) -> Checked {
    let written = write(&log).await?;
    for query in combinations(&written) {
        let mut wanted: Vec<Recorded> =
            written.iter().filter(|recorded| query.matches(recorded)).cloned().collect();
        if query.order == Order::Newest {
            wanted.reverse();
        }
        wanted.truncate(query.limit.unwrap_or(usize::MAX));
        same(&format!("{query:?}"), &read(&log, query).await?, &wanted)?;
    }
    Ok(())
}

fn both(queries: &mut Vec<Query>, more: impl Fn(&Query) -> Vec<Query>) {
    let others: Vec<Query> = queries.iter().flat_map(more).collect();
    queries.extend(others);
}

async fn in_both_orders(log: &Log, query: &Query, wanted: &[Recorded]) -> Checked {
    let mut wanted = wanted.to_vec();
    same(&format!("{query:?}"), &read(log, query.clone()).await?, &wanted)?;
    wanted.reverse();
    let newest = query.clone().newest_first();
    same(&format!("{newest:?}"), &read(log, newest).await?, &wanted)
}
