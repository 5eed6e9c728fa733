//! Somebody who writes to a document elsewhere and hands over each change by itself, in any order.
//!
//! What a relay would never do, a lost line and a courier do together: the third letter comes first.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use wangge_crdt::{Document, Put};
use wangge_model::kind;
use wangge_store::{Incoming, PageOutcome, Signer, Store, StoreError};
use wangge_trust::KeyPair;
use wangge_trust::key::verify_batch;
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::message::{Page, PageEntry};
use wangge_wire::{
    AreaCode, Batch, BatchHash, BatchHead, Change, ChangeHash, Cursor, DocId, DocKind, Incarnation,
    Item, LifeNonce, Order, PageBatch, Place, PublicKey, RelayId, Signature, chunk, frame,
};

/// Somebody who writes to one document.
pub struct Scribe {
    key: KeyPair,
    document: Document,
    doc: DocId,
    kind: DocKind,
    owner: Option<DocId>,
    area: AreaCode,
    number: u64,
    previous: BatchHash,
}

/// One change on its way, signed.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The change.
    pub raw: Vec<u8>,
    frame: Vec<u8>,
    items: usize,
    key: PublicKey,
}

impl Scribe {
    /// Returns somebody who begins a document; the seed makes their key.
    ///
    /// # Panics
    /// If the area is no code or the kind is not known.
    pub fn new(seed: u8, kind: DocKind, doc: DocId, owner: Option<DocId>, area: &str) -> Self {
        let shape = kind::shape(kind).unwrap();
        Self {
            key: KeyPair::from_secret(&[seed; 32]),
            document: Document::begin(&shape, &doc).unwrap(),
            doc,
            kind,
            owner,
            area: AreaCode::parse(area).unwrap(),
            number: 0,
            previous: BatchHash([0; 32]),
        }
    }

    /// Writes one change and returns it, signed.
    ///
    /// # Panics
    /// If nothing of it is new.
    pub fn write(&mut self, at_ms: i64, puts: &[Put]) -> Letter {
        let nonce = LifeNonce([7; 8]);
        let actor = self.key.public().actor(&nonce);
        let written = self.document.write(&actor, at_ms, puts).unwrap().unwrap();
        let raw = written.raw;
        let change = Change::read(self.doc, self.kind, kind::SCHEMA, self.owner, raw);
        let place = Place {
            doc: self.doc,
            home: self.area.clone(),
            audiences: Vec::new(),
            n: 0,
        };
        let item = Item::Change {
            change: change.unwrap(),
            action: None,
        };
        let place = self.owner.is_none().then_some(Item::Place(place));
        self.number += 1;
        let mut batch = Batch {
            head: BatchHead {
                suite: SUITE_PLAIN,
                device: self.key.public().device(),
                nonce,
                number: self.number,
                previous: self.previous,
                roster: 0,
                claimed_at_ms: at_ms,
                area: self.area.clone(),
            },
            items: std::iter::once(item).chain(place).collect(),
            signature: Signature([0; 64]),
            shapes: vec![kind::shape(self.kind).unwrap()],
        };
        self.key.sign_batch(&mut batch);
        self.previous = batch.hash();
        Letter::of(&batch, self.key.public())
    }

    /// Takes in what somebody else wrote.
    pub fn hear(&mut self, letters: &[&Letter]) {
        let raws: Vec<Vec<u8>> = letters.iter().map(|letter| letter.raw.clone()).collect();
        self.document.apply(&raws);
    }
}

impl Letter {
    /// Returns a batch of one change, or of none, on its way.
    ///
    /// # Panics
    /// If it does not fit into a frame.
    pub fn of(batch: &Batch, key: PublicKey) -> Self {
        let mut raws = batch.items.iter().filter_map(|item| match item {
            Item::Change { change, .. } => Some(change.raw.clone()),
            _ => None,
        });
        Self {
            raw: raws.next().unwrap_or_default(),
            frame: frame::encode_full(batch).unwrap(),
            items: batch.items.len(),
            key,
        }
    }

    /// Returns the name of its change.
    ///
    /// # Panics
    /// If it is none.
    pub fn hash(&self) -> ChangeHash {
        chunk::split(&self.raw).unwrap().0
    }
}

/// Hands letters to a database, each as it is, in this order.
///
/// # Panics
/// If the database does not take the page.
pub fn deliver(store: &mut Store, letters: &[&Letter]) -> PageOutcome {
    hand(store, letters).unwrap()
}

/// Hands letters to a database, which may not be able to take them.
pub fn hand(store: &mut Store, letters: &[&Letter]) -> Result<PageOutcome, StoreError> {
    let entries = letters.iter().map(|letter| {
        PageEntry::Batch(PageBatch {
            frame: letter.frame.clone(),
            positions: vec![1; letter.items],
            first_received_ms: 0,
            received_ms: 0,
        })
    });
    let page = Page {
        entries: entries.collect(),
        cursor: Cursor {
            relay: RelayId([1; 16]),
            incarnation: Incarnation([1; 16]),
            position: 1,
            chain: 0,
            covers: None,
            granted: None,
        },
    };
    let mut reader = Reader {
        keys: letters.iter().map(|letter| letter.key).collect(),
    };
    store.apply_page(&page, &mut reader)
}

/// Knows the hands of those whose letters it is given.
struct Reader {
    keys: Vec<PublicKey>,
}

impl Incoming for Reader {
    fn signer(&self, batch: &Batch) -> Signer {
        match self.keys.iter().find(|key| verify_batch(key, batch)) {
            Some(key) => Signer::Good(batch.head.actor(key)),
            None => Signer::Bad,
        }
    }

    fn order(&mut self, _: &Order) -> bool {
        false
    }
}
