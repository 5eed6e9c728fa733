//! What happens when two events meet that did not know of each other, as a table.
//!
//! **A fact beats a decision, a decision beats an intention, and two facts or two decisions that
//! exclude each other are for a person to settle.** Whatever gives way stays on the ticket with its
//! reason. The table is read from the top and the first row that fits a pair decides it; no pair
//! is without a row. It is part of what a ticket means: a row that changes a ruling changes the
//! state of tickets that exist.

use std::fmt::Write as _;

use self::Ruling::{BothStand, Contested, FirstStands, SecondStands};
use self::Side::{Any, One, Same};
use self::Unless::{Never, SameArea, SameHandler, SameWinner};
use super::event::Kind::{
    self, Accept, Answer, Assign, Close, Comment, Done, HandledOnSpot, Return, SendBack, Settle,
    Start, Submit, Verify,
};

/// What becomes of two concurrent events, in the order they were asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruling {
    /// The first stands, the second is overtaken.
    FirstStands,
    /// The second stands, the first is overtaken.
    SecondStands,
    /// Both stand; of two that say the same step, the smaller id is the one shown.
    BothStand,
    /// Both stand beside each other until a settle names both.
    Contested,
}

/// When a row rules "both stand" instead, because the two events say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unless {
    /// The row rules always.
    Never,
    /// Two centres with one area are one centre.
    SameArea,
    /// The handler is the same one.
    SameHandler,
    /// No event that one of them lets stand gives way in the other.
    SameWinner,
}

/// One side of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This kind.
    One(Kind),
    /// The kind of the other side.
    Same,
    /// Any kind.
    Any,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// One side.
    pub first: Side,
    /// The other side.
    pub second: Side,
    /// What becomes of them.
    pub ruling: Ruling,
    /// When both stand instead.
    pub unless: Unless,
    /// Why, for people who wonder.
    pub reason: &'static str,
}

/// The table; a row a line, so that it reads as one.
#[rustfmt::skip]
pub const PAIRS: &[Pair] = &[
    row(One(Answer), Any, BothStand, Never, "the resident was told: that happened, whatever else did"),
    row(One(Comment), Any, BothStand, Never, "a remark moves nothing"),
    row(One(Settle), Same, Contested, SameWinner, "two settlements of the same events that differ"),
    row(One(Settle), Any, BothStand, Never, "a settlement speaks only of the events it names"),

    // Two decisions, or two findings, that exclude each other.
    row(One(Accept), Same, Contested, SameArea, "two centres hold the ticket theirs"),
    row(One(Assign), Same, Contested, SameHandler, "two handlers were told that it is theirs"),
    row(One(Verify), One(SendBack), Contested, Never, "one found it done, the other did not"),
    row(One(Close), One(SendBack), Contested, Never, "it was closed while somebody found it not done"),
    row(One(Start), One(Return), Contested, Never, "one colleague took it on, another gave it back"),

    // A fact beats what was decided or meant without knowing of it.
    row(One(Done), One(Assign), FirstStands, Never, "it is done: nothing is left to give to anybody"),
    row(One(HandledOnSpot), One(Assign), FirstStands, Never, "it is done: nothing is left to give to anybody"),
    row(One(Verify), One(Assign), FirstStands, Never, "it was found done: nothing is left to give"),
    row(One(Close), One(Assign), FirstStands, Never, "it is closed: nothing is left to give"),
    row(One(Done), One(Start), FirstStands, Never, "it is done: nothing is left to begin"),
    row(One(HandledOnSpot), One(Start), FirstStands, Never, "it is done: nothing is left to begin"),
    row(One(Verify), One(Start), FirstStands, Never, "it was found done: nothing is left to begin"),
    row(One(Close), One(Start), FirstStands, Never, "it is closed: nothing is left to begin"),
    row(One(Done), One(Return), FirstStands, Never, "it is done, although a colleague gave it back"),
    row(One(HandledOnSpot), One(Return), FirstStands, Never, "it is done, although a colleague gave it back"),
    row(One(Verify), One(Return), FirstStands, Never, "it was found done, although it was given back"),
    row(One(Close), One(Return), FirstStands, Never, "it is closed, although it was given back"),
    row(One(Done), One(SendBack), FirstStands, Never, "another finish, still to be looked at"),
    row(One(HandledOnSpot), One(SendBack), FirstStands, Never, "another finish, still to be looked at"),
    row(One(HandledOnSpot), One(Submit), FirstStands, Never, "it is done: nothing is left to submit"),

    // A decision of the level beats what a handler meant to do.
    row(One(Assign), One(Start), FirstStands, SameHandler, "the level gave it to somebody else meanwhile"),
    row(One(Assign), One(Return), FirstStands, Never, "the level chose a handler anew meanwhile"),
    row(One(Assign), One(SendBack), FirstStands, Never, "the level chose anew after an earlier finding"),
    row(One(Return), One(SendBack), FirstStands, Never, "it was given back after an earlier finding"),

    // The rest agree.
    row(Any, Same, BothStand, Never, "both say the same: the one with the smaller id is shown"),
    REST,
];

/// The last row, which fits each pair.
const REST: Pair = row(
    Any,
    Any,
    BothStand,
    Never,
    "both are true: the later stage is shown",
);

const fn row(
    first: Side,
    second: Side,
    ruling: Ruling,
    unless: Unless,
    reason: &'static str,
) -> Pair {
    Pair {
        first,
        second,
        ruling,
        unless,
        reason,
    }
}

impl Pair {
    /// Returns the row seen from its other side.
    const fn turned(self) -> Self {
        let ruling = match self.ruling {
            FirstStands => SecondStands,
            SecondStands => FirstStands,
            BothStand => BothStand,
            Contested => Contested,
        };
        row(self.second, self.first, ruling, self.unless, self.reason)
    }

    fn fits(&self, first: Kind, second: Kind) -> bool {
        let one = |side: Side, kind: Kind, other: Kind| match side {
            One(named) => named == kind,
            Same => kind == other,
            Any => true,
        };
        one(self.first, first, second) && one(self.second, second, first)
    }
}

/// Returns the row that decides two concurrent events of these kinds, its sides in this order.
pub fn pair(first: Kind, second: Kind) -> Pair {
    let fitting = |row: &Pair| match (row.fits(first, second), row.fits(second, first)) {
        (true, _) => Some(*row),
        (_, true) => Some(row.turned()),
        _ => None,
    };
    PAIRS.iter().find_map(fitting).unwrap_or(REST)
}

/// Returns how early a kind is decided: of two kinds where one overtakes the other, it is smaller.
///
/// An overtaken event overtakes nothing, so those that may overtake are decided first.
pub const fn rank(kind: Kind) -> u8 {
    match kind {
        Done | HandledOnSpot | Verify | Close => 0,
        Assign => 1,
        Return => 2,
        _ => 3,
    }
}

/// Returns whether two kinds say the same step of the flow, so that only one of them is shown.
pub fn same_step(first: Kind, second: Kind) -> bool {
    let finish = |kind| matches!(kind, Done | HandledOnSpot);
    match first {
        Answer | Comment | Settle => false,
        _ => first == second || (finish(first) && finish(second)),
    }
}

/// Returns the table as Markdown, for `docs/`.
pub fn markdown() -> String {
    let mut out = String::from("| event | meets | what stands | why |\n|---|---|---|---|\n");
    for pair in PAIRS {
        let first = side_text(pair.first);
        let second = if pair.second == Same {
            "the same"
        } else {
            side_text(pair.second)
        };
        let stands = match pair.ruling {
            Ruling::FirstStands => first,
            Ruling::SecondStands => second,
            Ruling::BothStand => "both",
            Ruling::Contested => "contested",
        };
        let unless = match pair.unless {
            Unless::Never => "",
            Unless::SameArea => "; both if the areas are the same",
            Unless::SameHandler => "; both if the handler is the same",
            Unless::SameWinner => "; both if no winner of one gives way in the other",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "| {first} | {second} | {stands}{unless} | {} |",
            pair.reason
        );
    }
    out
}

fn side_text(side: Side) -> &'static str {
    match side {
        One(kind) => kind.as_str(),
        Same => "the same",
        Any => "any",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruling(first: Kind, second: Kind) -> Ruling {
        pair(first, second).ruling
    }

    #[test]
    fn the_table_is_the_same_from_both_sides() {
        for first in Kind::ALL {
            for second in Kind::ALL {
                let (there, back) = (pair(first, second), pair(second, first).turned());
                assert_eq!(
                    (there.ruling, there.unless, there.reason),
                    (back.ruling, back.unless, back.reason),
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn each_row_decides_a_pair() {
        for row in PAIRS {
            let decides = |first, second| pair(first, second).reason == row.reason;
            assert!(
                Kind::ALL
                    .into_iter()
                    .any(|first| Kind::ALL.into_iter().any(|second| decides(first, second))),
                "{row:?}"
            );
        }
    }

    #[test]
    fn what_overtakes_is_decided_before_what_it_overtakes() {
        for first in Kind::ALL {
            for second in Kind::ALL {
                if ruling(first, second) == FirstStands {
                    assert!(rank(first) < rank(second), "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn the_pairs_people_meet_are_ruled_as_agreed() {
        assert_eq!(
            (ruling(Accept, Accept), pair(Accept, Accept).unless),
            (Contested, SameArea)
        );
        assert_eq!(
            (ruling(Assign, Assign), pair(Assign, Assign).unless),
            (Contested, SameHandler)
        );
        assert_eq!(ruling(Done, Assign), FirstStands);
        assert_eq!(ruling(Start, Assign), SecondStands);
        assert_eq!(ruling(Done, Done), BothStand);
        assert_eq!(ruling(Verify, Return), FirstStands);
        assert_eq!(ruling(Verify, SendBack), Contested);
        assert_eq!(ruling(Close, Comment), BothStand);
        for kind in Kind::ALL {
            assert_eq!(ruling(Answer, kind), BothStand, "{kind}");
        }
    }

    #[test]
    fn the_markdown_table_has_a_line_for_each_row() {
        let text = markdown();
        assert_eq!(text.lines().count(), PAIRS.len() + 2);
        assert!(
            text.lines().all(|line| line.matches('|').count() == 5),
            "{text}"
        );
        assert!(
            text.contains(
                "| done | assign | done | it is done: nothing is left to give to anybody |"
            )
        );
    }
}
