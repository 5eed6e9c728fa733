//! Code tables people read words of: relations to the head.

const RELATIONS: &str = include_str!("../../../fixtures/relations.csv");

/// Returns the word of a relation's code; the code itself where the table has none.
pub(crate) fn relation(code: &str) -> &str {
    RELATIONS
        .lines()
        .filter_map(|line| line.split_once(','))
        .find(|(known, _)| *known == code)
        .and_then(|(_, rest)| rest.split(',').next())
        .unwrap_or(code)
}
