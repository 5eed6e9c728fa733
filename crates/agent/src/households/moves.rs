//! A person who moves from one household of this device to another.

use wangge_crdt::Put;
use wangge_model::household::{Left, copy_puts, leave_puts};
use wangge_model::limits::{MEMBERS_MAX, TooLong};
use wangge_wire::DocId;

use super::draft;
use super::input::{bad, relation};
use super::members::{MemberDone, done, reason_of};
use crate::error::AgentError;
use crate::replica::Replica;

/// How somebody moves.
#[derive(Debug, Clone, Default)]
pub struct Move {
    /// 迁出 or 婚嫁; 迁出 if it is not said.
    pub reason: Option<String>,
    /// The day; today if it is not said.
    pub on: Option<String>,
    /// What they are to the head of the new household.
    pub relation: Option<String>,
}

impl Replica {
    /// Moves a member to another household, under the same id; one action.
    ///
    /// Said again of somebody who moved there already, it brings what was written at the old place
    /// since then to where they live.
    pub fn move_member(
        &mut self,
        from: &DocId,
        name: &str,
        to: &DocId,
        how: Move,
    ) -> Result<MemberDone, AgentError> {
        let why = reason_of(how.reason.as_deref().unwrap_or(Left::MovedOut.code()))?;
        let on = self.past_day("on", how.on.as_deref())?;
        let relation = how.relation.as_deref().map(relation).transpose()?;
        if from == to {
            return Err(bad("to", &to.to_string(), "another household"));
        }
        let (old, fields) = self.read_household(from)?;
        let (new, there) = self.read_household(to)?;
        let member = self.name_member(&old, name)?.clone();
        let is_there = new.member(&member.id).is_some_and(|m| m.left.is_none());
        if is_there && member.left.is_some() {
            let mut puts: Vec<Put> = self
                .later_edits(from, &member.id, &there)?
                .into_iter()
                .map(|edit| edit.put)
                .collect();
            puts.extend(relation.map(|code| Put::entry("members", &member.id, "relation", code)));
            let changed = self.write_household(to, puts)?;
            return Ok(done(*to, member.id, changed));
        }
        if new.member(&member.id).is_none() && new.members.len() >= MEMBERS_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "members",
                limit: MEMBERS_MAX,
            }));
        }
        let mut puts = copy_puts(&member.id, &fields, from, relation.as_deref());
        if new.present().next().is_none() {
            puts.push(Put::root("head", member.id.as_str()));
        }
        let leave = leave_puts(&member.id, why, &on, Some(to));
        self.record(&[draft(*to, puts), draft(*from, leave)])?;
        Ok(done(*to, member.id, true))
    }
}
