//! Care of a member: set, set again, ended.

use serde::Serialize;
use wangge_model::care::{Care, Interval};
use wangge_model::household::{care_end_puts, care_set_puts};
use wangge_wire::DocId;

use super::input::{bad, care};
use super::members::{MemberDone, done};
use crate::error::AgentError;
use crate::replica::Replica;

/// What is said of care when it is set.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CareTerms {
    /// The first day; today for a tag the member does not have if it is not said.
    pub since: Option<String>,
    /// `weekly monthly quarterly off`; the tag's usual interval if it is not said.
    pub every: Option<String>,
}

impl Replica {
    /// Sets tags of a member, where the member lives now; a tag that had ended begins anew.
    pub fn set_care(
        &mut self,
        id: &DocId,
        name: &str,
        tags: &[String],
        terms: CareTerms,
    ) -> Result<MemberDone, AgentError> {
        let tags: Vec<Care> = tags
            .iter()
            .map(|word| care(word))
            .collect::<Result<_, _>>()?;
        let every = terms.every.as_deref().map(interval).transpose()?;
        let since = match terms.since.as_deref() {
            Some(typed) => Some(self.past_day("since", Some(typed))?),
            None => None,
        };
        let (household, member) = self.where_they_live(id, name)?;
        let periods = household.member(&member).map(|member| &member.care_periods);
        let in_force = |tag: Care| {
            let mut periods = periods.into_iter().flatten();
            periods.any(|period| period.tag == tag && period.until.is_none())
        };
        let today = self.today();
        let mut puts = Vec::new();
        for tag in tags {
            let begins = (!in_force(tag)).then(|| today.to_string());
            let first = since.clone().or(begins);
            puts.extend(care_set_puts(&member, tag, first.as_deref(), every));
        }
        let changed = self.write_household(&household.id, puts)?;
        Ok(done(household.id, member, changed))
    }

    /// Ends tags of a member on a day that has been.
    pub fn end_care(
        &mut self,
        id: &DocId,
        name: &str,
        tags: &[String],
        on: Option<&str>,
    ) -> Result<MemberDone, AgentError> {
        let tags: Vec<Care> = tags
            .iter()
            .map(|word| care(word))
            .collect::<Result<_, _>>()?;
        let on = self.past_day("on", on)?;
        let (household, member) = self.where_they_live(id, name)?;
        let periods = household.member(&member).map(|member| &member.care_periods);
        let mut puts = Vec::new();
        for tag in tags {
            let mut known = periods.into_iter().flatten();
            let known = known.find(|period| period.tag == tag);
            let known =
                known.ok_or_else(|| bad("care", tag.code(), "a care tag the member has"))?;
            if known.since.as_ref().is_some_and(|since| *since > on) {
                return Err(bad("on", &on, "a day since when the tag is there"));
            }
            if known.until.is_none() {
                puts.extend(care_end_puts(&member, tag, &on));
            }
        }
        let changed = self.write_household(&household.id, puts)?;
        Ok(done(household.id, member, changed))
    }
}

fn interval(typed: &str) -> Result<Interval, AgentError> {
    let known = Interval::of(typed.trim());
    known.ok_or_else(|| bad("every", typed, "weekly, monthly, quarterly or off"))
}
