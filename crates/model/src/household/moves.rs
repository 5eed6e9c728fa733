//! A person who moves from one household to another keeps their id.
//!
//! **First they are added where they go, then marked where they were**: if only one half arrives,
//! nobody is lost. What somebody wrote at the old place without knowing of the move is found by
//! comparing what the old document said at the move with what it says now, and is shown until it is
//! brought to where the person lives.

use std::collections::BTreeSet;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::DocId;

use super::CARE;
use super::members::MEMBERS;

/// What belongs to a place and not to the person, and so does not travel.
const OF_THE_PLACE: [&str; 5] = ["relation", "left", "left_on", "moved_to", "moved_from"];

/// A field of a moved person that was written at the old place after the move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaterEdit {
    /// `members/<id>/phone`.
    pub field: String,
    /// The write that brings it to where the person lives.
    #[serde(skip)]
    pub put: Put,
}

/// Returns the writes that add a member of one household to another, under the same id.
///
/// Care that ended stays behind: it is history of the old place. A relation is one to the head, so
/// it does not travel; `relation` is the one in the new household.
pub fn copy_puts(member: &str, fields: &Fields, from: &DocId, relation: Option<&str>) -> Vec<Put> {
    let mut puts: Vec<Put> = person(member, fields)
        .filter(|(container, key, _)| *container != CARE || !has_ended(fields, key))
        .filter(|(_, _, value)| **value != Scalar::Null)
        .map(|(container, key, value)| Put {
            container,
            key: key.to_owned(),
            value: value.clone(),
        })
        .collect();
    let put = |field, value: Scalar| Put::entry(MEMBERS, member, field, value);
    puts.push(put("moved_from", from.to_string().into()));
    puts.extend(relation.map(|relation| put("relation", relation.into())));
    // Somebody who lived there once lives there again.
    puts.extend(super::return_puts(member));
    puts
}

/// Returns what was written of a moved person at the old place and is not said at the new one.
///
/// `then` is the old document as the move left it, `now` as it stands, `there` the new household's.
pub fn later_edits(member: &str, then: &Fields, now: &Fields, there: &Fields) -> Vec<LaterEdit> {
    person(member, now)
        .filter(|(container, key, value)| {
            let shown = |fields: &Fields| {
                let register = fields.get(container, key);
                register.map_or(Scalar::Null, |register| register.shown.clone())
            };
            shown(then) != **value && shown(there) != **value
        })
        .map(|(container, key, value)| LaterEdit {
            field: format!("{container}/{key}"),
            put: Put {
                container,
                key: key.to_owned(),
                value: value.clone(),
            },
        })
        .collect()
}

/// Returns the households this one names as where a member came from or went to; of concurrent moves
/// all of them.
pub fn connected(member: &str, fields: &Fields) -> BTreeSet<DocId> {
    ["moved_to", "moved_from"]
        .iter()
        .filter_map(|field| fields.get(MEMBERS, &format!("{member}/{field}")))
        .flat_map(|register| std::iter::once(&register.shown).chain(&register.others))
        .filter_map(|value| value.as_text()?.parse().ok())
        .collect()
}

/// Returns the registers that are the person's own: container, key, value.
fn person<'a>(
    member: &'a str,
    fields: &'a Fields,
) -> impl Iterator<Item = (&'static str, &'a str, &'a Scalar)> {
    let own = fields
        .container(MEMBERS)
        .filter_map(move |(key, register)| {
            let field = key.strip_prefix(member)?.strip_prefix('/')?;
            (!OF_THE_PLACE.contains(&field)).then_some((MEMBERS, key, &register.shown))
        });
    let care = fields.container(CARE).filter_map(move |(key, register)| {
        key.strip_prefix(member)?
            .starts_with('.')
            .then_some((CARE, key, &register.shown))
    });
    own.chain(care)
}

fn has_ended(fields: &Fields, key: &str) -> bool {
    let entry = key.split_once('/').map_or(key, |(entry, _)| entry);
    let until = fields.get(CARE, &format!("{entry}/until"));
    until.is_some_and(|until| until.shown.as_text().is_some_and(|text| !text.is_empty()))
}
