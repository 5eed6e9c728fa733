//! Packs: what a first download is made of, taken before reading on by pages.
//!
//! **A frame is what the relay signed for, byte for byte, and each of its documents proves to be one**
//! before anything of it is kept. What has come of a frame is kept when the line is cut, and a frame that
//! was taken is never fetched again, in this sync or a later one. Nothing is concluded from packs: whether
//! an area is complete the digests say, at the end.

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

/// Opens frames beside the line, one ahead of what is written.
struct Opening {
    frame: Option<JoinHandle<Result<OpenFrame, wangge_wire::Malformed>>>,
}

impl Meeting<'_> {
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
        let report = self.report.packs.get_or_insert_default();
        report.documents = manifest.documents();
        report.manifests += 1;
        if report.manifests >= MANIFESTS_MAX {
            // It makes them faster than they can be fetched: pages bring everything.
            self.takes_packs = false;
        }
        if matches!(self.fetch_frames(manifest).await?, Came::NotAll) {
            return Ok(());
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
        let mut wanted: Vec<FrameInfo> = Vec::new();
        for frame in manifest.packs.iter().flat_map(|pack| &pack.frames) {
            let (taken, _) = self.replica.home.store.frame(&frame.hash)?;
            if !taken && !wanted.iter().any(|one| one.hash == frame.hash) {
                wanted.push(*frame);
            }
        }
        for asked in wanted.chunks(FRAMES_ASKED_MAX) {
            if matches!(self.ask_frames(manifest.at_ms, asked).await?, Came::NotAll) {
                return Ok(Came::NotAll);
            }
        }
        Ok(Came::All)
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
        let mut opening = Opening { frame: None };
        let mut left = asked.iter();
        let mut next = left.next();
        let mut cut = None;
        while let Some(frame) = next {
            if buffer.len() as u64 >= frame.bytes {
                let rest = usize::try_from(frame.bytes).unwrap_or(usize::MAX);
                let rest = buffer.split_off(rest.min(buffer.len()));
                let bytes = std::mem::replace(&mut buffer, rest);
                let opened = opening.next(Some((frame.hash, bytes))).await?;
                self.keep_frame(at_ms, opened)?;
                next = left.next();
                continue;
            }
            match response.chunk().await {
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
        let opened = opening.next(None).await?;
        self.keep_frame(at_ms, opened)?;
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
            }),
        }
    }

    fn keep_frame(&mut self, at_ms: i64, opened: Option<OpenFrame>) -> Result<(), AgentError> {
        let Some(frame) = opened else {
            return Ok(());
        };
        let relay = self.relay_key.relay();
        let me = self.replica.device();
        let store = &mut self.replica.home.store;
        let outcome = store.take_frame(relay, at_ms, &frame, &me)?;
        self.report.received += outcome.received;
        self.report.held += outcome.held;
        let report = self.report.packs.get_or_insert_default();
        report.frames += 1;
        report.bytes += frame.bytes();
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
    /// Begins to open a frame and returns the one before it.
    async fn next(
        &mut self,
        frame: Option<(FrameHash, Vec<u8>)>,
    ) -> Result<Option<OpenFrame>, AgentError> {
        let begun = frame.map(|(hash, bytes)| {
            tokio::task::spawn_blocking(move || {
                let size = bytes.len() as u64;
                Ok(OpenFrame::new(hash, size, PackFrame::open(&hash, &bytes)?))
            })
        });
        let Some(before) = std::mem::replace(&mut self.frame, begun) else {
            return Ok(None);
        };
        let opened = before
            .await
            .map_err(|error| AgentError::Internal(error.to_string()))?;
        opened.map(Some).map_err(strange)
    }
}
