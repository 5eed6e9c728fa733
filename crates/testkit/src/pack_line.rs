//! How the device in memory asks for packs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use wangge_trust::key::verify_manifest;
use wangge_wire::{ChangeHash, DocId, FrameHash, Manifest, Order, PackFrame};

use crate::device::{Device, Doc, shape};
use crate::wire_client::{self, Reply};

impl Device {
    /// Asks which packs there are; the query is `?` for all.
    pub fn get_packs(&mut self, relay: SocketAddr, now_ms: i64, query: &str) -> Reply {
        let what = ("GET", "/v1/packs", query);
        let request = self.signed_request(relay, now_ms, what, &[], &[], &[]);
        wire_client::send_raw(relay, &request)
    }

    /// Asks for a frame from a byte on.
    pub fn get_frame(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        hash: &FrameHash,
        from: usize,
    ) -> Reply {
        let (path, range) = (format!("/v1/pack/{hash}"), format!("bytes={from}-"));
        let what = ("GET", path.as_str(), "?");
        let more = [("range", range.as_str())];
        let request = self.signed_request(relay, now_ms, what, &[], &more, &[]);
        wire_client::send_raw(relay, &request)
    }

    /// Fetches everything packs have, takes it in and stands where the manifest says.
    pub fn take_packs(&mut self, relay: SocketAddr, now_ms: i64) -> (Manifest, Vec<PackFrame>) {
        let reply = self.get_packs(relay, now_ms, "?");
        assert_eq!(reply.status, 200, "{}", reply.text());
        let manifest = Manifest::read(&reply.body).unwrap();
        let (key, ..) = self.roster.root().unwrap();
        assert!(verify_manifest(key, &manifest));
        for order in &manifest.orders {
            let order = Order::read(&order.order.0).unwrap();
            self.roster.take_some(&order).unwrap();
        }
        let mut frames = Vec::new();
        for info in manifest.packs.iter().flat_map(|pack| &pack.frames) {
            let reply = self.get_frame(relay, now_ms, &info.hash, 0);
            assert_eq!((reply.status, reply.body.len() as u64), (206, info.bytes));
            let frame = PackFrame::open(&info.hash, &reply.body).unwrap();
            assert_eq!(frame.documents.len() as u64, info.documents);
            for (doc, known) in documents(&frame) {
                for hash in beyond_genesis(&doc, &known) {
                    self.held.insert((doc, hash), 1);
                }
                self.docs.insert(doc, known);
            }
            frames.push(frame);
        }
        self.cursor = Some(manifest.cursor);
        (manifest, frames)
    }
}

fn beyond_genesis(doc: &DocId, known: &Doc) -> BTreeSet<ChangeHash> {
    let genesis = wangge_crdt::genesis::hash(&shape(), doc).unwrap();
    known.document.beyond(&[genesis])
}

/// Returns the documents of a frame.
pub fn documents(frame: &PackFrame) -> BTreeMap<DocId, Doc> {
    let saved = frame.documents.iter().filter(|one| !one.saved.is_empty());
    saved
        .map(|one| {
            let document = wangge_crdt::Document::load(&shape(), &one.saved).unwrap();
            assert_eq!(document.id(), Some(one.doc));
            let owner = one.owner;
            (one.doc, Doc { document, owner })
        })
        .collect()
}
