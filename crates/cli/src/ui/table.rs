//! Tables whose columns align whatever the script: a Han character is two cells wide.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::narrow;

/// Returns rows under their headings; a column that is empty in every row is left out.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let used: Vec<bool> = (0..headings.len())
        .map(|at| {
            rows.iter()
                .any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()))
        })
        .collect();
    let keep = |cells: Vec<String>| -> Vec<String> {
        cells
            .into_iter()
            .zip(&used)
            .filter(|(_, used)| **used)
            .map(|(cell, _)| cell)
            .collect()
    };
    let heading = keep(headings.iter().map(|text| (*text).to_owned()).collect());
    let rows: Vec<Vec<String>> = rows.iter().map(|row| keep(row.clone())).collect();
    let all = [vec![heading.clone()], rows.clone()].concat();
    if let Some(cells) = too_narrow(&all) {
        return narrow::laid_out(&all, cells);
    }
    let mut table = bare();
    table.set_header(heading);
    table.add_rows(rows);
    trimmed(&table)
}

/// Returns `name  value` lines; what has no value is left out.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
        .collect();
    if let Some(cells) = too_narrow(&rows) {
        return narrow::pairs_in(&rows, cells);
    }
    let mut table = bare();
    table.add_rows(rows);
    trimmed(&table)
}

/// Returns the terminal's width where the rows do not fit in it; none where they do, or nothing is a
/// terminal: what a pipe reads is never broken.
fn too_narrow(rows: &[Vec<String>]) -> Option<usize> {
    let cells = usize::from(Table::new().width()?);
    (narrow::natural(rows) > cells).then_some(cells)
}

fn bare() -> Table {
    let mut table = Table::new();
    // It fits, or nobody's terminal breaks it.
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn trimmed(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_when_names_are_han() {
        let rows = [
            vec!["aa".into(), "1".into()],
            vec!["\u{5f20}\u{4e09}".into(), "2".into()],
        ];
        let text = table(&["x", "y"], &rows);
        let lines: Vec<&str> = text.lines().collect();
        let width = |line: &str, mark| {
            unicode_width::UnicodeWidthStr::width(line.split(mark).next().unwrap())
        };
        assert_eq!(width(lines[1], '1'), width(lines[2], '2'));
    }

    #[test]
    fn a_column_nobody_fills_is_left_out() {
        let text = table(&["x", "y"], &[vec!["a".into(), String::new()]]);
        assert!(!text.contains('y'));
    }
}
