//! Areas by name: the published divisions, and a grid by its village and number.

use serde::Serialize;
use wangge_agent::status::area_view;
use wangge_agent::tables;
use wangge_relay::AreaCode;

/// A division with a published code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Division {
    /// Six, nine or twelve digits.
    pub(crate) code: &'static str,
    /// The published name.
    pub(crate) name: &'static str,
    /// `county township village`.
    pub(crate) level: &'static str,
}

/// Returns every division, in the order of the table.
pub(crate) fn divisions() -> impl Iterator<Item = Division> {
    tables::divisions().map(|known| Division {
        code: known.code,
        name: known.name,
        level: level(known.code),
    })
}

/// Returns what people call an area; the code itself where no table has a name.
pub(crate) fn spoken(code: &str) -> String {
    AreaCode::parse(code).map_or_else(|_| code.to_owned(), |code| area_view(&code).name)
}

/// Returns the name with its code, as areas are always shown.
pub(crate) fn shown(code: &str) -> String {
    let spoken = spoken(code);
    if spoken == code || code.is_empty() {
        code.to_owned()
    } else {
        format!("{spoken} {code}")
    }
}

/// Returns `county township village grid`, which the length of a code says.
pub(crate) fn level(code: &str) -> &'static str {
    match code.len() {
        6 => "county",
        9 => "township",
        12 => "village",
        _ => "grid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_codes_have_their_published_names() {
        assert_eq!(shown("511724103"), "杨家镇 511724103");
        assert_eq!(
            divisions()
                .filter(|division| division.level == "village")
                .count(),
            324
        );
        assert!(shown("511724103202001").ends_with("001网格 511724103202001"));
        assert_eq!(shown("999999"), "999999");
    }
}
