//! The kinds of document, and what each kind's genesis makes.
//!
//! **A shape is frozen once it has left the house**: it decides the first change of every document of
//! its kind. A later container comes with a second derived change and the next schema number.

use wangge_wire::{DocKind, Shape};

/// A household 户.
pub const HOUSEHOLD: DocKind = DocKind(1);
/// A visit book 走访簿: one household, one year.
pub const VISIT_BOOK: DocKind = DocKind(2);
/// A report 民情.
pub const REPORT: DocKind = DocKind(3);
/// A ticket 工单.
pub const TICKET: DocKind = DocKind(4);

/// An access book 查看记录: who asked to see a household's hidden fields in a year.
pub const ACCESS_BOOK: DocKind = DocKind(5);
/// A round book 巡查簿: rounds of one grid in one month.
pub const ROUND_BOOK: DocKind = DocKind(6);

/// The schema every kind has today.
pub const SCHEMA: u8 = 0;

/// A kind, its English word and its containers.
const KINDS: [(DocKind, &str, &[&str]); 6] = [
    (
        HOUSEHOLD,
        "household",
        &["members", "care", "needs", "consent", "notes"],
    ),
    (VISIT_BOOK, "visit_book", &["visits", "attachments"]),
    (REPORT, "report", &["comments", "attachments"]),
    (TICKET, "ticket", &["events", "custody", "attachments"]),
    (ACCESS_BOOK, "access_book", &["records"]),
    (ROUND_BOOK, "round_book", &["rounds", "attachments"]),
];

/// Returns the shape of a kind; none for kinds of a newer program.
pub fn shape(kind: DocKind) -> Option<Shape> {
    let (_, _, containers) = KINDS.iter().find(|(known, ..)| *known == kind)?;
    let containers = containers.iter().map(|name| (*name).to_owned()).collect();
    Some(Shape {
        kind,
        schema: SCHEMA,
        containers,
    })
}

/// Returns the kind's English word, as JSON has it.
pub fn name(kind: DocKind) -> &'static str {
    KINDS
        .iter()
        .find(|(known, ..)| *known == kind)
        .map_or("unknown", |(_, name, _)| name)
}

/// Returns the kind with this English word.
pub fn named(word: &str) -> Option<DocKind> {
    KINDS
        .iter()
        .find(|(_, name, _)| *name == word)
        .map(|(kind, ..)| *kind)
}

/// Returns a container of a kind, as the constant its writes name it by.
pub fn container(kind: DocKind, name: &str) -> Option<&'static str> {
    let (_, _, containers) = KINDS.iter().find(|(known, ..)| *known == kind)?;
    containers
        .iter()
        .find(|container| **container == name)
        .copied()
}

/// Returns all kinds.
pub fn all() -> impl Iterator<Item = DocKind> {
    KINDS.iter().map(|(kind, ..)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::DocId;

    /// The golden genesis of each kind: a change here is another product.
    #[test]
    fn the_genesis_of_every_kind_is_frozen() {
        let golden = [
            (
                HOUSEHOLD,
                "5ff5328c89fae113615a5c40e7f4f387338472cd37ed78ded066983da9bea08d",
            ),
            (
                VISIT_BOOK,
                "4f835b4435fafd099d678647e9930b8e0ebd30af7d4be803cdcddf3d44315d3e",
            ),
            (
                REPORT,
                "ed7bb5f1f637d8002f06a56d2d9d577989f1c0a38ba3c8ee0a68e2fdc8da2209",
            ),
            (
                TICKET,
                "0e3a531fbc787bf364e86dc33a096610caf57650c26055437df08214347478e2",
            ),
            (
                ACCESS_BOOK,
                "91f9d62bd64259b20da91b303980f0f816afbed69b500e77fb0cd0b946b6c70d",
            ),
            (
                ROUND_BOOK,
                "90401784438900c4e86122372b876619e7f102a526f2ba94af36bf7799544b19",
            ),
        ];
        for (kind, expected) in golden {
            let hash = wangge_crdt::genesis::hash(&shape(kind).unwrap(), &DocId([7; 16])).unwrap();
            assert_eq!(hash.to_string(), expected, "{}", name(kind));
        }
    }
}
