//! What all requests share: the writer's mailbox, connections that read, the roster, the nonces.
//!
//! **A read is one transaction on a connection of its own, in a thread that may block**, and it is
//! over before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, oneshot};
use wangge_trust::lease::key_of;
use wangge_trust::request::CREATED_WINDOW_S;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{Day, DeviceId, Lease, LeaseKey, RelayId, Signature};

use crate::accept::Pushed;
use crate::db;
use crate::error::RelayError;
use crate::orders::Standing;
use crate::packs;
use crate::pull::StepError;
use crate::relay::Relay;
use crate::tail::Tail;
use crate::writer::{Job, Receipted, Unwritten};

/// How long a batch waits for room in the writer's mailbox before its device is told to come again.
const ROOM_WITHIN: Duration = Duration::from_secs(30);
/// How long until it is tried again whether there is room.
const ROOM_EVERY: Duration = Duration::from_millis(5);
/// Requests whose batches are unpacked at once: each may hold some megabytes.
const UNPACKING_MAX: usize = 8;
/// Reads that run at once, each with a connection that is kept open: more would not be faster, and a
/// thousand devices at once would have hundreds of connections and threads.
const READS_MAX: usize = 8;
/// Nonces remembered; more within one window than any honest district sends.
const NONCES_MAX: usize = 100_000;
/// How coarse "last seen" is, milliseconds.
const SEEN_EVERY_MS: i64 = 60_000;

/// What all requests share.
pub(crate) struct App {
    pub(crate) relay: Relay,
    pub(crate) unpacking: Semaphore,
    reads: Semaphore,
    /// What every reader passes over.
    pub(crate) tail: Arc<Mutex<Tail>>,
    jobs: SyncSender<Job>,
    /// Woken for each job where no thread writes; there reads need none either.
    inline: Option<Arc<Notify>>,
    readers: Mutex<Vec<Connection>>,
    /// The file of packs; none until there is one.
    packs: Mutex<Option<Connection>>,
    standing: Mutex<Standing>,
    nonces: Mutex<Nonces>,
    /// When this process began, seconds since 1970: what was taken before is in no memory of its own.
    began_s: i64,
    seen: Mutex<BTreeMap<DeviceId, i64>>,
    /// The leases that are written down.
    leased: Mutex<BTreeMap<DeviceId, Day>>,
}

/// The requests of the last minutes, so that none is taken twice.
#[derive(Debug, Default)]
struct Nonces {
    seen: BTreeSet<(i64, DeviceId, String)>,
}

/// What a nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Never seen within the window.
    Yes,
    /// Seen: somebody sends a request again.
    Replayed,
    /// Too many to remember; come again.
    Busy,
}

impl App {
    /// Returns what requests share; `inline` wakes a writer that has no thread.
    pub(crate) fn new(relay: Relay, jobs: SyncSender<Job>, inline: Option<Arc<Notify>>) -> Self {
        let began_s = relay.settings.clock.now_ms() / 1000;
        Self {
            relay,
            began_s,
            unpacking: Semaphore::new(UNPACKING_MAX),
            reads: Semaphore::new(READS_MAX),
            tail: Arc::default(),
            jobs,
            inline,
            readers: Mutex::default(),
            packs: Mutex::default(),
            standing: Mutex::default(),
            nonces: Mutex::default(),
            seen: Mutex::default(),
            leased: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> RelayId {
        self.relay.secrets.key.public().relay()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.relay.settings.clock.now_ms()
    }

    /// Runs `ask` in one read transaction, with the roster of that moment.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Connection, &mut Standing) -> Result<T, StepError> + Send + 'static,
    ) -> Result<T, StepError> {
        if self.inline.is_some() {
            return self.read_now(ask);
        }
        let _permit = self.reads.acquire().await;
        let app = Arc::clone(self);
        let joined = tokio::task::spawn_blocking(move || app.read_now(ask)).await;
        joined.map_err(|_| RelayError::Internal {
            what: "a read panicked",
        })?
    }

    fn read_now<T>(
        &self,
        ask: impl FnOnce(&Connection, &mut Standing) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        let kept = lock(&self.readers).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => db::connect_reader(&self.relay.place)?,
        };
        let mut standing = lock(&self.standing).clone();
        let transaction = connection.transaction()?;
        standing.refresh(&transaction)?;
        let answer = ask(&transaction, &mut standing)?;
        drop(transaction);
        {
            let mut shared = lock(&self.standing);
            if standing.at() > shared.at() {
                *shared = standing;
            }
        }
        let mut readers = lock(&self.readers);
        if readers.len() < READS_MAX {
            readers.push(connection);
        }
        Ok(answer)
    }

    /// Runs `ask` with the file of packs; none where there is no such file.
    pub(crate) fn with_packs<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<Option<T>, StepError>,
    ) -> Result<Option<T>, StepError> {
        let mut kept = lock(&self.packs);
        if kept.is_none() {
            *kept = packs::connect_reader(&packs::path(&self.relay.place.path))?;
        }
        match kept.as_mut() {
            // One transaction: a pack that is made anew meanwhile is seen before or after.
            Some(connection) => ask(&*connection.transaction()?),
            None => Ok(None),
        }
    }

    /// Hands the writer a job and returns where its answer will come.
    pub(crate) fn ask_writer<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Unwritten>>) -> Job,
    ) -> oneshot::Receiver<Result<T, Unwritten>> {
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.jobs.try_send(job(reply)) {
            let (job, why) = match error {
                TrySendError::Full(job) => (job, Unwritten::Busy),
                TrySendError::Disconnected(job) => (job, Unwritten::Busy),
            };
            job.refuse(why);
        }
        self.wake();
        answer
    }

    /// Hands the writer a batch as soon as there is room, and returns where its receipt will come.
    ///
    /// A thousand devices at once wait their turn here: a request of which the first half was stored and
    /// the second refused would come again with all of it.
    pub(crate) async fn hand_in(&self, pushed: Pushed) -> oneshot::Receiver<Receipted> {
        let (reply, answer) = oneshot::channel();
        let mut job = Job::Push(Box::new(pushed), reply);
        let mut waited = Duration::ZERO;
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if waited < ROOM_WITHIN => job = back,
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => {
                    back.refuse(Unwritten::Busy);
                    break;
                }
            }
            self.wake();
            if self.inline.is_some() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(ROOM_EVERY).await;
            }
            waited += ROOM_EVERY;
        }
        self.wake();
        answer
    }

    /// Notes that a device synced, if the last note is old.
    pub(crate) fn note_seen(&self, device: DeviceId) {
        let now_ms = self.now_ms();
        let mut seen = lock(&self.seen);
        let last = seen.get(&device).copied().unwrap_or(i64::MIN);
        if now_ms.saturating_sub(last) >= SEEN_EVERY_MS
            && self.jobs.try_send(Job::Seen(device, now_ms)).is_ok()
        {
            seen.insert(device, now_ms);
            self.wake();
        }
    }

    /// Returns a lease for a device from today, and what makes its codes.
    pub(crate) fn lease(&self, device: DeviceId, days: u32) -> (Lease, LeaseKey) {
        let (secrets, at_ms) = (&self.relay.secrets, self.now_ms());
        let mut lease = Lease {
            device,
            relay: self.id(),
            until: Day(Day::of_ms(at_ms).0.saturating_add(days)),
            at_ms,
            signature: Signature([0; 64]),
        };
        secrets.key.sign_lease(&mut lease);
        let told = lock(&self.leased).get(&device).copied();
        if told != Some(lease.until) && self.jobs.try_send(Job::Leased(device, lease.until)).is_ok()
        {
            lock(&self.leased).insert(device, lease.until);
            self.wake();
        }
        (lease, key_of(&secrets.lease_seed.0, &device))
    }

    fn wake(&self) {
        if let Some(inline) = &self.inline {
            inline.notify_one();
        }
    }

    /// Returns whether a request of that time can be told from one that comes again: it lies in the window, and
    /// is not from before this process, which remembers no nonce of then.
    ///
    /// Where the clock was set back since, nothing would be young enough; the window alone counts then.
    pub(crate) fn is_timely(&self, created_s: i64) -> bool {
        let now_s = self.now_ms() / 1000;
        let apart = created_s.saturating_sub(now_s);
        let remembered = created_s >= self.began_s || now_s < self.began_s;
        (-CREATED_WINDOW_S..=CREATED_WINDOW_S).contains(&apart) && remembered
    }

    /// Returns whether a request has come before.
    pub(crate) fn is_replayed(&self, created_s: i64, device: DeviceId, nonce: &str) -> bool {
        let seen = (created_s, device, nonce.to_ascii_lowercase());
        !Sabotage::ReplayTaken.is_on() && lock(&self.nonces).seen.contains(&seen)
    }

    /// Remembers the nonce of a request whose signature was found right.
    pub(crate) fn take_nonce(&self, created_s: i64, device: DeviceId, nonce: &str) -> Fresh {
        let oldest = self.now_ms() / 1000 - CREATED_WINDOW_S;
        if Sabotage::ReplayTaken.is_on() {
            return Fresh::Yes;
        }
        lock(&self.nonces).take(oldest, created_s, device, nonce)
    }
}

impl Nonces {
    fn take(&mut self, oldest: i64, created_s: i64, device: DeviceId, nonce: &str) -> Fresh {
        self.seen = self
            .seen
            .split_off(&(oldest, DeviceId([0; 16]), String::new()));
        if self.seen.len() >= NONCES_MAX {
            return Fresh::Busy;
        }
        let new = self
            .seen
            .insert((created_s, device, nonce.to_ascii_lowercase()));
        if new { Fresh::Yes } else { Fresh::Replayed }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is replaced whole; a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once_within_its_window() {
        let (mut nonces, li) = (Nonces::default(), DeviceId([1; 16]));
        assert_eq!(nonces.take(0, 10, li, "aa"), Fresh::Yes);
        assert_eq!(nonces.take(0, 10, li, "AA"), Fresh::Replayed);
        assert_eq!(nonces.take(0, 10, DeviceId([2; 16]), "aa"), Fresh::Yes);
        assert_eq!(nonces.take(11, 12, li, "bb"), Fresh::Yes);
        assert_eq!(nonces.seen.len(), 1, "those past the window are forgotten");
    }
}
