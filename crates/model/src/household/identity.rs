//! Which household and which person it is: ids that follow from what is said, and hashed id numbers.
//!
//! **Two devices that type the same family make one document**; an id number is never more than a
//! keyed hash.

use wangge_wire::{DocId, Level, id};

use super::Residence;
use super::new::{NewHousehold, NewMember, birth_text};
use crate::id_number::IdNumber;
use crate::relation;

/// The key id numbers are hashed with, and its short name.
#[derive(Clone)]
pub struct IdKey {
    key: [u8; 32],
}

impl IdKey {
    /// Returns the key with its name.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Returns what tells two keys apart: hashes of different keys stand beside each other.
    pub fn name(&self) -> String {
        blake3::hash(&self.key).to_hex().chars().take(8).collect()
    }

    /// Returns the keyed hash of an id number, 32 hex digits.
    pub fn hash(&self, number: &IdNumber) -> String {
        let hash = blake3::keyed_hash(&self.key, number.digits().as_bytes());
        hash.to_hex().chars().take(32).collect()
    }
}

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdKey({})", self.name())
    }
}

/// Returns the id that follows from what is said: village, group, door and head; without a door the
/// people ([`people_id`]).
pub fn derived_id(new: &NewHousehold, generation: u32) -> Option<DocId> {
    let village = new.area.at(Level::Village)?;
    // A row whose name could not be read is still the household behind this door.
    let head = new.members.first()?.name.as_str();
    if new.door.number.is_empty() {
        return people_id(new, generation);
    }
    let group = new
        .door
        .group
        .map(|group| group.to_string())
        .unwrap_or_default();
    let generation = generation.to_string();
    Some(DocId(hash(&[
        "household",
        village.as_str(),
        &group,
        &new.door.number,
        head,
        &generation,
    ])))
}

/// Returns the id that follows from who lives together: village, names and birth months of all.
///
/// None where the head's birth is not known: a name alone is too common to be an identity.
pub fn people_id(new: &NewHousehold, generation: u32) -> Option<DocId> {
    let village = new.area.at(Level::Village)?;
    new.members
        .first()
        .filter(|head| !head.name.is_empty())?
        .birth?;
    let mut people: Vec<String> = new
        .members
        .iter()
        .map(|member| {
            format!(
                "{} {}",
                member.name,
                birth_text(member.birth).unwrap_or_default()
            )
        })
        .collect();
    people.sort();
    let generation = generation.to_string();
    let mut parts = vec!["household of people", village.as_str(), &generation];
    parts.extend(people.iter().map(String::as_str));
    Some(DocId(hash(&parts)))
}

/// Returns the id of the `nth` household of a sheet of which the same is said, where [`derived_id`] and
/// [`people_id`] name none, or one that another row has: grid, door and head; without a door all that
/// the row says of it.
///
/// A remark is part of it only there: two rows without a door that say different things may be two
/// families. An id number never is: a hash without a key could be turned back into its digits.
pub fn row_id(new: &NewHousehold, nth: usize) -> DocId {
    let group = new.door.group.map(|group| group.to_string());
    let mut parts = vec![
        "household of a row".to_owned(),
        new.area.to_string(),
        group.unwrap_or_default(),
        new.door.number.clone(),
        nth.to_string(),
    ];
    if new.door.number.is_empty() {
        parts.push(new.phone.clone().unwrap_or_default());
        parts.push(new.residence.map_or("", Residence::code).to_owned());
        parts.push(new.note.clone());
        for member in &new.members {
            parts.push(member.name.clone());
            parts.push(birth_text(member.birth).unwrap_or_default());
            parts.push(member.relation.clone().unwrap_or_default());
            parts.push(member.phone.clone().unwrap_or_default());
            parts.push(member.note.clone());
        }
    } else {
        parts.extend(new.members.first().map(|head| head.name.clone()));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    DocId(hash(&parts))
}

/// Returns the id of a member of an imported household: name, birth month and relation decide.
///
/// Twins of one name in one month get their order in the sheet as well.
pub fn member_id(household: &DocId, member: &NewMember, twin: usize) -> String {
    let birth = birth_text(member.birth).unwrap_or_default();
    let relation = member.relation.as_deref().unwrap_or_default();
    let relation = if relation::is_head(relation) {
        "02"
    } else {
        relation
    };
    let household = household.to_string();
    let twin = if twin == 0 {
        String::new()
    } else {
        twin.to_string()
    };
    let hash = hash(&["member", &household, &member.name, &birth, relation, &twin]);
    DocId(hash).to_string()
}

/// Returns the id of a further telephone, 8 hex digits: the same number is the same entry everywhere.
///
/// `twin` tells it from an entry that was begun with this number and holds another one now.
pub fn contact_id(number: &str, twin: usize) -> String {
    let hash = hash(&["contact", number, &twin.to_string()]);
    DocId(hash).to_string().chars().take(8).collect()
}

/// Returns a 16-byte id of these parts; a separator no text contains keeps them apart.
fn hash(parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    id::truncate(hasher.finalize().as_bytes())
}
