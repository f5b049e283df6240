//! The one connection that writes, the ledger, and who waits for them.
//!
//! Always: after any error both are forgotten, because nobody knows then whether the transaction was
//! committed; whoever appends again is answered by what is in the log. Those who wait while another
//! transaction is under way go together in the next.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{Append, Appended, LogError, LogErrorKind, Past, PastOf, Prune};
use tokio::sync::{oneshot, watch};

use super::address::{Address, Lock};
use super::append::{self, Rows};
use super::books::Books;
use super::connect::{Connection, Pool};
use super::error::Failure;
use super::listen::{self, Told};
use super::past::Named;
use super::prune::Plan;
use super::row;
use crate::import::{check_order, check_runs};

/// So many records go in one transaction; a batch that is larger goes alone.
const GROUP: usize = 4096;

/// So many records are imported with one statement.
const IMPORTED: usize = 8192;

/// A batch that waits to be written, and who waits for it.
struct Waiting {
    batch: Vec<Append>,
    answer: Asker,
}

type Asker = oneshot::Sender<Result<Vec<Appended>, LogError>>;

/// The batches that wait.
#[derive(Default)]
pub(super) struct Queue(Mutex<Line>);

#[derive(Default)]
struct Line {
    waiting: Vec<Waiting>,
    /// Whether somebody writes, and will look again when that is done.
    is_served: bool,
}

/// Whether a batch that waits needs somebody who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nobody,
    AWriter,
}

impl Queue {
    pub(super) fn push(
        &self,
        batch: Vec<Append>,
    ) -> (oneshot::Receiver<Result<Vec<Appended>, LogError>>, Needs) {
        let (answer, receiver) = oneshot::channel();
        let mut line = self.lock();
        line.waiting.push(Waiting { batch, answer });
        let was_served = std::mem::replace(&mut line.is_served, true);
        (receiver, if was_served { Needs::Nobody } else { Needs::AWriter })
    }

    /// Tells whether somebody waits; if not, whoever comes needs another writer.
    fn is_needed(&self) -> bool {
        let mut line = self.lock();
        line.is_served = !line.waiting.is_empty();
        line.is_served
    }

    /// Takes those that go together with so many records that were taken before.
    fn take(&self, mut records: usize) -> Vec<Waiting> {
        let mut line = self.lock();
        let count = line.waiting.iter().take_while(|one| {
            let is_first = records == 0;
            records += one.batch.len();
            is_first || records <= GROUP
        });
        let count = count.count();
        line.waiting.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // Whoever panicked under this lock left a list that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that go together.
pub(super) struct Group<'a> {
    queue: &'a Queue,
    batches: RefCell<Vec<Rc<Vec<Append>>>>,
    answers: RefCell<Vec<Asker>>,
}

impl<'a> Group<'a> {
    fn new(queue: &'a Queue) -> Self {
        Self { queue, batches: RefCell::default(), answers: RefCell::default() }
    }

    /// Gives the batches, with those that have come meanwhile, and those that come one on the heels
    /// of another just now.
    ///
    /// Who asks for them as late as possible makes one transaction of many.
    pub(super) async fn gather(&self) -> Vec<Rc<Vec<Append>>> {
        while self.take() > 0 {
            tokio::task::yield_now().await;
        }
        self.batches.borrow().clone()
    }

    /// Takes those that have come; tells how many.
    fn take(&self) -> usize {
        let mut batches = self.batches.borrow_mut();
        let mut answers = self.answers.borrow_mut();
        let records = batches.iter().map(|batch| batch.len()).sum();
        let taken = self.queue.take(records);
        let count = taken.len();
        for Waiting { batch, answer } in taken {
            batches.push(Rc::new(batch));
            answers.push(answer);
        }
        count
    }
}

/// Serves all who wait, and who come meanwhile.
pub(super) async fn serve(
    queue: &Queue,
    writer: &tokio::sync::Mutex<Writer>,
    address: &Address,
    told: &watch::Sender<Told>,
) {
    /// A writer that panics leaves nobody waiting for it.
    struct Served<'a>(&'a Queue);
    impl Drop for Served<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                *self.0.lock() = Line::default();
            }
        }
    }
    let _served = Served(queue);
    loop {
        // Not held from one to the next: those who want something else have their turn in between.
        let mut writer = writer.lock().await;
        if !queue.is_needed() {
            return;
        }
        writer.write(queue, address, told).await;
        writer.copy_if_due(address).await;
    }
}

/// What writes.
#[derive(Default)]
pub(super) struct Writer {
    open: Option<(Connection, Books)>,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { open: Some((connection, Books::default())) }
    }

    /// Writes those who wait; tells the last number, and then answers them.
    async fn write(&mut self, queue: &Queue, address: &Address, told: &watch::Sender<Told>) {
        let group = Group::new(queue);
        let written = self
            .with(address, async |connection, books| {
                append::append(connection, books, address, &group).await
            })
            .await;
        if let Some((_, books)) = &self.open {
            listen::tell(told, books.ledger.last());
        }
        if group.batches.borrow().is_empty() {
            // The server was not reached at all: that is the answer to all who wait.
            group.take();
        }
        let answers = group.answers.into_inner();
        match written {
            Ok(appended) => {
                for (answer, appended) in answers.into_iter().zip(appended) {
                    let appended = appended.map_err(|(kind, why)| {
                        Failure::Unfit(kind, why).explain("append to", address)
                    });
                    // Who does not wait any more has dropped the future.
                    let _ = answer.send(appended);
                }
            }
            Err(failure) => {
                let error = failure.explain("append to", address);
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Writes the ledger down, if it is time.
    pub(super) async fn copy_if_due(&mut self, address: &Address) {
        if self.open.as_ref().is_none_or(|(_, books)| !books.is_copy_due()) {
            return;
        }
        if let Err(failure) = self.copy(address).await {
            // The next one who opens the log has more to fold.
            let error = failure.explain("write down the ledger of", address);
            tracing::debug!(%error, "the ledger was not written down");
        }
    }

    async fn copy(&mut self, address: &Address) -> Result<(), Failure> {
        self.with(address, async |connection, books| books.copy(connection, address).await).await
    }

    /// Looks up pasts in a ledger that is caught up.
    pub(super) async fn past(
        &mut self,
        address: &Address,
        of: &[PastOf],
    ) -> Result<Named, Failure> {
        self.with(address, async |connection, books| {
            if !books.catch_up(connection).await? {
                *books = Books::open(connection).await?;
            }
            Ok(Named::of(books, of))
        })
        .await
    }

    /// Tells of which tasks runs have not ended, by a ledger that is caught up.
    pub(super) async fn unfinished(&mut self, address: &Address) -> Result<Vec<Arc<str>>, Failure> {
        self.with(address, async |connection, books| {
            if !books.catch_up(connection).await? {
                *books = Books::open(connection).await?;
            }
            Ok(books.ledger.unfinished())
        })
        .await
    }

    /// Says what is to be removed, and writes down the ledger that knows of it.
    pub(super) async fn plan(&mut self, address: &Address, prune: &Prune) -> Result<Plan, Failure> {
        self.with(address, async |connection, books| {
            if !books.catch_up(connection).await? {
                *books = Books::open(connection).await?;
            }
            books.copy(connection, address).await?;
            Plan::new(connection, books, prune).await
        })
        .await
    }

    /// Writes records under their own numbers; tells the last number.
    pub(super) async fn import(
        &mut self,
        address: &Address,
        records: &[Recorded],
    ) -> Result<Seq, Failure> {
        if let Some(last) = records.last()
            && i64::try_from(last.seq.0).is_err()
        {
            let why = format!("record {} has a number above {}", last.seq, i64::MAX);
            return Err(Failure::Unfit(LogErrorKind::Order, why));
        }
        self.with(address, async |connection, books| {
            match import(connection, books, address, records).await {
                Err(Failure::Postgres(error)) if append::is_repeated(&error) => {
                    // Nothing was written, and the ledger has what is not in the log.
                    connection.run_all("rollback").await?;
                    *books = Books::open(connection).await?;
                    let all = records.iter().map(|recorded| &recorded.record);
                    let there = append::find(connection, all).await?;
                    check_runs(records, |record| there.contains_key(&(record.run, record.action)))
                        .map_err(Failure::Told)?;
                    Err(Failure::Postgres(error))
                }
                imported => imported,
            }
        })
        .await
    }

    /// Does something with the connection and the ledger, and with new ones if they were broken
    /// before it began.
    async fn with<T>(
        &mut self,
        address: &Address,
        work: impl AsyncFn(&mut Connection, &mut Books) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            let (mut connection, mut books) = match self.open.take() {
                Some(open) if !open.0.is_closed() => open,
                _ => (Connection::open(address).await?, Books::default()),
            };
            let done = async {
                if !connection.is_proven {
                    books = Books::open(&mut connection).await?;
                }
                work(&mut connection, &mut books).await
            };
            match done.await {
                Ok(done) => {
                    connection.is_proven = true;
                    self.open = Some((connection, books));
                    return Ok(done);
                }
                // It may have ended long ago, and appending again is safe.
                Err(failure) if connection.is_proven && failure.is_of_the_connection() => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}

async fn import(
    connection: &mut Connection,
    books: &mut Books,
    address: &Address,
    records: &[Recorded],
) -> Result<Seq, Failure> {
    let begin = address.begin(&[Lock::Append]);
    connection.run_all(&begin).await?;
    if !books.catch_up(connection).await? {
        // What was pruned is in a copy that another transaction committed before the lock.
        connection.run_all("rollback").await?;
        *books = Books::open(connection).await?;
        connection.run_all(&begin).await?;
        books.catch_up(connection).await?;
    }
    if let Err(error) = check_order(books.ledger.last(), records) {
        connection.run_all("rollback").await?;
        return Err(Failure::Told(error));
    }
    for records in records.chunks(IMPORTED) {
        for Recorded { seq, record } in records {
            books.ledger.fold(*seq, record);
        }
        let rows = Rows::of(books, records);
        append::insert(connection, &rows, "select 1").await?;
    }
    let last = books.ledger.last();
    connection.run_all(&append::end(address, last)).await?;
    Ok(last)
}

/// Reads the records of pasts. One that was pruned meanwhile is looked up again.
pub(super) async fn past(
    writer: &tokio::sync::Mutex<Writer>,
    pool: &Pool,
    address: &Address,
    of: &[PastOf],
) -> Result<Vec<Past>, Failure> {
    let mut tries = 3;
    loop {
        let named = writer.lock().await.past(address, of).await?;
        match pool.with(address, async |connection| named.read(connection).await).await? {
            Ok(pasts) => return Ok(pasts),
            Err(_) if tries > 0 => tries -= 1,
            Err(missing) => {
                let missing = row::number(missing);
                return Err(Failure::Corrupt(format!("record {missing} is missing")));
            }
        }
    }
}
