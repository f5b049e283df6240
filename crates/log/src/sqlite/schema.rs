//! The tables, and which version of them a file has.
//!
//! The file's header says that it is a run log (`application_id`) and which format one must know to
//! use it (`user_version`). A later version that only adds tables, or columns that may be empty,
//! leaves that number as it is: who does not know them reads and writes past them. A change that
//! makes wrong what an older version writes raises it, gets a step in [`upgrade`], and the older
//! version refuses the file from then on, also if it has it open. No step is ever changed.
//!
//! Times are microseconds since 1970 UTC. What `past` must answer beyond single records is in the
//! `ledger` tables as of some record, and follows from the records after that: see `kept`.

use rusqlite::{Connection, TransactionBehavior};

use super::error::Failure;

/// The letters `RedE`.
pub(super) const APPLICATION_ID: i32 = 0x5265_6445;

/// The format that this version reads and writes.
pub(super) const VERSION: i32 = 2;

const CREATE: &str = "
create table task (
    id integer primary key,
    name text not null unique
) strict;

create table record (
    seq integer primary key,
    task integer not null references task (id),
    run blob not null check (length(run) = 16),
    -- 0 run, 1 success, 2 fail, 3 terminate, 4 inaction, 5 crash
    action integer not null check (action between 0 and 5),
    at integer not null,
    started integer not null,
    due integer,
    node text,
    reason text,
    output text,
    attempt integer,
    params text,
    trace text,
    causes text
) strict;

-- Each ends with the row's number, which is `seq`. There are no more than these two, because
-- each index of a task's records costs every append a page of its own.
create unique index record_run on record (run, action);
create index record_action on record (task, action);

-- The first record of each hour: those since an instant have no smaller number. An hour that was
-- ahead of the records after it has no greater number than `last`; null: it may have any.
create table hour (
    hour integer primary key,
    first integer not null,
    last integer
) strict;
";

/// What the records up to some number amount to.
const CREATE_LEDGER: &str = "
-- The record as of which the tables below are, and the last one that was removed, which is not
-- after it.
create table ledger (
    only_one integer primary key check (only_one = 1),
    last integer not null,
    pruned integer not null
) strict;
insert into ledger values (1, 0, 0);

create table ledger_tally (
    task integer not null references task (id),
    action integer not null,
    -- How many records there have been; for failures, how many in a row without another end.
    count integer not null,
    streak integer not null,
    -- The latest record, and the latest of those with the greatest start.
    last integer not null,
    top integer not null,
    top_started integer not null,
    primary key (task, action)
) strict, without rowid;

-- The runs that had begun and not ended, and those that had an end before they began.
create table ledger_open (
    task integer not null references task (id),
    seq integer not null,
    run blob not null,
    primary key (task, seq)
) strict, without rowid;
create table ledger_ended (run blob primary key) strict, without rowid;
";

/// What people look at.
const CREATE_VIEW: &str = "
create view history as
select
    seq,
    name as task,
    case action
        when 0 then 'run' when 1 then 'success' when 2 then 'fail' when 3 then 'terminate'
        when 4 then 'inaction' when 5 then 'crash'
    end as action,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1e6, 'unixepoch') as at,
    (at - started) / 1e6 as seconds,
    lower(hex(run)) as run,
    node,
    reason,
    causes,
    output,
    attempt,
    params,
    trace
from record join task on task.id = record.task;
";

/// Format 1 kept the tallies up with every append: nobody who does so may write any more.
const FROM_1: &str = "
insert into ledger_tally
select task, action, count, iif(action = 2, streak, 0), last, top, top_started from tally;
insert into ledger_open select task, seq, run from open_run;
insert into ledger_ended
select run from record as ended where action > 0 and not exists (
    select 1 from record as begun indexed by record_run
    where begun.run = ended.run and begun.action = 0 and begun.seq < ended.seq
) group by run;
update ledger set last = (select ifnull(max(seq), 0) from record);
drop table tally;
drop table open_run;
";

/// What a database is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Nothing is in it.
    Empty,
    /// It is a run log.
    RunLog { version: i32 },
    /// It belongs to some other program.
    Foreign,
}

/// Tells what a database is.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<Format> {
    let number = |pragma| connection.query_row(pragma, (), |row| row.get::<_, i32>(0));
    if number("pragma application_id")? == APPLICATION_ID {
        return Ok(Format::RunLog { version: number("pragma user_version")? });
    }
    let tables: i64 =
        connection.query_row("select count(*) from sqlite_schema", (), |row| row.get(0))?;
    // Another program may have put its mark on a file before it made tables.
    let is_bare = number("pragma application_id")? == 0 && number("pragma user_version")? == 0;
    Ok(if tables == 0 && is_bare { Format::Empty } else { Format::Foreign })
}

/// Makes the tables, unless somebody else did so just now.
///
/// One transaction, before the file is switched to write-ahead logging: so the header says what
/// it is from the moment that there is anything in it.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    if format(&transaction)? == Format::Empty {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.execute_batch(CREATE)?;
        transaction.execute_batch(CREATE_LEDGER)?;
        transaction.execute_batch(CREATE_VIEW)?;
    }
    transaction.commit()
}

/// Brings a file of an older format up to [`VERSION`], and adds what a file of this format may lack,
/// in one transaction, unless somebody else did so just now.
pub(super) fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if format(&transaction)? == (Format::RunLog { version: 1 }) {
        for column in ["attempt integer", "params text", "trace text"] {
            transaction.execute_batch(&format!("alter table record add column {column}"))?;
        }
        transaction.execute_batch(CREATE_LEDGER)?;
        transaction.execute_batch(FROM_1)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    if !has_hour_ends(&transaction)? {
        transaction.execute_batch("alter table hour add column last integer")?;
    }
    if !has_causes(&transaction)? {
        transaction.execute_batch("alter table record add column causes text")?;
        transaction.execute_batch("drop view if exists history")?;
        transaction.execute_batch(CREATE_VIEW)?;
    }
    transaction.commit()
}

/// Tells whether a file needs [`upgrade`].
pub(super) fn is_older(connection: &Connection) -> rusqlite::Result<bool> {
    let is_newest = format(connection)? == Format::RunLog { version: VERSION };
    Ok(!(is_newest && has_causes(connection)? && has_hour_ends(connection)?))
}

// Files were made without these columns, which may be empty.

fn has_causes(connection: &Connection) -> rusqlite::Result<bool> {
    const COLUMN: &str = "select count(*) from pragma_table_info('record') where name = 'causes'";
    connection.query_row(COLUMN, (), |row| row.get(0))
}

fn has_hour_ends(connection: &Connection) -> rusqlite::Result<bool> {
    const COLUMN: &str = "select count(*) from pragma_table_info('hour') where name = 'last'";
    connection.query_row(COLUMN, (), |row| row.get(0))
}

/// Makes sure that nobody changed the format since the file was opened.
pub(super) fn check_version(connection: &Connection) -> Result<(), Failure> {
    match format(connection)? {
        Format::RunLog { version: VERSION } => Ok(()),
        Format::RunLog { version } => Err(Failure::Version(version)),
        Format::Empty | Format::Foreign => {
            Err(Failure::Corrupt("it is not a run log any more".to_owned()))
        }
    }
}

/// Makes sure that all that the statements name is there.
pub(super) fn check(connection: &Connection) -> Result<(), Failure> {
    const SELECTS: [&str; 9] = [
        "select id, name from task",
        "select seq, task, run, action, at, started, due, node, reason, output, attempt, params,
         trace, causes from record",
        "select last, pruned from ledger where only_one = 1",
        "select task, action, count, streak, last, top, top_started from ledger_tally",
        "select task, seq, run from ledger_open",
        "select run from ledger_ended",
        "select hour, first, last from hour",
        "select 1 from record indexed by record_run where run = x''",
        "select 1 from record indexed by record_action where task = 0 and action = 0",
    ];
    for select in SELECTS {
        connection.prepare(select)?;
    }
    Ok(())
}
