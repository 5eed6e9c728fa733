//! Lists as files: one table of columns and rows, as CSV or as a workbook.
//!
//! **A file appears whole or not at all**, and never in the place of another one unless that was asked
//! for. What a spreadsheet would take for a formula is made text: a name typed on one device must not
//! run on another.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::error::AgentError;

/// Widest column of a workbook, in digits of the usual font.
const COLUMN_WIDTH_MAX: usize = 60;
/// Characters of a sheet's name that a workbook allows.
const SHEET_NAME_CHARS_MAX: usize = 31;
/// What a spreadsheet begins a formula with, in both widths, and what hides one.
const FORMULA_SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A list that is to leave as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is: the sheet's name.
    pub name: String,
    /// The headings.
    pub columns: Vec<String>,
    /// The rows, each as long as the headings.
    pub rows: Vec<Vec<Cell>>,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A count.
    Number(u32),
}

/// The form of a file, as its name's ending says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UTF-8 with the mark that makes spreadsheets read it as such, lines ended by CR LF.
    Csv,
    /// A workbook of one sheet.
    Xlsx,
}

impl Form {
    /// Returns the form that a file's name asks for.
    pub fn of(path: &Path) -> Result<Self, AgentError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Form::Csv),
            Some("xlsx") => Ok(Form::Xlsx),
            _ => Err(AgentError::BadValue {
                field: "out",
                value: path.display().to_string(),
                expected: "a file name that ends in .csv or .xlsx",
            }),
        }
    }
}

impl Table {
    /// Returns a table without rows.
    pub fn new(name: &str, columns: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            columns: columns.iter().map(|text| (*text).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Says no to a file of another form, or one that is there and is not to be replaced.
    pub fn check(path: &Path, replace: bool) -> Result<Form, AgentError> {
        let form = Form::of(path)?;
        if !replace && path.exists() {
            return Err(AgentError::FileExists {
                path: path.to_owned(),
            });
        }
        Ok(form)
    }

    /// Writes the table to a file; one that is there is replaced only if `replace` says so.
    pub fn write(&self, path: &Path, replace: bool) -> Result<(), AgentError> {
        let form = Self::check(path, replace)?;
        let bytes = match form {
            Form::Csv => self.csv()?,
            Form::Xlsx => self.xlsx()?,
        };
        keep(path, |file| file.write_all(&bytes))
    }

    /// Returns the table as CSV.
    pub fn csv(&self) -> Result<Vec<u8>, AgentError> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer("\u{feff}".as_bytes().to_vec());
        let internal = |error: csv::Error| AgentError::Internal(error.to_string());
        writer.write_record(&self.columns).map_err(internal)?;
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                Cell::Text(text) => harmless(text),
                Cell::Number(number) => number.to_string(),
            });
            writer.write_record(cells).map_err(internal)?;
        }
        writer
            .into_inner()
            .map_err(|error| AgentError::Internal(error.to_string()))
    }

    /// Returns the table as a workbook.
    pub fn xlsx(&self) -> Result<Vec<u8>, AgentError> {
        self.workbook()
            .map_err(|error| AgentError::Internal(error.to_string()))
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name(sheet_name(&self.name))?;
        let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
        for (column, heading) in (0u16..).zip(&self.columns) {
            sheet.write_with_format(0, column, heading, &bold)?;
        }
        for (line, row) in (1u32..).zip(&self.rows) {
            for (column, cell) in (0u16..).zip(row) {
                match cell {
                    Cell::Text(said) if said.is_empty() => {}
                    Cell::Text(said) => {
                        sheet.write_string_with_format(line, column, harmless(said), &text)?;
                    }
                    Cell::Number(number) => {
                        sheet.write_number(line, column, *number)?;
                    }
                }
            }
        }
        for (column, width) in (0u16..).zip(self.widths()) {
            sheet.set_column_width(column, width)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        book.save_to_buffer()
    }

    /// Returns the width of each column: a Han character counts two.
    fn widths(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().enumerate().map(|(at, heading)| {
            let cells = self.rows.iter().filter_map(|row| match row.get(at)? {
                Cell::Text(text) => Some(width(text)),
                Cell::Number(number) => Some(number.to_string().len()),
            });
            let widest = cells.chain([width(heading)]).max().unwrap_or_default();
            u32::try_from(widest.min(COLUMN_WIDTH_MAX) + 2).unwrap_or_default()
        })
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

/// Returns the text with an apostrophe before what a spreadsheet would calculate.
fn harmless(text: &str) -> String {
    let first = text.trim_start_matches(' ').chars().next();
    if first.is_some_and(|sign| FORMULA_SIGNS.contains(&sign)) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn width(text: &str) -> usize {
    let cells = text.chars().map(|sign| if sign.is_ascii() { 1 } else { 2 });
    cells.sum()
}

fn sheet_name(name: &str) -> String {
    let fits = |sign: &char| !"[]:*?/\\'".contains(*sign);
    name.chars()
        .filter(fits)
        .take(SHEET_NAME_CHARS_MAX)
        .collect()
}

/// Fills a file beside `path` and puts it in its place when it is whole and on the disk.
fn keep(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), AgentError> {
    let part = part_of(path);
    let done = new_file(&part)
        .and_then(|mut file| {
            fill(&mut file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&part, path));
    done.map_err(|error| {
        // A file that was not begun cannot be removed, and one that cannot be removed is named by
        // its ending; what matters is why the list did not leave.
        let _ = fs::remove_file(&part);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AgentError::DiskFull,
            _ => AgentError::Unwritable {
                path: path.to_owned(),
                reason: error.to_string(),
            },
        }
    })
}

fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Opens a file that only its owner reads: a list holds people.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may fail loudly"
    )]

    use super::*;
    use calamine::{Data, Reader as _};

    fn table() -> Table {
        let mut table = Table::new("住户", &["户主", "人数", "备注"]);
        for note in [
            "=1+1",
            " +2",
            "＝cmd|x",
            "@sum",
            "-3",
            "\t=1",
            "二,\"三\"",
            "一=一",
        ] {
            table
                .rows
                .push(vec!["王**".into(), Cell::Number(3), note.into()]);
        }
        table
    }

    fn cells(bytes: &[u8]) -> Vec<Vec<Data>> {
        let mut book = calamine::Xlsx::new(io::Cursor::new(bytes.to_vec())).unwrap();
        let sheet = book.worksheet_range("住户").unwrap();
        sheet.rows().map(<[Data]>::to_vec).collect()
    }

    #[test]
    fn a_csv_opens_as_utf_8_and_quotes_what_must_be() {
        let text = String::from_utf8(table().csv().unwrap()).unwrap();
        assert!(
            text.starts_with("\u{feff}户主,人数,备注\r\n王**,3,'=1+1\r\n"),
            "{text}"
        );
        assert!(text.contains("王**,3,\"二,\"\"三\"\"\"\r\n"), "{text}");
    }

    #[test]
    fn nothing_a_person_typed_is_calculated_in_either_form() {
        let expected = [
            "'=1+1",
            "' +2",
            "'＝cmd|x",
            "'@sum",
            "'-3",
            "'\t=1",
            "二,\"三\"",
            "一=一",
        ];
        let csv = table().csv().unwrap();
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        let read: Vec<String> = reader
            .records()
            .map(|row| row.unwrap()[2].to_owned())
            .collect();
        assert_eq!(read, expected);
        let rows = cells(&table().xlsx().unwrap());
        let read: Vec<String> = rows[1..].iter().map(|row| row[2].to_string()).collect();
        assert_eq!(read, expected);
        assert_eq!(rows[1][1], Data::Float(3.0), "a count stays a number");
    }

    #[test]
    fn a_han_character_is_two_wide() {
        let widths: Vec<u32> = Table::new("x", &["户主", "ab"]).widths().collect();
        assert_eq!(widths, [6, 4]);
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        fs::write(&path, "mine").unwrap();
        let error = table().write(&path, false).unwrap_err();
        assert!(matches!(error, AgentError::FileExists { .. }));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        table().write(&path, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), table().csv().unwrap());
    }

    #[test]
    fn a_disk_that_fills_up_leaves_what_was_there_and_nothing_half() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        fs::write(&path, "mine").unwrap();
        let error = keep(&path, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(error, Err(AgentError::DiskFull)));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let error = table().write(&dir.path().join("none/list.xlsx"), false);
        assert!(matches!(error, Err(AgentError::Unwritable { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn another_ending_is_refused_before_anything_is_written() {
        let error = Form::of(Path::new("list.pdf"));
        assert!(matches!(
            error,
            Err(AgentError::BadValue { field: "out", .. })
        ));
        assert_eq!(Form::of(Path::new("名单.XLSX")).unwrap(), Form::Xlsx);
    }
}
