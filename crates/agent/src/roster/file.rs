//! From a file to its sheets: workbooks through calamine, CSV in whichever encoding it was saved.
//!
//! **The content decides, not the name**: offices send CSV called `.xls`. Sizes are bounded before
//! anything is inflated into memory cell by cell.

use std::io::{Cursor, Read};
use std::path::Path;

use calamine::{
    Data, DataRef, Ods, OdsError, Range, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb,
    Xlsx, XlsxError,
};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use wangge_crdt::gate::guarded;

use super::RosterError;
use super::grid::{Cell, Sheet};

/// Bytes of a file that is read at all.
pub(super) const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Cells with a value in one file: a county's roster has about a million.
pub(super) const CELLS_MAX: usize = 4_000_000;

type Bytes<'a> = Cursor<&'a [u8]>;

/// What a file turned out to be.
pub(super) struct Opened {
    pub(super) sheets: Vec<Sheet>,
    /// The file is plain text that nothing but its name or its header can tell from prose.
    pub(super) is_text: bool,
}

/// Reads all sheets of a file.
pub(super) fn open(path: &Path) -> Result<Opened, RosterError> {
    let bytes = read_bounded(path)?;
    let mut budget = CELLS_MAX;
    let workbook = |sheets| {
        Ok(Opened {
            sheets,
            is_text: false,
        })
    };
    if bytes.starts_with(b"PK\x03\x04") {
        workbook(unharmed(|| zipped(&bytes, &mut budget))?)
    } else if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        workbook(unharmed(|| compound(&bytes, &mut budget))?)
    } else {
        let text = decode(&bytes).ok_or(RosterError::NotASpreadsheet)?;
        if text.trim().is_empty() || text.trim_start().starts_with('<') {
            return Err(RosterError::NotASpreadsheet);
        }
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let sheet = separated(&text, &name.unwrap_or_default(), &mut budget)?;
        Ok(Opened {
            sheets: vec![sheet],
            is_text: true,
        })
    }
}

/// Reads with the library, which panics at some damaged workbooks: that is a damaged file, no more.
fn unharmed(
    read: impl FnOnce() -> Result<Vec<Sheet>, RosterError>,
) -> Result<Vec<Sheet>, RosterError> {
    guarded(read).unwrap_or(Err(RosterError::NotASpreadsheet))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, RosterError> {
    let unreadable = |source| RosterError::Unreadable { source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(RosterError::TooLarge {
            file_bytes_max: FILE_BYTES_MAX,
            cells_max: CELLS_MAX,
        });
    }
    Ok(bytes)
}

fn zipped(bytes: &[u8], budget: &mut usize) -> Result<Vec<Sheet>, RosterError> {
    match Xlsx::new(Cursor::new(bytes)) {
        Ok(book) => return xlsx(book, budget),
        Err(XlsxError::Password) => return Err(RosterError::Protected),
        Err(_) => {}
    }
    match Ods::new(Cursor::new(bytes)) {
        Ok(book) => return ranges(book, budget),
        Err(OdsError::Password) => return Err(RosterError::Protected),
        Err(_) => {}
    }
    match Xlsb::new(Cursor::new(bytes)) {
        Ok(book) => ranges(book, budget),
        Err(_) => Err(RosterError::NotASpreadsheet),
    }
}

fn compound(bytes: &[u8], budget: &mut usize) -> Result<Vec<Sheet>, RosterError> {
    match Xls::new(Cursor::new(bytes)) {
        Ok(book) => xls(book, budget),
        Err(XlsError::Password) => Err(RosterError::Protected),
        // A workbook of the newer kind under a password is wrapped in the older container.
        Err(_) => match Xlsx::<Bytes<'_>>::new(Cursor::new(bytes)) {
            Err(XlsxError::Password) => Err(RosterError::Protected),
            _ => Err(RosterError::NotASpreadsheet),
        },
    }
}

/// Streams the cells: a stray cell at the last row must not make a table of a million empty rows.
fn xlsx(mut book: Xlsx<Bytes<'_>>, budget: &mut usize) -> Result<Vec<Sheet>, RosterError> {
    let mut sheets = Vec::new();
    for (name, hidden) in worksheets(&book) {
        let damaged = || RosterError::Damaged {
            sheet: name.clone(),
        };
        let mut sheet = Sheet::new(&name, hidden);
        {
            let mut cells = book.worksheet_cells_reader(&name).map_err(|_| damaged())?;
            while let Some(cell) = cells.next_cell().map_err(|_| damaged())? {
                let (row, column) = cell.get_position();
                if let Some(cell) = from_reference(cell.get_value()) {
                    spend(budget)?;
                    sheet.put(row, column, cell);
                }
            }
        }
        for region in book
            .merge_cells_by_sheet_name(&name)
            .map_err(|_| damaged())?
        {
            sheet.merge(region.start, region.end);
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn xls(mut book: Xls<Bytes<'_>>, budget: &mut usize) -> Result<Vec<Sheet>, RosterError> {
    let mut sheets = Vec::new();
    for (name, hidden) in worksheets(&book) {
        let damaged = || RosterError::Damaged {
            sheet: name.clone(),
        };
        let range = book.worksheet_range(&name).map_err(|_| damaged())?;
        let mut sheet = from_range(&name, hidden, &range, budget)?;
        for region in book
            .merge_cells_by_sheet_name(&name)
            .map_err(|_| damaged())?
        {
            sheet.merge(region.start, region.end);
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn ranges<'a, R: Reader<Bytes<'a>>>(
    mut book: R,
    budget: &mut usize,
) -> Result<Vec<Sheet>, RosterError> {
    let mut sheets = Vec::new();
    for (name, hidden) in worksheets(&book) {
        let range = book
            .worksheet_range(&name)
            .map_err(|_| RosterError::Damaged {
                sheet: name.clone(),
            })?;
        sheets.push(from_range(&name, hidden, &range, budget)?);
    }
    Ok(sheets)
}

fn worksheets<'a, R: Reader<Bytes<'a>>>(book: &R) -> Vec<(String, bool)> {
    book.sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible != SheetVisible::Visible))
        .collect()
}

fn from_range(
    name: &str,
    hidden: bool,
    range: &Range<Data>,
    budget: &mut usize,
) -> Result<Sheet, RosterError> {
    let mut sheet = Sheet::new(name, hidden);
    let (first_row, first_column) = range.start().unwrap_or_default();
    for (row, column, data) in range.used_cells() {
        let (Ok(row), Ok(column)) = (u32::try_from(row), u32::try_from(column)) else {
            continue;
        };
        if let Some(cell) = from_reference(&borrowed(data)) {
            spend(budget)?;
            sheet.put(
                first_row.saturating_add(row),
                first_column.saturating_add(column),
                cell,
            );
        }
    }
    Ok(sheet)
}

fn spend(budget: &mut usize) -> Result<(), RosterError> {
    *budget = budget.checked_sub(1).ok_or(RosterError::TooLarge {
        file_bytes_max: FILE_BYTES_MAX,
        cells_max: CELLS_MAX,
    })?;
    Ok(())
}

fn borrowed(data: &Data) -> DataRef<'_> {
    match data {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(typed) => DataRef::SharedString(typed),
        Data::Bool(flag) => DataRef::Bool(*flag),
        Data::DateTime(date) => DataRef::DateTime(*date),
        Data::DateTimeIso(date) => DataRef::DateTimeIso(date.clone()),
        Data::DurationIso(time) => DataRef::DurationIso(time.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

fn from_reference(data: &DataRef<'_>) -> Option<Cell> {
    Some(match data {
        DataRef::Empty => return None,
        // A whole number of an old file is exact, however long: it is read as its digits.
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(typed) => Cell::Text(typed.clone()),
        DataRef::SharedString(typed) => Cell::Text((*typed).to_owned()),
        DataRef::Bool(flag) => Cell::Flag(*flag),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            Cell::Date { year, month, day }
        }
        DataRef::DateTime(time) => Cell::Number(time.as_f64()),
        DataRef::DateTimeIso(typed) | DataRef::DurationIso(typed) => {
            iso_date(typed).unwrap_or_else(|| Cell::Text(typed.clone()))
        }
        DataRef::Error(error) => Cell::Failed(error.to_string()),
    })
}

fn iso_date(typed: &str) -> Option<Cell> {
    let mut parts = typed.split('T').next()?.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Cell::Date {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
        day: day.parse().ok()?,
    })
}

/// UTF-8 and UTF-16 by their marks or their validity, otherwise GB18030, which contains GBK.
fn decode(bytes: &[u8]) -> Option<String> {
    let decoded = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => strict(encoding, bytes.get(mark..).unwrap_or_default()),
        None => strict(UTF_8, bytes).or_else(|| strict(GB18030, bytes)),
    }?;
    let is_text = !decoded
        .chars()
        .any(|c| c == '\0' || (c.is_control() && !matches!(c, '\t' | '\r' | '\n')));
    is_text.then_some(decoded)
}

fn strict(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    debug_assert!([UTF_8, UTF_16LE, UTF_16BE, GB18030].contains(&encoding));
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| text.into_owned())
}

fn separated(text: &str, name: &str, budget: &mut usize) -> Result<Sheet, RosterError> {
    let mut sheet = Sheet::new(name, false);
    let delimiter = delimiter(text);
    let text = without_empty_lines(text, delimiter);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .from_reader(text.as_bytes());
    for (row, record) in (0..).zip(reader.records()) {
        let record = record.map_err(|_| RosterError::NotASpreadsheet)?;
        for (column, field) in (0..).zip(record.iter()) {
            if !field.is_empty() {
                spend(budget)?;
                sheet.put(row, column, Cell::Text(field.to_owned()));
            }
        }
    }
    Ok(sheet)
}

/// Puts a separator on empty lines: the reader would skip them, and a spreadsheet counts them.
fn without_empty_lines(text: &str, delimiter: char) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len() + 16);
    let (mut quoted, mut before) = (false, '\n');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                out.push(c);
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' => quoted = before == delimiter || before == '\n',
            '\n' if !quoted && before == '\n' => out.push(delimiter),
            _ => {}
        }
        out.push(c);
        before = c;
    }
    out
}

/// The separator that occurs most in the first lines.
fn delimiter(text: &str) -> char {
    let count = |separator: char| {
        text.lines()
            .take(20)
            .map(|line| line.matches(separator).count())
            .sum::<usize>()
    };
    let (comma, tab, semicolon) = (count(','), count('\t'), count(';'));
    if tab > comma && tab >= semicolon {
        '\t'
    } else if semicolon > comma {
        ';'
    } else {
        ','
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Sheet {
        separated(text, "s", &mut CELLS_MAX.clone()).unwrap()
    }

    #[test]
    fn rows_keep_the_numbers_a_spreadsheet_shows() {
        for text in [
            "a,b\n\n\"two\n\n\"\"lines\",d\n,,\ne,f\n",
            "a,b\r\n\r\n\"two\r\nlines\",d\r\n\r\ne,f",
        ] {
            let sheet = sheet(text);
            assert_eq!(sheet.cell(0, 0).unwrap().shown(), "a");
            assert_eq!(sheet.cell(2, 1).unwrap().shown(), "d");
            assert_eq!(sheet.cell(4, 0).unwrap().shown(), "e");
        }
    }

    #[test]
    fn tabs_and_semicolons_separate_too() {
        assert_eq!(
            sheet("姓名\t电话\n张三\t1").cell(1, 0).unwrap().shown(),
            "张三"
        );
        assert_eq!(sheet("姓名;电话\n张三;1").cell(1, 1).unwrap().shown(), "1");
    }

    #[test]
    fn text_is_read_in_the_encodings_offices_use() {
        let (gbk, ..) = GB18030.encode("姓名,喆㛃");
        assert_eq!(decode(&gbk).unwrap(), "姓名,喆㛃");
        assert_eq!(decode("\u{FEFF}姓名".as_bytes()).unwrap(), "姓名");
        let utf16: Vec<u8> = "\u{FEFF}姓名"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decode(&utf16).unwrap(), "姓名");
        assert_eq!(
            decode(&[0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0]),
            None
        );
    }

    #[test]
    fn a_budget_spent_is_an_answer() {
        assert!(matches!(
            separated("a,b,c", "s", &mut 2),
            Err(RosterError::TooLarge { .. })
        ));
    }
}
