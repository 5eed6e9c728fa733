//! Understanding a village's roster: a spreadsheet as it is, turned into households.
//!
//! Every village keeps its own: merged cells, members in one cell, titles and totals, numbers that
//! became floats, ids with a wrong digit, columns in any order. The rules this module keeps:
//!
//! * **meaning comes from the header's words**, never from a column's place;
//! * **one bad value costs one value**: it is listed with its cell and a reason, its row is read;
//! * **columns this tool has no business with** (民族, 宗教, 收入 …) are counted and left behind.
//!
//! ```text
//! file ── sheets ── header ── lines ── people and households ── who a care tag means
//! ```
//!
//! Reading writes nothing and asks nobody; what is done with the households is the importer's.

mod caring;
mod cells;
mod draft;
mod file;
mod grid;
mod header;
mod households;
mod lines;
mod looked;
mod member_cell;
mod person;
mod reading;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;

use wangge_model::tables;

pub use reading::{
    ColumnReading, Layout, LeftBehind, Meaning, Reason, Refused, Residence, Roster, RosterError,
    RosterHousehold, RosterMember, SheetReading,
};

use grid::{Sheet, column_letters};
use header::Header;
use households::Reader;
use lines::Line;

/// Reads a roster from a workbook (`.xlsx`, `.xls`, `.ods`) or a table in text form (`.csv`).
///
/// The file's content decides what it is. All sheets are read, hidden ones too; a sheet without a
/// header is named in [`Roster::sheets`] with no layout. Text that has no header anywhere is a
/// roster only by the name `.csv` or `.tsv`, otherwise [`RosterError::NotASpreadsheet`].
pub fn read(path: &Path) -> Result<Roster, RosterError> {
    let opened = file::open(path)?;
    let headers: Vec<Option<Header>> = opened.sheets.iter().map(Header::find).collect();
    if opened.is_text && headers.iter().all(Option::is_none) && !is_named_as_table(path) {
        return Err(RosterError::NotASpreadsheet);
    }
    let sheets: Vec<SheetInWork<'_>> = opened
        .sheets
        .iter()
        .zip(&headers)
        .map(|(sheet, header)| SheetInWork::begin(sheet, header.as_ref()))
        .collect();
    let year = Years {
        file: path
            .file_stem()
            .and_then(|stem| year_in(&stem.to_string_lossy())),
        latest_birth: sheets.iter().filter_map(SheetInWork::latest_birth).max(),
    };
    let mut roster = Roster::default();
    for sheet in sheets {
        sheet.finish(&year, &mut roster);
    }
    Ok(roster)
}

/// What is known of the year a roster is of, besides what its sheets say.
struct Years {
    file: Option<u16>,
    latest_birth: Option<u16>,
}

impl Years {
    /// The year of a sheet that does not say one: the file's, else the last one anything speaks for.
    ///
    /// No clock is asked, so that reading a file twice gives one answer: the newest birth in the file
    /// and the newest year of the calendar this program was built with are what is left.
    fn of_undated_sheet(&self) -> u16 {
        let calendar = tables::last_known_year().and_then(|year| u16::try_from(year).ok());
        self.file
            .or(self.latest_birth.max(calendar))
            .unwrap_or_default()
    }
}

/// A sheet whose rows are read and whose care tags still wait for the year.
struct SheetInWork<'a> {
    sheet: &'a Sheet,
    understood: Option<(&'a Header, Vec<Line>, Reader<'a>)>,
}

impl<'a> SheetInWork<'a> {
    fn begin(sheet: &'a Sheet, header: Option<&'a Header>) -> SheetInWork<'a> {
        let understood = header.map(|header| {
            let lines = lines::lines(sheet, header);
            let reader = Reader::read(sheet, header, &lines);
            (header, lines, reader)
        });
        SheetInWork { sheet, understood }
    }

    fn latest_birth(&self) -> Option<u16> {
        self.understood
            .as_ref()
            .and_then(|(.., reader)| reader.latest_birth())
    }

    fn finish(self, years: &Years, roster: &mut Roster) {
        let mut reading = SheetReading {
            sheet: self.sheet.name.clone(),
            hidden: self.sheet.hidden,
            ..SheetReading::default()
        };
        let Some((header, lines, reader)) = self.understood else {
            roster.sheets.push(reading);
            return;
        };
        reading.layout = Some(header.layout);
        reading.header_row = Some(header.row.saturating_add(1));
        reading.columns = columns(header, reader.number_column());
        reading.left_behind = left_behind(self.sheet, header, &lines);
        reading.year = stated_year(self.sheet, header);
        let year = reading.year.unwrap_or_else(|| years.of_undated_sheet());
        let (drafts, refusals) = reader.finish(year);
        for mut draft in drafts {
            looked::household(&mut draft.household, &mut roster.refused);
            let people = draft.household.members.len();
            reading.households = reading.households.saturating_add(1);
            reading.people = reading
                .people
                .saturating_add(u32::try_from(people).unwrap_or(u32::MAX));
            if draft.size.is_some_and(|size| usize::from(size) != people) {
                reading.size_differs.push(draft.household.row);
            }
            roster.households.push(draft.household);
        }
        roster.refused.extend(refusals.into_list());
        roster.sheets.push(reading);
    }
}

fn is_named_as_table(path: &Path) -> bool {
    path.extension().is_some_and(|end| {
        ["csv", "tsv"]
            .iter()
            .any(|known| end.eq_ignore_ascii_case(known))
    })
}

/// The understood columns; a running number that turned out to be the household's is said to be one.
fn columns(header: &Header, number_column: Option<u32>) -> Vec<ColumnReading> {
    header
        .columns()
        .into_iter()
        .map(|(column, meaning)| ColumnReading {
            column: column_letters(column),
            header: header.text(column).to_owned(),
            meaning: if number_column == Some(column) {
                Meaning::Number
            } else {
                meaning
            },
        })
        .collect()
}

/// Counts what stands under headers that mean nothing here, and under none.
fn left_behind(sheet: &Sheet, header: &Header, lines: &[Line]) -> Vec<LeftBehind> {
    let mut counts: BTreeMap<u32, u32> =
        header.unknown_columns().map(|column| (column, 0)).collect();
    for cells in lines.iter().filter_map(|line| sheet.row(line.row)) {
        for column in cells
            .keys()
            .filter(|column| header.meaning(**column).is_none())
        {
            let count = counts.entry(*column).or_default();
            *count = count.saturating_add(1);
        }
    }
    counts
        .into_iter()
        .map(|(column, cells)| LeftBehind {
            column: column_letters(column),
            header: header.text(column).to_owned(),
            cells,
        })
        .collect()
}

/// The year in a sheet's title or name: `花名册（2026年）`, `填表日期：2026.3.1`.
fn stated_year(sheet: &Sheet, header: &Header) -> Option<u16> {
    let titles = sheet
        .rows()
        .take_while(|(row, _)| *row < header.row)
        .flat_map(|(_, cells)| cells.values());
    titles
        .filter_map(|cell| year_in(&cell.shown()))
        .max()
        .or_else(|| year_in(&sheet.name))
}

/// The latest year of this century a text names, alone or at the head of a date.
fn year_in(text: &str) -> Option<u16> {
    let folded = wangge_model::text::half_width(text);
    folded
        .split(|c: char| !c.is_ascii_digit())
        .filter(|run| matches!(run.len(), 4 | 6 | 8))
        .filter_map(|run| run.get(..4)?.parse().ok())
        .filter(|year| (2000..=2099).contains(year))
        .max()
}
