//! The entrance: which connections there are, who they are of, and who may ask now.
//!
//! A connection is *open* until a request on it is proven to be a member's, and *at work* from then until
//! the answer has ended. **What is open makes room, the oldest first; what is at work is never cut off for
//! room**: however many stand at the entrance and say nothing, or say it slowly, a member comes in.

mod share;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use wangge_wire::DeviceId;

use crate::limits::{BUSY_AGAIN_S, Limits, PEERS_MAX};
use share::Left;

/// Who is at the other end of a connection, as far as it is told by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// A program on this machine, which may be one that speaks for others.
    Here,
    /// An address; of the longer ones what one household is given.
    At(IpAddr),
}

/// Why somebody is not let do what they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// The relay has too much to do; come again in so many seconds.
    Busy(u64),
    /// This device has asked too much; come again in so many seconds.
    Share(u64),
}

/// Lets connections and requests in.
pub(crate) struct Entrance {
    pub(crate) limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    lines: BTreeMap<u64, Line>,
    /// Those that are open, the oldest first.
    open: BTreeSet<(Instant, u64)>,
    /// Of those the ones that have not agreed on TLS.
    handshakes: BTreeSet<(Instant, u64)>,
    at_work: usize,
    peers: BTreeMap<Peer, PeerState>,
    devices: BTreeMap<DeviceId, DeviceState>,
}

struct Line {
    peer: Peer,
    since: Instant,
    stage: Stage,
    /// Dropped to close it.
    _close: oneshot::Sender<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Handshake,
    Open,
    AtWork(DeviceId),
}

struct PeerState {
    lines: usize,
    begun: Left,
    wrong: Left,
    at: Instant,
}

struct DeviceState {
    at_work: usize,
    asked: Left,
    bytes: Left,
}

/// A connection that was let in; it leaves when this is dropped.
pub(crate) struct Arrival {
    entrance: Arc<Entrance>,
    line: u64,
    /// Ends when it is to be closed.
    pub(crate) closed: oneshot::Receiver<()>,
}

/// One request on a connection; its answer has ended when this is dropped.
pub(crate) struct Guest {
    entrance: Arc<Entrance>,
    line: u64,
    peer: Peer,
}

impl Peer {
    /// Returns who an address is of.
    pub(crate) fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        match address {
            _ if address.is_loopback() => Self::Here,
            IpAddr::V4(_) => Self::At(address),
            IpAddr::V6(long) => {
                // A house has 64 bits of them: each of its own would be no limit.
                let [a, b, c, d, ..] = long.segments();
                Self::At(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
        }
    }
}

impl Entrance {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            inner: Mutex::default(),
        })
    }

    /// Lets a connection in, in the place of one that only stands there if need be; none where its address
    /// has too many, or all are at work.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: Peer,
        handshake: bool,
        now: Instant,
    ) -> Option<Arrival> {
        let limits = &self.limits;
        let mut inner = self.lock();
        if let Peer::At(_) = peer {
            let state = inner.peer(peer, limits, now);
            if !state.begun.take(1, limits.begun_of_peer, 1, now) {
                return None;
            }
            if state.lines >= limits.connections_of_peer && !inner.close_open(Some(peer)) {
                return None;
            }
        }
        let near = limits.connections - limits.connections / 8;
        if inner.lines.len() >= near
            && !inner.close_open(None)
            && inner.lines.len() >= limits.connections
        {
            return None;
        }
        if handshake && inner.handshakes.len() >= limits.handshakes {
            inner.close_handshake();
        }
        let (close, closed) = oneshot::channel();
        inner.next += 1;
        let (line, stage) = match handshake {
            true => (inner.next, Stage::Handshake),
            false => (inner.next, Stage::Open),
        };
        inner.lines.insert(
            line,
            Line {
                peer,
                since: now,
                stage,
                _close: close,
            },
        );
        inner.index(line, true);
        if let Peer::At(_) = peer {
            inner.peer(peer, limits, now).lines += 1;
        }
        drop(inner);
        let entrance = Arc::clone(self);
        Some(Arrival {
            entrance,
            line,
            closed,
        })
    }

    /// Returns how many connections there are.
    #[cfg(test)]
    pub(crate) fn lines(&self) -> usize {
        self.lock().lines.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole before the lock is let go.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival {
    /// Notes that TLS was agreed on.
    pub(crate) fn shook_hands(&self) {
        self.entrance
            .lock()
            .stage(self.line, Stage::Open, Instant::now());
    }

    /// Begins a request; `peer` is who it is of, where a program on this machine says so.
    pub(crate) fn guest(&self, peer: Peer) -> Guest {
        Guest {
            entrance: Arc::clone(&self.entrance),
            line: self.line,
            peer,
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.entrance.lock().leave(self.line);
    }
}

impl Guest {
    /// Returns how long an answer takes that tells a device to wait.
    pub(crate) fn told_to_wait_after(&self) -> Duration {
        self.entrance.limits.told_to_wait_after
    }

    /// Refuses an address that was wrong too often, before it costs anything.
    pub(crate) fn may_try(&self, now: Instant) -> Result<(), NotNow> {
        let limits = &self.entrance.limits;
        match self.peer {
            Peer::Here => Ok(()),
            peer => {
                let mut inner = self.entrance.lock();
                let wrong = &mut inner.peer(peer, limits, now).wrong;
                match wrong.has(1, limits.wrong_of_peer, 1, now) {
                    true => Ok(()),
                    false => Err(NotNow::Busy(BUSY_AGAIN_S)),
                }
            }
        }
    }

    /// Notes that a request was nobody's, or an invitation none.
    pub(crate) fn was_wrong(&self, now: Instant) {
        if let Peer::At(_) = self.peer {
            let limits = &self.entrance.limits;
            let mut inner = self.entrance.lock();
            let wrong = &mut inner.peer(self.peer, limits, now).wrong;
            wrong.take(1, limits.wrong_of_peer, 1, now);
        }
    }

    /// Lets a member's request of so many bytes in, which is at work from now on.
    pub(crate) fn proven(
        &self,
        device: DeviceId,
        is_relay: bool,
        bytes: u64,
        now: Instant,
    ) -> Result<(), NotNow> {
        let limits = &self.entrance.limits;
        let counts_as = if is_relay { limits.relay_counts_as } else { 1 };
        let mut inner = self.entrance.lock();
        let busy = inner.at_work >= limits.requests;
        let state = inner.devices.entry(device).or_insert(DeviceState {
            at_work: 0,
            asked: Left::full(limits.asked_of_device, counts_as, now),
            bytes: Left::full(limits.bytes_of_device, counts_as, now),
        });
        let at_once = limits.requests_of_device * counts_as as usize;
        if state.at_work >= at_once {
            return Err(NotNow::Share(BUSY_AGAIN_S));
        }
        // A device that is alone past its share of bytes is told, not one that comes up to it.
        if !state.bytes.has(1, limits.bytes_of_device, counts_as, now)
            || !state.asked.take(1, limits.asked_of_device, counts_as, now)
        {
            return Err(NotNow::Share(BUSY_AGAIN_S));
        }
        state
            .bytes
            .owe(bytes, limits.bytes_of_device, counts_as, now);
        if busy {
            return Err(NotNow::Busy(BUSY_AGAIN_S));
        }
        state.at_work += 1;
        inner.at_work += 1;
        inner.stage(self.line, Stage::AtWork(device), now);
        Ok(())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Whoever waits on after an answer is as young as the answer.
        self.entrance
            .lock()
            .stage(self.line, Stage::Open, Instant::now());
    }
}

impl Inner {
    fn peer(&mut self, peer: Peer, limits: &Limits, now: Instant) -> &mut PeerState {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            self.forget_peers();
        }
        let state = self.peers.entry(peer).or_insert_with(|| PeerState {
            lines: 0,
            begun: Left::full(limits.begun_of_peer, 1, now),
            wrong: Left::full(limits.wrong_of_peer, 1, now),
            at: now,
        });
        state.at = now;
        state
    }

    /// Forgets the older half of the addresses that have no connection.
    fn forget_peers(&mut self) {
        let gone = |state: &&PeerState| state.lines == 0;
        let mut times: Vec<Instant> = self.peers.values().filter(gone).map(|it| it.at).collect();
        times.sort_unstable();
        let Some(middle) = times.get(times.len() / 2).copied() else {
            return;
        };
        self.peers
            .retain(|_, state| state.lines > 0 || state.at > middle);
    }

    /// Closes the connection that is open for the longest, of that address where one is named.
    fn close_open(&mut self, of: Option<Peer>) -> bool {
        let fits = |(_, line): &&(Instant, u64)| {
            of.is_none_or(|peer| self.lines.get(line).is_some_and(|it| it.peer == peer))
        };
        match self.open.iter().find(fits).copied() {
            Some((_, line)) => {
                self.leave(line);
                true
            }
            None => false,
        }
    }

    fn close_handshake(&mut self) {
        if let Some((_, line)) = self.handshakes.first().copied() {
            self.leave(line);
        }
    }

    /// Forgets a connection; where it is still there, it hears that it is to close.
    fn leave(&mut self, line: u64) {
        self.index(line, false);
        if let Some(gone) = self.lines.remove(&line) {
            self.end_work(gone.stage);
            if let Some(state) = self.peers.get_mut(&gone.peer) {
                state.lines = state.lines.saturating_sub(1);
            }
        }
    }

    fn stage(&mut self, line: u64, stage: Stage, now: Instant) {
        self.index(line, false);
        if let Some(it) = self.lines.get_mut(&line) {
            let before = std::mem::replace(&mut it.stage, stage);
            // Asking without being anybody makes no one younger.
            if let Stage::AtWork(_) = before {
                it.since = now;
            }
            self.end_work(before);
        }
        self.index(line, true);
    }

    fn end_work(&mut self, stage: Stage) {
        let Stage::AtWork(device) = stage else {
            return;
        };
        self.at_work = self.at_work.saturating_sub(1);
        if let Some(state) = self.devices.get_mut(&device) {
            state.at_work = state.at_work.saturating_sub(1);
        }
    }

    /// Puts a connection where its stage belongs, or takes it from there.
    fn index(&mut self, line: u64, put: bool) {
        let Some(it) = self.lines.get(&line) else {
            return;
        };
        let key = (it.since, line);
        let (open, handshake) = match it.stage {
            Stage::Handshake => (true, true),
            Stage::Open => (true, false),
            Stage::AtWork(_) => (false, false),
        };
        for (set, belongs) in [(&mut self.open, open), (&mut self.handshakes, handshake)] {
            match put && belongs {
                true => set.insert(key),
                false => set.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests;
