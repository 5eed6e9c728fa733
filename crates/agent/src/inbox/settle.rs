//! Deciding about an item of the inbox: accept, re-home, discard.
//!
//! A decision is this device's signed entry, durable here before it is sent. **What is told is what the
//! relay says afterwards**: another desk may have been first.

use serde::Serialize;
use wangge_crdt::Put;
use wangge_model::{kind, text};
use wangge_store::Draft;
use wangge_wire::inbox::InboxRow;
use wangge_wire::limits::SETTLE_REASON_BYTES_MAX;
use wangge_wire::receipt::Reason;
use wangge_wire::{ActionId, AreaCode, ChangeHash, Decision, EntryKind, Level, Place, Settlement};

use super::{InboxItem, InboxRefusal};
use crate::error::AgentError;
use crate::households::draft;
use crate::replica::Replica;

/// What a desk wants done with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// It takes its place.
    Accept,
    /// Its document is placed in an area, and it takes its place there.
    Rehome {
        /// The area, as typed.
        to: String,
    },
    /// It is kept and counts for nothing.
    Discard {
        /// Why.
        reason: String,
    },
}

/// What became of it.
#[derive(Debug, Clone, Serialize)]
pub struct SettleView {
    /// The item as it stands now; as it stood, where it was only to be shown.
    #[serde(flatten)]
    pub item: InboxItem,
    /// Whether this decision changed anything.
    pub changed: bool,
    /// Whether the decision is on this device and could not be sent yet.
    pub unsent: bool,
    /// Whether nothing was decided because it was to be shown only.
    pub dry_run: bool,
    /// The area its document would be placed in, or was.
    pub to: Option<AreaCode>,
}

impl Replica {
    /// Settles an item, or shows what would be done.
    pub async fn inbox_settle(
        &mut self,
        id: &str,
        settle: &Settle,
        dry_run: bool,
    ) -> Result<SettleView, AgentError> {
        let row = self.inbox_row(id).await?;
        let item = self.inbox_item(&row)?;
        let to = match settle {
            Settle::Rehome { to } => Some(self.rehome_area(&row, to)?),
            Settle::Accept | Settle::Discard { .. } => None,
        };
        let view = |item, changed, unsent| SettleView {
            item,
            changed,
            unsent,
            dry_run,
            to: to.clone(),
        };
        if self.stands(&row, &item, settle)? {
            return Ok(view(item, false, false));
        }
        let settlement = self.settlement(&row, settle, to.clone())?;
        let place = match &to {
            Some(to) => Some(self.rehome_place(&row, to)?),
            None => None,
        };
        if dry_run {
            return Ok(view(item, false, false));
        }
        self.write_settlement(&row, &settlement, place)?;
        match self.sync().await {
            Ok(_) => {}
            // It is durable here and goes with the next sync.
            Err(AgentError::NoLink { .. }) => return Ok(view(item, false, true)),
            Err(error) => return Err(error),
        }
        let row = match self.inbox_row(&row.hash.to_string()).await {
            Ok(row) => Some(row),
            // This desk does not read it any more where it went; what was decided is known all the same.
            Err(AgentError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let item = match &row {
            Some(row) => self.inbox_item(row)?,
            None => item,
        };
        match self.home.store.settlement_waits(&settlement)? {
            Some(reason) if reason.is_empty() => return Ok(view(item, false, true)),
            Some(_) => return Err(AgentError::Inbox(InboxRefusal::NotAllowed)),
            None => {}
        }
        let is_ours = self.home.store.has_settlement(&settlement)?;
        let stands = match &row {
            Some(row) => self.stands(row, &item, settle)?,
            None => false,
        };
        if !is_ours && !stands {
            return Err(AgentError::Inbox(InboxRefusal::SettledBefore));
        }
        Ok(view(item, is_ours, false))
    }

    /// Says whether the item stands as it is wanted already; an error where it can never stand so.
    fn stands(
        &self,
        row: &InboxRow,
        item: &InboxItem,
        settle: &Settle,
    ) -> Result<bool, AgentError> {
        let no = |why| Err(AgentError::Inbox(why));
        let wants_in = !matches!(settle, Settle::Discard { .. });
        match (row.position, row.reason) {
            _ if row.hold.is_some() => no(InboxRefusal::Held),
            (Some(_), _) if wants_in => Ok(true),
            (Some(_), _) => no(InboxRefusal::Numbered),
            (None, _) if !wants_in => Ok(item.state == "discarded"),
            (None, _) if EntryKind(row.entry) == EntryKind::SETTLEMENT => {
                no(InboxRefusal::Decision)
            }
            (None, Some(Reason::Equivocation)) => no(InboxRefusal::Equivocation),
            (None, Some(Reason::OverLimit)) => no(InboxRefusal::OverLimit),
            (None, Some(Reason::RestsOnDiscarded)) => no(InboxRefusal::RestsOnDiscarded),
            // It had no place when it came; what it belongs to may have got one since.
            (None, Some(Reason::Unplaced)) if *settle == Settle::Accept && row.home.is_none() => {
                no(InboxRefusal::Unplaced)
            }
            (None, _) => Ok(false),
        }
    }

    fn settlement(
        &self,
        row: &InboxRow,
        settle: &Settle,
        to: Option<AreaCode>,
    ) -> Result<Settlement, AgentError> {
        let (decision, reason) = match settle {
            Settle::Accept | Settle::Rehome { .. } => (Decision::Accept, String::new()),
            Settle::Discard { reason } => (Decision::Discard, reason.trim().to_owned()),
        };
        let is_discard = decision == Decision::Discard;
        if is_discard && (reason.is_empty() || reason.len() > SETTLE_REASON_BYTES_MAX) {
            return Err(AgentError::BadValue {
                field: "settle_reason",
                value: reason,
                expected: "a reason of at most 200 characters",
            });
        }
        let standing = row.settled.as_ref();
        let standing = standing.and_then(|row| Settlement::read(&row.settlement).ok());
        let mut over: Vec<ChangeHash> = standing.iter().map(Settlement::hash).collect();
        // A relay that was put back may have lost the one this desk knows of, and is given it back.
        let known = self.home.store.settled(&row.doc, &row.hash, &row.author)?;
        over.extend(
            known
                .map(|known| known.hash)
                .filter(|it| !over.contains(it)),
        );
        Ok(Settlement {
            doc: row.doc,
            item: row.hash,
            author: row.author,
            decision,
            to,
            reason,
            over,
            at_ms: self.now_ms(),
            by: Some(self.device()),
        })
    }

    /// Returns the area a document goes to: one of this desk's own, and for a household a grid.
    fn rehome_area(&self, row: &InboxRow, typed: &str) -> Result<AreaCode, AgentError> {
        let bad = |expected| AgentError::BadValue {
            field: "rehome_area",
            value: typed.to_owned(),
            expected,
        };
        let typed = text::half_width(typed.trim());
        let to = AreaCode::parse(&typed).map_err(|_| bad("the code of an area"))?;
        if row.kind == kind::HOUSEHOLD && to.level() != Level::Grid {
            return Err(bad("the code of a grid, 15 digits"));
        }
        if !self.own_areas().iter().any(|own| own.covers(&to)) {
            let area = to.to_string();
            return Err(AgentError::NotYourArea { area });
        }
        Ok(to)
    }

    /// Returns the place that a re-homed document gets.
    fn rehome_place(&self, row: &InboxRow, to: &AreaCode) -> Result<Place, AgentError> {
        if row.home.is_none() {
            return Ok(Place {
                doc: row.doc,
                home: to.clone(),
                audiences: Vec::new(),
                n: 0,
            });
        }
        let now = self.home.store.place_of(&row.doc)?;
        let now = now.ok_or(AgentError::Inbox(InboxRefusal::NotHere))?;
        Ok(Place {
            home: to.clone(),
            n: now.n.saturating_add(1),
            ..now
        })
    }

    fn write_settlement(
        &mut self,
        row: &InboxRow,
        settlement: &Settlement,
        place: Option<Place>,
    ) -> Result<(), AgentError> {
        let area = row.home.as_ref().unwrap_or(&row.claimed).clone();
        let (at_ms, action) = (self.now_ms(), ActionId(self.machine.random()?));
        // A household that is here says its area in a field too.
        let known = self.home.store.kind_of(&row.doc)?;
        let moves = place.as_ref().filter(|_| {
            row.home.is_some() && known.is_some_and(|(known, _)| known == kind::HOUSEHOLD)
        });
        let drafts: Vec<Draft> = moves
            .map(|place| Draft {
                place: Some(place.clone()),
                ..draft(row.doc, vec![Put::root("area", place.home.as_str())])
            })
            .into_iter()
            .collect();
        let place = place.as_ref().filter(|_| drafts.is_empty());
        let actor = self.writing_as()?;
        self.home.store.write(actor, |writer| {
            // The decision first: it is made where the document lives now.
            writer.settle(settlement, &area, place)?;
            writer.record(at_ms, action, &drafts)?;
            Ok(())
        })
    }
}
