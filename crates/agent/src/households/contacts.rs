//! Further telephones of a household, each an entry of its own: taking one away touches no other.

use serde::Serialize;
use wangge_crdt::Put;
use wangge_model::household::{Household, contact_id};
use wangge_model::limits::{CONTACTS_MAX, LINE_CHARS_MAX, TooLong, at_most};
use wangge_wire::DocId;

use super::input::{ContactInput, bad, phone, place_in_list};
use crate::error::{AgentError, Sought};
use crate::replica::Replica;

/// The fewest digits that name a telephone by its end.
const TAIL_DIGITS_MIN: usize = 3;

/// What became of a further telephone.
#[derive(Debug, Clone, Serialize)]
pub struct ContactDone {
    /// The household.
    pub household: DocId,
    /// The entry, 8 hex digits.
    pub contact: String,
    /// Whether anything was written.
    pub changed: bool,
}

impl Replica {
    /// Adds a further telephone; a number that is there already is brought up to whose it is.
    pub fn add_contact(
        &mut self,
        id: &DocId,
        input: &ContactInput,
    ) -> Result<ContactDone, AgentError> {
        let number = wanted(&input.phone)?;
        let (household, fields) = self.read_household(id)?;
        let same = household
            .contacts
            .iter()
            .find(|known| known.phone == number);
        if same.is_none() && household.contacts.len() >= CONTACTS_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "contacts",
                limit: CONTACTS_MAX,
            }));
        }
        let is_free = |contact: &String| {
            let held = fields.root_text(&format!("phone.{contact}"));
            held.is_empty() || held == number
        };
        let fresh = (0..=CONTACTS_MAX).map(|twin| contact_id(&number, twin));
        let contact = match same {
            Some(known) => known.id.clone(),
            None => fresh.into_iter().find(is_free).unwrap_or_default(),
        };
        self.write_contact(
            id,
            contact,
            Some(number),
            Some(&input.whose).filter(|w| !w.is_empty()),
        )
    }

    /// Changes a further telephone, or whose it is; none leaves it.
    pub fn edit_contact(
        &mut self,
        id: &DocId,
        name: &str,
        number: Option<&str>,
        whose: Option<&String>,
    ) -> Result<ContactDone, AgentError> {
        let (household, _) = self.read_household(id)?;
        let contact = name_contact(&household, name)?;
        let number = number.map(wanted).transpose()?;
        self.write_contact(id, contact, number, whose)
    }

    /// Takes a further telephone away; the others stay as they are.
    pub fn remove_contact(&mut self, id: &DocId, name: &str) -> Result<ContactDone, AgentError> {
        let (household, _) = self.read_household(id)?;
        let contact = name_contact(&household, name)?;
        self.write_contact(id, contact, Some(String::new()), None)
    }

    fn write_contact(
        &mut self,
        id: &DocId,
        contact: String,
        number: Option<String>,
        whose: Option<&String>,
    ) -> Result<ContactDone, AgentError> {
        let mut puts = Vec::new();
        puts.extend(number.map(|number| Put::root(&format!("phone.{contact}"), number)));
        if let Some(whose) = whose {
            at_most("whose", whose, LINE_CHARS_MAX)?;
            puts.push(Put::root(&format!("phone.{contact}.whose"), whose.as_str()));
        }
        let changed = self.write_household(id, puts)?;
        Ok(ContactDone {
            household: *id,
            contact,
            changed,
        })
    }
}

fn wanted(typed: &str) -> Result<String, AgentError> {
    let expected = "11 digits beginning with 1, or a landline with its area code";
    phone("phone", typed)?.ok_or_else(|| bad("phone", typed, expected))
}

/// Returns the telephone that a name means: an id, the place in the list from 1, the end of a number.
fn name_contact(household: &Household, typed: &str) -> Result<String, AgentError> {
    let all = &household.contacts;
    if let Some(contact) = place_in_list(typed).and_then(|row| all.get(row)) {
        return Ok(contact.id.clone());
    }
    let by_tail = typed.len() >= TAIL_DIGITS_MIN;
    let mut found = all
        .iter()
        .filter(|contact| contact.id == typed || (by_tail && contact.phone.ends_with(typed)));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.id.clone()),
        (None, _) => Err(AgentError::NotFound {
            what: Sought::Entry,
            name: typed.to_owned(),
        }),
        (Some(_), Some(_)) => Err(AgentError::Ambiguous {
            name: typed.to_owned(),
            candidates: all
                .iter()
                .map(|contact| (contact.id.clone(), contact.whose.clone()))
                .collect(),
        }),
    }
}
