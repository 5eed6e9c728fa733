//! What a household needs, and on what grounds what is kept about it is kept.

use wangge_model::household::{Basis, Consent, How, Need};
use wangge_wire::DocId;

use super::input::{bad, place_in_list};
use crate::error::{AgentError, Sought};
use crate::replica::Replica;
use crate::visits::word;

/// A need as typed.
#[derive(Debug, Clone, Default)]
pub struct NeedInput {
    /// What.
    pub text: String,
    /// A word to sort it by.
    pub kind: String,
    /// Since when; today if it is not said.
    pub since: Option<String>,
}

/// A ground as typed.
#[derive(Debug, Clone, Default)]
pub struct ConsentInput {
    /// What for.
    pub purpose: String,
    /// 同意 法定职责 紧急情况, or the code; 同意 if it is not said.
    pub basis: Option<String>,
    /// Which version of the text was read out or signed.
    pub version: String,
    /// 口头 书面 电话, or the code; 口头 if it is not said.
    pub how: Option<String>,
    /// Whose it is: what names a member; the household's as a whole if it is not said.
    pub member: Option<String>,
    /// Who consents for a child: what names a member, or a name.
    pub guardian: Option<String>,
    /// The day; today if it is not said.
    pub on: Option<String>,
}

impl Replica {
    /// Records a need; returns its id.
    pub fn add_need(&mut self, id: &DocId, input: NeedInput) -> Result<String, AgentError> {
        if input.text.trim().is_empty() {
            return Err(bad("text", "", "what is needed"));
        }
        let need = Need {
            id: self.entry_id()?,
            text: wangge_model::text::note(&input.text),
            kind: input.kind,
            since: Some(self.past_day("since", input.since.as_deref())?),
            done: None,
        };
        let puts = need.puts()?;
        self.write_household(id, puts)?;
        Ok(need.id)
    }

    /// Says that a need was met; false if it was said already.
    pub fn need_done(
        &mut self,
        id: &DocId,
        name: &str,
        on: Option<&str>,
    ) -> Result<bool, AgentError> {
        let on = self.past_day("on", on)?;
        let (household, _) = self.read_household(id)?;
        let needs = household.needs.iter();
        let need = named(
            name,
            needs.map(|need| (&need.id, &need.text, need.done.is_some())),
        )?;
        let Some(need) = need else { return Ok(false) };
        self.write_household(id, Need::done_puts(&need, &on))
    }

    /// Records on what grounds something is kept; returns its id. For a child under 14 a guardian
    /// consents, or nobody.
    pub fn add_consent(&mut self, id: &DocId, input: ConsentInput) -> Result<String, AgentError> {
        let (household, _) = self.read_household(id)?;
        if input.purpose.trim().is_empty() {
            return Err(bad("purpose", "", "what it is for"));
        }
        let basis: Basis = word(
            "basis",
            input.basis.as_deref(),
            Basis::of,
            "consent, duty or emergency",
        )?;
        let how: How = word(
            "how",
            input.how.as_deref(),
            How::of,
            "spoken, written or phone",
        )?;
        let member = match input.member.as_deref() {
            Some(typed) => Some(self.name_member(&household, typed)?.id.clone()),
            None => None,
        };
        let guardian = input.guardian.map(|typed| {
            let known = self.name_member(&household, &typed);
            known.map(|member| member.id.clone()).unwrap_or(typed)
        });
        let consent = Consent {
            id: self.entry_id()?,
            purpose: wangge_model::text::line(&input.purpose),
            basis: basis.code().to_owned(),
            version: input.version,
            how: how.code().to_owned(),
            member,
            guardian,
            at: self.past_day("on", input.on.as_deref())?,
            withdrawn: None,
        };
        if consent.lacks_guardian(&household) {
            let given = consent.guardian.as_deref().unwrap_or_default();
            return Err(bad("guardian", given, "a grown-up: the child is under 14"));
        }
        let puts = consent.puts()?;
        self.write_household(id, puts)?;
        Ok(consent.id)
    }

    /// Says that a consent was withdrawn; false if it was said already.
    pub fn withdraw_consent(
        &mut self,
        id: &DocId,
        name: &str,
        on: Option<&str>,
    ) -> Result<bool, AgentError> {
        let on = self.past_day("on", on)?;
        let (household, _) = self.read_household(id)?;
        let all = household.consent.iter();
        let found = named(
            name,
            all.map(|one| (&one.id, &one.purpose, one.withdrawn.is_some())),
        )?;
        let Some(found) = found else { return Ok(false) };
        self.write_household(id, Consent::withdraw_puts(&found, &on))
    }

    fn entry_id(&self) -> Result<String, AgentError> {
        let bytes = self.machine.random::<8>()?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Returns the id of the entry that a name means: an id or its beginning, or the place in the list
/// from 1; none where it is over already.
fn named<'a>(
    typed: &str,
    entries: impl Iterator<Item = (&'a String, &'a String, bool)>,
) -> Result<Option<String>, AgentError> {
    let entries: Vec<_> = entries.collect();
    let by_row = place_in_list(typed)
        .and_then(|row| entries.get(row))
        .into_iter();
    let by_id = entries
        .iter()
        .filter(|(id, ..)| typed.len() >= 4 && id.starts_with(typed));
    let mut found: Vec<_> = by_row.collect();
    if found.is_empty() {
        found = by_id.collect();
    }
    match found.as_slice() {
        [(id, _, over)] => Ok((!over).then(|| (*id).clone())),
        [] => Err(AgentError::NotFound {
            what: Sought::Entry,
            name: typed.to_owned(),
        }),
        several => Err(AgentError::Ambiguous {
            name: typed.to_owned(),
            candidates: several
                .iter()
                .map(|(id, text, _)| ((*id).clone(), (*text).clone()))
                .collect(),
        }),
    }
}
