//! How much of a resident is read here: decided by who holds this device and where the record lives.
//!
//! **One function decides, for every screen, list and paper** ([`Replica::sight`]). What is hidden can
//! be asked for with a reason ([`Replica::reveal`]); that is written down first.

use serde_json::{Map, Value};
use wangge_model::mask;
use wangge_model::report::Identity;
use wangge_model::ticket::document::Ticket;
use wangge_store::HouseholdRow;
use wangge_wire::DocId;

use crate::replica::Replica;

/// How much of a record is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// Everything but numbers over the shoulder: the worker's own grids.
    Own,
    /// Masked: a record of another area that came to a worker.
    Away,
    /// Masked: a desk.
    Desk,
}

impl Sight {
    /// Says whether names, doors, births and numbers are masked.
    pub fn is_masked(self) -> bool {
        self != Sight::Own
    }
}

impl Replica {
    /// Returns how much is read of a record in an area; a record without one is read as if elsewhere.
    pub fn sight(&self, area: &str) -> Sight {
        let is_own = |own: &wangge_wire::AreaCode| area.starts_with(own.as_str());
        if self.role().is_desk() {
            Sight::Desk
        } else if self.areas().iter().any(is_own) {
            Sight::Own
        } else {
            Sight::Away
        }
    }

    /// Returns the line that tells a household apart, as it may be read here.
    pub(crate) fn household_line(&self, row: &HouseholdRow) -> String {
        if self.sight(&row.area).is_masked() && !self.revealed.contains(&row.id) {
            mask::household_line(row.group, &row.head)
        } else {
            crate::naming::household_line(row)
        }
    }

    /// Hides who told a report: 实名保密 is read by its author only, and at a desk that gave a reason.
    pub(crate) fn veil_report(&self, id: &DocId, content: &mut Map<String, Value>, is_own: bool) {
        let identity = content.get("identity").and_then(Value::as_str);
        let identity = identity.and_then(Identity::of).unwrap_or_default();
        if self.is_veiled(id, identity, is_own) {
            content.insert("household".to_owned(), Value::Null);
            content.insert("requester".to_owned(), "".into());
            content.insert("contact".to_owned(), "".into());
        }
    }

    /// Hides who asked, in a ticket: the first-asked person and a desk that gave a reason read it.
    pub(crate) fn veil_ticket(&self, id: &DocId, ticket: &mut Ticket) {
        let mut me = self.answers_as().into_iter();
        let is_own = me.any(|me| ticket.first_asked_by == Some(me));
        if self.is_veiled(id, ticket.identity, is_own) {
            ticket.household = None;
            ticket.requester.clear();
            ticket.contact.clear();
        }
    }

    /// Says whether who told something stays hidden here.
    pub(crate) fn is_veiled(&self, id: &DocId, identity: Identity, is_own: bool) -> bool {
        let asked = self.role().is_desk() && self.revealed.contains(id);
        identity != Identity::Named && !is_own && !asked
    }
}
