//! Appending records.
//!
//! Always: whoever appends holds the log's lock from before looking until the commit is visible. So
//! numbers become visible in their order, none is ever seen after a greater one, and a reader that
//! has seen a number has seen all below it. The alternative is to number records as they come and
//! to tell readers up to where no transaction is open any more; but then one that hangs anywhere in
//! the database holds up all who follow. Here it holds up those who append, and for two seconds at
//! most: then the server ends it.
//!
//! A transaction costs two round trips: one to take the lock and hear what is new, one to write and
//! commit. What is decided in between is decided in memory, by the ledger, and all that have come
//! while the lock was waited for go along.

use std::collections::{BTreeSet, HashMap};

use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Appended, LogErrorKind};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row, Statement};
use uuid::Uuid;

use super::address::{Address, Lock};
use super::books::{Books, Caught, IsNew, NEWS, PAGE};
use super::connect::{Connection, Parameters};
use super::error::Failure;
use super::hours::ENTER;
use super::row;
use super::text;
use super::write::Group;
use crate::causes;
use crate::hours::hour;

const INSERT_TASKS: &str =
    "insert into task (id, name) select * from unnest($1::bigint[], $2::text[])";

const INSERT: &str = "insert into record
        (seq, task, run, action, at, started, due, node, reason, output, attempt, params, trace,
        causes)
     select * from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::smallint[], $5::bigint[],
        $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[],
        $12::text[], $13::text[], $14::text[])";

/// The same of records that have none of the rarer fields.
const INSERT_PLAIN: &str = "insert into record (seq, task, run, action, at, started, due, node)
     select * from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::smallint[], $5::bigint[],
        $6::bigint[], $7::bigint[], $8::text[])";

/// Records by run and action; the columns are those of a record.
const FIND: &str = "select found.seq, found.task, found.run, found.action, found.at, found.started,
        found.due, found.node, found.reason, found.output, found.attempt, found.params, found.trace,
        found.causes
     from unnest($1::uuid[], $2::smallint[]) as wanted(run, action)
     cross join lateral (
        select * from record where run = wanted.run and action = wanted.action limit 1
     ) as found";

/// What becomes of a batch.
pub(super) type Answer = Result<Vec<Appended>, (LogErrorKind, String)>;

/// Where records that are in the log already are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeated {
    /// Only what is not as expected can be in the log: else it would have changed what is expected.
    /// The exceptions fail as the unique index says so.
    LookedUpIfUnexpected,
    /// All are looked up first.
    LookedUpFirst,
}

/// Appends batches, all in one transaction; each is decided by itself.
pub(super) async fn append(
    connection: &mut Connection,
    books: &mut Books,
    address: &Address,
    group: &Group<'_>,
) -> Result<Vec<Answer>, Failure> {
    match transact(connection, books, address, group, Repeated::LookedUpIfUnexpected).await {
        Err(Failure::Postgres(error)) if is_repeated(&error) => {
            // Nothing was written, and the ledger has what is not in the log.
            connection.run_all("rollback").await?;
            *books = Books::open(connection).await?;
            transact(connection, books, address, group, Repeated::LookedUpFirst).await
        }
        answers => answers,
    }
}

/// Tells whether what failed is that a run would have two records of an action.
pub(super) fn is_repeated(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

async fn transact(
    connection: &mut Connection,
    books: &mut Books,
    address: &Address,
    group: &Group<'_>,
    repeated: Repeated,
) -> Result<Vec<Answer>, Failure> {
    let (ended, batches) = loop {
        let ended = begin(connection, books, address).await?;
        let batches = group.gather().await;
        let nodes = batches.iter().flat_map(|batch| nodes(batch));
        let unknown: BTreeSet<String> =
            nodes.filter(|node| !books.nodes.contains(*node)).map(str::to_owned).collect();
        if unknown.is_empty() {
            break (ended, batches);
        }
        // Leases are locked all at once and in order, so that nobody waits in a circle.
        connection.run_all("rollback").await?;
        books.nodes.extend(unknown);
    };
    let all = batches.iter().flat_map(|batch| &**batch).map(|append| &append.record);
    let known = match repeated {
        Repeated::LookedUpIfUnexpected => HashMap::new(),
        Repeated::LookedUpFirst => find(connection, all).await?,
    };
    let mut decided = Decided { known, ..Decided::default() };
    let mut answers: Vec<Answer> = Vec::with_capacity(batches.len());
    for batch in &batches {
        let fenced = nodes(batch).find(|node| ended.iter().any(|ended| **ended == **node));
        match fenced {
            Some(node) => answers.push(Err((
                LogErrorKind::Fenced,
                format!(
                    "the lease of `{node}` has ended, so others have taken over from it; renew it, \
                     or begin again under another name"
                ),
            ))),
            None => answers.push(Ok(decided.decide(books, batch))),
        }
    }
    let found = finish(connection, books, address, &decided).await?;
    for (batch, place) in &decided.unexpected {
        let record = &batches[*batch][*place].record;
        // OK because an unexpected record is of a batch that was decided.
        if let (Some(there), Ok(answers)) =
            (found.get(&(record.run, record.action)), &mut answers[*batch])
        {
            answers[*place] = Appended::Won(there.clone());
        }
    }
    Ok(answers)
}

/// The nodes that begin runs in a batch.
fn nodes(batch: &[Append]) -> impl Iterator<Item = &str> {
    let runs = batch.iter().filter(|append| append.record.action == Action::Run);
    runs.filter_map(|append| append.record.details.as_ref()?.node.as_deref())
}

/// Takes the lock and hears what is new; gives those nodes of which we know that have ended.
async fn begin(
    connection: &mut Connection,
    books: &mut Books,
    address: &Address,
) -> Result<Vec<String>, Failure> {
    let nodes: Vec<String> = books.nodes.iter().map(|node| text::encode(node).into()).collect();
    let begin = address.begin(&[Lock::Append]);
    let news = connection.prepared(NEWS).await?;
    loop {
        let after = row::number(books.ledger.last());
        let client = connection.client();
        let parameters: Parameters<'_> = &[&after, &PAGE, &nodes];
        // Sent at once; the second sees what was committed when its turn came, under the lock.
        let asked = Box::pin(async {
            Ok(tokio::try_join!(
                biased;
                client.batch_execute(&begin),
                client.query(&news, parameters),
            )?)
        });
        let ((), rows) = connection.in_time(asked).await?;
        match books.fold(connection, &rows).await? {
            Caught::Up => return ended(&rows),
            // Not under the lock: the others go on meanwhile.
            caught => {
                connection.run_all("rollback").await?;
                if caught == Caught::Behind || !books.catch_up(connection).await? {
                    *books = Books::open(connection).await?;
                }
            }
        }
    }
}

/// The nodes whose leases have ended, as [`NEWS`] tells.
fn ended(news: &[Row]) -> Result<Vec<String>, Failure> {
    let Some(row) = news.first() else { return Ok(Vec::new()) };
    let nodes: Option<Vec<&str>> = row.try_get(4)?;
    Ok(nodes.into_iter().flatten().map(|node| text::decode(node).into()).collect())
}

/// What is to be written, and what is not known yet.
#[derive(Default)]
struct Decided {
    /// What is in the log already.
    known: HashMap<(RunId, Action), Recorded>,
    /// What will be.
    new: Vec<Recorded>,
    /// Its places in `new`.
    written: HashMap<(RunId, Action), usize>,
    /// The batches and places of records that are not as expected: lost, or in the log already.
    unexpected: Vec<(usize, usize)>,
    records: Vec<Record>,
    batch: usize,
}

impl Decided {
    /// Decides a batch, and folds what it wins into the ledger.
    fn decide(&mut self, books: &mut Books, batch: &[Append]) -> Vec<Appended> {
        let mut answers = Vec::with_capacity(batch.len());
        for (place, Append { record, expect }) in batch.iter().enumerate() {
            let key = (record.run, record.action);
            let there = self.written.get(&key).map(|place| &self.new[*place]);
            if let Some(there) = there.or_else(|| self.known.get(&key)) {
                answers.push(Appended::Won(there.clone()));
            } else if books.ledger.is_expected(record, *expect) {
                let seq = Seq(books.ledger.last().0 + 1);
                books.ledger.fold(seq, record);
                let recorded = Recorded { seq, record: record.clone() };
                self.written.insert(key, self.new.len());
                self.new.push(recorded.clone());
                answers.push(Appended::Won(recorded));
            } else {
                // Where many want the same, most have lost to one who is known.
                if !books.ledger.is_taken(record, *expect) {
                    self.unexpected.push((self.batch, place));
                    self.records.push(record.clone());
                }
                answers.push(Appended::Lost);
            }
        }
        self.batch += 1;
        answers
    }
}

/// Writes what was decided and commits; gives what is in the log of what was not expected.
async fn finish(
    connection: &mut Connection,
    books: &mut Books,
    address: &Address,
    decided: &Decided,
) -> Result<HashMap<(RunId, Action), Recorded>, Failure> {
    let find = connection.prepared(FIND).await?;
    let client = connection.shared_client();
    let find = ask(&client, &find, decided.records.iter());
    let rows = match decided.new.last() {
        Some(last) => {
            let rows = Rows::of(books, &decided.new);
            let end = end(address, last.seq);
            tokio::try_join!(biased; find, insert(connection, &rows, &end))?.0
        }
        None => {
            tokio::try_join!(biased; connection.in_time(find), connection.run_all("rollback"))?.0
        }
    };
    there(connection, &rows).await
}

/// Tells the others and commits.
pub(super) fn end(address: &Address, last: Seq) -> String {
    format!("select pg_notify('{}', '{last}'); commit", address.channel())
}

/// Writes rows, and does what is to be done at the end.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &Rows<'_>,
    end: &str,
) -> Result<(), Failure> {
    let insert = if rows.is_plain { INSERT_PLAIN } else { INSERT };
    let insert = connection.prepared(insert).await?;
    let (tasks, hours) =
        (connection.prepared(INSERT_TASKS).await?, connection.prepared(ENTER).await?);
    let client = connection.client();
    let tasks = async {
        if rows.new_tasks.0.is_empty() {
            return Ok(0);
        }
        client.execute(&tasks, &[&rows.new_tasks.0, &rows.new_tasks.1]).await
    };
    let hours = async {
        if rows.new_hours.0.is_empty() {
            return Ok(0);
        }
        client.execute(&hours, &[&rows.new_hours.0, &rows.new_hours.1]).await
    };
    let Rows { seq, task, run, action, at, started, due, .. } = rows;
    let Rows { node, reason, output, attempt, params, trace, causes, .. } = rows;
    let parameters: Parameters<'_> = &[
        seq, task, run, action, at, started, due, node, reason, output, attempt, params, trace,
        causes,
    ];
    let parameters = if rows.is_plain { &parameters[..8] } else { parameters };
    let writing = Box::pin(async {
        tokio::try_join!(
            biased;
            tasks,
            hours,
            client.execute(&insert, parameters),
            client.batch_execute(end),
        )?;
        Ok(())
    });
    connection.in_time(writing).await
}

/// Finds those of some records that are in the log.
pub(super) async fn find(
    connection: &mut Connection,
    records: impl Iterator<Item = &Record>,
) -> Result<HashMap<(RunId, Action), Recorded>, Failure> {
    let find = connection.prepared(FIND).await?;
    let rows = connection.in_time(ask(connection.client(), &find, records)).await?;
    there(connection, &rows).await
}

async fn ask(
    client: &Client,
    find: &Statement,
    records: impl Iterator<Item = &Record>,
) -> Result<Vec<Row>, Failure> {
    let (runs, actions): (Vec<Uuid>, Vec<i16>) = records
        .map(|record| (Uuid::from_bytes(*record.run.as_bytes()), record.action as i16))
        .unzip();
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    Ok(client.query(find, &[&runs, &actions]).await?)
}

async fn there(
    connection: &mut Connection,
    rows: &[Row],
) -> Result<HashMap<(RunId, Action), Recorded>, Failure> {
    let found = row::records(connection, rows).await?;
    Ok(found
        .into_iter()
        .map(|recorded| ((recorded.record.run, recorded.record.action), recorded))
        .collect())
}

type Texts<'a> = Vec<Option<std::borrow::Cow<'a, str>>>;

/// Records, column by column.
#[derive(Default)]
pub(super) struct Rows<'a> {
    seq: Vec<i64>,
    task: Vec<i64>,
    run: Vec<Uuid>,
    action: Vec<i16>,
    at: Vec<i64>,
    started: Vec<i64>,
    due: Vec<Option<i64>>,
    node: Texts<'a>,
    reason: Texts<'a>,
    output: Texts<'a>,
    attempt: Vec<Option<i64>>,
    params: Texts<'a>,
    trace: Texts<'a>,
    causes: Vec<Option<String>>,
    new_tasks: (Vec<i64>, Vec<std::borrow::Cow<'a, str>>),
    new_hours: (Vec<i64>, Vec<i64>),
    /// Whether the columns after `node` are all empty.
    is_plain: bool,
}

impl<'a> Rows<'a> {
    /// Makes the rows of records that are in the ledger already.
    pub(super) fn of(books: &mut Books, records: &'a [Recorded]) -> Self {
        let is_plain = records.iter().all(|recorded| is_plain(&recorded.record));
        let mut rows = Self { is_plain, ..Self::default() };
        for Recorded { seq, record } in records {
            let number = row::number(*seq);
            let (task, is_new) = books.task(&record.task);
            if is_new == IsNew::Yes {
                rows.new_tasks.0.push(task);
                rows.new_tasks.1.push(text::encode(&record.task));
            }
            let hour = hour(record.at);
            if books.hour != Some(hour) {
                books.hour = Some(hour);
                rows.new_hours.0.push(hour);
                rows.new_hours.1.push(number);
            }
            rows.seq.push(number);
            rows.task.push(task);
            rows.run.push(Uuid::from_bytes(*record.run.as_bytes()));
            rows.action.push(record.action as i16);
            rows.at.push(record.at.as_micros());
            rows.started.push(record.started.as_micros());
            rows.due.push(record.due.map(redengine_core::Timestamp::as_micros));
            let details = record.details.as_deref();
            let encoded = |text: Option<&'a str>| text.map(text::encode);
            rows.node.push(encoded(details.and_then(|details| details.node.as_deref())));
            if is_plain {
                continue;
            }
            rows.reason.push(encoded(causes::message(details)));
            rows.output.push(encoded(details.and_then(|details| details.output.as_deref())));
            rows.attempt.push(details.and_then(|details| details.attempt).map(u64::cast_signed));
            rows.params.push(encoded(details.and_then(|details| details.params.as_deref())));
            rows.trace.push(encoded(details.and_then(|details| details.trace.as_deref())));
            // JSON has no NUL in it.
            rows.causes.push(causes::encode(details));
        }
        rows
    }
}

/// Most records have nothing to say that needs a column of its own.
fn is_plain(record: &Record) -> bool {
    let Some(details) = &record.details else { return true };
    let Details { node: _, reason, output, attempt, params, trace, .. } = &**details;
    reason.is_none() && output.is_none() && attempt.is_none() && params.is_none() && trace.is_none()
}
