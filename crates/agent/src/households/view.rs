//! A household as it is shown, with what a person should look at.
//!
//! **Flags are worked out each time and stored nowhere**: what caused one may be settled elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wangge_crdt::Fields;
use wangge_model::household::{self, Household, LaterEdit, Member, connected, later_edits};
use wangge_wire::DocId;

use crate::alias::OtherValue;
use crate::conflicts::ConflictView;
use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::VisitView;

/// Visits shown with a household.
const VISITS_SHOWN: usize = 10;
/// How many households one person's moves are followed through.
const MOVES_MAX: usize = 16;

/// A household as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct HouseholdView {
    /// The household.
    #[serde(flatten)]
    pub household: Household,
    /// 3-12.
    pub door_short: String,
    /// The last day on which a visit found everything as it was (无变化); none for never.
    pub confirmed_on: Option<String>,
    /// The latest visits.
    pub visits: Vec<VisitView>,
    /// Fields with more than one value.
    pub conflicts: Vec<ConflictView>,
    /// Households this one stands for since they were merged.
    pub also: Vec<DocId>,
    /// What those say otherwise.
    pub other_values: Vec<OtherValue>,
    /// Members who are the same person in one of those, by the member that is shown.
    pub same_as: BTreeMap<String, Vec<String>>,
    /// Households that members came from or went to, as far as they are on this device.
    pub elsewhere: Vec<Elsewhere>,
    /// What a person should look at.
    pub flags: Vec<Flag>,
}

/// A household that a member came from or went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The document.
    pub id: DocId,
    /// 3-12.
    pub door_short: String,
    /// The head's name.
    pub head: String,
}

/// Something a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// `head_left in_two_households edited_after_move`.
    pub code: &'static str,
    /// The member it is about.
    pub member: String,
    /// The other household; none for `head_left`.
    pub household: Option<DocId>,
    /// What was written where the member no longer lives: `members/<id>/phone`.
    pub fields: Vec<String>,
}

impl Replica {
    /// Returns a household with its latest visits, its conflicts and its flags.
    pub fn household(&self, id: &DocId) -> Result<HouseholdView, AgentError> {
        let (household, fields) = self.read_household(id)?;
        let id = &household.id;
        let family = self.family_of(id)?;
        let mut conflicts = self.conflicts_of(id)?;
        for alias in &family.also {
            conflicts.extend(self.conflicts_of(alias)?);
        }
        conflicts.retain(|conflict| conflict.id == *id || family.also.contains(&conflict.id));
        let mut visits = self.visits(Some(id), VISITS_SHOWN)?;
        for visit in &mut visits {
            visit.flags = visit_flags(&household, visit);
        }
        Ok(HouseholdView {
            door_short: household.door.short(),
            confirmed_on: self.home.store.confirmed_on(id)?,
            visits,
            conflicts,
            also: family.also,
            other_values: family.other_values,
            same_as: family.same_as,
            elsewhere: self.elsewhere(&household)?,
            flags: self.flags(&household, &fields)?,
            household,
        })
    }

    /// Returns what was written of a member at the household they left, since they left it, and is
    /// not said at the one whose registers are `there`.
    pub(super) fn later_edits(
        &self,
        from: &DocId,
        member: &str,
        there: &Fields,
    ) -> Result<Vec<LaterEdit>, AgentError> {
        let Some(document) = self.home.store.document(from)? else {
            return Ok(Vec::new());
        };
        // Leaving is written anew each time; where to may stand from an earlier move.
        let left = document.versions("members", &format!("{member}/left"));
        let then = left
            .first()
            .and_then(|version| document.fields_at(&version.change));
        Ok(then.map_or_else(Vec::new, |then| {
            later_edits(member, &then, &document.fields(), there)
        }))
    }

    fn elsewhere(&self, household: &Household) -> Result<Vec<Elsewhere>, AgentError> {
        let named: BTreeSet<DocId> = household
            .members
            .iter()
            .flat_map(|member| [&member.moved_to, &member.moved_from])
            .filter_map(|id| id.as_deref()?.parse().ok())
            .collect();
        let mut elsewhere = Vec::new();
        for id in named {
            let row = self.home.store.household(&id)?;
            elsewhere.extend(row.map(|row| Elsewhere {
                id,
                door_short: crate::visits::short_door(&row),
                head: row.head,
            }));
        }
        Ok(elsewhere)
    }

    fn flags(&self, household: &Household, fields: &Fields) -> Result<Vec<Flag>, AgentError> {
        let mut flags = Vec::new();
        if let Some(head) = household.departed_head() {
            flags.push(Flag {
                code: "head_left",
                member: head.id.clone(),
                household: None,
                fields: Vec::new(),
            });
        }
        for member in &household.members {
            if member.moved_to.is_some() || member.moved_from.is_some() {
                self.move_flags(household, fields, member, &mut flags)?;
            }
        }
        Ok(flags)
    }

    /// Adds what the moves of one member ask a person to look at.
    fn move_flags(
        &self,
        household: &Household,
        fields: &Fields,
        member: &Member,
        flags: &mut Vec<Flag>,
    ) -> Result<(), AgentError> {
        let mut flag = |code, other: DocId, fields| {
            flags.push(Flag {
                code,
                member: member.id.clone(),
                household: Some(other),
                fields,
            });
        };
        for (id, other_fields) in self.along_moves(&household.id, &member.id, fields)? {
            let other = household::read(id, &other_fields);
            let Some(there) = other.member(&member.id) else {
                continue;
            };
            let edits = match (&member.left, &there.left) {
                (None, None) => {
                    flag("in_two_households", id, Vec::new());
                    continue;
                }
                (Some(_), None) => self.later_edits(&household.id, &member.id, &other_fields)?,
                (None, Some(_)) => self.later_edits(&id, &member.id, fields)?,
                (Some(_), Some(_)) => Vec::new(),
            };
            if !edits.is_empty() {
                let fields = edits.into_iter().map(|edit| edit.field).collect();
                flag("edited_after_move", id, fields);
            }
        }
        Ok(())
    }

    /// Returns the other households of this device that a member's moves pass through.
    fn along_moves(
        &self,
        from: &DocId,
        member: &str,
        fields: &Fields,
    ) -> Result<Vec<(DocId, Fields)>, AgentError> {
        let mut found: Vec<(DocId, Fields)> = Vec::new();
        let mut next: Vec<DocId> = connected(member, fields).into_iter().collect();
        let mut seen = BTreeSet::from([*from]);
        while let Some(id) = next.pop() {
            if !seen.insert(id) || seen.len() > MOVES_MAX {
                continue;
            }
            if let Some(document) = self.home.store.document(&id)? {
                let fields = document.fields();
                next.extend(connected(member, &fields));
                found.push((id, fields));
            }
        }
        found.sort_by_key(|(id, _)| *id);
        Ok(found)
    }
}

/// Returns what a person should look at in a visit.
pub(crate) fn visit_flags(household: &Household, visit: &VisitView) -> Vec<&'static str> {
    let text = |key: &str| {
        let text = visit.content.get(key).and_then(|value| value.as_str());
        text.unwrap_or_default()
    };
    let doubted = text("met") == "person" && household.nobody_left_to_meet(text("happened_on"));
    doubted.then_some("met_after_death").into_iter().collect()
}
