//! The inbox of the relay, as a desk reads it: what could not take its place, why, and how it stands.
//!
//! Asked of the relay each time. **What is shown of a record is shown as any other record is here**:
//! read through the gate, on a copy in memory, and masked by whoever prints it.

mod settle;
mod show;

use serde::Serialize;
use wangge_model::kind;
use wangge_wire::inbox::{InboxRow, SettledRow};
use wangge_wire::settle::Settled;
use wangge_wire::{ChangeHash, Decision, DeviceId, DocId, DocKind, EntryKind, Settlement};

use crate::error::AgentError;
use crate::replica::Replica;

pub use settle::{Settle, SettleView};
pub use show::InboxShown;

/// Hex digits of an item that are shown, and at least typed.
pub const SHORT_DIGITS: usize = 8;

/// An item of the inbox, or a change that the gate holds.
#[derive(Debug, Clone, Serialize)]
pub struct InboxItem {
    /// The first digits of its hash.
    pub id: String,
    /// Its hash.
    pub hash: ChangeHash,
    /// The document.
    pub doc: DocId,
    /// `household visit_book report ticket …`; `unknown` where nothing says it.
    pub kind: &'static str,
    /// `change`, `place`, `decision` or `other`.
    pub entry: &'static str,
    /// What tells the document apart; empty where it is not on this device.
    pub title: String,
    /// `open`, `held`, `accepted`, `rehomed`, `discarded` or `numbered`.
    pub state: &'static str,
    /// Why it could not take its place; empty for one that is held or has its number.
    pub reason: String,
    /// Why the gate holds it; empty for one that it does not hold.
    pub held: String,
    /// Who wrote it.
    pub by: Colleague,
    /// The area it lies in; where nobody has placed its document, the one its author claims.
    pub area: String,
    /// Whether its document lives somewhere.
    pub placed: bool,
    /// When the relay received it, milliseconds since 1970.
    pub received_ms: i64,
    /// Its number at the relay, once it has one.
    pub number: Option<u64>,
    /// The decision that stands.
    pub decision: Option<DecisionView>,
}

/// A colleague, as the relay or the roster names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Colleague {
    /// The name; empty where nobody knows it.
    pub name: String,
    /// The device.
    pub device: DeviceId,
}

/// A desk's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionView {
    /// `accepted`, `rehomed` or `discarded`.
    pub decision: &'static str,
    /// Who decided.
    pub by: Colleague,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Why, in the desk's words.
    pub reason: String,
    /// The area the document was placed in with it.
    pub to: Option<wangge_wire::AreaCode>,
}

impl Replica {
    /// Returns what nobody has settled and what the gate holds; or the decisions, the oldest first.
    pub async fn inbox(&self, settled: bool) -> Result<Vec<InboxItem>, AgentError> {
        let rows = match settled {
            true => self.ask_settled().await?,
            false => self.ask_open().await?,
        };
        rows.iter().map(|row| self.inbox_item(row)).collect()
    }

    /// Lets a change that the gate holds be tried again.
    pub async fn inbox_retry(&self, id: &str) -> Result<InboxItem, AgentError> {
        let row = self.inbox_row(id).await?;
        if row.hold.is_none() {
            return Err(AgentError::Inbox(InboxRefusal::NotHeld));
        }
        self.ask_retry(row.doc, row.hash).await?;
        self.inbox_item(&row)
    }

    /// Returns what a desk decided about an entry that this device wrote, as it was told.
    pub(crate) fn decision_on(
        &self,
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<Option<DecisionView>, AgentError> {
        let settled = self.home.store.settled(doc, hash, &self.device())?;
        Ok(settled.map(|settled| self.decided(&settled)))
    }

    fn decided(&self, settled: &Settled) -> DecisionView {
        let of = &settled.settlement;
        let name = match self.roster.known(&settled.by) {
            Some(member) => member.name.clone(),
            None => String::new(),
        };
        decision_view(of, settled.by, name, of.at_ms)
    }

    /// Returns the row that the typed digits begin.
    async fn inbox_row(&self, id: &str) -> Result<InboxRow, AgentError> {
        let typed = id.trim().to_lowercase();
        let missing = || AgentError::NotInInbox { id: id.to_owned() };
        let is_hex = typed.bytes().all(|byte| byte.is_ascii_hexdigit());
        if typed.len() < SHORT_DIGITS / 2 || !is_hex {
            return Err(missing());
        }
        let mut rows = self.ask_open().await?;
        // Behind what is open, the newest decision first: an item that is settled stands as it says.
        rows.extend(self.ask_settled().await?.into_iter().rev());
        rows.retain(|row| row.hash.to_string().starts_with(&typed));
        rows.dedup_by_key(|row| (row.doc, row.hash));
        let several = rows
            .iter()
            .any(|row| Some(row.hash) != rows.first().map(|it| it.hash));
        if several {
            let named = rows
                .iter()
                .map(|row| Ok((short(&row.hash), self.title(&row.doc)?)));
            return Err(AgentError::Ambiguous {
                name: id.to_owned(),
                candidates: named.collect::<Result<_, AgentError>>()?,
            });
        }
        rows.into_iter().next().ok_or_else(missing)
    }

    fn inbox_item(&self, row: &InboxRow) -> Result<InboxItem, AgentError> {
        let decision = row.settled.as_ref().and_then(told);
        let state = match (&decision, row.position, row.hold) {
            (_, _, Some(_)) => "held",
            (Some(decision), Some(_), _) if decision.decision == "discarded" => "numbered",
            (Some(decision), ..) => decision.decision,
            (None, Some(_), _) => "numbered",
            (None, None, _) => "open",
        };
        let area = row.home.as_ref().unwrap_or(&row.claimed);
        Ok(InboxItem {
            id: short(&row.hash),
            hash: row.hash,
            doc: row.doc,
            kind: self.kind_word(row)?,
            entry: entry_word(row.entry),
            title: self.title(&row.doc)?,
            state,
            reason: code(&row.reason),
            held: code(&row.hold),
            by: Colleague {
                name: row.author_name.clone(),
                device: row.author,
            },
            area: area.to_string(),
            placed: row.home.is_some(),
            received_ms: row.received_ms,
            number: row.position,
            decision,
        })
    }

    fn kind_word(&self, row: &InboxRow) -> Result<&'static str, AgentError> {
        if row.kind != DocKind(0) {
            return Ok(kind::name(row.kind));
        }
        let known = self.home.store.kind_of(&row.doc)?;
        Ok(known.map_or("unknown", |(known, _)| kind::name(known)))
    }
}

/// Why a decision is not made, or does not have its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxRefusal {
    /// Nobody has said where its document lives: it is re-homed, not accepted.
    Unplaced,
    /// Its writer gave the number of this change to another one too: both cannot stand.
    Equivocation,
    /// It is larger than a change may be.
    OverLimit,
    /// It rests on a change that a desk discarded: that one is accepted first.
    RestsOnDiscarded,
    /// It is held, not in the inbox: it may be tried again.
    Held,
    /// It is not held.
    NotHeld,
    /// It is a decision of somebody who may not decide: a desk decides about the item itself.
    Decision,
    /// It has its number, which is never taken back.
    Numbered,
    /// Another desk decided first, and otherwise.
    SettledBefore,
    /// The relay does not let this desk decide about it.
    NotAllowed,
    /// The document is not on this device, or lives where the one it belongs to lives.
    NotHere,
}

/// Returns the first digits of a hash.
pub(crate) fn short(hash: &ChangeHash) -> String {
    hash.to_string().chars().take(SHORT_DIGITS).collect()
}

/// Returns a decision as the relay tells of it; none where it does not read.
fn told(row: &SettledRow) -> Option<DecisionView> {
    let settlement = Settlement::read(&row.settlement).ok()?;
    let name = row.by_name.clone();
    Some(decision_view(&settlement, row.by, name, row.received_ms))
}

fn decision_view(of: &Settlement, by: DeviceId, name: String, at_ms: i64) -> DecisionView {
    DecisionView {
        decision: match (of.decision, &of.to) {
            (Decision::Discard, _) => "discarded",
            (Decision::Accept, Some(_)) => "rehomed",
            (Decision::Accept, None) => "accepted",
        },
        by: Colleague { name, device: by },
        at_ms,
        reason: of.reason.clone(),
        to: of.to.clone(),
    }
}

fn entry_word(entry: u8) -> &'static str {
    match EntryKind(entry) {
        EntryKind::CHANGE => "change",
        EntryKind::PLACE => "place",
        EntryKind::SETTLEMENT => "decision",
        _ => "other",
    }
}

/// Returns a reason as JSON names it; empty for none.
fn code<T: Serialize>(reason: &Option<T>) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}
