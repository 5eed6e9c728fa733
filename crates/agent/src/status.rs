//! Where everything is: on this device, at the relay, further up.
//!
//! **"All safe" is said only when receipts cover everything**; what waits in an inbox is a state of its
//! own. A number is shown only for what was proven.

use std::path::PathBuf;

use serde::Serialize;
use wangge_model::clock::{ClockFlag, flag};
use wangge_model::{kind, tables};
use wangge_store::ReceiptRow;
use wangge_store::Store;
use wangge_store::outbox::Pending;
use wangge_store::query::Counts;
use wangge_wire::{AreaCode, DocId, EntryKind, RelayId, Role};

/// How far a relay counts what waits for a desk.
pub use wangge_wire::limits::INBOX_ROWS_MAX as UNDECIDED_MAX;

use crate::error::{AgentError, Sought};
use crate::inbox::DecisionView;
use crate::levels::{LevelCount, LevelView, at_the_top, word};
use crate::naming::Named;
use crate::replica::{Replica, WrittenBy};

/// Who, where, and what has not arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The person.
    pub name: String,
    /// What the person works as.
    pub role: &'static str,
    /// The areas, with their names.
    pub areas: Vec<AreaView>,
    /// The device, 32 hex digits.
    pub device: String,
    /// The device part of ticket numbers; none before enrolment.
    pub device_number: Option<u32>,
    /// The relay; none before enrolment.
    pub relay: Option<RelayView>,
    /// How much is here.
    pub counts: Counts,
    /// What has no receipt, by kind of document.
    pub unsent: Unsent,
    /// Attachments made here that have not arrived at the relay.
    pub attachments_waiting: usize,
    /// Attachments made here. Their text tells by receipts where it is; of an attachment only the device's
    /// own relay is known to have it, which hands it on.
    pub attachments: usize,
    /// The levels from the relay up, and what of this device's work is not known to be there.
    pub levels: Vec<LevelCount>,
    /// Whether receipts cover everything this device made, but for what a desk discarded, up to the
    /// highest level there is, and the relay still has it by its digests.
    pub all_safe: bool,
    /// What kind of word locks this home; none where nobody chose one.
    pub word: Option<wangge_trust::vault::WordKind>,
    /// Damaged databases that were set aside in this home; they may hold work that was never sent.
    pub set_aside: Vec<PathBuf>,
    /// When the database before this one was found to be gone, milliseconds since 1970; none once somebody
    /// said that they have seen it. What it held and never sent is in no receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_ms: Option<i64>,
    /// When the relay refused this device, milliseconds since 1970; none once it syncs again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_ms: Option<i64>,
    /// How much of the relay's inbox waited for this desk at the last sync.
    pub undecided: u32,
    /// How much this device had in the relay's inbox at the last sync, undecided or accepted by nobody: also
    /// what it does not know of any more, since its database was lost or another copy of it wrote that.
    pub in_inbox: u32,
    /// Areas that were not complete at the last sync, or never were.
    pub incomplete: Vec<AreaCode>,
    /// Changes that wait for others, and changes the gate holds.
    pub waiting: u64,
    /// Changes the gate holds.
    pub held: u64,
    /// How long this device shows other people's data without a sync; none where nothing limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<crate::lease::LeaseView>,
    /// What was wrong with the relay's audit chain at the last sync, as far as this device saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_doubt: Option<crate::witness::AuditDoubt>,
    /// What became of this home, if its device was revoked and something of it is only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purged: Option<crate::purge::Purged>,
    /// Households that are somebody else's now, by where they went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handed_over: Vec<crate::handover::HandedOver>,
}

/// An area with its name.
#[derive(Debug, Clone, Serialize)]
pub struct AreaView {
    /// The code.
    pub code: AreaCode,
    /// The name; of a grid its village's name and its own number.
    pub name: String,
}

/// The relay a device is enrolled with.
#[derive(Debug, Clone, Serialize)]
pub struct RelayView {
    /// Its address.
    pub url: String,
    /// What people call it.
    pub name: String,
    /// `county township village`.
    pub level: String,
    /// When the last sync ended, milliseconds since 1970; none for never.
    pub last_sync_ms: Option<i64>,
}

/// What has no receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unsent {
    /// Changes of households.
    pub household: usize,
    /// Changes of visit books.
    pub visit_book: usize,
    /// Changes of reports.
    pub report: usize,
    /// Changes of tickets.
    pub ticket: usize,
    /// Changes of round books.
    pub round_book: usize,
    /// Access records.
    pub access_book: usize,
    /// Places.
    pub place: usize,
    /// Decisions of a desk about items of an inbox.
    pub decision: usize,
    /// Of all these: in a relay's inbox.
    pub inbox: usize,
    /// Of all these: at a relay, waiting for what they rest on.
    pub waiting: usize,
    /// Of all these: refused by a relay.
    pub refused: usize,
    /// Beside all these: in a relay's inbox, and discarded by a desk. Kept, and waiting for nobody.
    pub discarded: usize,
}

/// A row of the outbox.
#[derive(Debug, Clone, Serialize)]
pub struct OutboxView {
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket`.
    pub kind: &'static str,
    /// `change`, `place` or `decision`.
    pub entry: &'static str,
    /// What tells the document apart.
    pub title: String,
    /// `unsent waiting inbox refused discarded`.
    pub state: &'static str,
    /// Why, where a relay gave a reason.
    pub reason: String,
    /// The relay that gave it.
    pub relay: String,
    /// What a desk decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionView>,
    /// When it was recorded, milliseconds since 1970.
    pub at_ms: i64,
}

/// Where a record's changes stand.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptsView {
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket`.
    pub kind: &'static str,
    /// What tells the document apart.
    pub title: String,
    /// Whether every change of it that is here is receipted, and at the highest level there is.
    pub all_safe: bool,
    /// The changes, oldest first; of a visit only its own.
    pub changes: Vec<ChangeView>,
}

/// Where one change stands.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeView {
    /// Its hash.
    pub hash: String,
    /// What it is a change of: of a household also those of its visits are told.
    pub of: &'static str,
    /// Who wrote it.
    pub by: WrittenBy,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// `on_device`, `at_relay`, `waiting`, `inbox`, `refused`, `discarded`, or `inbox_above`: at the relay,
    /// and further up without a number.
    pub state: &'static str,
    /// Why, where a relay gave a reason.
    pub reason: String,
    /// What a desk decided about it, where it lay in an inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionView>,
    /// What is wrong with the clock it was written by, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFlag>,
    /// Each level from the relay up, and whether the change is there.
    pub levels: Vec<LevelView>,
    /// Each relay that has it.
    pub relays: Vec<ArrivalView>,
}

/// Where a change stands in a relay's log.
#[derive(Debug, Clone, Serialize)]
pub struct ArrivalView {
    /// The relay.
    pub relay: RelayId,
    /// What people call it; empty for one that is not of this tree.
    pub name: String,
    /// `county township village`; empty for one that is not of this tree.
    pub level: &'static str,
    /// Its position in the log.
    pub position: u64,
    /// When the relay received it, by the relay's clock, milliseconds since 1970.
    pub at_ms: i64,
}

impl ReceiptsView {
    /// Returns whether the relay gave a receipt for every change of it that is here.
    pub fn is_at_relay(&self) -> bool {
        let arrived = |change: &ChangeView| matches!(change.state, "at_relay" | "inbox_above");
        !self.changes.is_empty() && self.changes.iter().all(arrived)
    }

    /// Returns whether all of it that has no receipt lies in the relay's inbox: no sync moves that on.
    pub fn waits_for_desk(&self) -> bool {
        let arrived = |change: &ChangeView| {
            matches!(
                change.state,
                "at_relay" | "inbox_above" | "discarded" | "inbox"
            )
        };
        self.changes.iter().any(|change| change.state == "inbox")
            && self.changes.iter().all(arrived)
    }
}

impl Replica {
    /// Returns who, where, and what has not arrived.
    pub fn status(&self) -> Result<Status, AgentError> {
        let unsent = self.unsent()?;
        let (waiting, held) = self.home.store.unapplied()?;
        let counts = self.home.store.counts()?;
        let attachments_waiting = self.attachments_waiting()?;
        let (lost_ms, refused_ms) = (self.home.lost_ms()?, self.refused_ms()?);
        let (mut undecided, mut in_inbox) = (0, 0);
        let set_aside = Store::all_set_aside(self.home.store.path())?;
        let levels = self.missing_by_level()?;
        // Of one relay alone its receipts say all; of several the highest decides.
        let at_the_top = levels.len() < 2 || levels.last().is_some_and(|top| top.missing == 0);
        let relay = match &self.home.profile.relay {
            None => None,
            Some(link) => {
                let row = self.home.store.relay(&link.key.relay())?;
                (undecided, in_inbox) = (row.undecided, row.inbox);
                Some(RelayView {
                    url: link.url.clone(),
                    name: link.name.clone(),
                    level: link.level.clone(),
                    last_sync_ms: Some(row.last_sync_ms).filter(|at| *at > 0),
                })
            }
        };
        let incomplete = self.incomplete(relay.is_some())?;
        Ok(Status {
            name: self.home.profile.name.clone(),
            role: self.role().as_str(),
            areas: self.areas().iter().map(area_view).collect(),
            device: self.device().to_string(),
            device_number: self.member().map(|member| member.device_number),
            // A relay that lost what it receipted is found by its digests: then nothing is called safe.
            // What a damaged database held and never sent is not known here.
            all_safe: relay
                .as_ref()
                .is_some_and(|relay| relay.last_sync_ms.is_some())
                && counts.unsent == 0
                && at_the_top
                && in_inbox == 0
                && attachments_waiting == 0
                && incomplete.is_empty()
                && set_aside.is_empty()
                && lost_ms.is_none()
                && refused_ms.is_none(),
            word: self.word()?,
            set_aside,
            lost_ms,
            refused_ms,
            undecided,
            in_inbox,
            attachments_waiting,
            attachments: self.home.store.blobs_made()?,
            levels,
            relay,
            counts,
            unsent,
            incomplete,
            waiting,
            held,
            lease: self.lease()?,
            audit_doubt: self.audit_doubt()?,
            purged: self.purged.clone(),
            handed_over: self.handed_over()?,
        })
    }

    /// Returns the areas that are not proven complete: a first download that was cut tells of none.
    fn incomplete(&self, enrolled: bool) -> Result<Vec<AreaCode>, AgentError> {
        let mut incomplete = self.home.store.incomplete_areas()?;
        let complete = self.home.store.complete_areas()?;
        let reads = self.role().is_desk() || self.role() == Role::Worker;
        if enrolled && reads {
            let never = |area: &&AreaCode| !complete.contains(area) && !incomplete.contains(area);
            let never: Vec<AreaCode> = self.areas().iter().filter(never).cloned().collect();
            incomplete.extend(never);
        }
        Ok(incomplete)
    }

    /// Returns the areas of this device that are not proven complete: what is counted there may be more.
    pub fn incomplete_areas(&self) -> Result<Vec<AreaCode>, AgentError> {
        self.incomplete(self.home.profile.relay.is_some())
    }

    /// Returns what has no receipt, oldest first.
    pub fn outbox(&self) -> Result<Vec<OutboxView>, AgentError> {
        let rows = self.home.store.outbox()?;
        let reads = self.reads()?;
        rows.into_iter()
            .map(|row| {
                Ok(OutboxView {
                    id: row.doc,
                    kind: row.kind,
                    entry: match row.entry {
                        EntryKind::PLACE => "place",
                        EntryKind::SETTLEMENT => "decision",
                        _ => "change",
                    },
                    title: match reads {
                        true => self.title(&row.doc)?,
                        false => String::new(),
                    },
                    decision: self.decision_on(&row.doc, &row.hash)?,
                    relay: self.relay_name(),
                    state: row.state.as_str(),
                    reason: row.reason,
                    at_ms: row.at_ms,
                })
            })
            .collect()
    }

    /// Returns where a record's changes stand; of a visit its own change only, of a household those of its
    /// visits too.
    pub fn receipts(&self, name: &str) -> Result<ReceiptsView, AgentError> {
        let (doc, only) = match self.name_any(name)? {
            Named::Document(doc) => (doc, None),
            Named::Visit(visit) => (visit.book, self.home.store.visit_change(&visit)?),
        };
        let (doc_kind, _) = self
            .home
            .store
            .kind_of(&doc)?
            .ok_or_else(|| AgentError::NotFound {
                what: Sought::Record,
                name: name.to_owned(),
            })?;
        let mut docs = vec![(doc, kind::name(doc_kind))];
        if doc_kind == kind::HOUSEHOLD {
            let books = self.home.store.visit_books(&doc)?;
            docs.extend(books.into_iter().map(|book| (book, "visit_book")));
        }
        let mut rows = Vec::new();
        for (doc, of) in docs {
            let of_one = self.home.store.receipts(&doc)?;
            rows.extend(of_one.into_iter().map(|row| (doc, of, row)));
        }
        if let Some(only) = only {
            rows.retain(|(_, _, row)| row.hash == only);
        }
        rows.sort_by_key(|(_, _, row)| row.at_ms);
        let changes = rows
            .into_iter()
            .map(|(doc, of, row)| {
                let mut state = state_of(&row);
                if state == "at_relay" && self.home.store.is_named_above(&doc, &row.hash)? {
                    state = "inbox_above";
                }
                let relays = row
                    .relays
                    .iter()
                    .map(|arrival| self.arrival_view(arrival))
                    .collect();
                let arrived = row.relays.iter().map(|(.., at_ms)| *at_ms).min();
                let clocks = self.home.store.clock_of_change(&doc, &row.hash)?;
                let before = clocks.and_then(|(_, before)| before);
                Ok(ChangeView {
                    decision: self.decision_on(&doc, &row.hash)?,
                    clock: flag(row.at_ms, arrived, before),
                    hash: row.hash.to_string(),
                    of,
                    by: self.written_by(&row.writer)?,
                    at_ms: row.at_ms,
                    state,
                    levels: self.levels_of(&doc, &row.hash)?,
                    reason: row.pending.map(|(_, reason)| reason).unwrap_or_default(),
                    relays,
                })
            })
            .collect::<Result<Vec<ChangeView>, AgentError>>()?;
        Ok(ReceiptsView {
            id: doc,
            kind: kind::name(doc_kind),
            title: self.title(&doc)?,
            all_safe: !changes.is_empty()
                && changes
                    .iter()
                    .all(|change| change.state == "at_relay" && at_the_top(&change.levels)),
            changes,
        })
    }

    fn unsent(&self) -> Result<Unsent, AgentError> {
        let mut unsent = Unsent::default();
        for row in self.home.store.outbox()? {
            if row.state == Pending::Discarded {
                unsent.discarded += 1;
                continue;
            }
            match (row.entry, row.kind) {
                (EntryKind::PLACE, _) => unsent.place += 1,
                (EntryKind::SETTLEMENT, _) => unsent.decision += 1,
                (_, "household") => unsent.household += 1,
                (_, "visit_book") => unsent.visit_book += 1,
                (_, "report") => unsent.report += 1,
                (_, "ticket") => unsent.ticket += 1,
                (_, "round_book") => unsent.round_book += 1,
                (_, "access_book") => unsent.access_book += 1,
                _ => {}
            }
            match row.state {
                Pending::Unsent => {}
                Pending::Waiting => unsent.waiting += 1,
                Pending::Inbox => unsent.inbox += 1,
                Pending::Refused => unsent.refused += 1,
                Pending::Discarded => {}
            }
        }
        Ok(unsent)
    }

    /// Returns what people call the relay of this device; empty before enrolment.
    pub fn relay_name(&self) -> String {
        let relay = self.home.profile.relay.as_ref();
        relay.map(|link| link.name.clone()).unwrap_or_default()
    }

    fn arrival_view(&self, (relay, position, at_ms): &(RelayId, u64, i64)) -> ArrivalView {
        let known = self.roster.relay(relay);
        ArrivalView {
            relay: *relay,
            name: known
                .map(|known| known.member.name.clone())
                .unwrap_or_default(),
            level: known.map(|known| word(known.level)).unwrap_or_default(),
            position: *position,
            at_ms: *at_ms,
        }
    }
}

/// Returns where a change stands: `on_device at_relay waiting inbox refused`.
pub(crate) fn state_of(row: &ReceiptRow) -> &'static str {
    match &row.pending {
        Some((Pending::Unsent, _)) => "on_device",
        Some((other, _)) => other.as_str(),
        None => "at_relay",
    }
}

/// Returns an area with its name: divisions by the table, grids by their village and number.
pub fn area_view(code: &AreaCode) -> AreaView {
    let named = |code: &str| tables::division(code).map(|division| division.short_name());
    let name = match (named(code.as_str()), code.parent()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(village)) => {
            let grid = code
                .as_str()
                .strip_prefix(village.as_str())
                .unwrap_or_default();
            format!(
                "{}{}网格",
                named(village.as_str()).unwrap_or(village.as_str()),
                grid
            )
        }
        (None, None) => code.to_string(),
    };
    AreaView {
        code: code.clone(),
        name,
    }
}
