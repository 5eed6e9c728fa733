//! A household moves to another grid: its area and its place in one action.
//!
//! Who may is what the relay lets through later: **a desk places, a worker asks the desk**.

use serde::Serialize;
use wangge_crdt::Put;
use wangge_store::Draft;
use wangge_trust::allow::{Action, What, allowed};
use wangge_wire::{AreaCode, DocId, Place};

use crate::error::{AgentError, Sought};
use crate::households::draft;
use crate::replica::Replica;

/// A household that was moved.
#[derive(Debug, Clone, Serialize)]
pub struct Moved {
    /// The household.
    pub id: DocId,
    /// The grid it lived in.
    pub from: AreaCode,
    /// The grid it lives in.
    pub to: AreaCode,
    /// Whether anything was written.
    pub changed: bool,
    /// Whether nothing was written because it was to be shown only.
    pub dry_run: bool,
}

impl Replica {
    /// Moves a household, with all documents of its family, to another grid.
    pub fn move_household(
        &mut self,
        name: &str,
        to: &str,
        dry_run: bool,
    ) -> Result<Moved, AgentError> {
        let id = self.name_household(name)?;
        let to = self.grid(Some(to))?;
        let missing = || AgentError::NotFound {
            what: Sought::Household,
            name: name.to_owned(),
        };
        let from = self.home.store.home(&id)?.ok_or_else(missing)?;
        let mut drafts = Vec::new();
        for doc in std::iter::once(id).chain(self.home.store.aliases(&id)?) {
            let place = self.home.store.place_of(&doc)?.ok_or_else(missing)?;
            drafts.extend(self.moved(doc, place, &to)?);
        }
        let changed = !drafts.is_empty();
        if changed && !dry_run {
            self.record(&drafts)?;
        }
        Ok(Moved {
            id,
            from,
            to,
            changed,
            dry_run,
        })
    }

    fn moved(&self, doc: DocId, now: Place, to: &AreaCode) -> Result<Option<Draft>, AgentError> {
        if now.home == *to {
            return Ok(None);
        }
        let what = What {
            home: &now.home,
            audiences: &now.audiences,
        };
        let (device, day) = (self.device(), self.day());
        if !allowed(&self.roster, &device, Action::PlaceAgain, &what, day).is_allowed() {
            return Err(AgentError::NotYourRole);
        }
        let puts = vec![Put::root("area", to.as_str())];
        let place = Place {
            home: to.clone(),
            n: now.n.saturating_add(1),
            ..now
        };
        Ok(Some(Draft {
            place: Some(place),
            ..draft(doc, puts)
        }))
    }
}
