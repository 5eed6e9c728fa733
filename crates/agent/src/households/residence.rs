//! A household, or some of its people, goes away to work and comes back.
//!
//! Nothing ends by it: members, care and visits stay as they are.

use wangge_crdt::{Put, Scalar};
use wangge_model::household::Residence;
use wangge_wire::DocId;

use crate::error::AgentError;
use crate::replica::Replica;

const MEMBERS: &str = "members";

impl Replica {
    /// Says that a household is away (整户外出), or that these members work away (外出务工).
    pub fn depart(
        &mut self,
        id: &DocId,
        members: &[String],
        on: Option<&str>,
    ) -> Result<bool, AgentError> {
        let on = self.past_day("on", on)?;
        if members.is_empty() {
            return self.resides(id, Residence::Away, &on);
        }
        let (household, _) = self.read_household(id)?;
        let mut puts = Vec::new();
        for typed in members {
            let member = &self.name_member(&household, typed)?.id;
            puts.push(Put::entry(MEMBERS, member, "away", true));
            puts.push(Put::entry(MEMBERS, member, "away_since", on.as_str()));
        }
        self.write_household(id, puts)
    }

    /// Says that a household lives here again, or that these members are back.
    pub fn come_back(
        &mut self,
        id: &DocId,
        members: &[String],
        on: Option<&str>,
    ) -> Result<bool, AgentError> {
        let on = self.past_day("on", on)?;
        if members.is_empty() {
            return self.resides(id, Residence::Resident, &on);
        }
        let (household, _) = self.read_household(id)?;
        let mut puts = Vec::new();
        for typed in members {
            let member = self.name_member(&household, typed)?;
            if member.away {
                puts.push(Put::entry(MEMBERS, &member.id, "away", false));
            }
            puts.push(Put::entry(MEMBERS, &member.id, "away_since", Scalar::Null));
        }
        self.write_household(id, puts)
    }

    fn resides(&mut self, id: &DocId, how: Residence, on: &str) -> Result<bool, AgentError> {
        let (household, _) = self.read_household(id)?;
        // Said again, the day it was said first stays.
        if household.residence == how && household.residence_since.is_some() {
            return Ok(false);
        }
        let puts = vec![
            Put::root("residence", how.code()),
            Put::root("residence_since", on),
        ];
        self.write_household(id, puts)
    }
}
