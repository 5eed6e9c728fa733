//! What an operator asks about changes that are held, about decisions, and packs made on demand.
//!
//! **A release lets a change be tried again**; what fails again is held again, by a new entry.

use rusqlite::TransactionBehavior;
use wangge_wire::{AreaCode, ChangeHash, Decision, DeviceId, DocId, EntryKind, HoldReason, Ruling};

use crate::audit::Who;
use crate::error::RelayError;
use crate::holds::{self, NewRuling};
use crate::packs::{Maker, Packs};
use crate::pull::StepError;
use crate::relay::{HeldRow, Relay};
use crate::settlements;

/// A desk's decision on an item of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledItem {
    /// The document.
    pub doc: DocId,
    /// The item.
    pub item: ChangeHash,
    /// The device that wrote it.
    pub author: DeviceId,
    /// The device that decided.
    pub by: DeviceId,
    /// What it decided.
    pub decision: Decision,
    /// The area the document was placed in with it.
    pub to: Option<AreaCode>,
    /// Why.
    pub reason: String,
    /// When this relay received the decision, milliseconds since 1970.
    pub received_ms: i64,
}

impl Relay {
    /// Returns the decisions of desks, the oldest first.
    pub fn settled(&self) -> Result<Vec<SettledItem>, RelayError> {
        self.read(|connection| {
            let all = settlements::after(connection, 0, usize::MAX)?;
            let told = all.into_iter().map(|kept| {
                let of = kept.settled.settlement;
                SettledItem {
                    doc: of.doc,
                    item: of.item,
                    author: of.author,
                    by: kept.settled.by,
                    decision: of.decision,
                    to: of.to,
                    reason: of.reason,
                    received_ms: kept.received_ms,
                }
            });
            Ok(told.collect())
        })
    }

    /// Returns the changes that are held, the one held first in front.
    pub fn held(&self) -> Result<Vec<HeldRow>, RelayError> {
        self.read(|connection| {
            let sql = "SELECT body FROM entry WHERE kind IN (?1, ?2) ORDER BY position";
            let mut rows = connection.prepare(sql)?;
            let kinds = (EntryKind::HOLD.0, EntryKind::RELEASE.0);
            let rows = rows.query_map(kinds, |row| row.get::<_, Vec<u8>>(0))?;
            let mut held: Vec<HeldRow> = Vec::new();
            for bytes in rows {
                let Ok(ruling) = Ruling::read(&bytes?) else {
                    continue;
                };
                held.retain(|row| (row.doc, row.change) != (ruling.doc, ruling.change));
                held.extend(ruling.reason.map(|reason| row(&ruling, reason)));
            }
            Ok(held)
        })
    }

    /// Lets a held change be tried again; false where it is not held.
    ///
    /// May run in another process than the one that serves.
    pub fn release(
        &self,
        doc: &DocId,
        change: &ChangeHash,
        now_ms: i64,
    ) -> Result<bool, RelayError> {
        let new = NewRuling {
            doc: *doc,
            change: *change,
            reason: None,
            who: Some(Who::Operator),
        };
        Ok(self.rule(&[new], now_ms)? > 0)
    }

    /// Brings the packs up to date in this process and returns how many were made anew.
    ///
    /// For a relay that is not served; one that is does it by itself.
    pub fn make_packs(&self, packs: &Packs) -> Result<usize, RelayError> {
        let mut maker = Maker::open(self, packs)?;
        let mut made = 0;
        // A second round sees the rulings of the first.
        for _ in 0..2 {
            let now_ms = self.settings.clock.now_ms();
            let mut rule = |rulings: Vec<NewRuling>| self.rule(&rulings, now_ms).is_ok();
            let round = maker.round(&mut rule).map_err(|error| match error {
                StepError::Sqlite(source) => RelayError::sqlite(&self.place.path, source),
                StepError::Relay(error) => error,
                StepError::Malformed(_) => RelayError::Internal {
                    what: "an entry does not read",
                },
            })?;
            made += round.made;
            if round.held == 0 {
                break;
            }
        }
        Ok(made)
    }

    fn rule(&self, rulings: &[NewRuling], now_ms: i64) -> Result<usize, RelayError> {
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        let key = &self.secrets.key;
        let written = holds::append(&transaction, key, rulings, now_ms).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(written)
    }
}

fn row(ruling: &Ruling, reason: HoldReason) -> HeldRow {
    HeldRow {
        doc: ruling.doc,
        change: ruling.change,
        reason,
        at_ms: ruling.at_ms,
    }
}
