//! Tables on a terminal that is too narrow for them: columns of text shrink, or rows become blocks.
//!
//! **What is copied is never broken**: an id, a ticket's number or a day stands on one line, and a colour
//! begins and ends on each line it is on.

use unicode_width::UnicodeWidthChar as _;

/// The fewest cells in which a column of Chinese reads.
const TEXT_CELLS_MIN: usize = 8;
/// What a column takes beside its text: a space before and behind it.
const MARGIN: usize = 2;
const ESCAPE: char = '\x1b';
const RESET: &str = "\x1b[0m";

/// Returns rows, the first of them the headings, in so many cells; as blocks where columns do not fit.
pub(super) fn laid_out(rows: &[Vec<String>], cells: usize) -> String {
    match columns(rows, cells) {
        Some(widths) => rows.iter().map(|row| line(row, &widths)).collect(),
        None => blocks(rows),
    }
}

/// Returns how wide a table is where nothing is broken.
pub(super) fn natural(rows: &[Vec<String>]) -> usize {
    of_columns(rows, width).iter().map(|it| it + MARGIN).sum()
}

/// Returns `name  value` lines; a value that does not fit beside its name stands below it.
pub(super) fn pairs_in(rows: &[Vec<String>], cells: usize) -> String {
    match columns(rows, cells) {
        Some(widths) => rows.iter().map(|row| line(row, &widths)).collect(),
        None => rows
            .iter()
            .map(|row| format!(" {}\n", row.join("\n   ")))
            .collect(),
    }
}

/// Returns the widths of columns that fit: what must not be broken is whole, and text shares the rest.
fn columns(rows: &[Vec<String>], cells: usize) -> Option<Vec<usize>> {
    let natural = of_columns(rows, width);
    let least = of_columns(rows, |cell| {
        let words = units(cell).iter().map(|unit| width(unit)).max();
        let whole = width(cell);
        words.unwrap_or_default().max(whole.min(TEXT_CELLS_MIN))
    });
    let margins = MARGIN * natural.len();
    let mut spare = cells.checked_sub(least.iter().sum::<usize>() + margins)?;
    let mut widths = least;
    // A cell at a time to each column that wants one, so that none starves beside a long note.
    while spare > 0 {
        let before = spare;
        for (width, wanted) in widths.iter_mut().zip(&natural) {
            if *width < *wanted && spare > 0 {
                *width += 1;
                spare -= 1;
            }
        }
        if spare == before {
            break;
        }
    }
    Some(widths)
}

/// Returns for each column the greatest of what its cells come to.
fn of_columns(rows: &[Vec<String>], measure: impl Fn(&str) -> usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    (0..columns)
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| measure(cell)).max().unwrap_or_default()
        })
        .collect()
}

/// Returns a row, its cells broken into lines as wide as their columns.
fn line(row: &[String], widths: &[usize]) -> String {
    let broken: Vec<Vec<String>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| broken(cell, *width))
        .collect();
    let height = broken.iter().map(Vec::len).max().unwrap_or_default();
    let mut out = String::new();
    for at in 0..height {
        let mut line = String::new();
        for (lines, wanted) in broken.iter().zip(widths) {
            let text = lines.get(at).map(String::as_str).unwrap_or_default();
            let padding = wanted.saturating_sub(width(text)) + 1;
            line.push(' ');
            line.push_str(text);
            line.push_str(&" ".repeat(padding));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Returns rows as blocks, one `heading: cell` a line and nothing broken: a terminal breaks a long line so
/// that it is still copied as one.
fn blocks(rows: &[Vec<String>]) -> String {
    let Some((headings, rows)) = rows.split_first() else {
        return String::new();
    };
    let mut out = String::new();
    for row in rows {
        if !out.is_empty() {
            out.push('\n');
        }
        for (heading, cell) in headings
            .iter()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
        {
            let heading = match heading.as_str() {
                "" => String::new(),
                heading => format!("{heading} "),
            };
            out.push_str(&format!(" {heading}{cell}\n"));
        }
    }
    out
}

/// Returns a cell in lines of so many cells, each with the colour it stands in.
fn broken(cell: &str, cells: usize) -> Vec<String> {
    let (mut lines, mut line, mut colour) = (Vec::new(), String::new(), String::new());
    for unit in units(cell) {
        let is_space = unit == " ";
        if !line.is_empty() && width(&line) + width(&unit) > cells && width(&unit) > 0 {
            if !colour.is_empty() {
                line.push_str(RESET);
            }
            lines.push(std::mem::replace(&mut line, colour.clone()));
            if is_space {
                continue;
            }
        }
        if unit.starts_with(ESCAPE) {
            colour = match unit.as_str() {
                RESET => String::new(),
                begun => format!("{colour}{begun}"),
            };
        }
        line.push_str(&unit);
    }
    lines.push(line);
    lines
}

/// Returns what a text may be broken between: Chinese characters, words, spaces, and colours, which take
/// no room.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let (mut rest, mut goes_on) = (text.chars().peekable(), false);
    while let Some(sign) = rest.next() {
        if sign == ESCAPE {
            let mut escape = String::from(sign);
            for part in rest.by_ref() {
                escape.push(part);
                if part.is_ascii_alphabetic() {
                    break;
                }
            }
            units.push(escape);
            goes_on = false;
            continue;
        }
        let stands_alone = sign == ' ' || sign.width().unwrap_or_default() > 1;
        match units.last_mut().filter(|_| goes_on && !stands_alone) {
            Some(word) => word.push(sign),
            None => units.push(sign.to_string()),
        }
        goes_on = !stands_alone;
    }
    units
}

/// Returns how many cells a text takes; a colour takes none.
pub(super) fn width(text: &str) -> usize {
    let (mut cells, mut in_escape) = (0, false);
    for sign in text.chars() {
        if in_escape {
            in_escape = !sign.is_ascii_alphabetic();
        } else if sign == ESCAPE {
            in_escape = true;
        } else {
            cells += sign.width().unwrap_or_default();
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn an_id_is_whole_where_text_shrinks() {
        let table = rows(&[
            &["#", "what", "id"],
            &[
                "1",
                "\u{6c34}\u{7ba1}\u{7206}\u{4e86}\u{6ca1}\u{6709}\u{4eba}\u{6765}\u{4fee}",
                "0001-0001-4",
            ],
        ]);
        let shown = laid_out(&table, 30);
        assert!(shown.contains("0001-0001-4"), "{shown}");
        assert!(shown.lines().all(|line| width(line) <= 30), "{shown}");
        assert!(shown.lines().count() > 2, "{shown}");
    }

    #[test]
    fn rows_are_blocks_where_not_even_their_ids_fit() {
        let id = "ab".repeat(16);
        let table = rows(&[&["when", "id"], &["2026-11-23", &id], &["2026-11-24", &id]]);
        let shown = laid_out(&table, 40);
        assert!(shown.contains(&format!(" id {id}\n")), "{shown}");
        assert!(shown.contains(" when 2026-11-24\n"), "{shown}");
    }

    #[test]
    fn a_colour_begins_and_ends_on_each_line_and_takes_no_room() {
        let cell = "\x1b[1m2026-11-23 late by 3 days\x1b[0m";
        assert_eq!(width(cell), 25);
        let lines = broken(cell, 12);
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(
                line.starts_with("\x1b[1m") && line.ends_with(RESET),
                "{line:?}"
            );
            assert!(width(line) <= 12, "{line:?}");
        }
    }

    #[test]
    fn a_value_too_wide_for_its_line_stands_below_its_name_in_one_piece() {
        let id = "ab".repeat(16);
        let shown = pairs_in(&rows(&[&["id", &id]]), 34);
        assert_eq!(shown, format!(" id\n   {id}\n"));
    }
}
