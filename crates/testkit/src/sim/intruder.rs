//! A member who means no good: signs rightly what no program of ours would write.

use std::path::Path;

use http::Request;
use wangge_agent::Machine;
use wangge_agent::home::Profile;
use wangge_agent::keys::Keys;
use wangge_crdt::{Document, Put};
use wangge_model::kind;
use wangge_trust::KeyPair;
use wangge_trust::request::{self, HEAD_HEADER, Signed};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::group::{self, GROUP_FRAME};
use wangge_wire::packing::Packer;
use wangge_wire::{
    ActionId, AreaCode, Ask, Batch, BatchHash, BatchHead, Change, ChangeHash, DeviceId, DocId,
    Item, LifeNonce, PROTOCOL_VERSION, Place, RelayId, Settlement, Shape, Signature, frame, stream,
};

use super::seats::{GRIDS, NOBODYS};
use crate::working_days::Dice;

const AUTHORITY: &str = "127.0.0.1:9";
/// The life that it writes in.
const NONCE: LifeNonce = LifeNonce([7; 8]);

/// What an intruder sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mischief {
    /// A new document in a grid that is not theirs.
    ForeignGrid,
    /// A change in their own grid that hides what the document is made of.
    Poison,
    /// A protocol that nobody speaks yet.
    FromTheFuture,
    /// Bytes.
    Noise,
}

/// A member who means no good.
pub(super) struct Intruder {
    key: KeyPair,
    relay: RelayId,
    number: u64,
    previous: BatchHash,
}

impl Intruder {
    /// Returns who has the key in a folder.
    pub(super) fn new(dir: &Path) -> Self {
        let keys = Keys::open(dir, &Machine::default()).unwrap();
        let profile = std::fs::read_to_string(dir.join("profile.json")).unwrap();
        let profile: Profile = serde_json::from_str(&profile).unwrap();
        Self {
            key: keys.device(),
            relay: profile.relay.unwrap().key.relay(),
            number: 0,
            previous: BatchHash([0; 32]),
        }
    }

    /// Returns a request, and the change in it that every gate must hold back.
    pub(super) fn request(
        &mut self,
        mischief: Mischief,
        now_ms: i64,
        dice: &mut Dice,
    ) -> (Request<Vec<u8>>, Option<(DocId, ChangeHash)>) {
        let (home, field) = match mischief {
            Mischief::Poison => (GRIDS[1], "members"),
            _ => (NOBODYS, "note"),
        };
        let mut poison = None;
        let frame = if mischief == Mischief::Noise {
            let mut noise = vec![0; dice.below(400)];
            dice.fill(&mut noise);
            // Half of it says that it is one batch, and is looked into.
            if noise.len().is_multiple_of(2)
                && let Some(front) = noise.first_chunk_mut()
            {
                *front = [0, 1];
            }
            noise
        } else {
            let (batch, name) = self.batch(home, field, dice);
            poison = (mischief == Mischief::Poison).then_some(name);
            let bytes = frame::encode_full(&batch).unwrap();
            group::pack(&mut Packer::new().unwrap(), &[bytes]).unwrap()
        };
        let future = u16::from(mischief == Mischief::FromTheFuture);
        let ask = self.ask(PROTOCOL_VERSION + future);
        (self.signed(&ask.bytes(), &frame, now_ms, dice), poison)
    }

    /// Returns the device.
    pub(super) fn device(&self) -> DeviceId {
        self.key.public().device()
    }

    /// Returns a request with a decision that is nobody's but a desk's.
    pub(super) fn decision(
        &mut self,
        settlement: &Settlement,
        now_ms: i64,
        dice: &mut Dice,
    ) -> Request<Vec<u8>> {
        let item = Item::Unknown {
            name: settlement.name(),
            bytes: settlement.bytes(),
        };
        let home = AreaCode::parse(GRIDS[1]).unwrap();
        let batch = self.signed_batch(home, vec![item], Vec::new());
        let bytes = frame::encode_full(&batch).unwrap();
        let frame = group::pack(&mut Packer::new().unwrap(), &[bytes]).unwrap();
        let ask = self.ask(PROTOCOL_VERSION);
        self.signed(&ask.bytes(), &frame, now_ms, dice)
    }

    fn ask(&self, version: u16) -> Ask {
        Ask {
            version,
            capabilities: 0,
            cursor: None,
            actor: self.key.public().actor(&NONCE),
            batches: 1,
            full: false,
            catch_up: None,
            given_back: None,
            origins: None,
            witnessed: None,
        }
    }

    fn batch(&mut self, home: &str, field: &str, dice: &mut Dice) -> (Batch, (DocId, ChangeHash)) {
        let mut id = [0; 16];
        dice.fill(&mut id);
        let doc = DocId(id);
        let shape = kind::shape(kind::HOUSEHOLD).unwrap();
        let mut document = Document::begin(&shape, &doc).unwrap();
        let actor = self.key.public().actor(&NONCE);
        let written = document.write(&actor, 1_000, &[Put::root(field, "x")]);
        let written = written.unwrap().unwrap();
        let change = Change::read(doc, shape.kind, shape.schema, None, written.raw).unwrap();
        let home = AreaCode::parse(home).unwrap();
        let place = Place {
            doc,
            home: home.clone(),
            audiences: Vec::new(),
            n: 0,
        };
        let items = vec![
            Item::Place(place),
            Item::Change {
                change,
                action: Some(ActionId([1; 8])),
            },
        ];
        let batch = self.signed_batch(home, items, vec![shape]);
        (batch, (doc, written.hash))
    }

    fn signed_batch(&mut self, area: AreaCode, items: Vec<Item>, shapes: Vec<Shape>) -> Batch {
        self.number += 1;
        let mut batch = Batch {
            head: BatchHead {
                suite: SUITE_PLAIN,
                device: self.key.public().device(),
                nonce: NONCE,
                number: self.number,
                previous: self.previous,
                roster: 0,
                claimed_at_ms: 1_000,
                area,
            },
            items,
            signature: Signature([0; 64]),
            shapes,
        };
        self.key.sign_batch(&mut batch);
        self.previous = batch.hash();
        batch
    }

    fn signed(&self, head: &[u8], frame: &[u8], now_ms: i64, dice: &mut Dice) -> Request<Vec<u8>> {
        let signed = Signed {
            relay: self.relay,
            method: "POST",
            authority: AUTHORITY,
            path: "/v1/sync",
            query: "?",
            head,
        };
        let mut nonce = [0; 8];
        dice.fill(&mut nonce);
        let headers = request::sign(&self.key, &signed, now_ms.div_euclid(1000), &nonce);
        let mut body = u32::try_from(head.len()).unwrap().to_be_bytes().to_vec();
        body.extend_from_slice(head);
        body.extend(stream::frame(GROUP_FRAME, frame));
        Request::builder()
            .method("POST")
            .uri("/v1/sync")
            .header("host", AUTHORITY)
            .header(HEAD_HEADER, headers.head)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body)
            .unwrap()
    }
}
