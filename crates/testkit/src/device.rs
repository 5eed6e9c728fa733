//! A device of a few hundred lines: keys, documents, batches and one sync, all in memory.
//!
//! It does what a device must and checks what it is told: signatures, receipts, positions, digests.
//! **It panics where a device would complain**, so that a test fails at the first wrong byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use wangge_crdt::{Document, Put, genesis};
use wangge_trust::enroll::{Code, Side, check_proof, proof};
use wangge_trust::key::{verify_batch, verify_receipt};
use wangge_trust::request::{self, Signed};
use wangge_trust::{KeyPair, Roster};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, RelayCard};
use wangge_wire::frame::{self, Dependency, Elide, Known, Surroundings};
use wangge_wire::group::{self, GROUP_FRAME};
use wangge_wire::limits::{ANSWER_FRAME_BYTES_MAX, PAGE_INFLATED_BYTES_MAX};
use wangge_wire::message::{AnswerKind, PageEntry, Standing};
use wangge_wire::receipt::ItemState;
use wangge_wire::{
    ActionId, ActorId, AreaCode, Ask, Audience, Batch, BatchHash, BatchHead, Change, ChangeHash,
    Cursor, DeviceId, Digest, DocId, DocKind, End, EntryKind, Item, LifeNonce, Order,
    PROTOCOL_VERSION, Page, PersonId, Place, PurgeAnswer, Receipt, Shape, Signature, Verdict,
    packing, stream,
};

use crate::wire_client::{self, Reply};

/// A device in memory.
pub struct Device {
    /// Its key.
    pub key: KeyPair,
    /// What makes its actor.
    pub nonce: LifeNonce,
    /// The number of its last batch.
    pub number: u64,
    /// Its last batch.
    pub previous: BatchHash,
    /// Its documents.
    pub docs: BTreeMap<DocId, Doc>,
    /// Every change it holds, with the position the relay told; 0 before a receipt.
    pub held: BTreeMap<(DocId, ChangeHash), u64>,
    /// Every place it was told of or made itself.
    pub places: BTreeMap<DocId, BTreeSet<(u64, ChangeHash, AreaCode)>>,
    /// Where it stands.
    pub cursor: Option<Cursor>,
    /// Who is who.
    pub roster: Roster,
    pending: Vec<Item>,
    pub(crate) requests: u64,
}

/// A document of a device.
pub struct Doc {
    /// The document.
    pub document: Document,
    /// What it belongs to.
    pub owner: Option<DocId>,
}

/// An answer to one sync, taken apart.
#[derive(Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first frame.
    pub standing: Option<Standing>,
    /// What was said of each batch.
    pub verdicts: Vec<Verdict>,
    /// The pages, and their packed sizes.
    pub pages: Vec<(Page, usize)>,
    /// The last frame.
    pub end: Option<End>,
    /// What a revoked device is told, as the whole answer or as its last frame.
    pub purge: Option<PurgeAnswer>,
    /// The relay's words when it could not go on.
    pub failed: Option<String>,
    /// Every byte of the answer, and of its pages unpacked.
    pub bytes: Vec<u8>,
}

/// The shape of every document here.
pub fn shape() -> Shape {
    Shape {
        kind: DocKind(1),
        schema: 0,
        containers: vec!["members".into()],
    }
}

impl Device {
    /// Returns a device whose keys follow from a seed.
    pub fn new(seed: u8) -> Self {
        Self {
            key: KeyPair::from_secret(&[seed; 32]),
            nonce: LifeNonce([seed; 8]),
            number: 0,
            previous: BatchHash([0; 32]),
            docs: BTreeMap::new(),
            held: BTreeMap::new(),
            places: BTreeMap::new(),
            cursor: None,
            roster: Roster::default(),
            pending: Vec::new(),
            requests: 0,
        }
    }

    /// Returns its id.
    pub fn id(&self) -> DeviceId {
        self.key.public().device()
    }

    /// Returns the actor it writes as.
    pub fn actor(&self) -> ActorId {
        self.key.public().actor(&self.nonce)
    }

    /// Returns its person, as the roster has it.
    pub fn person(&self) -> PersonId {
        self.roster.known(&self.id()).unwrap().person
    }

    /// Begins a document that lives in `home`.
    pub fn begin(&mut self, doc: DocId, home: &str) {
        self.begin_owned(doc, None);
        self.place(doc, home, &[], 0);
    }

    /// Begins a document, placed by its owner if it has one.
    pub fn begin_owned(&mut self, doc: DocId, owner: Option<DocId>) {
        let document = Document::begin(&shape(), &doc).unwrap();
        self.docs.insert(doc, Doc { document, owner });
    }

    /// Places a document.
    pub fn place(&mut self, doc: DocId, home: &str, audiences: &[Audience], n: u64) -> Place {
        let home = AreaCode::parse(home).unwrap();
        let place = Place {
            doc,
            home,
            audiences: audiences.to_vec(),
            n,
        };
        self.note_place(&place);
        self.pending.push(Item::Place(place.clone()));
        place
    }

    /// Writes one field of a document; returns the change's hash.
    pub fn write(&mut self, doc: DocId, field: &str, text: &str) -> ChangeHash {
        let actor = self.actor();
        let known = self.docs.get_mut(&doc).unwrap();
        let puts = [Put::root(field, text)];
        let written = known.document.write(&actor, 1_000, &puts).unwrap().unwrap();
        let shape = shape();
        let change = Change::read(doc, shape.kind, shape.schema, known.owner, written.raw).unwrap();
        self.held.insert((doc, written.hash), 0);
        self.pending.push(Item::Change {
            change,
            action: Some(ActionId([1; 8])),
        });
        written.hash
    }

    /// Adds an item as it is.
    pub fn push_item(&mut self, item: Item) {
        self.pending.push(item);
    }

    /// Takes what was not batched yet.
    pub fn take_items(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.pending)
    }

    /// Returns what was written since the last batch, signed.
    pub fn batch(&mut self) -> Batch {
        let items = self.take_items();
        self.batch_of(items)
    }

    /// Returns a signed batch of these items.
    pub fn batch_of(&mut self, items: Vec<Item>) -> Batch {
        self.number += 1;
        let head = BatchHead {
            suite: SUITE_PLAIN,
            device: self.id(),
            nonce: self.nonce,
            number: self.number,
            previous: self.previous,
            roster: 0,
            claimed_at_ms: 1_000,
            area: AreaCode::parse("511724103202001").unwrap(),
        };
        let mut batch = Batch {
            head,
            items,
            signature: Signature([0; 64]),
            shapes: vec![shape()],
        };
        self.key.sign_batch(&mut batch);
        self.previous = batch.hash();
        batch
    }

    /// Returns the batches as frames with what the relay should hold left out.
    pub fn short(&self, batches: &[Batch]) -> Vec<Vec<u8>> {
        let mut around = Surroundings {
            device: Some(self.id()),
            previous: None,
        };
        let mut frames = Vec::new();
        for batch in batches {
            frames.push(pack(
                &frame::encode(batch, &around, &Short { device: self }).unwrap(),
            ));
            around.previous = Some(batch.hash());
        }
        frames
    }

    /// Returns the batches as frames with nothing left out.
    pub fn full(batches: &[Batch]) -> Vec<Vec<u8>> {
        batches
            .iter()
            .map(|batch| pack(&frame::encode_full(batch).unwrap()))
            .collect()
    }

    /// Enrols with an invitation and takes the orders.
    pub fn enroll(&mut self, relay: SocketAddr, code: &Code) {
        let card = card(relay);
        let (reply, nonce) = self.ask_in(relay, code, &card);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let answer: EnrollAnswer = packing::decode(&reply.body, "answer").unwrap();
        let key = code.proof_key().unwrap();
        let own = self.key.public();
        assert!(check_proof(
            &answer.proof,
            &key,
            Side::Relay,
            &card.key,
            &own,
            &nonce
        ));
        for order in &answer.orders {
            self.roster
                .take_some(&Order::read(&order.0).unwrap())
                .unwrap();
        }
        assert!(self.roster.member(&self.id()).is_some());
    }

    /// Asks to be enrolled; returns the reply and the nonce of the request.
    pub fn ask_in(
        &mut self,
        relay: SocketAddr,
        code: &Code,
        card: &RelayCard,
    ) -> (Reply, [u8; 16]) {
        self.requests += 1;
        let mut nonce = [self.id().0[0]; 16];
        nonce[..8].copy_from_slice(&self.requests.to_le_bytes());
        let (key, own) = (code.proof_key().unwrap(), self.key.public());
        let ask = EnrollAsk {
            invitation: code.public().to_owned(),
            device_key: own,
            nonce,
            proof: proof(&key, Side::Device, &card.key, &own, &nonce),
        };
        (
            wire_client::send(relay, "POST", "/v1/enroll", &[], &packing::encode(&ask)),
            nonce,
        )
    }

    /// Syncs: sends the batches short, takes receipts and pages, compares the digests.
    pub fn sync(&mut self, relay: SocketAddr, now_ms: i64, batches: &[Batch]) -> Answer {
        let answer = self.exchange(relay, now_ms, batches.len(), &self.short(batches), false);
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.bytes)
        );
        self.take(&answer);
        answer
    }

    /// Sends frames as they are; takes nothing.
    pub fn exchange(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        batches: usize,
        frames: &[Vec<u8>],
        full: bool,
    ) -> Answer {
        let ask = self.ask(batches, full);
        let reply =
            wire_client::send_raw(relay, &self.request(relay, now_ms, &ask.bytes(), frames));
        read_answer(&reply)
    }

    /// Returns the head of its next request.
    pub fn ask(&self, batches: usize, full: bool) -> Ask {
        Ask {
            version: PROTOCOL_VERSION,
            capabilities: 0,
            cursor: self.cursor,
            actor: self.actor(),
            batches: u32::try_from(batches).unwrap(),
            full,
            catch_up: None,
            given_back: None,
            origins: None,
            witnessed: None,
        }
    }

    /// Returns a signed request as bytes.
    pub fn request(
        &mut self,
        relay: SocketAddr,
        now_ms: i64,
        head: &[u8],
        frames: &[Vec<u8>],
    ) -> Vec<u8> {
        self.request_at("/v1/sync", relay, now_ms, head, frames)
    }

    pub(crate) fn request_at(
        &mut self,
        path: &str,
        relay: SocketAddr,
        now_ms: i64,
        head: &[u8],
        frames: &[Vec<u8>],
    ) -> Vec<u8> {
        self.requests += 1;
        let authority = relay.to_string();
        let signed = Signed {
            relay: self.relay_at(relay),
            method: "POST",
            authority: &authority,
            path,
            query: "?",
            head,
        };
        let nonce = self.requests.to_be_bytes();
        let headers = request::sign(&self.key, &signed, now_ms / 1000, &nonce);
        let mut body = u32::try_from(head.len()).unwrap().to_be_bytes().to_vec();
        body.extend_from_slice(head);
        for frame in frames {
            body.extend_from_slice(&stream::frame(GROUP_FRAME, frame));
        }
        let headers = [
            (request::HEAD_HEADER, headers.head.as_str()),
            ("signature-input", headers.signature_input.as_str()),
            ("signature", headers.signature.as_str()),
        ];
        wire_client::request(relay, "POST", path, &headers, &body)
    }

    /// Takes an answer as a device does: receipts, then each page with its cursor, then the end.
    pub fn take(&mut self, answer: &Answer) {
        let standing = answer.standing.as_ref().unwrap();
        if standing.stale_cursor {
            self.cursor = None;
        }
        for verdict in &answer.verdicts {
            if let Verdict::Receipt(receipt) = verdict {
                let (key, ..) = self.roster.root().unwrap();
                assert!(verify_receipt(key, receipt));
            }
        }
        for (page, _) in &answer.pages {
            page.entries.iter().for_each(|entry| self.take_entry(entry));
            self.move_to(page.cursor);
        }
        if let Some(end) = &answer.end {
            self.move_to(end.cursor);
        }
    }

    /// Notes where the items of a batch stand.
    pub fn note_receipt(&mut self, batch: &Batch, receipt: &Receipt) {
        assert_eq!(receipt.batch, batch.hash());
        for (item, state) in batch.items.iter().zip(&receipt.items) {
            if let (Item::Change { change, .. }, ItemState::At(position)) = (item, state) {
                self.held.insert((change.doc, change.hash), *position);
            }
        }
    }

    /// Returns the digest of these documents as held here.
    pub fn digest_of(&self, belongs: impl Fn(&DocId) -> bool) -> Digest {
        let own = self
            .held
            .iter()
            .filter(|((doc, _), position)| **position > 0 && belongs(doc));
        own.map(|((doc, hash), _)| Digest::of(doc, hash)).sum()
    }

    fn move_to(&mut self, cursor: Cursor) {
        if let Some(before) = &self.cursor {
            assert!(
                before.position <= cursor.position,
                "a cursor never goes back"
            );
        }
        self.cursor = Some(cursor);
    }

    fn take_entry(&mut self, entry: &PageEntry) {
        let sent = match entry {
            PageEntry::Single { kind, bytes, .. } => {
                if EntryKind(*kind) == EntryKind::ORDER {
                    self.roster.take_some(&Order::read(bytes).unwrap()).unwrap();
                }
                return;
            }
            PageEntry::Batch(sent) => sent,
        };
        let rebuilt = frame::decode(&sent.frame, &Surroundings::default(), &*self).unwrap();
        assert!(rebuilt.damaged.is_empty());
        assert_eq!(rebuilt.batch.items.len(), sent.positions.len());
        let signer = self
            .roster
            .known(&rebuilt.batch.head.device)
            .expect("an author it knows");
        assert!(
            verify_batch(&signer.key, &rebuilt.batch),
            "an author's signature stays good"
        );
        for (item, position) in rebuilt.batch.items.iter().zip(&sent.positions) {
            match item {
                Item::Change { change, .. } => self.take_change(change, *position),
                Item::Place(place) => {
                    assert!(*position > 0);
                    self.note_place(place);
                }
                Item::Named(_) => assert_eq!(*position, 0),
                Item::Unknown { .. } => {}
            }
        }
    }

    fn take_change(&mut self, change: &Change, position: u64) {
        assert!(position > 0);
        let doc = self.docs.entry(change.doc).or_insert_with(|| Doc {
            document: Document::begin(&shape(), &change.doc).unwrap(),
            owner: change.owner,
        });
        let applied = doc.document.apply(std::slice::from_ref(&change.raw));
        assert_eq!(applied.applied, [change.hash], "dependencies come first");
        self.held.insert((change.doc, change.hash), position);
    }

    fn note_place(&mut self, place: &Place) {
        let places = self.places.entry(place.doc).or_default();
        places.insert((place.n, place.hash(), place.home.clone()));
    }
}

impl Known for Device {
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        genesis::hash(shape, doc).ok()
    }

    fn change(&self, doc: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
        let mut held = self
            .held
            .keys()
            .filter(|(d, hash)| d == doc && hash.0.starts_with(prefix));
        held.next().map(|(_, hash)| *hash)
    }
}

struct Short<'a> {
    device: &'a Device,
}

impl Elide for Short<'_> {
    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency {
        if genesis::hash(&shape(), doc).unwrap() == *hash {
            Dependency::Genesis
        } else if self.device.held.contains_key(&(*doc, *hash)) {
            Dependency::Held
        } else {
            Dependency::Full
        }
    }
}

impl Answer {
    /// Returns the receipts.
    pub fn receipts(&self) -> Vec<&Receipt> {
        let mut receipts = Vec::new();
        for verdict in &self.verdicts {
            if let Verdict::Receipt(receipt) = verdict {
                receipts.push(receipt);
            }
        }
        receipts
    }

    /// Returns where the items of the only batch stand.
    pub fn items(&self) -> Vec<ItemState> {
        match self.receipts().as_slice() {
            [receipt] => receipt.items.clone(),
            other => panic!("{} receipts, {:?}", other.len(), self.verdicts),
        }
    }

    /// Returns the positions of everything in the pages, in the order it came.
    pub fn positions(&self) -> Vec<u64> {
        let entries = self.pages.iter().flat_map(|(page, _)| &page.entries);
        let positions = entries.flat_map(|entry| match entry {
            PageEntry::Batch(batch) => batch.positions.clone(),
            PageEntry::Single { position, .. } => vec![*position],
        });
        positions.filter(|position| *position > 0).collect()
    }

    /// Returns whether these bytes occur anywhere in the answer.
    pub fn contains(&self, needle: &[u8]) -> bool {
        self.bytes
            .windows(needle.len())
            .any(|window| window == needle)
    }
}

/// Returns what a relay says of itself.
pub fn card(relay: SocketAddr) -> RelayCard {
    let reply = wire_client::send(relay, "GET", "/v1/relay", &[], &[]);
    assert_eq!(reply.status, 200);
    packing::decode(&reply.body, "card").unwrap()
}

/// Returns an answer taken apart; frames that were cut off are left out.
pub fn read_answer(reply: &Reply) -> Answer {
    let mut answer = Answer {
        status: reply.status,
        bytes: reply.body.clone(),
        ..Answer::default()
    };
    if reply.status != 200 {
        answer.purge = packing::decode(&reply.body, "purge").ok();
        return answer;
    }
    let mut splitter = stream::Splitter::new(ANSWER_FRAME_BYTES_MAX);
    splitter.push(&reply.body);
    while let Some((kind, payload)) = splitter.next_frame().unwrap() {
        match AnswerKind(kind) {
            AnswerKind::STANDING => {
                answer.standing = Some(packing::decode(&payload, "standing").unwrap());
            }
            AnswerKind::VERDICT => {
                answer
                    .verdicts
                    .push(packing::decode(&payload, "verdict").unwrap());
            }
            AnswerKind::PAGE => {
                let mut unpacker = packing::Unpacker::new().unwrap();
                let page = unpacker.unpack(&payload, PAGE_INFLATED_BYTES_MAX).unwrap();
                answer.bytes.extend_from_slice(&page);
                answer
                    .pages
                    .push((packing::decode(&page, "page").unwrap(), payload.len()));
            }
            AnswerKind::END => answer.end = Some(packing::decode(&payload, "end").unwrap()),
            AnswerKind::PURGE => answer.purge = Some(packing::decode(&payload, "purge").unwrap()),
            AnswerKind::FAILED => {
                answer.failed = Some(String::from_utf8_lossy(&payload).into_owned());
            }
            AnswerKind(other) => panic!("frame kind {other}"),
        }
    }
    answer
}

/// Returns the bytes of a batch frame as a group of its own.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = packing::Packer::new().unwrap();
    group::pack(&mut packer, &[bytes.to_vec()]).unwrap()
}
