//! One row's person: the cells about somebody, read into a member.
//!
//! **The identity number is believed before the other columns**: birth and sex come from it where it
//! passed its check, and a column that says otherwise is refused.

use wangge_model::care::Care;
use wangge_model::{relation, text};

use super::cells;
use super::grid::Sheet;
use super::header::Header;
use super::reading::{Layout, Meaning, Reason, RosterMember};
use super::refusals::{At, Refusals};

/// A row of a sheet, seen through its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowView<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) header: &'a Header,
    pub(super) row: u32,
}

/// Somebody, before it is known in whose household.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) member: RosterMember,
    /// Tags on the row, with their columns.
    pub(super) tags: Vec<(Care, u32)>,
}

impl<'a> RowView<'a> {
    /// Returns the row's own cell of a meaning.
    pub(super) fn own(self, meaning: Meaning) -> Option<At<'a>> {
        self.at(self.header.column(meaning)?)
    }

    /// Returns the cell of a meaning, or the merged cell the row lies in.
    pub(super) fn own_or_merged(self, meaning: Meaning) -> Option<At<'a>> {
        let column = self.header.column(meaning)?;
        let cell = self.sheet.cell_or_merged(self.row, column)?;
        Some(At {
            row: self.row,
            column,
            cell,
        })
    }

    /// Says whether the cell of a meaning is merged with the rows below.
    pub(super) fn spans_rows(self, meaning: Meaning) -> bool {
        self.header
            .column(meaning)
            .is_some_and(|column| self.sheet.spans_rows(self.row, column))
    }

    /// Returns the name of the household's head where a column of its own says it.
    pub(super) fn head_name(self) -> Option<String> {
        let at = self.own_or_merged(Meaning::HeadName)?;
        let name = text::person_name(&at.cell.tidy());
        (!name.is_empty()).then_some(name)
    }

    pub(super) fn at(self, column: u32) -> Option<At<'a>> {
        let cell = self.sheet.cell(self.row, column)?;
        Some(At {
            row: self.row,
            column,
            cell,
        })
    }

    /// In a row of a household every column about a person is about its head.
    fn of_person(self, meaning: Meaning, of_head: Meaning) -> Option<At<'a>> {
        match self.header.layout {
            Layout::PersonRows => self.own(meaning),
            Layout::HouseholdRows => self.own(of_head).or_else(|| self.own(meaning)),
        }
    }

    fn name_column(self) -> Option<u32> {
        let head = self.header.column(Meaning::HeadName);
        match self.header.layout {
            Layout::PersonRows => self.header.column(Meaning::Name),
            Layout::HouseholdRows => head.or(self.header.column(Meaning::Name)),
        }
    }
}

impl Person {
    /// Reads the row's person; empty where the row has nothing about one.
    pub(super) fn read(view: RowView<'_>, refusals: &mut Refusals<'_>) -> Person {
        let mut member = RosterMember::default();
        let mut name_refused = false;
        if let Some(at) = view.of_person(Meaning::Name, Meaning::HeadName) {
            (member.name, member.note) = cells::name(at, refusals);
            name_refused = member.name.is_empty() && !text::means_none(&at.cell.tidy());
        }
        if let Some(at) = view.of_person(Meaning::IdNumber, Meaning::HeadIdNumber) {
            member.id_number = cells::id_number(at, refusals);
        }
        if let Some(at) = view.of_person(Meaning::Phone, Meaning::HeadPhone) {
            member.phone = cells::phone(at, refusals);
        }
        if let Some(at) = view.own(Meaning::Relation) {
            member.relation = cells::relation(at, refusals);
        }
        sex_and_birth(view, &mut member, refusals);
        let person = Person {
            tags: tags(view, refusals),
            member,
        };
        if person.member.name.is_empty() && !name_refused && person.is_somebody() {
            person.refuse_missing_name(view, refusals);
        }
        person
    }

    /// Says whether the row tells of anybody at all.
    pub(super) fn is_somebody(&self) -> bool {
        let member = &self.member;
        !member.name.is_empty()
            || member.id_number.is_some()
            || member.phone.is_some()
            || member.relation.is_some()
            || member.birth.is_some()
    }

    pub(super) fn is_head(&self) -> bool {
        self.member.relation.as_deref() == Some(relation::HEAD)
    }

    pub(super) fn refuse_missing_name(&self, view: RowView<'_>, refusals: &mut Refusals<'_>) {
        if let Some(column) = view.name_column() {
            refusals.add(view.row, column, "", Reason::NameMissing);
        }
    }
}

fn sex_and_birth(view: RowView<'_>, member: &mut RosterMember, refusals: &mut Refusals<'_>) {
    let typed_sex = view
        .own(Meaning::Sex)
        .map(|at| (at, cells::sex(at, refusals)));
    let typed_birth = view
        .own(Meaning::Birth)
        .map(|at| (at, cells::birth(at, refusals)));
    let Some(id) = &member.id_number else {
        member.sex = typed_sex.and_then(|(_, sex)| sex);
        member.birth = typed_birth.and_then(|(_, birth)| birth);
        return;
    };
    member.sex = Some(id.sex());
    member.birth = Some((id.birth_year(), id.birth_month()));
    if let Some((at, Some(sex @ (1 | 2)))) = typed_sex
        && member.sex != Some(sex)
    {
        refusals.at(at, Reason::SexDiffers);
    }
    if let Some((at, Some(birth))) = typed_birth
        && member.birth != Some(birth)
    {
        refusals.at(at, Reason::BirthDiffers);
    }
}

fn tags(view: RowView<'_>, refusals: &mut Refusals<'_>) -> Vec<(Care, u32)> {
    let mut tags = Vec::new();
    if let Some(at) = view.own(Meaning::Care) {
        tags.extend(
            cells::care_words(at, refusals)
                .into_iter()
                .map(|tag| (tag, at.column)),
        );
    }
    for (column, tag) in view.header.care_flags() {
        if let Some(at) = view.at(column) {
            tags.extend(
                cells::care_flag(at, tag, refusals)
                    .into_iter()
                    .map(|tag| (tag, column)),
            );
        }
    }
    tags
}
