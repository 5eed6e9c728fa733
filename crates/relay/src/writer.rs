//! The one writer: a thread that owns the connection which writes, and commits many jobs at once.
//!
//! Jobs are drained into one transaction with a savepoint each, so that one bad batch never blocks
//! another and an fsync is shared. **Nothing is answered before COMMIT returned**; receipts are signed
//! after it. A failed fsync is not asked again: the writer stops accepting.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, DropBehavior, TransactionBehavior, params};
use tokio::sync::{Notify, oneshot};
use wangge_trust::KeyPair;
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, EnrollRefusal};
use wangge_wire::receipt::ItemState;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    BlobHash, Day, DeviceId, DocId, DocKind, Incarnation, Order, OrderBody, OrderRefusal, Receipt,
    Signature,
};

use crate::accept::{self, Pushed, Stored};
use crate::audit::{self, About, What, Who};
use crate::ballast::{self, Ballast};
use crate::blobs::{self, Arrived};
use crate::doc_keys::DocKeys;
use crate::error::{RelayError, Trouble, trouble};
use crate::holds::{self, NewRuling};
use crate::lost;
use crate::members;
use crate::numbers;
use crate::orders::{self, Standing};
use crate::risen;
use crate::secrets::{self, Secrets};
use crate::settings::{Clock, Settings};

/// Jobs committed together at most.
const GROUP_MAX: usize = 256;
/// Jobs that may wait; further ones are told "busy".
const QUEUE_MAX: usize = 1_024;
/// Commits after which the WAL is copied back.
const COMMITS_PER_CHECKPOINT: u32 = 64;
/// Jobs after which it is, however few commits they came in: readers search all of a long WAL.
const JOBS_PER_CHECKPOINT: usize = 1_024;

/// What the writer is asked to do.
pub(crate) enum Job {
    /// Store a batch.
    Push(Box<Pushed>, oneshot::Sender<Receipted>),
    /// Take a device in.
    Enroll(EnrollAsk, oneshot::Sender<Result<Enrolled, Unwritten>>),
    /// Make an order that a desk asks for.
    Order(
        DeviceId,
        Box<OrderBody>,
        oneshot::Sender<Result<Ordered, Unwritten>>,
    ),
    /// Note an attachment whose bytes are durable, and a document that names it.
    Blob(Box<Arrived>, oneshot::Sender<Result<(), Unwritten>>),
    /// Hold changes, or release them.
    Rule(Vec<NewRuling>, oneshot::Sender<Result<(), Unwritten>>),
    /// Number orders of relays below, as far as they count; 0 for those that do not.
    Rise(Vec<Order>, oneshot::Sender<Result<Vec<u64>, Unwritten>>),
    /// Note that somebody asked for an attachment that is not here.
    Want(BlobHash, DocId, oneshot::Sender<Result<(), Unwritten>>),
    /// Note when a device synced; nobody waits for it.
    Seen(DeviceId, i64),
    /// Note that a revoked device is told to purge.
    Purged(DeviceId, i64, oneshot::Sender<Result<(), Unwritten>>),
    /// Write a row of the audit chain about what writes nothing else.
    Note(What, Who, About, oneshot::Sender<Result<(), Unwritten>>),
    /// Note until when a device was told that it may read; nobody waits for it.
    Leased(DeviceId, Day),
    /// End after the jobs before it.
    Stop,
}

/// The answer to who handed in a batch.
pub(crate) type Receipted = Result<Receipt, Unwritten>;

/// The answer to somebody who wants in.
pub(crate) type Enrolled = Result<EnrollAnswer, EnrollRefusal>;

/// The answer to a desk that asks for an order.
pub(crate) type Ordered = Result<Order, OrderRefusal>;

/// Why a job was not written; nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// The disk is full.
    Full,
    /// Somebody else holds the database, or too many jobs wait.
    Busy,
    /// The disk or the file can no longer be believed.
    Damaged,
    /// A statement failed; the log says which.
    Failed,
}

/// The writer's mailbox, and its thread's end.
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
    thread: Option<JoinHandle<()>>,
}

/// What a writer works with, in its thread or without one.
pub(crate) struct Desk {
    connection: Connection,
    keys: DocKeys,
    secrets: Secrets,
    incarnation: Incarnation,
    clock: Clock,
    access_kinds: Vec<DocKind>,
    standing: Standing,
    damaged: Arc<AtomicBool>,
    commits: u32,
    jobs: usize,
    /// Told that something was written.
    wake: Option<SyncSender<()>>,
    /// Told after each commit: the relay above may have to hear of it.
    news: Arc<Notify>,
    /// Room for orders on a full disk; none without a thread.
    ballast: Option<Ballast>,
}

/// What a job came to inside the transaction.
enum Done {
    Stored(Stored),
    Enrolled(Box<Enrolled>),
    Ordered(Box<Ordered>),
    Risen(Vec<u64>),
    Noted,
}

impl Job {
    /// Returns whether it is an order, or the row without which a lost device cannot be told of; they do not
    /// wait for room.
    fn is_order(&self) -> bool {
        matches!(self, Job::Order(..) | Job::Rise(..) | Job::Note(..))
    }

    /// Answers that nothing of it was written.
    pub(crate) fn refuse(self, why: Unwritten) {
        // Who asked may be gone; nobody is left to tell then.
        match self {
            Job::Push(_, reply) => drop(reply.send(Err(why))),
            Job::Enroll(_, reply) => drop(reply.send(Err(why))),
            Job::Order(_, _, reply) => drop(reply.send(Err(why))),
            Job::Rise(_, reply) => drop(reply.send(Err(why))),
            Job::Blob(_, reply) | Job::Rule(_, reply) => drop(reply.send(Err(why))),
            Job::Want(_, _, reply) => drop(reply.send(Err(why))),
            Job::Purged(_, _, reply) => drop(reply.send(Err(why))),
            Job::Note(.., reply) => drop(reply.send(Err(why))),
            Job::Seen(..) | Job::Leased(..) | Job::Stop => {}
        }
    }

    /// Returns whether it is of no interest to anybody above.
    fn is_quiet(&self) -> bool {
        matches!(
            self,
            Job::Seen(..) | Job::Purged(..) | Job::Leased(..) | Job::Note(..) | Job::Stop
        )
    }
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        connection: Connection,
        keys: DocKeys,
        secrets: Secrets,
        incarnation: Incarnation,
        settings: &Settings,
        wake: Option<SyncSender<()>>,
        news: Arc<Notify>,
    ) -> Result<Self, RelayError> {
        let (jobs, inbox) = mailbox();
        let mut desk = Desk::new(connection, keys, secrets, incarnation, settings);
        desk.wake = wake;
        desk.news = news;
        let ballast = Ballast::beside(Path::new(desk.connection.path().unwrap_or_default()));
        ballast.keep();
        desk.ballast = Some(ballast);
        let thread = std::thread::Builder::new().name("relay-writer".into());
        let thread = thread.spawn(move || desk.work(&inbox));
        let thread = thread.map_err(|source| RelayError::io(std::path::Path::new(""), source))?;
        Ok(Self {
            jobs,
            thread: Some(thread),
        })
    }

    /// Returns the mailbox.
    pub(crate) fn jobs(&self) -> SyncSender<Job> {
        self.jobs.clone()
    }

    /// Waits until every job before this call is committed and the thread has ended.
    pub(crate) fn stop(mut self) {
        let stopped = self.jobs.send(Job::Stop).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| stopped)
            && thread.join().is_err()
        {
            tracing::error!("the writer panicked");
        }
    }
}

/// Returns a mailbox of a writer's size.
pub(crate) fn mailbox() -> (SyncSender<Job>, Receiver<Job>) {
    sync_channel(QUEUE_MAX)
}

impl Desk {
    pub(crate) fn new(
        connection: Connection,
        keys: DocKeys,
        secrets: Secrets,
        incarnation: Incarnation,
        settings: &Settings,
    ) -> Self {
        Self {
            connection,
            keys,
            secrets,
            incarnation,
            clock: settings.clock.clone(),
            access_kinds: settings.access_kinds.clone(),
            standing: Standing::default(),
            damaged: Arc::new(AtomicBool::new(false)),
            commits: 0,
            jobs: 0,
            wake: None,
            news: Arc::default(),
            ballast: None,
        }
    }

    /// Commits whatever waits in the mailbox, as one group after the other.
    pub(crate) fn drain(&mut self, inbox: &Receiver<Job>) {
        loop {
            let group: Vec<Job> = inbox.try_iter().take(GROUP_MAX).collect();
            if group.is_empty() {
                return;
            }
            self.group(group);
        }
    }

    fn work(mut self, inbox: &Receiver<Job>) {
        while let Ok(first) = inbox.recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(job) = inbox.try_recv()
            {
                group.push(job);
            }
            let stop = group.iter().any(|job| matches!(job, Job::Stop));
            self.group(group);
            if stop {
                break;
            }
        }
        self.checkpoint("TRUNCATE");
    }

    /// Commits a group, or each alone if one of them does not fit.
    fn group(&mut self, jobs: Vec<Job>) {
        if self.damaged.load(Ordering::Acquire) {
            jobs.into_iter()
                .for_each(|job| job.refuse(Unwritten::Damaged));
            return;
        }
        self.jobs += jobs.len();
        let committed = match self.commit(&jobs) {
            Err(Unwritten::Full) if matches!(&*jobs, [only] if only.is_order()) => {
                self.commit_in_ballast(&jobs)
            }
            committed => committed,
        };
        match committed {
            Ok(done) => {
                let quiet = jobs.iter().all(Job::is_quiet);
                self.answer(jobs, done);
                if !quiet {
                    self.news.notify_one();
                }
                if let Some(wake) = &self.wake {
                    // Full: it was told already.
                    let _ = wake.try_send(());
                }
            }
            Err(Unwritten::Full) if jobs.len() > 1 => {
                // What fits is kept: the job that does not must not take the others with it.
                for job in jobs {
                    self.group(vec![job]);
                }
            }
            Err(Unwritten::Full) if Sabotage::FullDiskSwallowed.is_on() => {
                let done = jobs.iter().map(swallowed).collect();
                self.answer(jobs, done);
            }
            Err(why) => jobs.into_iter().for_each(|job| job.refuse(why)),
        }
        self.commits += 1;
        if self.commits >= COMMITS_PER_CHECKPOINT || self.jobs >= JOBS_PER_CHECKPOINT {
            self.checkpoint("PASSIVE");
        }
    }

    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Option<Done>>, Unwritten> {
        let mut standing = self.standing.clone();
        let done = self.write(jobs, &mut standing);
        match done {
            Ok(done) => {
                self.standing = standing;
                Ok(done)
            }
            Err(error) => {
                let why = match trouble(&error) {
                    Trouble::Full => Unwritten::Full,
                    Trouble::Busy => Unwritten::Busy,
                    // A failed fsync may have thrown the page away: asking again would get a wrong "done".
                    Trouble::Damaged | Trouble::Disk => Unwritten::Damaged,
                    Trouble::Statement => Unwritten::Failed,
                };
                tracing::error!(code = ?error.sqlite_error_code(), ?why, "nothing was written");
                if why == Unwritten::Damaged {
                    self.damaged.store(true, Ordering::Release);
                }
                Err(why)
            }
        }
    }

    fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Commits an order in the room that is kept for it.
    fn commit_in_ballast(&mut self, jobs: &[Job]) -> Result<Vec<Option<Done>>, Unwritten> {
        let Some(ballast) = self.ballast.clone() else {
            return Err(Unwritten::Full);
        };
        tracing::warn!("the disk is full; an order is written in the room that is kept for it");
        let committed = ballast.instead(|| {
            ballast::past_the_limit(self, Self::connection, |desk| {
                let committed = desk.commit(jobs);
                // The log begins again from its start then: the next order takes little more.
                desk.copy_back("PASSIVE");
                committed
            })
        });
        committed.unwrap_or(Err(Unwritten::Full))
    }

    /// Runs all jobs in one transaction; returns after COMMIT did.
    fn write(
        &mut self,
        jobs: &[Job],
        standing: &mut Standing,
    ) -> rusqlite::Result<Vec<Option<Done>>> {
        let now_ms = self.clock.now_ms();
        let (secrets, keys) = ((&self.secrets, &*self.access_kinds), &self.keys);
        if Sabotage::ReceiptBeforeCommit.is_on() && !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        let mut transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        standing.refresh(&transaction)?;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            transaction.execute_batch("SAVEPOINT job")?;
            let before = standing.clone();
            match run(&transaction, standing, secrets, job, now_ms) {
                Ok(result) => {
                    transaction.execute_batch("RELEASE job")?;
                    done.push(Some(result));
                }
                // What concerns the whole file ends the group; the transaction rolls back when dropped.
                Err(error) if trouble(&error) != Trouble::Statement => return Err(error),
                Err(error) => {
                    tracing::error!(code = ?error.sqlite_error_code(), "a job failed");
                    transaction.execute_batch("ROLLBACK TO job; RELEASE job")?;
                    *standing = before;
                    done.push(None);
                }
            }
        }
        if Sabotage::ReceiptBeforeCommit.is_on() {
            transaction.set_drop_behavior(DropBehavior::Ignore);
            return Ok(done);
        }
        transaction.commit().map_err(|error| keys.meant(error))?;
        Ok(done)
    }

    /// Answers what was committed; only here is a receipt signed.
    fn answer(&self, jobs: Vec<Job>, done: Vec<Option<Done>>) {
        for (job, done) in jobs.into_iter().zip(done) {
            match (job, done) {
                (Job::Push(_, reply), Some(Done::Stored(stored))) => {
                    let _ = reply.send(Ok(self.receipt(stored)));
                }
                (Job::Enroll(_, reply), Some(Done::Enrolled(enrolled))) => {
                    let _ = reply.send(Ok(*enrolled));
                }
                (Job::Order(_, _, reply), Some(Done::Ordered(ordered))) => {
                    let _ = reply.send(Ok(*ordered));
                }
                (Job::Blob(_, reply) | Job::Rule(_, reply), Some(_)) => drop(reply.send(Ok(()))),
                (Job::Want(_, _, reply), Some(_)) => drop(reply.send(Ok(()))),
                (Job::Purged(_, _, reply) | Job::Note(.., reply), Some(_)) => {
                    let _ = reply.send(Ok(()));
                }
                (Job::Rise(_, reply), Some(Done::Risen(positions))) => {
                    let _ = reply.send(Ok(positions));
                }
                (job, None) => job.refuse(Unwritten::Failed),
                (_, Some(_)) => {}
            }
        }
    }

    fn receipt(&self, stored: Stored) -> Receipt {
        let key: &KeyPair = &self.secrets.key;
        let mut receipt = Receipt {
            relay: key.public().relay(),
            incarnation: self.incarnation,
            batch: stored.batch,
            at_ms: self.clock.now_ms(),
            items: stored.items,
            signature: Signature([0; 64]),
        };
        key.sign_receipt(&mut receipt);
        receipt
    }

    fn checkpoint(&mut self, mode: &str) {
        self.copy_back(mode);
        if let Some(ballast) = &self.ballast {
            ballast.keep();
        }
    }

    fn copy_back(&mut self, mode: &str) {
        (self.commits, self.jobs) = (0, 0);
        if self.damaged.load(Ordering::Acquire) {
            return;
        }
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        if let Err(error) = self.connection.query_row(&sql, [], |_| Ok(())) {
            tracing::warn!(code = ?error.sqlite_error_code(), "no checkpoint");
            if matches!(trouble(&error), Trouble::Damaged | Trouble::Disk) {
                self.damaged.store(true, Ordering::Release);
            }
        }
    }
}

/// Says that a job was done which was not.
fn swallowed(job: &Job) -> Option<Done> {
    let Job::Push(pushed, _) = job else {
        return None;
    };
    Some(Done::Stored(Stored {
        batch: pushed.batch.hash(),
        items: vec![ItemState::At(1); pushed.batch.items.len()],
    }))
}

fn run(
    connection: &Connection,
    standing: &mut Standing,
    (secrets, access_kinds): (&Secrets, &[DocKind]),
    job: &Job,
    now_ms: i64,
) -> rusqlite::Result<Done> {
    match job {
        Job::Push(pushed, _) => {
            let roster = standing.roster();
            accept::store(connection, roster, access_kinds, pushed, now_ms).map(Done::Stored)
        }
        Job::Enroll(ask, _) => {
            let path = connection.path().unwrap_or_default();
            // This relay may have joined a tree, and got its key, while it serves.
            let joined = risen::upstream(connection)?.is_some();
            let secrets = secrets::with_tree_key(secrets.clone(), Path::new(path), joined);
            let secrets = secrets.map_err(|_| rusqlite::Error::InvalidPath(path.into()))?;
            let enrolled = members::enroll(connection, standing, &secrets, ask, now_ms)?;
            Ok(Done::Enrolled(Box::new(enrolled)))
        }
        Job::Order(device, body, _) => {
            let ordered = orders::ask(connection, standing, &secrets.key, device, body, now_ms)?;
            Ok(Done::Ordered(Box::new(ordered)))
        }
        Job::Rule(rulings, _) => {
            holds::append(connection, &secrets.key, rulings, now_ms).map(|_| Done::Noted)
        }
        Job::Blob(arrived, _) => blobs::note(connection, arrived, now_ms).map(|()| Done::Noted),
        Job::Rise(orders, _) => {
            let positions = orders.iter().map(|order| {
                let taken = orders::take(connection, standing, &secrets.key, order, now_ms)?;
                Ok(taken.unwrap_or(0))
            });
            let positions = positions.collect::<rusqlite::Result<_>>()?;
            numbers::top_up(connection, standing, &secrets.key, now_ms)?;
            Ok(Done::Risen(positions))
        }
        Job::Want(hash, doc, _) => {
            blobs::want(connection, (hash, doc), now_ms).map(|()| Done::Noted)
        }
        Job::Seen(device, at_ms) => {
            connection
                .prepare_cached(
                    "INSERT INTO device_seen (device, seen_ms) VALUES (?1, ?2)
                     ON CONFLICT (device) DO UPDATE SET seen_ms = max(seen_ms, ?2)",
                )?
                .execute(params![device.0, at_ms])?;
            Ok(Done::Noted)
        }
        Job::Purged(device, at_ms, _) => {
            let me = secrets.key.public().relay();
            lost::told(connection, &me, device, *at_ms).map(|()| Done::Noted)
        }
        Job::Note(what, who, about, _) => {
            audit::note(connection, now_ms, *what, *who, *about).map(|()| Done::Noted)
        }
        Job::Leased(device, until) => {
            lost::leased(connection, device, *until).map(|()| Done::Noted)
        }
        Job::Stop => Ok(Done::Noted),
    }
}
