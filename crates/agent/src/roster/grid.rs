//! A sheet as typed cells at their places, whatever kind of file it came from.
//!
//! Rows and columns are absolute, so that every complaint can name the cell the importer sees
//! (`C17`). Empty cells are not kept; a merged region has its value at its first cell only.

use std::collections::BTreeMap;

use wangge_model::text;

/// Numbers from here on have lost digits: a spreadsheet keeps fifteen.
const EXACT_BELOW: f64 = 1e15;

/// One sheet of a file.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) hidden: bool,
    rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    merges: Merges,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(f64),
    Date {
        year: u16,
        month: u8,
        day: u8,
    },
    Flag(bool),
    /// A formula that failed (`#N/A`).
    Failed(String),
}

/// Merged regions, looked up by column.
#[derive(Debug, Default)]
struct Merges {
    /// (column, first row) to (last row, the column of the value).
    by_column: BTreeMap<(u32, u32), (u32, u32)>,
}

impl Sheet {
    pub(super) fn new(name: &str, hidden: bool) -> Sheet {
        Sheet {
            name: name.to_owned(),
            hidden,
            ..Sheet::default()
        }
    }

    /// Puts a cell in its place; text of nothing but white space is no cell.
    pub(super) fn put(&mut self, row: u32, column: u32, cell: Cell) {
        if matches!(&cell, Cell::Text(typed) if text::tidy(typed).is_empty()) {
            return;
        }
        self.rows.entry(row).or_default().insert(column, cell);
    }

    /// Notes a merged region, both ends included. Regions wider than any table are decoration.
    pub(super) fn merge(&mut self, first: (u32, u32), last: (u32, u32)) {
        const WIDTH_MAX: u32 = 256;
        if last.1.saturating_sub(first.1) > WIDTH_MAX || last.0 < first.0 {
            return;
        }
        for column in first.1..=last.1 {
            self.merges
                .by_column
                .insert((column, first.0), (last.0, first.1));
        }
    }

    /// Returns the rows that hold anything, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u32, &BTreeMap<u32, Cell>)> {
        self.rows.iter().map(|(row, cells)| (*row, cells))
    }

    pub(super) fn row(&self, row: u32) -> Option<&BTreeMap<u32, Cell>> {
        self.rows.get(&row)
    }

    pub(super) fn cell(&self, row: u32, column: u32) -> Option<&Cell> {
        self.rows.get(&row)?.get(&column)
    }

    /// Returns the cell, or the value of the merged region it lies in.
    pub(super) fn cell_or_merged(&self, row: u32, column: u32) -> Option<&Cell> {
        self.cell(row, column).or_else(|| {
            let (first_row, _, value_column) = self.merges.region(row, column)?;
            self.cell(first_row, value_column)
        })
    }

    /// Says whether the cell begins a region that goes on in the rows below.
    pub(super) fn spans_rows(&self, row: u32, column: u32) -> bool {
        self.merges
            .region(row, column)
            .is_some_and(|(first, last, _)| first == row && last > first)
    }

    /// Says whether any region of several rows lies in this column below this row.
    pub(super) fn column_is_merged(&self, column: u32, below_row: u32) -> bool {
        self.merges
            .by_column
            .range((column, below_row)..=(column, u32::MAX))
            .any(|((_, first), (last, _))| last > first)
    }
}

impl Merges {
    /// First row, last row and value column of the region around a cell.
    fn region(&self, row: u32, column: u32) -> Option<(u32, u32, u32)> {
        let ((_, first), (last, value_column)) = self
            .by_column
            .range((column, 0)..=(column, row))
            .next_back()?;
        (*last >= row).then_some((*first, *last, *value_column))
    }
}

impl Cell {
    /// Returns what the cell shows, as typed; whole numbers without a decimal point.
    pub(super) fn shown(&self) -> String {
        match self {
            Cell::Text(typed) => typed.trim().to_owned(),
            Cell::Number(number) if number.fract() == 0.0 => format!("{number:.0}"),
            Cell::Number(number) => number.to_string(),
            Cell::Date { year, month, day } => format!("{year}-{month:02}-{day:02}"),
            Cell::Flag(true) => "是".to_owned(),
            Cell::Flag(false) => "否".to_owned(),
            Cell::Failed(error) => error.clone(),
        }
    }

    /// Returns the shown text tidied to half width, for everything but notes.
    pub(super) fn tidy(&self) -> String {
        let shown = text::tidy(&self.shown());
        match shown
            .strip_prefix("=\"")
            .and_then(|rest| rest.strip_suffix('"'))
        {
            Some(quoted) => quoted.to_owned(),
            None => shown,
        }
    }

    /// Says whether a number is so long that the spreadsheet has dropped digits.
    pub(super) fn is_rounded(&self) -> bool {
        matches!(self, Cell::Number(number) if number.abs() >= EXACT_BELOW)
    }
}

/// Returns a column's letters: `A`, `Z`, `AA`.
pub(super) fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(
            b'A'.saturating_add(u8::try_from(rest % 26).unwrap_or(0)),
        ));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// Returns a cell's name as spreadsheets show it, from rows and columns that count from zero.
pub(super) fn cell_name(row: u32, column: u32) -> String {
    format!("{}{}", column_letters(column), row.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_spreadsheets_name_them() {
        for (column, letters) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (27, "AB"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
        ] {
            assert_eq!(column_letters(column), letters);
        }
        assert_eq!(cell_name(16, 2), "C17");
    }

    #[test]
    fn a_merged_region_lends_its_value_to_its_cells_only() {
        let mut sheet = Sheet::new("s", false);
        sheet.put(3, 0, Cell::Number(7.0));
        sheet.merge((3, 0), (5, 0));
        sheet.merge((7, 0), (8, 0));
        let shown = |row| sheet.cell_or_merged(row, 0).map(Cell::shown);
        assert_eq!(shown(3).as_deref(), Some("7"));
        assert_eq!(shown(5).as_deref(), Some("7"));
        assert_eq!(shown(6), None);
        assert_eq!(shown(8), None, "an empty region has nothing to lend");
        assert!(sheet.spans_rows(3, 0) && !sheet.spans_rows(4, 0));
        assert!(
            sheet.column_is_merged(0, 3)
                && !sheet.column_is_merged(0, 8)
                && !sheet.column_is_merged(1, 0)
        );
    }

    #[test]
    fn cells_show_whole_numbers_without_a_point() {
        assert_eq!(Cell::Number(13_980_479_377.0).shown(), "13980479377");
        assert_eq!(Cell::Number(1967.09).shown(), "1967.09");
        assert!(Cell::Number(511_799_196_709_039_075.0).is_rounded());
        assert!(!Cell::Number(13_980_479_377.0).is_rounded());
        assert_eq!(Cell::Text("=\"５１１\"".to_owned()).tidy(), "511");
    }
}
