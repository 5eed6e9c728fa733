//! Custody 代管 at a device: what was taken for an errand, and that it went back.

use wangge_model::kind;
use wangge_model::text;
use wangge_model::ticket::custody::{self, Custody};
use wangge_store::Draft;

use super::TicketDetail;
use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::date;

/// What is taken into custody, or given back.
#[derive(Debug, Clone, Default)]
pub struct CustodyInput {
    /// What it is; of what goes back it may be left out where only one thing is held.
    pub item: Option<String>,
    /// How much or how many.
    pub amount: Option<String>,
    /// It goes back.
    pub returned: bool,
    /// The day, `2026-11-23`; today if it is not said.
    pub on: Option<String>,
}

impl Replica {
    /// Records that something of the resident's was taken, or went back.
    pub fn ticket_custody(
        &mut self,
        name: &str,
        input: &CustodyInput,
    ) -> Result<TicketDetail, AgentError> {
        let id = self.name_ticket(name)?;
        let folded = self.folded(&id)?;
        let day = match input.on.as_deref() {
            Some(day) => date("on", day)?,
            None => self.today(),
        };
        let item = input.item.as_deref().map(text::line).unwrap_or_default();
        let puts = if input.returned {
            let held = which(&folded.custody, &item)?;
            vec![custody::returned(&held.id, &day.to_string())]
        } else {
            if item.is_empty() {
                return Err(bad_item(&item, "what is taken, for example an id card"));
            }
            let bytes: [u8; 8] = self.machine.random()?;
            let taken = Custody {
                id: crate::visits::hex(&bytes),
                item,
                amount: input.amount.as_deref().map(text::line).unwrap_or_default(),
                taken: day.to_string(),
                returned: None,
            };
            custody::check(&taken)?;
            custody::taken(&taken)
        };
        let draft = Draft {
            doc: id,
            kind: kind::TICKET,
            owner: folded.ticket.household,
            puts,
            place: None,
            urgent: false,
        };
        self.record(&[draft])?;
        self.ticket(&id.to_string())
    }
}

/// Returns the one thing still held that is meant.
fn which<'a>(custody: &'a [Custody], item: &str) -> Result<&'a Custody, AgentError> {
    let mut fitting = custody
        .iter()
        .filter(|held| held.returned.is_none() && (item.is_empty() || held.item == item));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(bad_item(item, "something that is held")),
        (Some(first), Some(second)) => Err(AgentError::Ambiguous {
            name: item.to_owned(),
            candidates: [first, second]
                .into_iter()
                .chain(fitting)
                .map(|held| (held.taken.clone(), format!("{} {}", held.item, held.amount)))
                .collect(),
        }),
    }
}

fn bad_item(item: &str, expected: &'static str) -> AgentError {
    AgentError::BadValue {
        field: "item",
        value: item.to_owned(),
        expected,
    }
}
