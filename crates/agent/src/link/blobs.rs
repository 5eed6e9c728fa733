//! The lane of attachments: after all text, by the piece, and never a reason for a sync to fail.
//!
//! Small pictures go before whole files. **The relay's own word says where to go on**, so a line cut
//! anywhere costs at most one piece on the way up, and nothing that arrived on the way down.

use serde::Serialize;
use wangge_store::Blob;
use wangge_wire::limits::{BLOB_BYTES_MAX, BLOB_PIECE_BYTES_MAX, LOST_BLOBS_MAX};
use wangge_wire::{BlobAsk, BlobHash, BlobState, DocId, PROTOCOL_VERSION, PublicKey, packing};

use super::address::Address;
use super::http::{Line, refusal};
use crate::attach::AttachmentView;
use crate::error::AgentError;
use crate::replica::Replica;

/// Small pictures fetched in one sync; further ones come with the next.
const THUMBS_MAX: usize = 64;
/// Small pictures asked for in one sync, whether or not they are there yet.
const THUMBS_ASKED_MAX: usize = 256;
/// What an attachment whose bytes do not fit its name is called in an error.
const DAMAGED: &str = "an attachment's bytes";

/// What the lane of attachments did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BlobReport {
    /// Attachments that the relay has whole now and had not before; a photo and its small picture are one.
    pub sent: usize,
    /// Small pictures that came.
    pub received: usize,
    /// Attachments that were made here and have not arrived.
    pub left: usize,
    /// Bytes sent, HTTP headers included.
    pub bytes_up: u64,
    /// Bytes received, HTTP headers included.
    pub bytes_down: u64,
}

/// A line for attachments, and how far the clocks are apart.
struct Lane {
    line: Line,
    offset_ms: i64,
    /// The relay that revoked this device, where it is told so with each piece.
    parting: Option<PublicKey>,
}

impl Replica {
    /// Carries attachments up and small pictures down. What goes wrong here is left for the next time:
    /// the text of this sync is where it was said to be.
    /// What the relay says it `lost` goes up once more, from whoever has it.
    pub(crate) async fn carry_attachments(&mut self, lost: &[(DocId, BlobHash)]) -> BlobReport {
        let mut report = BlobReport::default();
        let given = self.lost_here(lost).unwrap_or_else(|error| {
            tracing::info!(%error, "what the relay lost is left for the next sync");
            Vec::new()
        });
        let before = self.attachments_waiting().unwrap_or_default();
        match self.lane() {
            Ok(mut lane) => {
                let knocked = crate::home::knocked(self.home.dir.clone());
                // A visit that somebody wants to record waits for no photo: the lane makes room, and
                // goes on where it was at the next sync.
                let carried = tokio::select! {
                    carried = self.carry(&mut lane, &given, &mut report) => carried,
                    () = knocked => Err(AgentError::InUse),
                };
                if let Err(error) = carried {
                    tracing::info!(%error, "attachments are left for the next sync");
                }
                report.bytes_up = lane.line.bytes_up;
                report.bytes_down = lane.line.bytes_down;
            }
            Err(error) => tracing::info!(%error, "attachments are left for the next sync"),
        }
        if let Err(error) = self.drop_blobs() {
            tracing::warn!(%error, "files of removed documents stay for now");
        }
        report.left = self.attachments_waiting().unwrap_or(before);
        report.sent = before.saturating_sub(report.left);
        report
    }

    /// Fetches the attachment that is named, or all of a visit, report or ticket; what is here already
    /// costs nothing. One that the relay does not have yet is shown without a path.
    pub async fn fetch(&mut self, name: &str) -> Result<Vec<AttachmentView>, AgentError> {
        let wanted = self.name_attachments(name)?;
        let missing: Vec<_> = wanted.iter().filter(|view| !view.here).collect();
        if !missing.is_empty() {
            let mut lane = self.lane()?;
            for view in missing {
                let (hash, bytes) = (view.attachment.hash, view.attachment.bytes);
                // One that cannot come is shown without a path and keeps none of the others away.
                if let Err(error) = self.bring(&mut lane, &hash, &view.doc, Some(bytes)).await {
                    pass(error)?;
                }
            }
        }
        self.name_attachments(name)
    }

    /// Takes away the files of documents that are somebody else's now, once the relay has them.
    fn drop_blobs(&self) -> Result<(), AgentError> {
        for hash in self.home.store.blobs_to_drop(self.relay_log()?.as_ref())? {
            self.shelf().drop_file(&hash)?;
            self.home.store.blob_dropped(&hash)?;
        }
        Ok(())
    }

    fn lane(&self) -> Result<Lane, AgentError> {
        let link = self.home.profile.relay.as_ref();
        let link = link.filter(|_| self.member().is_some());
        let link = link.ok_or(AgentError::NotEnrolled)?;
        Ok(Lane {
            line: self.line(Address::kept(&link.url)?, link.key)?,
            offset_ms: 0,
            parting: None,
        })
    }

    /// Brings what was not sent to the relay that revoked this device; what does not arrive stays, and is
    /// counted.
    pub(super) async fn part_with_attachments(
        &mut self,
        address: Address,
        relay_key: &PublicKey,
    ) -> Result<(), AgentError> {
        let Some(log) = self.relay_log()? else {
            return Ok(());
        };
        let mut lane = Lane {
            line: self.line(address, *relay_key)?,
            offset_ms: 0,
            parting: Some(*relay_key),
        };
        for blob in self.home.store.pending_blobs(Some(&log))? {
            match self.send(&mut lane, &blob).await {
                Ok(()) => self.home.store.blob_arrived(&blob, &log)?,
                Err(error) => pass(error)?,
            }
        }
        Ok(())
    }

    /// Notes what the relay lost of what went up from here, and returns what else of it is here.
    fn lost_here(&self, lost: &[(DocId, BlobHash)]) -> Result<Vec<Blob>, AgentError> {
        let shelf = self.shelf();
        let mut given = Vec::new();
        for (doc, hash) in lost.iter().take(LOST_BLOBS_MAX) {
            if shelf.has(hash) && !self.home.store.blob_lost(hash)? {
                let bytes = shelf.length(hash)?;
                given.push(Blob {
                    hash: *hash,
                    doc: *doc,
                    bytes,
                    thumb: false,
                });
            }
        }
        Ok(given)
    }

    async fn carry(
        &mut self,
        lane: &mut Lane,
        given: &[Blob],
        report: &mut BlobReport,
    ) -> Result<(), AgentError> {
        let Some(log) = self.relay_log()? else {
            return Ok(());
        };
        for blob in self.home.store.pending_blobs(Some(&log))? {
            match self.send(lane, &blob).await {
                Ok(()) => self.home.store.blob_arrived(&blob, &log)?,
                Err(error) => pass(error)?,
            }
        }
        for blob in given {
            if let Err(error) = self.send(lane, blob).await {
                pass(error)?;
            }
        }
        let shelf = self.shelf();
        let missing = self.home.store.thumbs()?.into_iter();
        let missing: Vec<Blob> = missing.filter(|thumb| !shelf.has(&thumb.hash)).collect();
        for thumb in missing.into_iter().take(THUMBS_ASKED_MAX) {
            if report.received >= THUMBS_MAX {
                break;
            }
            match self.bring(lane, &thumb.hash, &thumb.doc, None).await {
                Ok(came) => report.received += usize::from(came),
                Err(error) => pass(error)?,
            }
        }
        Ok(())
    }

    /// Sends a blob from where the relay stands to its end.
    async fn send(&mut self, lane: &mut Lane, blob: &Blob) -> Result<(), AgentError> {
        let shelf = self.shelf();
        // A large one may be there already, or in part: ask before a byte of it travels.
        let mut asking = blob.bytes > BLOB_PIECE_BYTES_MAX as u64;
        let (mut at, mut fell_back) = (0, false);
        loop {
            let most = if asking { 0 } else { BLOB_PIECE_BYTES_MAX };
            let piece = shelf.piece(&blob.hash, at, most)?;
            let state = self.post_piece(lane, blob, at, &piece).await?;
            if state.whole {
                return Ok(());
            }
            let moved_on = state.durable > at || asking;
            if state.durable >= blob.bytes || (!moved_on && fell_back) {
                return Err(strange("how much of an attachment is there".to_owned()));
            }
            // A relay that lost the part says so once; one that stands still is not asked for ever.
            fell_back |= !moved_on;
            at = state.durable;
            asking = false;
        }
    }

    async fn post_piece(
        &mut self,
        lane: &mut Lane,
        blob: &Blob,
        offset: u64,
        piece: &[u8],
    ) -> Result<BlobState, AgentError> {
        let head = BlobAsk {
            version: PROTOCOL_VERSION,
            doc: blob.doc,
            bytes: blob.bytes,
            offset,
            piece: BlobHash::of(piece),
        }
        .encoded();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes();
        let body = [length.as_slice(), &head, piece].concat();
        let (path, key) = (format!("/v1/blob/{}", blob.hash), &self.home.key);
        let told =
            lane.line
                .post_told(&path, &head, &body, key, &self.machine, &mut lane.offset_ms);
        let response = match (told.await, &lane.parting) {
            (Err(AgentError::PurgeTold(told)), Some(relay_key)) => {
                let none = || strange("what became of an attachment".to_owned());
                return self
                    .believes(relay_key, &told.order)
                    .and(told.blob)
                    .ok_or_else(none);
            }
            (told, _) => told?,
        };
        let status = response.status();
        let answer = response
            .bytes()
            .await
            .map_err(|error| super::http::no_link(&error))?;
        lane.line.bytes_down += answer.len() as u64;
        if !status.is_success() {
            return Err(refusal(status));
        }
        packing::decode(&answer, "blob").map_err(|error| strange(error.to_string()))
    }

    /// Brings a blob from where it was cut off to its end; false where the relay does not have it, or
    /// not for this device. Of one whose size is not known the relay says it.
    async fn bring(
        &mut self,
        lane: &mut Lane,
        hash: &BlobHash,
        doc: &DocId,
        bytes: Option<u64>,
    ) -> Result<bool, AgentError> {
        let shelf = self.shelf();
        loop {
            let held = shelf.held(hash);
            if held > 0 && bytes == Some(held) {
                break;
            }
            let (path, query) = (format!("/v1/blob/{hash}"), format!("?doc={doc}"));
            let (key, machine) = (&self.home.key, &self.machine);
            let asked =
                lane.line
                    .get_told((&path, &query), held, key, machine, &mut lane.offset_ms);
            let mut response = asked.await?;
            if response.status() == reqwest::StatusCode::RANGE_NOT_SATISFIABLE && held > 0 {
                break;
            }
            if response.status() == reqwest::StatusCode::NOT_FOUND {
                return Ok(false);
            }
            if !response.status().is_success() {
                return Err(refusal(response.status()));
            }
            let total = total(&response, held).ok_or_else(|| strange(DAMAGED.to_owned()))?;
            let (mut came, mut cut) = (Vec::new(), None);
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) if held + (came.len() + chunk.len()) as u64 <= total => {
                        came.extend_from_slice(&chunk);
                    }
                    Ok(Some(_)) => return Err(strange(DAMAGED.to_owned())),
                    Ok(None) => break,
                    Err(error) => {
                        cut = Some(super::http::no_link(&error));
                        break;
                    }
                }
            }
            lane.line.bytes_down += came.len() as u64;
            // What came before a cut is kept: the next try begins behind it.
            let held = shelf.add(hash, &came)?;
            match cut {
                Some(error) => return Err(error),
                None if came.is_empty() => return Err(strange(DAMAGED.to_owned())),
                None if held == total => break,
                None => {}
            }
        }
        if shelf.finish(hash)? {
            Ok(true)
        } else {
            Err(strange(DAMAGED.to_owned()))
        }
    }
}

/// Returns the size of the whole, if the answer begins where it was asked to.
fn total(response: &reqwest::Response, from: u64) -> Option<u64> {
    let range = response.headers().get(reqwest::header::CONTENT_RANGE)?;
    let (span, total) = range
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let begins: u64 = span.split_once('-')?.0.parse().ok()?;
    let total = total.parse().ok()?;
    (begins == from && total <= BLOB_BYTES_MAX).then_some(total)
}

/// Lets one attachment that cannot be carried not stop those behind it; without a line or a disk none
/// of them can.
fn pass(error: AgentError) -> Result<(), AgentError> {
    match error {
        AgentError::StrangeAnswer { reason } => {
            tracing::info!(%reason, "an attachment is left for the next sync");
            Ok(())
        }
        AgentError::Unreadable { .. } | AgentError::Internal(_) => {
            tracing::warn!(%error, "an attachment cannot be read here");
            Ok(())
        }
        other => Err(other),
    }
}

fn strange(reason: String) -> AgentError {
    AgentError::StrangeAnswer { reason }
}
