//! How the device in memory asks for packs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use wangge_trust::key::verify_manifest;
use wangge_wire::pack::FramesAsk;
use wangge_wire::{
    ChangeHash, DocId, FrameHash, Manifest, Order, PROTOCOL_VERSION, PackFrame, packing,
};

use crate::device::{Device, Doc, shape};
use crate::wire_client::{self, Reply};

impl Device {
    /// Asks which packs there are; the query is `?` for all.
    pub fn get_packs(&mut self, relay: SocketAddr, now_ms: i64, query: &str) -> Reply {
        let what = ("GET", "/v1/packs", query);
        let request = self.signed_request(relay, now_ms, what, &[], &[], &[]);
        wire_client::send_raw(relay, &request)
    }

    /// Asks for frames, of the first from a byte on.
    pub fn get_frames(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        frames: &[FrameHash],
        from: u64,
    ) -> Reply {
        let head = packing::encode(&FramesAsk {
            version: PROTOCOL_VERSION,
            frames: frames.to_vec(),
            from,
        });
        let length = u32::try_from(head.len()).unwrap().to_be_bytes();
        let body = [length.as_slice(), &head].concat();
        let what = ("POST", "/v1/frames", "?");
        let request = self.signed_request(relay, now_ms, what, &head, &[], &body);
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
            let reply = self.get_frames(relay, now_ms, &[info.hash], 0);
            assert_eq!((reply.status, reply.body.len() as u64), (200, info.bytes));
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
            let document = wangge_crdt::Document::open(&shape(), &one.doc, &one.saved).unwrap();
            assert_eq!(document.id(), Some(one.doc));
            let owner = one.owner;
            (one.doc, Doc { document, owner })
        })
        .collect()
}
