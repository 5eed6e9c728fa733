//! How the device in memory asks what lies in an inbox, and decides.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use wangge_wire::inbox::{InboxAnswer, InboxAsk, InboxRow, InboxWish};
use wangge_wire::packing::Unpacker;
use wangge_wire::{
    Batch, ChangeHash, Decision, DeviceId, DocId, Item, PROTOCOL_VERSION, Settlement, packing,
};

use crate::device::Device;
use crate::wire_client::{self, Reply};

/// Bytes of an answer once inflated.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

impl Device {
    /// Asks about the inbox and returns the reply as it is.
    pub fn post_inbox(&mut self, relay: SocketAddr, now_ms: i64, wish: InboxWish) -> Reply {
        let version = PROTOCOL_VERSION;
        let head = packing::encode(&InboxAsk { version, wish });
        let length = u32::try_from(head.len()).unwrap().to_be_bytes();
        let body = [length.as_slice(), &head].concat();
        let what = ("POST", "/v1/inbox", "?");
        let request = self.signed_request(relay, now_ms, what, &head, &[], &body);
        wire_client::send_raw(relay, &request)
    }

    /// Asks about the inbox.
    pub fn ask_inbox(&mut self, relay: SocketAddr, now_ms: i64, wish: InboxWish) -> InboxAnswer {
        let reply = self.post_inbox(relay, now_ms, wish);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let mut unpacker = Unpacker::new().unwrap();
        let bytes = unpacker.unpack(&reply.body, ANSWER_BYTES_MAX).unwrap();
        packing::decode(&bytes, "inbox").unwrap()
    }

    /// Returns what nobody has settled.
    pub fn open_inbox(&mut self, relay: SocketAddr, now_ms: i64) -> Vec<InboxRow> {
        self.ask_inbox(relay, now_ms, InboxWish::Open { after: 0 })
            .rows
    }

    /// Returns a signed batch with a decision on an item, going over those it names.
    pub fn settle(
        &mut self,
        (doc, item, author): (DocId, ChangeHash, DeviceId),
        decision: Decision,
        over: &[ChangeHash],
    ) -> Batch {
        let settlement = Settlement {
            doc,
            item,
            author,
            decision,
            to: None,
            reason: "核实过".into(),
            over: over.to_vec(),
            at_ms: 5,
            by: Some(self.id()),
        };
        self.push_item(Item::Unknown {
            name: settlement.name(),
            bytes: settlement.bytes(),
        });
        self.batch()
    }
}
