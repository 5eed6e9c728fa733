//! What a download would cost, before it begins: documents, bytes, and seconds on the line last seen.
//!
//! It is asked of the relay's packs, so **it changes nothing on either side**. Where a relay has no packs
//! of an area nothing is guessed.

use serde::Serialize;
use wangge_trust::key::verify_manifest;
use wangge_wire::limits::MANIFEST_BYTES_MAX;
use wangge_wire::{AreaCode, Manifest};

use super::address::Address;
use super::http::{capped, refusal};
use super::sync::{SyncReport, strange};
use crate::error::AgentError;
use crate::replica::Replica;

/// The pace of the line last seen, bytes a second, in the store's facts.
const PACE: &str = "pace";
/// A sync that brought less says nothing of the line's pace.
const TELLING_BYTES: u64 = 32 * 1024;

/// What a download would cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Download {
    /// Documents in it; one that several packs hold counts in each.
    pub documents: u64,
    /// Bytes of frames.
    pub bytes: u64,
    /// Seconds at the pace of the line this device saw last; none where it saw none.
    pub seconds: Option<u64>,
}

/// What a sync would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SyncPlan {
    /// Entries that wait to be sent.
    pub unsent: u64,
    /// Whether this device has not read this relay yet.
    pub first: bool,
    /// What it would begin with; none where the relay has no packs, or reading began long ago.
    pub download: Option<Download>,
}

impl Replica {
    /// Returns what a sync would do.
    pub async fn plan_sync(&mut self) -> Result<SyncPlan, AgentError> {
        let link = self.home.profile.relay.as_ref();
        let relay = link.ok_or(AgentError::NotEnrolled)?.key.relay();
        let first = self.home.store.relay(&relay)?.cursor.is_none();
        let download = match first {
            true => self.download("?", false).await?,
            false => None,
        };
        Ok(SyncPlan {
            unsent: self.home.store.counts()?.unsent,
            first,
            download,
        })
    }

    /// Returns what somebody fetches who gains these areas; none where the relay has no packs of one.
    pub(crate) async fn download_of(
        &mut self,
        areas: &[AreaCode],
    ) -> Result<Option<Download>, AgentError> {
        let mut sum = Download::default();
        for area in areas {
            let Some(one) = self.download(&format!("?audience={area}"), true).await? else {
                return Ok(None);
            };
            sum.documents += one.documents;
            sum.bytes += one.bytes;
        }
        sum.seconds = self.seconds_of(sum.bytes)?;
        Ok(Some(sum))
    }

    /// Keeps the pace of a line that brought enough to tell.
    pub(super) fn note_pace(&self, report: &SyncReport) -> Result<(), AgentError> {
        if report.bytes_down >= TELLING_BYTES && report.ms > 0 {
            let pace = report.bytes_down.saturating_mul(1_000) / report.ms;
            self.home.store.set_meta(PACE, &pace.to_be_bytes())?;
        }
        Ok(())
    }

    fn seconds_of(&self, bytes: u64) -> Result<Option<u64>, AgentError> {
        let pace = self.home.store.meta(PACE)?;
        let pace = pace.and_then(|bytes| bytes.try_into().ok().map(u64::from_be_bytes));
        Ok(pace
            .filter(|pace| *pace > 0)
            .map(|pace| bytes.div_ceil(pace)))
    }

    /// Asks for a manifest and adds up what of it is not here; all of it for somebody else, whose device has
    /// not what this one has.
    async fn download(
        &mut self,
        query: &str,
        for_another: bool,
    ) -> Result<Option<Download>, AgentError> {
        let link = self.home.profile.relay.as_ref();
        let link = link.ok_or(AgentError::NotEnrolled)?;
        let (key, own) = (link.key, &self.home.key);
        let mut line = self.line(Address::kept(&link.url)?, link.key)?;
        let mut offset_ms = 0;
        let asked = line.get_told(("/v1/packs", query), 0, own, &self.machine, &mut offset_ms);
        let response = asked.await?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(refusal(response.status())),
        }
        let bytes = capped(response, MANIFEST_BYTES_MAX).await?;
        let manifest = Manifest::read(&bytes).map_err(strange)?;
        if !verify_manifest(&key, &manifest) {
            return Err(AgentError::StrangeAnswer {
                reason: "a manifest's signature".into(),
            });
        }
        let mut download = Download {
            documents: manifest.documents(),
            ..Download::default()
        };
        for frame in manifest.packs.iter().flat_map(|pack| &pack.frames) {
            if for_another || !self.home.store.frame(&frame.hash)?.0 {
                download.bytes += frame.bytes;
            }
        }
        download.seconds = self.seconds_of(download.bytes)?;
        Ok(Some(download))
    }
}
