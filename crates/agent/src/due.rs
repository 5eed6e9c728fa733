//! Who is due at this device: the day's list, overdue first.
//!
//! **Nothing is computed from an area that is not complete on this device**: half a grid would send
//! people to households that were visited yesterday. Such areas are named instead. A home that is not
//! enrolled owns all there is of its areas.

use chrono::NaiveDate;
use serde::Serialize;
use wangge_model::due::{self, Reason};
use wangge_model::household::Residence;
use wangge_store::DueRow;
use wangge_wire::{AreaCode, DocId};

use crate::error::AgentError;
use crate::replica::Replica;
use crate::status::{AreaView, area_view};
use crate::visits::door_of;

/// Who is due on a day.
#[derive(Debug, Clone, Serialize)]
pub struct DueList {
    /// The day.
    pub day: NaiveDate,
    /// The households, overdue first, then by their doors; the order is the same on every device.
    pub rows: Vec<DueView>,
    /// Areas that are not complete here, of which nothing is said.
    pub incomplete: Vec<AreaView>,
}

/// A household that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueView {
    /// From 1, in the order of the list.
    pub number: usize,
    /// The household.
    pub household: DocId,
    /// The grid.
    pub area: String,
    /// 3-12.
    pub door: String,
    /// 户主.
    pub head: String,
    /// `resident away empty moved_out`.
    pub residence: String,
    /// Why, the earliest first.
    pub reasons: Vec<Reason>,
    /// The day it was or is due.
    pub due_on: NaiveDate,
    /// Days since then.
    pub overdue_days: i64,
    /// The last day somebody was met; none for never.
    pub last_met_on: Option<NaiveDate>,
    /// A later day on which somebody came and met nobody, or was sent away.
    pub tried_on: Option<NaiveDate>,
    /// What was noted when somebody asked to come back.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Replica {
    /// Returns who is due on a day, in an area or in all of this home.
    pub fn due(&self, day: NaiveDate, area: Option<&AreaCode>) -> Result<DueList, AgentError> {
        let settings = self.settings()?;
        let (ready, incomplete) = self.ready_areas(area)?;
        let mut rows = Vec::new();
        for area in &ready {
            let found = self
                .home
                .store
                .due_rows(area.as_ref(), day, settings.round_of_all)?;
            for row in found {
                let residence = Residence::of(&row.residence).unwrap_or(Residence::Resident);
                let mut reasons = due::reasons(residence, &row.cared, &row.seen, &settings, day);
                reasons.retain(|reason| reason.due_on() <= day);
                if let Some(first) = reasons.first() {
                    rows.push((first.due_on(), row, reasons));
                }
            }
        }
        // Within one day the order of the doors stays: the sort is stable.
        rows.sort_by_key(|(due_on, ..)| *due_on);
        let rows = rows
            .into_iter()
            .zip(1..)
            .map(|((due_on, row, reasons), number)| {
                self.due_view(number, row, (due_on, day), reasons)
            })
            .collect::<Result<Vec<_>, AgentError>>()?;
        Ok(DueList {
            day,
            rows,
            incomplete,
        })
    }

    /// Returns the areas to compute from (none for all there is), and those that are not complete.
    pub(crate) fn ready_areas(
        &self,
        wanted: Option<&AreaCode>,
    ) -> Result<(Vec<Option<AreaCode>>, Vec<AreaView>), AgentError> {
        let own = self.areas();
        let reaches = |area: &AreaCode| {
            wanted.is_none_or(|wanted| area.covers(wanted) || wanted.covers(area))
        };
        let mut meant: Vec<&AreaCode> = own.iter().filter(|area| reaches(area)).collect();
        // An area inside another one is counted once.
        meant.retain(|area| !own.iter().any(|other| other != *area && other.covers(area)));
        if let (Some(wanted), true) = (wanted, meant.is_empty()) {
            return Err(AgentError::NotYourArea {
                area: wanted.to_string(),
            });
        }
        if self.member().is_none() && self.home.profile.relay.is_none() {
            return Ok((vec![wanted.cloned()], Vec::new()));
        }
        let complete = self.home.store.complete_areas()?;
        let (mut ready, mut incomplete) = (Vec::new(), Vec::new());
        for area in meant {
            if complete.iter().any(|complete| complete.covers(area)) {
                let narrower = wanted.filter(|wanted| area.covers(wanted));
                ready.push(Some(narrower.unwrap_or(area).clone()));
            } else {
                incomplete.push(area_view(area));
            }
        }
        Ok((ready, incomplete))
    }

    fn due_view(
        &self,
        number: usize,
        row: DueRow,
        (due_on, day): (NaiveDate, NaiveDate),
        reasons: Vec<Reason>,
    ) -> Result<DueView, AgentError> {
        let asked = reasons.iter().find_map(|reason| match reason {
            Reason::FollowUp { due_on, asked_on } => Some((*asked_on, *due_on)),
            _ => None,
        });
        let note = match asked {
            Some((on, next)) => self.home.store.follow_up_note(&row.id, on, next)?,
            None => String::new(),
        };
        let last_met_on = row.seen.counted_on;
        Ok(DueView {
            number,
            household: row.id,
            door: door_of(row.group, &row.door),
            area: row.area,
            head: row.head,
            residence: row.residence,
            reasons,
            due_on,
            overdue_days: (day - due_on).num_days(),
            last_met_on,
            tried_on: row
                .tried_on
                .filter(|tried| last_met_on.is_none_or(|met| *tried > met)),
            note,
        })
    }
}
