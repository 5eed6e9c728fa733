//! From the rows of a sheet to its households.
//!
//! A household begins at a head's row (户主), at a new household number or under a new head's name;
//! every other row belongs to the household above it. **A missing door is never borrowed from the
//! neighbours**: two families are at one door only where a merged cell says so.

use wangge_model::door::{self, Door};
use wangge_model::{relation, text};

use super::cells;
use super::draft::{Draft, append};
use super::grid::Sheet;
use super::header::Header;
use super::lines::{self, Line};
use super::member_cell;
use super::person::{Person, RowView};
use super::reading::{Layout, Meaning, Reason, Residence};
use super::refusals::{At, Refusals};

/// Remarks that speak of the household, whoever's row they stand on.
const WHOLE_HOUSEHOLD: [&str; 12] = [
    "整户外出",
    "全家外出",
    "举家外出",
    "全家外出务工",
    "空房",
    "空置",
    "空户",
    "无人居住",
    "房屋空置",
    "整户迁出",
    "全家迁出",
    "闲置",
];

/// Reads the households of one sheet.
pub(super) struct Reader<'a> {
    sheet: &'a Sheet,
    header: &'a Header,
    refusals: Refusals<'a>,
    /// The column of the household number, where the sheet has one.
    number_column: Option<u32>,
    /// The group is written once and holds for the households below.
    carries_group: bool,
    carried_group: Option<u16>,
    /// The group the sheet's own name says.
    sheet_group: Option<u16>,
    drafts: Vec<Draft>,
}

impl<'a> Reader<'a> {
    /// Reads the rows; care tags wait for [`Reader::finish`].
    pub(super) fn read(sheet: &'a Sheet, header: &'a Header, lines: &[Line]) -> Reader<'a> {
        let mut reader = Reader {
            sheet,
            header,
            refusals: Refusals::of(&sheet.name),
            number_column: None,
            carries_group: false,
            carried_group: None,
            sheet_group: lines::group_title(&sheet.name),
            drafts: Vec::new(),
        };
        reader.number_column = reader.find_number_column(lines);
        reader.carries_group = reader.groups_are_written_once(lines);
        for line in lines {
            match header.layout {
                Layout::PersonRows => reader.person_row(*line),
                Layout::HouseholdRows => reader.household_row(*line),
            }
        }
        let first_is_head = header.column(Meaning::Relation).is_none();
        for draft in &mut reader.drafts {
            draft.settle(first_is_head);
        }
        reader
    }

    /// Returns the column taken for the household number.
    pub(super) fn number_column(&self) -> Option<u32> {
        self.number_column
    }

    /// Returns the latest birth year read.
    pub(super) fn latest_birth(&self) -> Option<u16> {
        let members = self
            .drafts
            .iter()
            .flat_map(|draft| &draft.household.members);
        members
            .filter_map(|member| member.birth.map(|(year, _)| year))
            .max()
    }

    /// Gives the care tags, judging ages by this year, and hands everything over.
    pub(super) fn finish(mut self, year: u16) -> (Vec<Draft>, Refusals<'a>) {
        for draft in &mut self.drafts {
            draft.give_care(year, &mut self.refusals);
        }
        (self.drafts, self.refusals)
    }

    fn view(&self, row: u32) -> RowView<'a> {
        RowView {
            sheet: self.sheet,
            header: self.header,
            row,
        }
    }

    fn person_row(&mut self, line: Line) {
        let view = self.view(line.row);
        let person = Person::read(view, &mut self.refusals);
        let begins = self.begins_household(view, &person);
        if begins {
            self.begin(line);
        } else {
            self.compare_household_cells(view);
        }
        let Some(draft) = self.drafts.last_mut() else {
            return;
        };
        let somebody = person.is_somebody();
        if somebody {
            draft.add(person, line.row);
            remarks_on_person(view, draft, &mut self.refusals);
        } else {
            draft.tag(&person.tags, 0, line.row);
            remarks_on_household(view, draft, &mut self.refusals);
            if begins && !is_vacant(draft) {
                person.refuse_missing_name(view, &mut self.refusals);
            }
        }
    }

    fn household_row(&mut self, line: Line) {
        let view = self.view(line.row);
        let mut person = Person::read(view, &mut self.refusals);
        let somebody = person.is_somebody();
        let goes_on = !somebody
            && view.own(Meaning::Members).is_some()
            && view.own(Meaning::Address).is_none()
            && self.own_number(view).is_none()
            && !self.drafts.is_empty();
        if !goes_on {
            self.begin(line);
        }
        let Some(draft) = self.drafts.last_mut() else {
            return;
        };
        if somebody {
            person.member.relation = Some(relation::HEAD.to_owned());
            append(
                &mut draft.household.note,
                &std::mem::take(&mut person.member.note),
            );
            draft.add(person, line.row);
            remarks_on_household(view, draft, &mut self.refusals);
        } else {
            draft.tag(&person.tags, 0, line.row);
            remarks_on_household(view, draft, &mut self.refusals);
            if !goes_on && !is_vacant(draft) {
                person.refuse_missing_name(view, &mut self.refusals);
            }
        }
        if let Some(at) = view.own(Meaning::Members) {
            for listed in member_cell::read(at, &mut self.refusals) {
                draft.list(listed, at.row, at.column, &mut self.refusals);
            }
        }
    }

    fn begins_household(&self, view: RowView<'_>, person: &Person) -> bool {
        let Some(current) = self.drafts.last() else {
            return true;
        };
        if person.is_head() && current.takes_no_head() {
            return true;
        }
        let number = self.own_number(view);
        if number.is_some() && number != current.household.number {
            return true;
        }
        if view
            .head_name()
            .is_some_and(|name| name != current.named_head.name)
        {
            return true;
        }
        // Without a relation or a number, only another door can tell two households apart.
        let here = &current.household;
        let at_another_door = || {
            view.own(Meaning::Address).is_some_and(|at| {
                let address = at.cell.tidy();
                let elsewhere =
                    door::group_in_address(&address).is_some_and(|group| Some(group) != here.group);
                elsewhere || Door::parse(&address, &group_text(here.group)).number != here.door
            })
        };
        person.member.relation.is_none() && number.is_none() && at_another_door()
    }

    /// Starts a household with everything that is one household's: number, door, size, named head.
    fn begin(&mut self, line: Line) {
        let view = self.view(line.row);
        let mut draft = Draft::default();
        draft.household.sheet = self.sheet.name.clone();
        draft.household.row = line.row.saturating_add(1);
        draft.household.number = self.number_or_merged(view);
        let group_cell = self.group(view);
        let address = self.address(view).unwrap_or_default();
        let named = door::group_in_address(&address);
        if let (Some(group), Some(other), Some(at)) =
            (group_cell, named, view.own(Meaning::Address))
            && group != other
        {
            self.refusals.at(at, Reason::GroupDiffers);
        }
        let group = group_cell
            .or(named)
            .or(line.section)
            .or(self.carried_group)
            .or(self.sheet_group);
        let door = Door::parse(&address, &group_text(group));
        draft.household.group = door.group;
        draft.household.door = door.number;
        if self.header.layout == Layout::PersonRows {
            self.name_head(view, &mut draft);
        }
        draft.size = view
            .own_or_merged(Meaning::Size)
            .and_then(|at| text::numeral(at.cell.tidy().trim_end_matches('人')));
        self.drafts.push(draft);
    }

    fn name_head(&mut self, view: RowView<'_>, draft: &mut Draft) {
        draft.named_head.name = view.head_name().unwrap_or_default();
        if let Some(at) = view.own_or_merged(Meaning::HeadIdNumber)
            && let Some(number) = cells::id_number(at, &mut self.refusals)
        {
            draft.named_head.sex = Some(number.sex());
            draft.named_head.birth = Some((number.birth_year(), number.birth_month()));
            draft.named_head.id_number = Some(number);
        }
        if let Some(at) = view.own_or_merged(Meaning::HeadPhone) {
            draft.named_head.phone = cells::phone(at, &mut self.refusals);
        }
    }

    /// A group or address on a member's row completes the household's, or differs from it.
    fn compare_household_cells(&mut self, view: RowView<'_>) {
        let group = view
            .own(Meaning::Group)
            .and_then(|at| Some((at, cells::group(at, &mut self.refusals)?)));
        let address = view
            .own(Meaning::Address)
            .and_then(|at| Some((at, cells::address(at, &mut self.refusals)?)));
        let Some(draft) = self.drafts.last_mut() else {
            return;
        };
        let household = &mut draft.household;
        if let Some((at, group)) = group {
            match household.group {
                None => household.group = Some(group),
                Some(kept) if kept == group => {}
                Some(_) => self.refusals.at(at, Reason::GroupDiffers),
            }
        }
        if let Some((at, address)) = address {
            let door = Door::parse(&address, &group_text(household.group));
            if household.door.is_empty() {
                household.group = household.group.or(door.group);
                household.door = door.number;
            } else if household.door != door.number {
                self.refusals.at(at, Reason::AddressDiffers);
            }
        }
    }

    fn own_number(&self, view: RowView<'_>) -> Option<String> {
        number_text(view.at(self.number_column?)?)
    }

    fn number_or_merged(&self, view: RowView<'_>) -> Option<String> {
        let column = self.number_column?;
        let cell = self.sheet.cell_or_merged(view.row, column)?;
        number_text(At {
            row: view.row,
            column,
            cell,
        })
    }

    /// The group's own cell, refused where it cannot be read; a merged one was complained of above.
    fn group(&mut self, view: RowView<'_>) -> Option<u16> {
        let read = match view.own(Meaning::Group) {
            Some(at) => cells::group(at, &mut self.refusals),
            None => view
                .own_or_merged(Meaning::Group)
                .and_then(|at| cells::group(at, &mut Refusals::of(&self.sheet.name))),
        };
        if self.carries_group {
            self.carried_group = read.or(self.carried_group);
        }
        read
    }

    fn address(&mut self, view: RowView<'_>) -> Option<String> {
        match view.own(Meaning::Address) {
            Some(at) => cells::address(at, &mut self.refusals),
            None => view
                .own_or_merged(Meaning::Address)
                .and_then(|at| cells::address(at, &mut Refusals::of(&self.sheet.name))),
        }
    }

    /// A running number is the household's unless it goes on inside households.
    fn find_number_column(&self, lines: &[Line]) -> Option<u32> {
        if let Some(column) = self.header.column(Meaning::Number) {
            return Some(column);
        }
        let column = self.header.column(Meaning::Serial)?;
        if self.header.layout == Layout::HouseholdRows {
            return Some(column);
        }
        let (mut inside, mut running, mut above) = (0_usize, 0_usize, None);
        for line in lines {
            let serial = self.view(line.row).at(column).and_then(number_text);
            if above.is_some() && !self.is_heads_row(*line) {
                inside += 1;
                running += usize::from(serial.is_some() && Some(&serial) != above.as_ref());
            }
            above = Some(serial);
        }
        (running * 2 <= inside).then_some(column)
    }

    /// Fewer than half of the households say their group: it is written once for those below.
    fn groups_are_written_once(&self, lines: &[Line]) -> bool {
        let starts: Vec<&Line> = lines
            .iter()
            .filter(|line| self.header.layout == Layout::HouseholdRows || self.is_heads_row(**line))
            .collect();
        let says = |line: &&&Line| self.view(line.row).own_or_merged(Meaning::Group).is_some();
        let filled = starts.iter().filter(says).count();
        filled > 0 && filled * 2 < starts.len()
    }

    fn is_heads_row(&self, line: Line) -> bool {
        self.view(line.row)
            .own(Meaning::Relation)
            .and_then(|at| relation::code_of(&at.cell.tidy()).ok())
            .is_some_and(relation::is_head)
    }
}

fn group_text(group: Option<u16>) -> String {
    group.map(|group| group.to_string()).unwrap_or_default()
}

fn number_text(at: At<'_>) -> Option<String> {
    let typed = at.cell.tidy();
    let number = text::without_decimal_zeros(&typed);
    (!text::means_none(number)).then(|| number.to_owned())
}

/// Remark, residence and working away on a row of the person added last.
fn remarks_on_person(view: RowView<'_>, draft: &mut Draft, refusals: &mut Refusals<'_>) {
    let place = draft.household.members.len().saturating_sub(1);
    if let Some(at) = view.own(Meaning::Residence)
        && let Some(residence) = cells::residence(at, refusals)
    {
        let whose = if view.spans_rows(Meaning::Residence) {
            None
        } else {
            Some(place)
        };
        draft.living.push((whose, residence));
    }
    let remark = match view.own(Meaning::Remark) {
        Some(at) => match of_whole_household(at) {
            Some(residence) => {
                draft.living.push((None, residence));
                cells::Remark::default()
            }
            None => cells::remark(at, refusals),
        },
        None => cells::Remark::default(),
    };
    let away = view
        .own(Meaning::Away)
        .map(|at| cells::away(at, refusals))
        .unwrap_or_default();
    let Some(member) = draft.household.members.get_mut(place) else {
        return;
    };
    member.away |= remark.away || away.away;
    append(&mut member.note, &away.note);
    if view.spans_rows(Meaning::Remark) {
        append(&mut draft.household.note, &remark.note);
    } else {
        append(&mut member.note, &remark.note);
    }
}

/// The same on a row of a household: what the model has no place for stays in its note.
fn remarks_on_household(view: RowView<'_>, draft: &mut Draft, refusals: &mut Refusals<'_>) {
    if let Some(at) = view.own(Meaning::Residence)
        && let Some(residence) = cells::residence(at, refusals)
    {
        draft.living.push((None, residence));
    }
    let remark = match view.own(Meaning::Remark) {
        Some(at) => match of_whole_household(at).or_else(|| moved_out(at)) {
            Some(residence) => {
                draft.living.push((None, residence));
                cells::Remark::default()
            }
            None => cells::remark(at, refusals),
        },
        None => cells::Remark::default(),
    };
    let away = view
        .own(Meaning::Away)
        .map(|at| cells::away(at, refusals))
        .unwrap_or_default();
    append(&mut draft.household.note, &remark.note);
    append(&mut draft.household.note, &away.note);
    if let Some(head) = draft.household.members.first_mut() {
        head.away |= remark.away || away.away;
    }
}

fn of_whole_household(at: At<'_>) -> Option<Residence> {
    let word = text::compact(&at.cell.tidy());
    WHOLE_HOUSEHOLD
        .contains(&word.as_str())
        .then(|| cells::residence_word(&word))
        .flatten()
}

fn moved_out(at: At<'_>) -> Option<Residence> {
    cells::residence_word(&at.cell.tidy()).filter(|residence| *residence == Residence::MovedOut)
}

fn is_vacant(draft: &Draft) -> bool {
    draft
        .living
        .iter()
        .any(|(_, living)| matches!(living, Residence::Vacant | Residence::MovedOut))
}
