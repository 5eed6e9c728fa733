//! Judges the items of a pushed batch: what takes its place, what waits, what a person must see.
//!
//! Pure: what is held is asked through [`Holdings`]. **An authenticated change is never refused for
//! its scope**: it goes to the inbox with a reason. Refused are only bytes that are not what their
//! author signed, or that nobody could ever read. Each item sees the effect of those before it.

use std::collections::{BTreeMap, BTreeSet};

use wangge_trust::allow::COVER_LATE_DAYS_MAX;
use wangge_trust::{Action, Member, Roster, What, allowed, allowed_as};
use wangge_wire::digest::content_hash;
use wangge_wire::limits::CHANGE_BYTES_MAX;
use wangge_wire::receipt::Reason;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    ActorId, AreaCode, Audience, Batch, Change, ChangeHash, Day, Decision, DeviceId, DocId,
    DocKind, EntryKind, Item, ItemName, Level, Place, PublicKey, RelayId, Settled, Settlement,
    Shape,
};

/// How far a document's place is looked for along its owners.
pub const OWNERS_DEPTH_MAX: usize = 4;

/// Where a document lives now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The area.
    pub home: AreaCode,
    /// Those who receive it beside.
    pub audiences: Vec<Audience>,
    /// The number of the place that says so.
    pub n: u64,
    /// The hash of the place that says so.
    pub hash: ChangeHash,
    /// Whether the place is the document's own, or its owner's.
    pub own: bool,
}

/// Where a document lived before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lived {
    /// The area.
    pub home: AreaCode,
    /// Those who received it beside.
    pub audiences: Vec<Audience>,
    /// The day it was given to somebody else.
    pub until: Day,
}

/// An item without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lying {
    /// The document that its own document belongs to, as it says.
    pub owner: Option<DocId>,
}

/// What the judging side holds, before the batch.
pub trait Holdings {
    /// Returns where the document lives: by its own place, else by its owner's.
    fn place(&self, doc: &DocId) -> Option<Placed>;
    /// Returns the document that this one belongs to, as its first change said.
    fn owner(&self, doc: &DocId) -> Option<DocId>;
    /// Returns where the document lived before by its own places, and the day each ended.
    fn lived(&self, doc: &DocId) -> Vec<Lived>;
    /// Returns whether an entry of the document with this hash is numbered, or is its genesis.
    fn holds(&self, doc: &DocId, hash: &ChangeHash) -> bool;
    /// Returns the hash of the genesis of `doc` with this shape.
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash>;
    /// Returns the shapes known for a kind; a batch need not bring what was told before.
    fn shapes(&self, kind: DocKind, schema: u8) -> Vec<Shape>;
    /// Returns the change of the document that the actor gave this number, waiting ones included.
    fn author_of_seq(&self, doc: &DocId, actor: &ActorId, seq: u64) -> Option<ChangeHash>;
    /// Returns the item that lies here without a number; none if there is none.
    fn parked(&self, doc: &DocId, item: &ChangeHash) -> Option<Lying>;
    /// Returns the decision that stands on an item of this author, numbered or not.
    fn settled(&self, doc: &DocId, item: &ChangeHash, author: &DeviceId) -> Option<Settled>;
    /// Returns why a change's bytes must not come near the document library.
    fn check(&self, raw: &[u8]) -> Result<(), Reason>;
}

/// What becomes of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemDecision {
    /// It is numbered now.
    Accept,
    /// It is held already; nothing changes.
    Held,
    /// It is kept until these changes of its document arrive.
    Wait {
        /// What it rests on and is not here.
        missing: Vec<ChangeHash>,
    },
    /// It is kept for a person to decide.
    Inbox(Reason),
    /// It is not kept.
    Refuse(Reason),
}

/// Returns what becomes of each item of a batch whose signature was found right.
///
/// `damaged` are the items whose bytes do not match the name the author signed; `day` is the judging
/// side's, for what covers add.
pub fn admit(
    batch: &Batch,
    damaged: &[usize],
    roster: &Roster,
    day: Day,
    held: &impl Holdings,
) -> Vec<ItemDecision> {
    decide(batch, damaged, roster, day, held, Judged::Here)
}

/// Returns what becomes of each item of a batch that a relay of this tree received at a time: it is
/// judged by that day, and a revocation since then changes nothing.
///
/// Judged by today, what a village numbered in time would be too late at the next level. A decision
/// that was durable there first is taken, although another one stands here.
pub fn admit_received(
    batch: &Batch,
    damaged: &[usize],
    roster: &Roster,
    received_ms: i64,
    held: &impl Holdings,
) -> Vec<ItemDecision> {
    let day = Day::of_ms(received_ms);
    decide(batch, damaged, roster, day, held, Judged::At(received_ms))
}

/// Returns what becomes of each item of a batch that had its number elsewhere first: at a relay below which
/// did not receive it itself, or in a log that was put back since.
///
/// A decision in it is taken, although another one stands here.
pub fn admit_elsewhere(
    batch: &Batch,
    damaged: &[usize],
    roster: &Roster,
    day: Day,
    held: &impl Holdings,
) -> Vec<ItemDecision> {
    decide(batch, damaged, roster, day, held, Judged::Elsewhere)
}

/// Returns what becomes of each item of a batch that a relay above has numbered.
///
/// Whether its author might was judged there, when it came; here only what makes it readable is: bytes,
/// name, author, and what it rests on.
pub fn admit_from_above(
    batch: &Batch,
    damaged: &[usize],
    roster: &Roster,
    day: Day,
    held: &impl Holdings,
) -> Vec<ItemDecision> {
    decide(batch, damaged, roster, day, held, Judged::Above)
}

/// Returns the areas whose desks settle an item: where its document lives, else all that its author was
/// ever granted. What a batch claims of its area decides nothing.
pub fn lying(
    roster: &Roster,
    home: Option<AreaCode>,
    author: &DeviceId,
) -> impl Iterator<Item = AreaCode> {
    let granted = home.is_none().then(|| roster.known(author)).flatten();
    let granted = granted.into_iter().flat_map(|member| {
        let past = member.past.iter().map(|(area, _)| area);
        member.areas.iter().chain(past).cloned()
    });
    home.into_iter().chain(granted)
}

/// Returns whether a decision on an item concerns a device: its person wrote the item or decided, or it
/// is the relay of an area in which one of the two was ever granted something.
///
/// Both ends of a line ask this, so that they count the same.
pub fn concerns(roster: &Roster, device: &DeviceId, author: &DeviceId, by: &DeviceId) -> bool {
    if [author, by].contains(&device) {
        return true;
    }
    let Some(relay) = roster.relay(&RelayId(device.0)) else {
        return false;
    };
    let areas = &relay.member.areas;
    let own = |area: &AreaCode| areas.iter().any(|own| own.covers(area));
    [author, by]
        .into_iter()
        .any(|one| lying(roster, None, one).any(|area| own(&area)))
}

/// Who says whether an author may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Here,
    /// Here, by when a relay of this tree received it, milliseconds since 1970.
    At(i64),
    /// Here, and it had its number before.
    Elsewhere,
    Above,
}

fn decide(
    batch: &Batch,
    damaged: &[usize],
    roster: &Roster,
    day: Day,
    held: &impl Holdings,
    judged: Judged,
) -> Vec<ItemDecision> {
    let Some(signer) = roster.known(&batch.head.device) else {
        return batch
            .items
            .iter()
            .map(|_| ItemDecision::Refuse(Reason::ForgedActor))
            .collect();
    };
    let received_ms = match judged {
        Judged::At(received_ms) => Some(received_ms),
        Judged::Here | Judged::Elsewhere | Judged::Above => None,
    };
    let mut judge = Judge {
        batch,
        roster,
        author: roster.author(&batch.head, received_ms),
        day,
        key: signer.key,
        held,
        judged,
        news: News::default(),
    };
    let decision = |(index, item): (usize, &Item)| {
        if damaged.contains(&index) {
            return ItemDecision::Refuse(Reason::WrongHash);
        }
        let decision = judge.after_discard(item, judge.item(item));
        if decision == ItemDecision::Accept {
            judge.news.take(item, &judge.batch.head.actor(&judge.key));
        }
        decision
    };
    batch.items.iter().enumerate().map(decision).collect()
}

/// What earlier items of the batch brought.
#[derive(Default)]
struct News {
    places: BTreeMap<DocId, Placed>,
    owners: BTreeMap<DocId, DocId>,
    entries: BTreeSet<(DocId, ChangeHash)>,
    numbers: BTreeMap<(DocId, ActorId, u64), ChangeHash>,
}

struct Judge<'a, H> {
    batch: &'a Batch,
    roster: &'a Roster,
    /// The signer, if what it wrote in this batch counts.
    author: Option<&'a Member>,
    day: Day,
    key: PublicKey,
    held: &'a H,
    judged: Judged,
    news: News,
}

impl News {
    fn take(&mut self, item: &Item, actor: &ActorId) {
        let name = item.name();
        self.entries.insert((name.doc, name.hash));
        match item {
            Item::Change { change, .. } => {
                self.numbers
                    .insert((change.doc, *actor, change.seq), change.hash);
                if let Some(owner) = change.owner {
                    self.owners.entry(change.doc).or_insert(owner);
                }
            }
            Item::Place(place) => {
                let placed = Placed {
                    home: place.home.clone(),
                    audiences: place.audiences.clone(),
                    n: place.n,
                    hash: name.hash,
                    own: true,
                };
                let before = self.places.get(&place.doc);
                if before.is_none_or(|before| (before.n, before.hash) < (placed.n, placed.hash)) {
                    self.places.insert(place.doc, placed);
                }
            }
            Item::Named(_) | Item::Unknown { .. } => {}
        }
    }
}

impl<H: Holdings> Judge<'_, H> {
    fn item(&self, item: &Item) -> ItemDecision {
        match item {
            Item::Change { change, .. } => self.change(change),
            Item::Place(place) => self.place(place),
            Item::Named(name) if self.holds(&name.doc, &name.hash) => ItemDecision::Held,
            // A name without its body proves nothing and loses nothing: the sender has the body.
            Item::Named(_) => ItemDecision::Refuse(Reason::Malformed),
            Item::Unknown { name, bytes } => self.unknown(name, bytes),
        }
    }

    /// What a desk discarded does not take its place because its author may write again meanwhile.
    fn after_discard(&self, item: &Item, decision: ItemDecision) -> ItemDecision {
        let takes = matches!(decision, ItemDecision::Accept | ItemDecision::Wait { .. });
        if !takes || self.judged == Judged::Above {
            return decision;
        }
        let name = item.name();
        match self.settled(&name.doc, &name.hash) {
            Some(Decision::Discard) => ItemDecision::Inbox(Reason::OutOfScope),
            Some(Decision::Accept) | None => decision,
        }
    }

    fn settled(&self, doc: &DocId, hash: &ChangeHash) -> Option<Decision> {
        let standing = self.held.settled(doc, hash, &self.batch.head.device);
        standing.map(|standing| standing.settlement.decision)
    }

    /// Whether a desk accepted the item, which may decide about what lies in this area.
    fn vouched(&self, doc: &DocId, hash: &ChangeHash, home: &AreaCode) -> bool {
        let standing = self.held.settled(doc, hash, &self.batch.head.device);
        let Some(standing) = standing.filter(|it| it.settlement.decision == Decision::Accept)
        else {
            return false;
        };
        // A desk that re-homes a document away decided while it was its own.
        let lately = |lived: &Lived| {
            self.day.0 <= lived.until.0.saturating_add(COVER_LATE_DAYS_MAX)
                && self.decides(&standing.by, &lived.home)
        };
        self.decides(&standing.by, home) || self.held.lived(doc).iter().any(lately)
    }

    fn decides(&self, desk: &DeviceId, home: &AreaCode) -> bool {
        let what = What {
            home,
            audiences: &[],
        };
        Sabotage::SettleUnchecked.is_on()
            || allowed(self.roster, desk, Action::Administer, &what, self.day).is_allowed()
    }

    fn change(&self, change: &Change) -> ItemDecision {
        match self.held.check(&change.raw) {
            Ok(()) => {}
            Err(Reason::OverLimit) => return ItemDecision::Inbox(Reason::OverLimit),
            Err(reason) => return ItemDecision::Refuse(reason),
        }
        // Every change rests at least on the genesis, which names its document.
        if change.deps.is_empty() {
            return ItemDecision::Refuse(Reason::Malformed);
        }
        if change.actor != self.batch.head.actor(&self.key) {
            return ItemDecision::Refuse(Reason::ForgedActor);
        }
        if self.holds(&change.doc, &change.hash) {
            return ItemDecision::Held;
        }
        let Some(placed) = self.placed(&change.doc, change.owner, 0) else {
            return ItemDecision::Inbox(Reason::Unplaced);
        };
        if !self.may_write(&change.doc, change.owner, &placed)
            && !self.vouched(&change.doc, &change.hash, &placed.home)
        {
            return ItemDecision::Inbox(Reason::OutOfScope);
        }
        let number = (change.doc, change.actor, change.seq);
        let same = self.news.numbers.get(&number).copied();
        let same = same.or_else(|| {
            self.held
                .author_of_seq(&change.doc, &change.actor, change.seq)
        });
        if same.is_some_and(|hash| hash != change.hash) {
            return ItemDecision::Inbox(Reason::Equivocation);
        }
        let missing = self.missing(change);
        if missing.is_empty() {
            ItemDecision::Accept
        } else {
            ItemDecision::Wait { missing }
        }
    }

    fn place(&self, place: &Place) -> ItemDecision {
        let hash = place.hash();
        if self.holds(&place.doc, &hash) {
            return ItemDecision::Held;
        }
        if self.judged == Judged::Above {
            // Of all places of a document the greatest wins, in whatever order they are numbered.
            return ItemDecision::Accept;
        }
        let may_be_here = |action| self.may(action, &place.home, &place.audiences);
        let accepted = match self.placed(&place.doc, None, 0) {
            None => place.n == 0 && may_be_here(Action::PlaceNew),
            // Born twice, or given a place of its own: nobody pulls in what lies outside their scope.
            Some(now) if place.n == 0 => {
                // Inside one village and by an area of the signer's own: naming oneself an audience
                // must not carry a household out of its village.
                let village = |area: &AreaCode| area.at(Level::Village);
                village(&now.home) == village(&place.home)
                    && self.may(Action::Write, &now.home, &now.audiences)
                    && self.may(Action::PlaceNew, &place.home, &[])
            }
            // Two desks that place at once both stand in the log; the greatest (n, hash) wins.
            Some(now) => {
                let not_behind = !now.own || place.n >= now.n;
                not_behind && self.may(Action::PlaceAgain, &now.home, &now.audiences)
            }
        };
        let now = self.placed(&place.doc, None, 0);
        let lies = now.as_ref().map_or(&place.home, |now| &now.home);
        match (accepted || self.vouched(&place.doc, &hash, lies), &now) {
            (true, _) => ItemDecision::Accept,
            (false, None) if place.n == 0 => ItemDecision::Inbox(Reason::OutOfScope),
            (false, _) => ItemDecision::Inbox(Reason::PlaceNotAllowed),
        }
    }

    /// Judges an entry of a later kind: carried like a change, by where its document lives.
    fn unknown(&self, name: &ItemName, bytes: &[u8]) -> ItemDecision {
        let kind = EntryKind(name.entry);
        if content_hash(bytes) != name.hash {
            return ItemDecision::Refuse(Reason::WrongHash);
        }
        if kind == EntryKind::CHANGE || kind == EntryKind::PLACE {
            return ItemDecision::Refuse(Reason::Malformed);
        }
        if self.holds(&name.doc, &name.hash) {
            return ItemDecision::Held;
        }
        // Holds, erasures and orders are a relay's to write, never a device's batch's.
        if kind >= EntryKind::HOLD && kind <= EntryKind::ACCESS {
            return ItemDecision::Inbox(Reason::OutOfScope);
        }
        if bytes.len() > CHANGE_BYTES_MAX {
            return ItemDecision::Inbox(Reason::OverLimit);
        }
        // One of a later form is carried like any later kind, and settles nothing here.
        if kind == EntryKind::SETTLEMENT
            && let Ok(settlement) = Settlement::read(bytes)
        {
            return self.settlement(&settlement, name);
        }
        match self.placed(&name.doc, None, 0) {
            None => ItemDecision::Inbox(Reason::Unplaced),
            Some(placed) if self.may_write(&name.doc, None, &placed) => ItemDecision::Accept,
            Some(_) => ItemDecision::Inbox(Reason::OutOfScope),
        }
    }

    /// Judges a desk's decision, by where the item lies.
    fn settlement(&self, settlement: &Settlement, name: &ItemName) -> ItemDecision {
        let Settlement { doc, author, .. } = settlement;
        if *doc != name.doc {
            return ItemDecision::Refuse(Reason::Malformed);
        }
        let signer = &self.batch.head.device;
        if settlement.by.is_some_and(|by| by != *signer) {
            return ItemDecision::Refuse(Reason::ForgedActor);
        }
        if self.judged == Judged::Above {
            return ItemDecision::Accept;
        }
        let parked = self.held.parked(doc, &settlement.item);
        if parked.is_none() && !self.holds(doc, &settlement.item) {
            // A log that was put back may have lost both; where the item lies is not known before it.
            let missing = vec![settlement.item];
            return ItemDecision::Wait { missing };
        }
        // A document that its item begins lies where the one it belongs to lives.
        let owner = parked.and_then(|item| item.owner);
        let home = self.placed(doc, owner, 0).map(|placed| placed.home);
        let mut lies = lying(self.roster, home, author);
        // Nobody vouches for a decision: a desk decides about the item itself.
        if !lies.any(|area| self.decides(signer, &area)) {
            return ItemDecision::Inbox(Reason::OutOfScope);
        }
        // The first to be durable stands; who did not know of it is told, and may go over it.
        let standing = self.held.settled(doc, &settlement.item, author);
        let unknown = match &standing {
            Some(standing) => !settlement.over.contains(&standing.hash),
            None => self.holds(doc, &settlement.item),
        };
        if self.judged == Judged::Here && unknown {
            return ItemDecision::Refuse(Reason::Settled);
        }
        ItemDecision::Accept
    }

    /// Whether the signer may write to a document where it lives, or might until a short while ago: who
    /// was relieved without a link goes on working, and what they wrote belongs to the document.
    fn may_write(&self, doc: &DocId, claimed_owner: Option<DocId>, placed: &Placed) -> bool {
        if self.may(Action::Write, &placed.home, &placed.audiences) {
            return true;
        }
        let lately = |lived: &Lived| {
            self.day.0 <= lived.until.0.saturating_add(COVER_LATE_DAYS_MAX)
                && self.may(Action::Write, &lived.home, &lived.audiences)
        };
        let mut next = Some(*doc);
        for depth in 0..=OWNERS_DEPTH_MAX {
            let Some(doc) = next else { break };
            if self.held.lived(&doc).iter().any(lately) {
                return true;
            }
            let owner = self.held.owner(&doc);
            let owner = owner.or_else(|| self.news.owners.get(&doc).copied());
            next = owner.or(claimed_owner.filter(|_| depth == 0));
        }
        false
    }

    fn may(&self, action: Action, home: &AreaCode, audiences: &[Audience]) -> bool {
        let what = What { home, audiences };
        self.judged == Judged::Above
            || Sabotage::ScopeUncheckedOnPush.is_on()
            || self.author.is_some_and(|author| {
                allowed_as(self.roster, author, action, &what, self.day).is_allowed()
            })
    }

    fn holds(&self, doc: &DocId, hash: &ChangeHash) -> bool {
        self.news.entries.contains(&(*doc, *hash)) || self.held.holds(doc, hash)
    }

    /// Returns where a document lives, the batch's own places included.
    fn placed(&self, doc: &DocId, claimed_owner: Option<DocId>, depth: usize) -> Option<Placed> {
        let stored = self.held.place(doc);
        let own = stored.clone().filter(|placed| placed.own);
        if let Some(new) = self.news.places.get(doc) {
            let wins = own
                .as_ref()
                .is_none_or(|own| (own.n, own.hash) < (new.n, new.hash));
            return if wins { Some(new.clone()) } else { own };
        }
        if own.is_some() || depth >= OWNERS_DEPTH_MAX {
            return own;
        }
        let owner = self
            .held
            .owner(doc)
            .or_else(|| self.news.owners.get(doc).copied());
        let through = owner
            .or(claimed_owner)
            .and_then(|owner| self.placed(&owner, None, depth + 1));
        through
            .map(|placed| Placed {
                own: false,
                ..placed
            })
            .or(stored)
    }

    fn missing(&self, change: &Change) -> Vec<ChangeHash> {
        let absent = |dep: &&ChangeHash| !self.holds(&change.doc, dep);
        let open: Vec<ChangeHash> = change.deps.iter().filter(absent).copied().collect();
        if open.is_empty() {
            return open;
        }
        let fits = |shape: &&Shape| shape.kind == change.kind && shape.schema == change.schema;
        let brought = self.batch.shapes.iter().find(fits).cloned();
        let shapes = brought
            .into_iter()
            .chain(self.held.shapes(change.kind, change.schema));
        let first: BTreeSet<ChangeHash> = shapes
            .filter_map(|shape| self.held.genesis(&change.doc, &shape))
            .collect();
        open.into_iter()
            .filter(|dep| !first.contains(dep))
            .collect()
    }
}
