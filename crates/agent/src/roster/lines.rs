//! Which rows below the header are people or households, and which only decorate the sheet.
//!
//! Titles, page headers, totals, signatures and numbered but empty rows are passed over; a row that
//! names a village group (`第三组`) speaks for the rows under it.

use std::collections::BTreeMap;

use wangge_model::{door, text};

use super::grid::{Cell, Sheet};
use super::header::Header;
use super::reading::{Layout, Meaning};

/// A row with something in it for a household.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) row: u32,
    /// The group of the section it stands in.
    pub(super) section: Option<u16>,
}

/// Words that begin a row of sums.
const TOTALS: [&str; 8] = [
    "合计",
    "总计",
    "小计",
    "共计",
    "累计",
    "总人数",
    "总户数",
    "总人口",
];
/// Words that begin a line about the sheet: `填表人：…`, or alone in its row.
const ABOUT: [&str; 18] = [
    "填表",
    "制表",
    "填报",
    "审核",
    "经办",
    "负责人",
    "联系人",
    "日期",
    "单位",
    "村民委员会",
    "注",
    "注意",
    "备注",
    "说明",
    "村(社区)",
    "盖章",
    "签字",
    "网格员",
];
/// Meanings that make a row one of a person even alone.
const PERSONAL: [Meaning; 10] = [
    Meaning::Name,
    Meaning::HeadName,
    Meaning::Members,
    Meaning::Relation,
    Meaning::IdNumber,
    Meaning::HeadIdNumber,
    Meaning::Phone,
    Meaning::HeadPhone,
    Meaning::Birth,
    Meaning::Sex,
];
/// Meanings that make a row one of an address where nobody is listed.
const PLACED: [Meaning; 2] = [Meaning::Address, Meaning::Residence];

/// Returns the rows that hold people or households, in order.
pub(super) fn lines(sheet: &Sheet, header: &Header) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut section = None;
    for (row, cells) in sheet.rows().filter(|(row, _)| *row > header.row) {
        if let Some(group) = section_title(cells) {
            section = Some(group);
            continue;
        }
        if header.is_repeated_in(cells)
            || is_about_the_sheet(header, cells)
            || !is_of_a_household(header, cells)
        {
            continue;
        }
        lines.push(Line { row, section });
    }
    lines
}

/// Returns the group a title names (`第三组`, `3社`); a bare number names none.
pub(super) fn group_title(title: &str) -> Option<u16> {
    let title = text::compact(title);
    let title = title.split(['(', ':']).next().unwrap_or_default();
    text::numeral(title)
        .is_none()
        .then(|| door::group(title))
        .flatten()
}

fn section_title(cells: &BTreeMap<u32, Cell>) -> Option<u16> {
    let mut cells = cells.values();
    match (cells.next(), cells.next()) {
        (Some(only), None) => group_title(&only.shown()),
        _ => None,
    }
}

fn is_about_the_sheet(header: &Header, cells: &BTreeMap<u32, Cell>) -> bool {
    let begins = |cell: &Cell| {
        let begin = text::compact(&cell.shown());
        TOTALS.iter().any(|word| begin.starts_with(word))
    };
    let name_columns = [
        header.column(Meaning::Name),
        header.column(Meaning::HeadName),
    ];
    let in_name = name_columns
        .into_iter()
        .flatten()
        .filter_map(|column| cells.get(&column))
        .any(begins);
    let first = cells.iter().next();
    let about = first.is_some_and(|(column, cell)| {
        let begin = text::compact(&cell.shown());
        let is_remark = header.meaning(*column) == Some(Meaning::Remark);
        let labels = begin.contains(':') || cells.len() == 1;
        labels && !is_remark && ABOUT.iter().any(|word| begin.starts_with(word))
    });
    in_name || about || first.is_some_and(|(_, cell)| begins(cell))
}

fn is_of_a_household(header: &Header, cells: &BTreeMap<u32, Cell>) -> bool {
    let meanings = || cells.keys().filter_map(|column| header.meaning(*column));
    if cells.len() == 1 {
        let lone = meanings().next();
        let is_name = matches!(lone, Some(Meaning::Name | Meaning::HeadName));
        return if is_name {
            cells.values().all(could_be_a_name)
        } else {
            matches!(lone, Some(Meaning::Members)) && header.layout == Layout::HouseholdRows
                || matches!(lone, Some(Meaning::IdNumber | Meaning::Relation))
        };
    }
    let personal = meanings().any(|meaning| meaning != Meaning::Sex && PERSONAL.contains(&meaning));
    personal
        || meanings()
            .filter(|meaning| PLACED.contains(meaning))
            .count()
            > 0
}

/// Titles are longer than names and hold signs and figures.
fn could_be_a_name(cell: &Cell) -> bool {
    let name = cell.tidy();
    let sheet_words = [
        "花名册",
        "台账",
        "名单",
        "登记表",
        "统计表",
        "一览表",
        "信息表",
        "续表",
    ];
    name.chars().count() <= 16
        && !name
            .chars()
            .any(|c| c.is_ascii_digit() || matches!(c, ':' | '、' | '。'))
        && !sheet_words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_a_group_and_a_bare_number_does_not() {
        for (title, group) in [
            ("第三组", Some(3)),
            ("3社", Some(3)),
            ("一组（35户）", Some(1)),
            ("二组：", Some(2)),
            ("3", None),
            ("三", None),
            ("Sheet1", None),
            ("2026年户籍台账", None),
            ("李家湾组", None),
        ] {
            assert_eq!(group_title(title), group, "{title}");
        }
    }

    #[test]
    fn titles_are_no_names() {
        let name = |typed: &str| could_be_a_name(&Cell::Text(typed.to_owned()));
        assert!(name("张三") && name("阿依古丽·买买提") && name("冯 子轩"));
        for typed in [
            "乌木镇花名册",
            "2026年",
            "填表人：张三",
            "以上各户情况属实，已逐户核对并公示无异议",
        ] {
            assert!(!name(typed), "{typed}");
        }
    }
}
