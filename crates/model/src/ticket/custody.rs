//! Custody 代管: what of a resident's somebody holds while an errand is done, until it is back.
//!
//! **Nothing is taken out of the list**: what was given back has the day it was, so that nobody has to
//! remember whether the id card came home.

use serde::Serialize;
use wangge_crdt::{Fields, Put};

use crate::limits::{LINE_CHARS_MAX, TooLong, at_most};

const CUSTODY: &str = "custody";

/// One thing held for a resident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Custody {
    /// 16 hex digits.
    pub id: String,
    /// What it is: 身份证, 现金.
    pub item: String,
    /// How much or how many, as typed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub amount: String,
    /// The day it was taken, `2026-11-23`.
    pub taken: String,
    /// The day it was given back; none while it is held.
    pub returned: Option<String>,
}

/// Returns an error if something is past its limit.
pub fn check(custody: &Custody) -> Result<(), TooLong> {
    at_most("item", &custody.item, LINE_CHARS_MAX)?;
    at_most("amount", &custody.amount, LINE_CHARS_MAX)?;
    Ok(())
}

/// Returns the writes that say a thing was taken.
pub fn taken(custody: &Custody) -> Vec<Put> {
    let mut puts = vec![
        Put::entry(CUSTODY, &custody.id, "item", custody.item.as_str()),
        Put::entry(CUSTODY, &custody.id, "taken", custody.taken.as_str()),
    ];
    if !custody.amount.is_empty() {
        puts.push(Put::entry(
            CUSTODY,
            &custody.id,
            "amount",
            custody.amount.as_str(),
        ));
    }
    puts
}

/// Returns the write that says a thing was given back on a day.
pub fn returned(id: &str, on: &str) -> Put {
    Put::entry(CUSTODY, id, "returned", on)
}

/// Returns what was ever held, by the day it was taken.
pub fn read(fields: &Fields) -> Vec<Custody> {
    let mut held: Vec<Custody> = fields
        .entries(CUSTODY)
        .into_iter()
        .map(|(id, fields)| {
            let text = |key: &str| {
                let text = fields.get(key).and_then(|value| value.as_text());
                text.unwrap_or_default().to_owned()
            };
            Custody {
                id: id.to_owned(),
                item: text("item"),
                amount: text("amount"),
                taken: text("taken"),
                returned: Some(text("returned")).filter(|day| !day.is_empty()),
            }
        })
        .collect();
    held.sort_by(|a, b| (&a.taken, &a.id).cmp(&(&b.taken, &b.id)));
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;
    use wangge_crdt::Document;
    use wangge_wire::{ActorId, DocId};

    #[test]
    fn what_was_taken_stays_in_the_list_with_the_day_it_came_back() {
        let shape = kind::shape(kind::TICKET).unwrap();
        let mut doc = Document::begin(&shape, &DocId([2; 16])).unwrap();
        let card = Custody {
            id: "00aa".into(),
            item: "身份证".into(),
            amount: "1张".into(),
            taken: "2026-11-23".into(),
            returned: None,
        };
        doc.write(&ActorId([1; 8]), 5, &taken(&card)).unwrap();
        assert_eq!(read(&doc.fields()), std::slice::from_ref(&card));
        let back = [returned("00aa", "2026-11-25")];
        doc.write(&ActorId([1; 8]), 6, &back).unwrap();
        let returned = Some("2026-11-25".to_owned());
        assert_eq!(read(&doc.fields()), [Custody { returned, ..card }]);
    }
}
