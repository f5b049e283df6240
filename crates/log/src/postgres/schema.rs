//! The tables, and how they come to be.
//!
//! Always: a schema is made or upgraded in one transaction under a lock, so two who connect at once
//! do it once; and one that a newer version made, or somebody else, is left as it was.

use redengine_core::runlog::LogErrorKind;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::address::{Address, Lock};
use super::error::Failure;

/// The steps from an empty schema to the newest. A step that was published is never changed.
const STEPS: [&str; 2] = [
    "
create table state (
    -- There is one row.
    is_only boolean primary key check (is_only),
    version integer not null,
    -- `tally` and `open_run` are the fold of all records up to this number.
    copied bigint not null,
    -- Records above this number have not been pruned; never greater than `copied`.
    pruned bigint not null
);
insert into state values (true, 1, 0, 0);

create table task (
    -- In the order in which they came; never given twice.
    id bigint primary key,
    name text collate \"C\" not null,
    -- Not a unique index: its entries must be short, and names need not be.
    constraint task_name exclude using hash (name with =)
);

create table record (
    seq bigint primary key,
    task bigint not null,
    run uuid not null,
    -- 0 run, 1 success, 2 fail, 3 terminate, 4 inaction, 5 crash
    action smallint not null check (action between 0 and 5),
    -- In microseconds since 1970.
    at bigint not null,
    started bigint not null,
    due bigint,
    node text,
    reason text,
    output text,
    attempt bigint,
    params text,
    trace text
);
create unique index record_run on record (run, action);
create index record_action on record (task, action, seq);

-- The first record of each hour: those since an instant have no smaller number.
create table hour (
    hour bigint primary key,
    first bigint not null
);

create table tally (
    task bigint not null,
    action smallint not null,
    -- How many records there have been; how many in a row without another end, for failures.
    count bigint not null,
    streak bigint not null,
    -- The latest record, and the latest of those with the greatest start.
    last bigint not null,
    top bigint not null,
    top_started bigint not null,
    primary key (task, action)
);

-- Runs that have an end and had not begun then.
create table ended_run (
    run uuid primary key
);

create table open_run (
    task bigint not null,
    seq bigint not null,
    run uuid not null,
    primary key (task, seq)
);
",
    "
create table lease (
    node text collate \"C\" primary key,
    labels text[] not null,
    -- By the server's clock, as all instants here.
    until timestamptz not null,
    -- When others took over from it; null: it may renew.
    fenced timestamptz
);
",
];

/// What tables of the newest version may lack, and what people look at. Who does not know it reads and
/// writes past it, so nodes of both kinds may share them.
const ADDITION: &str = "
alter table record add column if not exists causes text;
-- An hour that was ahead of the records after it has no greater number than this; null: it may have any.
alter table hour add column if not exists last bigint;
-- For people. Who may read it still may; so what is new comes last.
create or replace view history as
select
    seq,
    name as task,
    (array['run', 'success', 'fail', 'terminate', 'inaction', 'crash'])[action + 1] as action,
    timestamptz 'epoch' + at * interval '1 microsecond' as at,
    (at - started) * interval '1 microsecond' as duration,
    run,
    node,
    reason,
    output,
    attempt,
    params,
    trace,
    causes
from record join task on task.id = record.task;
";

/// The version of the tables that this program knows.
pub(super) const VERSION: i32 = 2;
const _: () = assert!(STEPS.len() == VERSION as usize, "each step makes a version");

/// The oldest server that works, as `server_version_num` says it.
const OLDEST_SERVER: i32 = 130_000;

/// Makes sure that the server and the schema are those of a run log; makes or upgrades it if not.
pub(super) async fn settle(client: &Client, address: &Address) -> Result<(), Failure> {
    accept_server(client).await?;
    // Most often all is there, and there is nothing to wait for.
    if look(client, address).await? == (Found::RunLog { version: VERSION, is_whole: true }) {
        return Ok(());
    }
    client.batch_execute(&address.begin(&[Lock::Schema, Lock::Append])).await?;
    let made = make(client, address).await;
    let end = if made.is_ok() { "commit" } else { "rollback" };
    let ended = client.batch_execute(end).await;
    made?;
    Ok(ended?)
}

async fn make(client: &Client, address: &Address) -> Result<(), Failure> {
    let schema = address.quoted_schema();
    let (version, is_whole) = match look(client, address).await? {
        Found::Nothing => {
            let create = client.batch_execute(&format!("create schema {schema}")).await;
            create.map_err(|error| refuse_creation(error, address))?;
            (0, false)
        }
        Found::Empty => (0, false),
        Found::RunLog { version, is_whole } if (1..=VERSION).contains(&version) => {
            (version, is_whole)
        }
        Found::RunLog { version, .. } => return Err(Failure::Version(version)),
        Found::Foreign(relation) => {
            return Err(Failure::Unfit(
                LogErrorKind::Open,
                format!(
                    "there is a `{relation}` in schema `{}`, which is not a run log; name another \
                     one in the address, as `?schema=redengine`",
                    address.schema()
                ),
            ));
        }
    };
    // OK because it is between 0 and the number of steps.
    let done = usize::try_from(version).unwrap_or_default();
    client.batch_execute(&format!("set local search_path to {schema}")).await?;
    let addition = (!is_whole).then_some(&ADDITION);
    for step in STEPS.iter().skip(done).chain(addition) {
        client.batch_execute(step).await.map_err(|error| refuse_creation(error, address))?;
    }
    if done < STEPS.len() {
        client.batch_execute(&format!("update state set version = {VERSION}")).await?;
        tracing::debug!(schema = address.schema(), from = version, to = VERSION, "made the tables");
    }
    Ok(())
}

/// A right that is missing here is a log that cannot be opened.
fn refuse_creation(error: tokio_postgres::Error, address: &Address) -> Failure {
    if error.code() != Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return error.into();
    }
    let schema = address.quoted_schema();
    Failure::Unfit(
        LogErrorKind::Open,
        format!(
            "user `{user}` may not make schema `{}`; let the owner of database `{}` run `create \
             schema {schema} authorization \"{user}\"`",
            address.schema(),
            address.database(),
            user = address.user(),
        ),
    )
}

async fn accept_server(client: &Client) -> Result<(), Failure> {
    let settings =
        "select current_setting('server_version_num'), current_setting('server_version'),
                    current_setting('server_encoding')";
    let values = simple_row(client, settings).await?;
    let [Some(number), Some(version), Some(encoding)] = &values[..] else {
        return Err(Failure::Corrupt("the server does not tell its version".to_owned()));
    };
    if number.parse::<i32>().unwrap_or(0) < OLDEST_SERVER {
        return Err(Failure::Unfit(
            LogErrorKind::Version,
            format!("the server is PostgreSQL {version}, and a run log needs 13 or newer"),
        ));
    }
    if encoding != "UTF8" {
        return Err(Failure::Unfit(
            LogErrorKind::Open,
            format!(
                "the database is encoded as {encoding}, which cannot hold all names; make one with \
                 `create database .. encoding 'UTF8' template template0`"
            ),
        ));
    }
    Ok(())
}

/// What there is under the name of a schema.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Empty,
    /// A run log, and whether it lacks nothing of its version.
    RunLog {
        version: i32,
        is_whole: bool,
    },
    /// This and maybe more, of somebody else.
    Foreign(String),
}

async fn look(client: &Client, address: &Address) -> Result<Found, Failure> {
    let schema = literal(address.schema());
    let relations = format!(
        "select count(*), min(relname), count(*) filter (where relname in ('state', 'record'))
         from pg_namespace left join pg_class on relnamespace = pg_namespace.oid
         where nspname = {schema} group by nspname"
    );
    let values = simple_row(client, &relations).await?;
    let [_, first, ours] = &values[..] else { return Ok(Found::Nothing) };
    let Some(first) = first else { return Ok(Found::Empty) };
    if ours.as_deref() == Some("2") {
        let schema = address.quoted_schema();
        let version = format!(
            "select version, (
                select count(*) from pg_attribute where not attisdropped
                and (attrelid = to_regclass({})::oid and attname = 'causes'
                or attrelid = to_regclass({})::oid and attname = 'last')
             ) = 2 from {schema}.state",
            literal(&format!("{schema}.record")),
            literal(&format!("{schema}.hour"))
        );
        match simple_row(client, &version).await {
            Ok(values) => {
                if let [Some(version), Some(is_whole)] = &values[..]
                    && let Ok(version) = version.parse()
                {
                    return Ok(Found::RunLog { version, is_whole: is_whole == "t" });
                }
            }
            // A table of that name without such a column is not ours.
            Err(failure) if failure.state() == Some(&SqlState::UNDEFINED_COLUMN) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Found::Foreign(first.clone()))
}

/// The first row that a statement gives, as text; empty if it gives none.
async fn simple_row(client: &Client, sql: &str) -> Result<Vec<Option<String>>, Failure> {
    let messages = client.simple_query(sql).await?;
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            return Ok((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect());
        }
    }
    Ok(Vec::new())
}

fn literal(text: &str) -> String {
    // The backslash is a plain letter: `standard_conforming_strings` is on in every session of ours.
    format!("'{}'", text.replace('\'', "''"))
}
