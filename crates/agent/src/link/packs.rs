//! Packs: what a first download is made of, taken before reading on by pages.
//!
//! **A frame is what the relay signed for, byte for byte, and each of its documents proves to be one**
//! before anything of it is kept. What has come of a frame is kept when the line is cut, and a frame that
//! was taken is never fetched again, in this sync or a later one. Nothing is concluded from packs: whether
//! an area is complete the digests say, at the end.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinHandle;
use wangge_model::kind;
use wangge_store::OpenFrame;
use wangge_trust::key::verify_manifest;
use wangge_wire::limits::REPAIR_WANTED_MAX;
use wangge_wire::pack::{FrameInfo, FramesAsk};
use wangge_wire::repair::{RepairAsk, Subject, Wish, fingerprint};
use wangge_wire::{End, FrameHash, Manifest, Order, PROTOCOL_VERSION, PackFrame, packing};

use super::http::{no_link, refusal};
use super::sync::{Meeting, strange};
use crate::error::AgentError;

/// Frames asked for in one request: as many names as fit in the question.
const FRAMES_ASKED_MAX: usize = 1_024;
/// How long a line brings nothing before what has come is written: while it is written nothing is read,
/// and what lies unread when a line is cut has to come again.
const IDLE: Duration = Duration::from_millis(30);
/// How long a frame waits at most for others to be written with.
const WAITS_AT_MOST: Duration = Duration::from_secs(2);
/// Frames that are being opened, or are open and not written.
const FRAMES_AHEAD: usize = 16;
/// Frames written in one transaction: each costs a wait for the disk, and writes the pages of the indexes
/// anew.
const FRAMES_TOGETHER: usize = 8;
/// Manifests of one sync, should packs be made anew while they are fetched.
const MANIFESTS_MAX: u32 = 3;

/// What came as packs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PackReport {
    /// Documents in the packs.
    pub documents: u64,
    /// Frames that were fetched; those that were here already cost nothing.
    pub frames: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Manifests that the relay told.
    pub manifests: u32,
}

/// What became of a request for frames.
enum Came {
    /// All of them.
    All,
    /// One of them is of no pack any more: the relay knows what is there now.
    NotAll,
}

/// Opens frames beside the line and ahead of what is written.
#[derive(Default)]
struct Opening {
    frames: VecDeque<JoinHandle<Result<OpenFrame, wangge_wire::Malformed>>>,
    /// When the first of them came.
    since: Option<Instant>,
}

impl Meeting<'_> {
    /// Goes on with the packs that an earlier sync began, without being told of them again. What waits to be
    /// sent goes first: then the relay is asked as always.
    pub(super) async fn go_on_with_packs(&mut self) -> Result<(), AgentError> {
        let relay = self.relay_key.relay();
        let store = &self.replica.home.store;
        let begun = store.manifest(&relay)?;
        let reads_on = store.relay(&relay)?.cursor.is_some();
        if begun.is_empty() || reads_on || !self.takes_packs || !store.pending_batches()?.is_empty()
        {
            return Ok(());
        }
        match Manifest::read(&begun) {
            Ok(manifest) => self.take_packs(&manifest).await,
            // One of an older program.
            Err(_) => Ok(self.replica.home.store.keep_manifest(&relay, &[])?),
        }
    }

    /// Takes the packs of a manifest, as far as they are not here, and then stands where it says.
    ///
    /// Where a frame is gone meanwhile nothing is concluded: the relay is asked again.
    pub(super) async fn take_packs(&mut self, manifest: &Manifest) -> Result<(), AgentError> {
        let relay = self.relay_key.relay();
        if !verify_manifest(&self.relay_key, manifest) || manifest.cursor.relay != relay {
            return Err(AgentError::StrangeAnswer {
                reason: "a manifest's signature".into(),
            });
        }
        // Only what the relay signed is kept: one that a bit was changed in would be met at each sync.
        let kept = packing::encode(manifest);
        self.replica.home.store.keep_manifest(&relay, &kept)?;
        let report = self.report.packs.get_or_insert_default();
        report.documents = manifest.documents();
        report.manifests += 1;
        if report.manifests >= MANIFESTS_MAX {
            // It makes them faster than they can be fetched: pages bring everything.
            self.takes_packs = false;
        }
        if matches!(self.fetch_frames(manifest).await?, Came::NotAll) {
            return Ok(self.replica.home.store.keep_manifest(&relay, &[])?);
        }
        let mut orders = Vec::with_capacity(manifest.orders.len());
        for told in &manifest.orders {
            let order = Order::read(&told.order.0).map_err(strange)?;
            if wangge_store::Incoming::order(&mut self.judge, &order) {
                orders.push((told.position, order));
            }
        }
        self.reload_roster = true;
        let store = &mut self.replica.home.store;
        Ok(store.took_packs(&orders, &manifest.cursor)?)
    }

    /// Fetches the frames that are not here.
    async fn fetch_frames(&mut self, manifest: &Manifest) -> Result<Came, AgentError> {
        let (mut wanted, mut seen) = (Vec::new(), BTreeSet::new());
        self.pack_bytes = (0, 0);
        for frame in manifest.packs.iter().flat_map(|pack| &pack.frames) {
            if !seen.insert(frame.hash) {
                continue;
            }
            let (taken, _) = self.replica.home.store.frame(&frame.hash)?;
            self.pack_bytes.1 += frame.bytes;
            if taken {
                self.pack_bytes.0 += frame.bytes;
            } else {
                wanted.push(*frame);
            }
        }
        for asked in wanted.chunks(FRAMES_ASKED_MAX) {
            match self.ask_frames(manifest.at_ms, asked).await {
                Ok(Came::All) => {}
                Ok(Came::NotAll) => return Ok(Came::NotAll),
                Err(error) => {
                    self.forget_part(asked, &error)?;
                    return Err(error);
                }
            }
        }
        Ok(Came::All)
    }

    /// Forgets what had come of the first frame where the answer made no sense: were it that which was
    /// damaged, every sync would end so.
    fn forget_part(&mut self, asked: &[FrameInfo], error: &AgentError) -> Result<(), AgentError> {
        match (asked.first(), error) {
            (Some(first), AgentError::StrangeAnswer { .. }) => {
                Ok(self.replica.home.store.keep_part(&first.hash, &[])?)
            }
            _ => Ok(()),
        }
    }

    /// Fetches frames in one answer and takes each in as it comes.
    async fn ask_frames(&mut self, at_ms: i64, asked: &[FrameInfo]) -> Result<Came, AgentError> {
        let Some(first) = asked.first() else {
            return Ok(Came::All);
        };
        let (_, mut buffer) = self.replica.home.store.frame(&first.hash)?;
        if buffer.len() as u64 >= first.bytes {
            buffer.clear();
        }
        let ask = packing::encode(&FramesAsk {
            version: PROTOCOL_VERSION,
            frames: asked.iter().map(|frame| frame.hash).collect(),
            from: buffer.len() as u64,
        });
        let mut response = self.post_head("/v1/frames", &ask).await?;
        match response.status().as_u16() {
            200 => {}
            404 | 416 => {
                self.replica.home.store.keep_part(&first.hash, &[])?;
                return Ok(Came::NotAll);
            }
            _ => return Err(refusal(response.status())),
        }
        let mut opening = Opening::default();
        let mut left = asked.iter();
        let mut next = left.next();
        let mut cut = None;
        while let Some(frame) = next {
            if buffer.len() as u64 >= frame.bytes {
                let rest = usize::try_from(frame.bytes).unwrap_or(usize::MAX);
                let rest = buffer.split_off(rest.min(buffer.len()));
                let bytes = std::mem::replace(&mut buffer, rest);
                opening.begin(frame.hash, bytes);
                next = left.next();
                if opening.is_full() {
                    self.keep_frames(at_ms, &mut opening).await?;
                }
                continue;
            }
            // What has come is kept while the line brings nothing.
            let chunk = tokio::select! {
                biased;
                chunk = response.chunk() => chunk,
                () = tokio::time::sleep(IDLE), if opening.is_worth_it() => {
                    self.keep_frames(at_ms, &mut opening).await?;
                    continue;
                }
            };
            match chunk {
                Ok(Some(chunk)) => {
                    self.line.bytes_down += chunk.len() as u64;
                    buffer.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Err(error) => {
                    cut = Some(no_link(&error));
                    break;
                }
            }
        }
        while !opening.frames.is_empty() {
            self.keep_frames(at_ms, &mut opening).await?;
        }
        let Some(frame) = next else {
            return Ok(Came::All);
        };
        if !buffer.is_empty() {
            self.replica.home.store.keep_part(&frame.hash, &buffer)?;
        }
        match cut {
            Some(error) => Err(error),
            None if buffer.is_empty() => Ok(Came::NotAll),
            None => Err(AgentError::NoLink {
                reason: "the connection was cut".into(),
                reached: false,
            }),
        }
    }

    /// Keeps the frames that were begun first, in one transaction.
    async fn keep_frames(&mut self, at_ms: i64, opening: &mut Opening) -> Result<(), AgentError> {
        let frames = opening.next().await?;
        let relay = self.relay_key.relay();
        let me = self.replica.device();
        let store = &mut self.replica.home.store;
        let outcome = store.take_frames(relay, at_ms, &frames, &me)?;
        self.report.received += outcome.received;
        self.report.held += outcome.held;
        let report = self.report.packs.get_or_insert_default();
        report.frames += frames.len();
        let bytes = frames.iter().map(OpenFrame::bytes).sum::<u64>();
        report.bytes += bytes;
        self.pack_bytes.0 += bytes;
        if let Some(watcher) = &self.replica.watcher {
            watcher(self.pack_bytes.0, self.pack_bytes.1);
        }
        // To free thousands of documents takes as long as to write some.
        tokio::task::spawn_blocking(move || drop(frames));
        Ok(())
    }

    /// Where an area is not complete after packs and repair, has the log read by pages the next time; and
    /// takes that back once all is complete.
    pub(super) fn prove_packs(&mut self) -> Result<(), AgentError> {
        let relay = self.relay_key.relay();
        let complete = self.report.complete.values().all(|area| area.equal);
        let store = &mut self.replica.home.store;
        if complete && store.prefers_pages(&relay)? {
            store.prefer_pages(&relay, false)?;
        } else if !complete && self.report.packs.is_some() {
            store.prefer_pages(&relay, true)?;
            store.forget_cursor(&relay)?;
        }
        Ok(())
    }

    /// Fetches the entries of tickets that packs brought: whoever judges a ticket needs its authors' word
    /// and when it came to the relay, and there are few.
    pub(super) async fn prove_tickets(&mut self, end: &End) -> Result<(), AgentError> {
        let mut unproven = self.replica.home.store.unproven(kind::TICKET)?;
        for (audience, _) in &end.digests {
            if unproven.is_empty() {
                break;
            }
            let key = u64::from_le_bytes(self.replica.machine.random()?);
            let here = self.replica.home.store.changes_in(audience)?;
            let here = here.into_iter().filter(|name| unproven.contains(name));
            let prints: Vec<u64> = here
                .map(|(doc, hash)| fingerprint(key, &doc, &hash))
                .collect();
            for asked in prints.chunks(REPAIR_WANTED_MAX) {
                self.fetch_entries(&RepairAsk {
                    version: PROTOCOL_VERSION,
                    about: Subject::Changes(audience.clone()),
                    key,
                    wish: Wish::Entries(asked.to_vec()),
                })
                .await?;
            }
            unproven = self.replica.home.store.unproven(kind::TICKET)?;
        }
        Ok(())
    }
}

impl Opening {
    /// Begins to open a frame; its bytes are those of its name only if they hash to it.
    fn begin(&mut self, name: FrameHash, bytes: Vec<u8>) {
        let open = move || {
            let travelled = bytes.len() as u64;
            let frame = PackFrame::open(&name, &bytes)?;
            Ok(OpenFrame::new(name, travelled, frame))
        };
        self.frames.push_back(tokio::task::spawn_blocking(open));
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether no more should be read before some are written.
    fn is_full(&self) -> bool {
        let waits = self
            .since
            .is_some_and(|since| since.elapsed() > WAITS_AT_MOST);
        waits || self.frames.len() >= FRAMES_AHEAD
    }

    /// Whether there is something to be written, and something else to be opened meanwhile.
    fn is_worth_it(&self) -> bool {
        self.frames.front().is_some_and(JoinHandle::is_finished)
    }

    /// Returns the frames that were begun first: as many as one transaction takes, while the others are
    /// opened.
    async fn next(&mut self) -> Result<Vec<OpenFrame>, AgentError> {
        self.since = None;
        let mut frames = Vec::with_capacity(FRAMES_TOGETHER);
        while frames.len() < FRAMES_TOGETHER
            && let Some(handle) = self.frames.front_mut()
        {
            let opened = (&mut *handle).await;
            let opened = opened.map_err(|error| AgentError::Internal(error.to_string()))?;
            match opened {
                Ok(frame) => frames.push(frame),
                // Those before it are kept; it is met again alone.
                Err(_) if !frames.is_empty() => {
                    let again = std::future::ready(opened);
                    *handle = tokio::spawn(again);
                    break;
                }
                Err(error) => return Err(strange(error)),
            }
            self.frames.pop_front();
        }
        Ok(frames)
    }
}
