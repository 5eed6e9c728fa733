//! A desk's question about the inbox, asked of its relay.
//!
//! **Nothing of the answer is kept on the device**: what lies in an inbox is the relay's to keep.

use wangge_wire::inbox::{InboxAnswer, InboxAsk, InboxRow, InboxWish};
use wangge_wire::limits::{ANSWER_BYTES_MAX, PAGE_INFLATED_BYTES_MAX};
use wangge_wire::packing::Unpacker;
use wangge_wire::{ChangeHash, DocId, PROTOCOL_VERSION, packing};

use super::http::{capped, refusal};
use super::sync::strange;
use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Returns what nobody has settled, and what the gate holds.
    pub(crate) async fn ask_open(&self) -> Result<Vec<InboxRow>, AgentError> {
        self.ask_all(|after| InboxWish::Open { after }).await
    }

    /// Returns the decisions this desk may read, the oldest first.
    pub(crate) async fn ask_settled(&self) -> Result<Vec<InboxRow>, AgentError> {
        self.ask_all(|after| InboxWish::Settled { after }).await
    }

    /// Returns all that lies at the relay of one document, with bodies.
    pub(crate) async fn ask_document(&self, doc: DocId) -> Result<Vec<InboxRow>, AgentError> {
        Ok(self.ask_inbox(InboxWish::Document(doc)).await?.rows)
    }

    /// Lets a held change be tried again.
    pub(crate) async fn ask_retry(&self, doc: DocId, change: ChangeHash) -> Result<(), AgentError> {
        let wish = InboxWish::Retry { doc, change };
        self.ask_inbox(wish).await.map(|_| ())
    }

    async fn ask_all(&self, wish: impl Fn(u64) -> InboxWish) -> Result<Vec<InboxRow>, AgentError> {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let answer = self.ask_inbox(wish(after)).await?;
            rows.extend(answer.rows);
            match answer.next.filter(|next| *next > after) {
                Some(next) => after = next,
                None => return Ok(rows),
            }
        }
    }

    async fn ask_inbox(&self, wish: InboxWish) -> Result<InboxAnswer, AgentError> {
        if !self.role().is_desk() && self.member().is_some() {
            return Err(AgentError::NotYourRole);
        }
        let head = packing::encode(&InboxAsk {
            version: PROTOCOL_VERSION,
            wish,
        });
        let response = self.ask_relay("/v1/inbox", &head).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let packed = capped(response, ANSWER_BYTES_MAX).await?;
        let mut unpacker = Unpacker::new().map_err(strange)?;
        let bytes = unpacker.unpack(&packed, PAGE_INFLATED_BYTES_MAX);
        packing::decode(&bytes.map_err(strange)?, "inbox").map_err(strange)
    }
}
