//! Slips: what is printed of a ticket, for whoever handles it and for the resident.
//!
//! **Paper travels without a lock**: whoever prints a slip, what it says of the resident is masked, and
//! of one who wished not to be named it says nothing.

use serde::Serialize;
use wangge_model::mask;
use wangge_model::report::Identity;
use wangge_wire::{AreaCode, DocId};

use super::HandlerView;
use crate::error::AgentError;
use crate::replica::Replica;

/// Who a slip is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlipFor {
    /// 交办单: whoever handles it; they keep one part and send one back.
    Handler,
    /// 居民回执: the resident.
    Resident,
}

/// What a slip says.
#[derive(Debug, Clone, Serialize)]
pub struct Slip {
    /// The ticket.
    pub id: DocId,
    /// Who it is for.
    pub slip_for: SlipFor,
    /// `0412-0127-1`.
    pub code: String,
    /// `inquiry help …`.
    pub kind: String,
    /// `P0` to `P3`.
    pub urgency: String,
    /// One line.
    pub subject: String,
    /// The matter.
    pub detail: String,
    /// Where it is.
    pub area: Option<AreaCode>,
    /// The village group of the household; none where there is none.
    pub group: Option<u16>,
    /// Who asks; empty where they wished not to be named.
    pub requester: String,
    /// How to reach them; empty where they wished not to be named.
    pub contact: String,
    /// `named confidential anonymous`.
    pub identity: &'static str,
    /// When they can be met outside office hours.
    pub wish: String,
    /// Who was asked first, by name.
    pub first_asked: String,
    /// Who handles it.
    pub handler: Option<HandlerView>,
    /// Who works along.
    pub with: Vec<HandlerView>,
    /// The level that gave it.
    pub desk: Option<AreaCode>,
    /// Until when, milliseconds since 1970.
    pub due: Option<i64>,
    /// Until when the resident was promised it, milliseconds since 1970.
    pub promised: Option<i64>,
    /// What is held of the resident's.
    pub custody: Vec<String>,
    /// The day it is printed.
    pub printed_on: String,
    /// The line for complaints.
    pub complaint_line: String,
    /// The station's telephone; empty where nobody set it.
    pub station_phone: String,
}

impl Replica {
    /// Returns what is printed of a ticket.
    pub fn ticket_slip(&self, name: &str, slip_for: SlipFor) -> Result<Slip, AgentError> {
        let detail = self.ticket(name)?;
        let identity = detail.ticket.identity;
        let household = match &detail.ticket.household {
            Some(household) => self.home.store.household(household)?,
            None => None,
        };
        let (mut requester, mut contact) = (
            detail.ticket.requester.clone(),
            detail.ticket.contact.clone(),
        );
        if let Some(household) = &household {
            if requester.is_empty() {
                requester.clone_from(&household.head);
            }
            if contact.is_empty() {
                contact.clone_from(&household.phone);
            }
        }
        if identity != Identity::Named {
            (requester, contact) = (String::new(), String::new());
        }
        let held = detail.custody.iter().filter(|held| held.returned.is_none());
        let custody = held
            .map(|held| mask::note(format!("{} {}", held.item, held.amount).trim()))
            .collect();
        let named = identity == Identity::Named;
        let settings = self.settings()?;
        let promise = detail.clock.as_ref().and_then(|clock| clock.promise);
        Ok(Slip {
            id: detail.id,
            slip_for,
            code: detail.ticket.code,
            kind: detail.ticket.kind,
            urgency: detail.ticket.urgency.code().to_owned(),
            subject: mask::note(&detail.ticket.subject),
            detail: mask::note(&detail.ticket.detail),
            area: detail.ticket.area,
            group: household
                .map(|household| household.group)
                .filter(|group| named && *group > 0),
            requester: mask::name(&requester),
            contact: mask::contact(&contact),
            identity: identity.code(),
            wish: mask::note(&detail.ticket.wish),
            first_asked: detail.first_asked,
            handler: detail.handler,
            with: detail.with,
            desk: detail.desk.map(|desk| desk.area),
            due: detail.due,
            promised: promise.map(|promise| promise.due_ms),
            custody,
            printed_on: self.today().to_string(),
            complaint_line: settings.complaint_line,
            station_phone: settings.station_phone,
        })
    }
}
