//! The values of a sheet that were not taken, each with its cell and its reason.
//!
//! They are shown to the importer, whose file it is, and to nobody else; **even there an identity
//! number shows its first three and last two characters only**, in whichever column it was typed.

use wangge_model::{look, text};

use super::grid::{Cell, cell_name};
use super::reading::{Reason, Refused};

/// A cell and where it stands, for complaints about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) cell: &'a Cell,
}

/// The refused values of one sheet.
#[derive(Debug)]
pub(super) struct Refusals<'a> {
    sheet: &'a str,
    list: Vec<Refused>,
}

impl<'a> Refusals<'a> {
    pub(super) fn of(sheet: &'a str) -> Refusals<'a> {
        Refusals {
            sheet,
            list: Vec::new(),
        }
    }

    /// Notes a refused value; identity numbers are never written out in full.
    pub(super) fn add(&mut self, row: u32, column: u32, value: &str, reason: Reason) {
        let value = if reason.is_about_an_id() {
            masked(&text::compact(value))
        } else {
            // A number with gaps is no run: it is looked for after those without.
            let value = mask_runs(value);
            look::masked(&value, &look::never_saved(&value))
        };
        let cell = cell_name(row, column);
        self.list.push(Refused {
            sheet: self.sheet.to_owned(),
            cell,
            value,
            reason,
        });
    }

    pub(super) fn at(&mut self, at: At<'_>, reason: Reason) {
        self.add(at.row, at.column, &at.cell.shown(), reason);
    }

    pub(super) fn into_list(self) -> Vec<Refused> {
        self.list
    }
}

/// The first three and the last two characters, stars between.
fn masked(value: &str) -> String {
    let length = value.chars().count();
    value
        .chars()
        .enumerate()
        .map(|(i, c)| {
            if length > 5 && i >= 3 && i + 2 < length {
                '*'
            } else {
                c
            }
        })
        .collect()
}

/// Hides every run of digits long enough to be an identity number.
fn mask_runs(value: &str) -> String {
    const ID_LIKE: usize = 13;
    let mut out = String::with_capacity(value.len());
    let mut run = String::new();
    for c in value.chars().chain(['\0']) {
        let folded = text::half_width(c.encode_utf8(&mut [0; 4]));
        let in_number = folded
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, 'X' | 'x'));
        if in_number {
            run.push(c);
            continue;
        }
        let long = run.chars().count() >= ID_LIKE;
        out.push_str(&if long {
            masked(&run)
        } else {
            std::mem::take(&mut run)
        });
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_number_in_any_column_is_masked() {
        let mut refusals = Refusals::of("s");
        refusals.add(0, 0, "表叔公511799196709039075（大）", Reason::Relation);
        refusals.add(
            0,
            1,
            "５１１７９９１９６７０９０３９０７Ｘ",
            Reason::MemberPart,
        );
        refusals.add(0, 2, "5117 9919 6709 03", Reason::IdLength);
        refusals.add(0, 3, "13980479377", Reason::PhoneSecond);
        let shown: Vec<String> = refusals
            .into_list()
            .into_iter()
            .map(|refused| refused.value)
            .collect();
        assert_eq!(
            shown,
            [
                "表叔公511*************75（大）",
                "５１１*************７Ｘ",
                "511*********03",
                "13980479377"
            ]
        );
    }
}
