//! An in-memory device's requests for attachments, signed by hand: what a polite client never sends.

#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::net::SocketAddr;

use wangge_trust::request::{self, Signed};
use wangge_wire::{BlobAsk, BlobHash, DocId, RelayId};

use crate::device::{Device, card};
use crate::wire_client::{self, Reply};

impl Device {
    /// Returns the bytes of a request that sends a piece.
    ///
    /// # Panics
    /// If the head is longer than four bytes can say.
    pub fn blob_request(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        hash: &BlobHash,
        ask: &BlobAsk,
        piece: &[u8],
    ) -> Vec<u8> {
        let head = ask.encoded();
        let length = u32::try_from(head.len()).unwrap().to_be_bytes();
        let body = [length.as_slice(), &head, piece].concat();
        let path = format!("/v1/blob/{hash}");
        self.signed_request(relay, now_ms, ("POST", &path, "?"), &head, &[], &body)
    }

    /// Sends a piece and returns the reply as it is.
    pub fn post_blob(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        hash: &BlobHash,
        ask: &BlobAsk,
        piece: &[u8],
    ) -> Reply {
        let request = self.blob_request(relay, now_ms, hash, ask, piece);
        wire_client::send_raw(relay, &request)
    }

    /// Asks for the bytes of an attachment behind `from` by `GET` or `HEAD`.
    pub fn get_blob(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        method: &str,
        (hash, doc): (&BlobHash, &DocId),
        from: u64,
    ) -> Reply {
        let (path, query) = (format!("/v1/blob/{hash}"), format!("?doc={doc}"));
        let range = format!("bytes={from}-");
        let what = (method, path.as_str(), query.as_str());
        let more = [("range", range.as_str())];
        wire_client::send_raw(
            relay,
            &self.signed_request(relay, now_ms, what, &[], &more, &[]),
        )
    }

    /// Returns the relay that requests are signed for: the one it enrolled with, else whoever is there.
    pub fn relay_at(&self, relay: SocketAddr) -> RelayId {
        match self.roster.root() {
            Some((key, ..)) => key.relay(),
            None => card(relay).key.relay(),
        }
    }

    /// Returns a signed request as bytes: method, path and query, the head that is signed, further headers.
    pub fn signed_request(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        (method, path, query): (&str, &str, &str),
        head: &[u8],
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        self.requests += 1;
        let authority = relay.to_string();
        let signed = Signed {
            relay: self.relay_at(relay),
            method,
            authority: &authority,
            path,
            query,
            head,
        };
        let nonce = self.requests.to_be_bytes();
        let signed = request::sign(&self.key, &signed, now_ms / 1000, &nonce);
        let mut headers = vec![
            (request::HEAD_HEADER, signed.head.as_str()),
            ("signature-input", signed.signature_input.as_str()),
            ("signature", signed.signature.as_str()),
        ];
        headers.extend_from_slice(more);
        let target = format!("{path}{}", if query == "?" { "" } else { query });
        wire_client::request(relay, method, &target, &headers, body)
    }
}
