//! A run log on a PostgreSQL server that many nodes share.
//!
//! Invariants: numbers become visible in their order (see `postgres/append.rs`); what is decided is
//! decided under the log's lock, by a ledger that has caught up with whoever wrote before; every
//! answer of the server is waited for only so long; and no password is ever shown.
//!
//! All that talks to the server runs on one thread of the log's own. So a caller may drop any future
//! without tearing a transaction, the log works without Tokio, and neither a busy nor a paused
//! runtime of the caller makes the server look late.

mod address;
mod append;
mod books;
mod compact;
mod connect;
#[cfg(feature = "postgres-tls")]
mod connector;
mod error;
#[cfg(feature = "postgres-tls")]
mod handshake;
mod hours;
mod lease;
mod listen;
mod past;
mod prune;
mod read;
mod row;
mod schema;
mod text;
mod tls;
mod write;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Leases, LogError, LogErrorKind, Member, Past, PastOf, Prune, Query, RunLog,
};
use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::LocalSet;

use self::address::Address;
use self::connect::{Connection, Pool};
use self::error::Failure;
use self::listen::Told;
use self::write::{Needs, Queue, Writer};

/// Keeps records on a PostgreSQL server, 13 or newer, that many nodes share.
///
/// Nothing that was acknowledged is lost when a node, its machine or the server ends, as far as the
/// server keeps what it has committed. Each node decides by itself what is to run; of those that
/// want the same run, the log lets one win. Nodes hear of each other's records at once, and know by
/// [`Leases`] which of them are there.
///
/// The tables are in a schema of their own, by default `redengine`, which is made and upgraded by
/// whoever connects first. There is a view `history` in it for people.
///
/// The address is not to be that of a pooler that gives each transaction another session: listening
/// needs one that stays.
///
/// Clones share their connections: one that writes, one that listens once somebody waits, and up to
/// four that read.
///
/// # TLS
///
/// With the feature `postgres-tls`, the address says how safe its connections must be, in the words of
/// libpq and with its meanings. Write `sslmode=verify-full` wherever the network is not your own.
///
/// | `sslmode` | TLS | the server's certificate |
/// |---|---|---|
/// | `disable` | never | |
/// | `prefer`, if nothing is said | if that works, else without | as with `require`; what fails goes on without TLS |
/// | `require` | always | is not looked at, unless `sslrootcert` says whom to trust: then as with `verify-ca` |
/// | `verify-ca` | always | is from whom `sslrootcert` trusts |
/// | `verify-full` | always | is from whom `sslrootcert` trusts, or else the system, and for the host that the address names |
///
/// `sslrootcert` is the path of a file with certificates in the form of PEM, or `system` (which means
/// `verify-full`). `sslcert` and `sslkey` are the paths of a certificate and its key, for servers that
/// ask for them. `channel_binding=require` binds a password to the certificate of the server. Files are
/// read when the log is opened. Sockets of this machine do without TLS, whatever the address says.
///
/// # Cancel safety
///
/// A dropped future of [`RunLog::append`] has written all of its batch or nothing, and may still
/// do so after it was dropped. Appending the batch again is safe.
///
/// # Examples
///
/// ```no_run
/// use redengine_core::runlog::{Query, RunLog};
/// use redengine_log::PostgresLog;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = PostgresLog::connect("postgres://app:secret@db.example/app?schema=jobs").await?;
/// assert!(log.read(Query::all()).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresLog {
    shared: Arc<Shared>,
    thread: Arc<Thread>,
}

/// What the calls share.
struct Shared {
    address: Arc<Address>,
    queue: Queue,
    writer: Mutex<Writer>,
    pool: Pool,
    told: watch::Sender<Told>,
    listening: Once,
}

/// The thread that talks to the server; it ends with the last clone of the log.
struct Thread {
    jobs: mpsc::UnboundedSender<Job>,
}

/// What starts something on the thread.
type Job = Box<dyn FnOnce() + Send>;

impl Thread {
    fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (jobs, mut received) = mpsc::unbounded_channel::<Job>();
        std::thread::Builder::new().name("redengine-log".to_owned()).spawn(move || {
            let start = async move {
                while let Some(job) = received.recv().await {
                    job();
                }
            };
            // What is under way when nobody is there any more is dropped.
            LocalSet::new().block_on(&runtime, start);
        })?;
        Ok(Self { jobs })
    }

    /// Starts something, which goes on whoever waits for it.
    fn spawn<F: Future<Output = ()> + 'static>(&self, work: impl FnOnce() -> F + Send + 'static) {
        let job = Box::new(move || {
            tokio::task::spawn_local(work());
        });
        // It is there as long as this is; if it has panicked, who waits for an answer hears of it.
        let _ = self.jobs.send(job);
    }
}

impl PostgresLog {
    /// Connects to a server, and makes or upgrades the tables if need be.
    ///
    /// The address is `postgres://user:password@host:port/database?schema=name`, with more
    /// parameters as of libpq; the default of the schema is `redengine`.
    ///
    /// # Errors
    ///
    /// The error names the server and the database, never the password.
    ///
    /// - [`LogErrorKind::Unreachable`]: there is no answer, or no connection left.
    /// - [`LogErrorKind::Open`]: the address is wrong, the user is not let in, there is no such
    ///   database, the schema may not be made, or it holds something else; the connection cannot be as
    ///   safe as the address asks for.
    /// - [`LogErrorKind::Version`]: a newer version made the tables, or the server is too old.
    /// - [`LogErrorKind::ReadOnly`]: the server takes no writes, and there are no tables to read yet;
    ///   or none of those that the address names takes them, as it demands.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the tables are made or not; connecting again is safe.
    pub async fn connect(url: &str) -> Result<Self, LogError> {
        Self::builder(url)?.connect().await
    }

    /// Connects in other ways than [`PostgresLog::connect`].
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::Open`] if the address is wrong.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use redengine_log::PostgresLog;
    ///
    /// # async fn f() -> Result<(), redengine_core::runlog::LogError> {
    /// let log = PostgresLog::builder("postgres://app:secret@db.example/app")?
    ///     .schema("jobs")?
    ///     .statement_timeout(Duration::from_secs(3))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: &str) -> Result<PostgresLogBuilder, LogError> {
        Ok(PostgresLogBuilder { address: Address::parse(url)? })
    }

    /// Does something on the log's own thread.
    async fn call<T: Send + 'static, F: Future<Output = Result<T, Failure>> + 'static>(
        &self,
        doing: &str,
        work: impl FnOnce(Arc<Shared>) -> F + Send + 'static,
    ) -> Result<T, LogError> {
        let (answer, receiver) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.thread.spawn(async move || {
            // Who does not wait any more has dropped the future.
            let _ = answer.send(work(shared).await);
        });
        match answered(receiver).await {
            Some(done) => done.map_err(|failure| failure.explain(doing, &self.shared.address)),
            None => Err(self.broken(doing)),
        }
    }

    /// The error of a call that nobody answers.
    fn broken(&self, doing: &str) -> LogError {
        let address = &self.shared.address;
        let message =
            format!("cannot {doing} {address}: the runtime or the log's thread has ended");
        LogError::new(LogErrorKind::Io, message)
    }
}

/// Waits for an answer.
///
/// Tokio's clock can be paused in runtimes of one thread, and goes on by itself when there is nothing
/// to do but wait. Waiting on another thread keeps it: a test in virtual time sees the log take none.
async fn answered<T: Send + 'static>(answer: oneshot::Receiver<T>) -> Option<T> {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread => {
            runtime.spawn_blocking(|| answer.blocking_recv()).await.ok()?.ok()
        }
        _ => answer.await.ok(),
    }
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

/// Connects a [`PostgresLog`]; made by [`PostgresLog::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresLogBuilder {
    address: Address,
}

impl PostgresLogBuilder {
    /// Sets the schema that the tables are in, whatever the address says.
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::Open`] if it cannot be the name of a schema.
    pub fn schema(mut self, name: impl Into<String>) -> Result<Self, LogError> {
        self.address = self.address.with_schema(name.into())?;
        Ok(self)
    }

    /// Sets how long to wait for a connection to each host; 5 seconds if not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.address.connect_timeout = timeout;
        self
    }

    /// Sets how long the server may take for one statement; 10 seconds if not set.
    ///
    /// A call that the server does not answer fails a second later.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.address.statement_timeout = timeout;
        self
    }

    /// Connects to the server, and makes or upgrades the tables if need be.
    ///
    /// # Errors
    ///
    /// As [`PostgresLog::connect`].
    ///
    /// # Cancel safety
    ///
    /// As [`PostgresLog::connect`].
    pub async fn connect(self) -> Result<PostgresLog, LogError> {
        let address = Arc::new(self.address);
        let failed = |error: std::io::Error| {
            let message = format!("cannot open {address}: this process can start no thread");
            LogError::new(LogErrorKind::Open, message).because(error)
        };
        let thread = Arc::new(Thread::start().map_err(failed)?);
        let shared = Arc::new(Shared {
            address: Arc::clone(&address),
            queue: Queue::default(),
            writer: Mutex::default(),
            pool: Pool::new(),
            told: watch::Sender::default(),
            listening: Once::new(),
        });
        let log = PostgresLog { shared, thread };
        log.call("open", async |shared| {
            let address = &shared.address;
            let connection = Connection::open(address).await?;
            connection.in_time(schema::settle(connection.client(), address)).await?;
            *shared.writer.lock().await = Writer::new(connection);
            Ok(())
        })
        .await?;
        tracing::debug!(%address, "opened the run log");
        Ok(log)
    }
}

#[async_trait]
impl RunLog for PostgresLog {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, needs) = self.shared.queue.push(batch);
        if needs == Needs::AWriter {
            let shared = Arc::clone(&self.shared);
            self.thread.spawn(async move || {
                let Shared { queue, writer, address, told, .. } = &*shared;
                write::serve(queue, writer, address, told).await;
            });
        }
        answered(answer).await.unwrap_or_else(|| Err(self.broken("append to")))
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.call("read", async move |shared| {
            let read = async |connection: &mut Connection| read::read(connection, &query).await;
            shared.pool.with(&shared.address, read).await
        })
        .await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        self.call("read", async move |shared| {
            write::past(&shared.writer, &shared.pool, &shared.address, &of).await
        })
        .await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.call("read", async |shared| {
            shared.writer.lock().await.unfinished(&shared.address).await
        })
        .await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.call("read", async |shared| {
            row::seq(shared.pool.with(&shared.address, read::last).await?)
        })
        .await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.call("read", async move |shared| {
            let count = async |connection: &mut Connection| read::count(connection, &query).await;
            shared.pool.with(&shared.address, count).await
        })
        .await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        let told = self.shared.told.subscribe();
        self.shared.listening.call_once(|| {
            let (address, told) = (Arc::clone(&self.shared.address), self.shared.told.clone());
            self.thread.spawn(move || listen::listen(address, told));
        });
        listen::changed(told, after, &self.shared.address).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        if prune.before.is_none() && prune.beyond.is_none() {
            return Ok(0);
        }
        self.call("prune", async move |shared| {
            let plan = shared.writer.lock().await.plan(&shared.address, &prune).await?;
            let carry_out = async |connection: &mut Connection| plan.carry_out(connection).await;
            shared.pool.with(&shared.address, carry_out).await
        })
        .await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        self.call("import into", async move |shared| {
            let mut writer = shared.writer.lock().await;
            let last = writer.import(&shared.address, &records).await?;
            listen::tell(&shared.told, last);
            writer.copy_if_due(&shared.address).await;
            Ok(())
        })
        .await
    }

    /// Makes the room of removed records ready for new ones, and gives back to the disk what is free
    /// at the end of the tables. Nobody waits for it. The user of the address must own the tables.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// It goes on when it is dropped.
    async fn compact(&self) -> Result<(), LogError> {
        self.call("compact", async |shared| compact::compact(&shared.address).await).await
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

#[async_trait]
impl Leases for PostgresLog {
    async fn renew(
        &self,
        me: &Member,
        ttl: Duration,
        gone: &[Arc<str>],
    ) -> Result<Vec<Member>, LogError> {
        let (me, gone) = (me.clone(), gone.to_vec());
        self.call("renew a lease in", async move |shared| {
            let address = &shared.address;
            let renew = async |connection: &mut Connection| {
                lease::renew(connection, address, &me, ttl, &gone).await
            };
            shared.pool.with(address, renew).await
        })
        .await
    }

    async fn release(&self, node: &Arc<str>) -> Result<(), LogError> {
        let node = Arc::clone(node);
        self.call("give back a lease in", async move |shared| {
            let release =
                async |connection: &mut Connection| lease::release(connection, &node).await;
            shared.pool.with(&shared.address, release).await
        })
        .await
    }
}
