//! What a sheet's texts must not bring along: identity numbers and words, taken out and listed.
//!
//! **The rest of the household is taken.** A remark is looked at in its cell; every other text once
//! more before it leaves the reader, whatever column it stood in.

use wangge_model::look::{self, Found, Sign};

use super::reading::{Reason, Refused, RosterHousehold};
use super::refusals::{At, Refusals};

/// Returns a remark without the clauses that must not be kept; each kind of them is listed once.
pub(super) fn remark(typed: String, at: At<'_>, refusals: &mut Refusals<'_>) -> String {
    let found = unwanted(&typed);
    for reason in reasons(&found) {
        refusals.at(at, reason);
    }
    look::without(&typed, &found)
}

/// Takes numbers that are never kept out of every other text of a household, and lists them.
pub(super) fn household(found: &mut RosterHousehold, refused: &mut Vec<Refused>) {
    let (sheet, row) = (found.sheet.clone(), found.row);
    let members = found
        .members
        .iter_mut()
        .flat_map(|member| [&mut member.name, &mut member.note]);
    let own = [&mut found.door, &mut found.note];
    let number = found.number.as_mut();
    for text in own.into_iter().chain(number).chain(members) {
        let hits = unwanted(text);
        for reason in reasons(&hits) {
            refused.push(Refused {
                sheet: sheet.clone(),
                cell: row.to_string(),
                value: look::masked(text, &hits),
                reason,
            });
        }
        if !hits.is_empty() {
            *text = look::without(text, &hits);
        }
    }
}

fn unwanted(text: &str) -> Vec<Found> {
    let mut found = look::look(text);
    found.retain(|found| found.sign.is_never_saved() || found.sign == Sign::Word);
    found
}

fn reasons(found: &[Found]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = found
        .iter()
        .map(|found| match found.sign {
            Sign::Word => Reason::NoteWord,
            Sign::BankCard => Reason::NoteBankCard,
            _ => Reason::NoteIdNumber,
        })
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}
