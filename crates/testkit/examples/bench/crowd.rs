//! Many devices made of their keys and what they have to send: cheap to run, so that a relay is measured
//! and not its clients.
//!
//! **What they send is made and signed before the clock starts, as a device makes it** (batches of ten,
//! dependencies left out, the shared dictionary at the level of a device); with the clock running they
//! sign requests and read every receipt.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use wangge_crdt::Document;
use wangge_model::{kind, visit};
use wangge_relay::{Code, Relay, Role};
use wangge_store::Draft;
use wangge_testkit::wire_client;
use wangge_testkit::workload::Op;
use wangge_trust::KeyPair;
use wangge_trust::enroll::{Side, proof};
use wangge_trust::request::{self, HEAD_HEADER, Signed};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::enroll::{EnrollAsk, RelayCard};
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::limits::{BATCH_ITEMS_MAX, REQUEST_BATCH_BYTES_GOAL};
use wangge_wire::packing::Packer;
use wangge_wire::{
    ActionId, ActorId, AreaCode, Ask, Batch, BatchHash, BatchHead, Change, ChangeHash, Cursor,
    DocId, DocKind, Item, LifeNonce, PROTOCOL_VERSION, RelayId, Signature, group, packing,
};

use super::measures::text;
use super::server::invite;

/// A device's key and life.
pub(super) struct Walker {
    pub(super) key: KeyPair,
    nonce: LifeNonce,
    area: AreaCode,
    number: u64,
    previous: BatchHash,
    docs: BTreeMap<DocId, Doc>,
}

struct Doc {
    document: Document,
    owner: Option<DocId>,
    genesis: ChangeHash,
}

/// What one request brings, without its head.
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    /// Batches, framed.
    pub(super) body: Vec<u8>,
    pub(super) batches: u32,
    /// Changes and places in them.
    pub(super) items: usize,
    pub(super) changes: usize,
}

/// How much care is taken to make frames small.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As a device does.
    Device,
    /// Quickly: for what is not measured.
    Quick,
}

impl Walker {
    /// Returns a device that follows from its number.
    pub(super) fn new(number: u32, area: AreaCode) -> Self {
        let mut secret = [0x42; 32];
        let bytes = number.to_be_bytes();
        secret
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        let mut nonce = [1; 8];
        nonce
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        Self {
            key: KeyPair::from_secret(&secret),
            nonce: LifeNonce(nonce),
            area,
            number: 0,
            previous: BatchHash([0; 32]),
            docs: BTreeMap::new(),
        }
    }

    pub(super) fn actor(&self) -> ActorId {
        self.key.public().actor(&self.nonce)
    }

    /// Forgets its documents: what it has to send is made.
    pub(super) fn forget(&mut self) {
        self.docs.clear();
    }

    /// Does what `ops` say and returns it as requests.
    pub(super) fn live(&mut self, ops: &[Op], packing: Packing) -> Result<Vec<Load>, String> {
        let mut items = Vec::new();
        for op in ops {
            let mut action = [0; 8];
            let mark = op.at_ms ^ i64::from(items.len() as u32);
            action
                .iter_mut()
                .zip(mark.to_be_bytes())
                .for_each(|(to, from)| *to = from);
            let action = (op.drafts.len() > 1).then_some(ActionId(action));
            for draft in &op.drafts {
                self.write(op.at_ms, action, draft, &mut items)?;
            }
        }
        self.pack(items, &mut packer(packing)?)
    }

    /// Does what `ops` say and returns it as requests of at most so many changes and places each.
    pub(super) fn push_each(&mut self, ops: &[Op], each: usize) -> Result<Vec<Load>, String> {
        let mut items = Vec::new();
        for op in ops {
            for draft in &op.drafts {
                self.write(op.at_ms, None, draft, &mut items)?;
            }
        }
        let (mut loads, mut rest) = (Vec::new(), items.into_iter().peekable());
        let mut packer = packer(Packing::Device)?;
        while rest.peek().is_some() {
            let some = rest.by_ref().take(each).collect();
            loads.extend(self.pack(some, &mut packer)?);
        }
        Ok(loads)
    }

    fn write(
        &mut self,
        at_ms: i64,
        action: Option<ActionId>,
        draft: &Draft,
        items: &mut Vec<Item>,
    ) -> Result<(), String> {
        let actor = self.actor();
        let shape = kind::shape(draft.kind).ok_or("a kind of no shape")?;
        if let Entry::Vacant(vacant) = self.docs.entry(draft.doc) {
            let document = Document::begin(&shape, &draft.doc).map_err(text)?;
            let genesis = document.heads().first().copied().ok_or("no genesis")?;
            let owner = draft.owner;
            vacant.insert(Doc {
                document,
                owner,
                genesis,
            });
            items.extend(draft.place.clone().map(Item::Place));
        }
        let known = self.docs.get_mut(&draft.doc).ok_or("no document")?;
        let written = known
            .document
            .write(&actor, at_ms, &draft.puts)
            .map_err(text)?;
        if let Some(written) = written {
            let change = Change::read(
                draft.doc,
                draft.kind,
                kind::SCHEMA,
                known.owner,
                written.raw,
            );
            items.push(Item::Change {
                change: change.map_err(text)?,
                action,
            });
        }
        Ok(())
    }

    fn pack(&mut self, items: Vec<Item>, packer: &mut Packer) -> Result<Vec<Load>, String> {
        let mut loads = Vec::new();
        let mut rest = items.into_iter().peekable();
        while rest.peek().is_some() {
            let mut load = Load::default();
            // The first of a request says which batch was before it.
            let (mut previous, mut frames, mut bytes) = (None, Vec::new(), 0);
            while rest.peek().is_some() && bytes < REQUEST_BATCH_BYTES_GOAL {
                let batch = self.batch(rest.by_ref().take(BATCH_ITEMS_MAX).collect());
                let around = Surroundings {
                    device: Some(self.key.public().device()),
                    previous,
                };
                let frame = self.frame(&batch, &around)?;
                bytes += frame.len();
                frames.push(frame);
                load.batches += 1;
                load.items += batch.items.len();
                let is_change = |item: &&Item| matches!(item, Item::Change { .. });
                load.changes += batch.items.iter().filter(is_change).count();
                previous = Some(batch.hash());
            }
            load.body = group::frames(packer, &frames).map_err(text)?;
            loads.push(load);
        }
        Ok(loads)
    }

    fn batch(&mut self, items: Vec<Item>) -> Batch {
        self.number += 1;
        let kinds: BTreeSet<DocKind> = items.iter().filter_map(kind_of).collect();
        let mut batch = Batch {
            head: BatchHead {
                suite: SUITE_PLAIN,
                device: self.key.public().device(),
                nonce: self.nonce,
                number: self.number,
                previous: self.previous,
                roster: 1,
                claimed_at_ms: 1_766_000_000_000,
                area: self.area.clone(),
            },
            shapes: kinds.into_iter().filter_map(kind::shape).collect(),
            items,
            signature: Signature([0; 64]),
        };
        self.key.sign_batch(&mut batch);
        self.previous = batch.hash();
        batch
    }

    fn frame(&self, batch: &Batch, around: &Surroundings) -> Result<Vec<u8>, String> {
        frame::encode(batch, around, &Own { docs: &self.docs }).map_err(text)
    }
}

fn packer(packing: Packing) -> Result<Packer, String> {
    let packer = match packing {
        Packing::Device => Packer::new(),
        Packing::Quick => Packer::quick(),
    };
    packer.map_err(text)
}

fn kind_of(item: &Item) -> Option<DocKind> {
    match item {
        Item::Change { change, .. } => Some(change.kind),
        Item::Place(_) | Item::Named(_) | Item::Unknown { .. } => None,
    }
}

/// All that a walker rests on is its own: it was sent before.
struct Own<'a> {
    docs: &'a BTreeMap<DocId, Doc>,
}

impl Elide for Own<'_> {
    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency {
        match self.docs.get(doc) {
            Some(known) if known.genesis == *hash => Dependency::Genesis,
            Some(_) => Dependency::Held,
            None => Dependency::Full,
        }
    }

    fn label(&self, change: &Change) -> Option<String> {
        let owner = change.owner.filter(|_| change.kind == kind::VISIT_BOOK)?;
        (2024..=2027)
            .find(|year| visit::book_id(&owner, *year) == change.doc)
            .map(|year| year.to_string())
    }
}

/// Returns a signed request of a device that stands at `cursor`, as bytes.
pub(super) fn request(
    key: &KeyPair,
    actor: ActorId,
    (relay, authority): (RelayId, &str),
    cursor: Option<Cursor>,
    load: &Load,
    nonce: u64,
) -> Vec<u8> {
    let ask = Ask {
        version: PROTOCOL_VERSION,
        capabilities: 0,
        cursor,
        actor,
        batches: load.batches,
        full: false,
        // Orders alone are what a device needs that has the rest from elsewhere.
        catch_up: cursor.is_none().then_some(true),
        given_back: None,
        origins: None,
        witnessed: None,
    };
    let head = ask.bytes();
    let signed = Signed {
        relay,
        method: "POST",
        authority,
        path: "/v1/sync",
        query: "?",
        head: &head,
    };
    let created_s = super::server::settings().clock.now_ms() / 1000;
    let headers = request::sign(key, &signed, created_s, &nonce.to_be_bytes());
    let bytes = 4 + head.len() + load.body.len();
    let mut out = format!(
        "POST /v1/sync HTTP/1.1\r\nhost: {authority}\r\ncontent-length: {bytes}\r\n{HEAD_HEADER}: {}\r\n\
         signature-input: {}\r\nsignature: {}\r\n\r\n",
        headers.head, headers.signature_input, headers.signature
    )
    .into_bytes();
    out.extend_from_slice(&u32::try_from(head.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&load.body);
    out
}

/// Enrols walkers; the codes cost what codes cost, so two do it at once.
pub(super) fn enroll(
    relay: &super::server::RelayProcess,
    walkers: &[&Walker],
    role: Role,
) -> Result<(), String> {
    let halves = walkers.chunks(walkers.len().div_ceil(2).max(1));
    std::thread::scope(|scope| {
        let threads: Vec<_> = halves
            .map(|half| scope.spawn(move || enroll_some(relay, half, role)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("enrolling panicked".into()))
        })
    })
}

fn enroll_some(
    relay: &super::server::RelayProcess,
    walkers: &[&Walker],
    role: Role,
) -> Result<(), String> {
    let opened: Relay = relay.opened()?;
    let card = wangge_testkit::device::card(relay.address());
    for walker in walkers {
        let areas = vec![walker.area.clone()];
        let code = invite(&opened, &walker.area.to_string(), role, areas)?;
        enroll_one(relay, &walker.key, &code, &card)?;
    }
    Ok(())
}

fn enroll_one(
    relay: &super::server::RelayProcess,
    key: &KeyPair,
    code: &Code,
    card: &RelayCard,
) -> Result<(), String> {
    let (nonce, own) = ([7; 16], key.public());
    let proof_key = code.proof_key().map_err(text)?;
    let ask = EnrollAsk {
        invitation: code.public().to_owned(),
        device_key: own,
        nonce,
        proof: proof(&proof_key, Side::Device, &card.key, &own, &nonce),
    };
    let (to, body) = (relay.address(), packing::encode(&ask));
    let reply = wire_client::send(to, "POST", "/v1/enroll", &[], &body);
    match reply.status {
        200 => Ok(()),
        status => Err(format!("not enrolled: {status} {}", reply.text())),
    }
}
