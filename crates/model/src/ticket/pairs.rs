//! What happens when two events meet that did not know of each other, as a table.
//!
//! **A fact beats a decision, a decision beats an intention, and two facts or two decisions that
//! exclude each other are for a person to settle.** Whatever gives way stays on the ticket with its
//! reason. The table is read from the top and the first row that fits a pair decides it; no pair
//! is without a row. It is part of what a ticket means: a row that changes a ruling changes the
//! state of tickets that exist.

use std::fmt::Write as _;

use self::Ruling::{BothStand, Contested, FirstStands, SecondStands};
use self::Side::{Any, Of, One, Same};
use self::Unless::{Never, SameArea, SameHandler, SameInto, SameWinner};
use super::event::Kind::{
    self, Accept, Answer, Archive, AskBack, Assign, Close, Comment, Decline, Done, Escalate,
    Extend, FollowUp, Grant, HandOver, HandledOnSpot, Merge, Refuse, Remind, Reopen, Resume,
    Retract, Return, SendBack, Settle, Start, Submit, Supervise, Suspend, Verify, Withdraw,
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
    /// The ticket that goes on is the same one.
    SameInto,
    /// No event that one of them lets stand gives way in the other.
    SameWinner,
}

/// One side of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This kind.
    One(Kind),
    /// Any of these.
    Of(&'static [Kind]),
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

/// What says that the matter is done.
const FINISHED: Side = Of(&[Done, HandledOnSpot, Verify, Close]);

/// The table; a row a line, so that it reads as one.
///
/// Steps that move the ticket meet only in the same round; a bad follow-up meets others as a reopen.
#[rustfmt::skip]
pub const PAIRS: &[Pair] = &[
    row(One(Answer), Any, BothStand, Never, "the resident was told: that happened, whatever else did"),
    row(One(Comment), Any, BothStand, Never, "a remark moves nothing"),
    row(One(Settle), Same, Contested, SameWinner, "two settlements of the same events that differ"),
    row(One(Settle), Any, BothStand, Never, "a settlement speaks only of the events it names"),
    row(One(Retract), Any, BothStand, Never, "only a step built on the one taken back keeps it"),
    row(One(Supervise), Same, BothStand, Never, "the higher card is shown"),
    row(Of(&[Remind, Supervise]), Any, BothStand, Never, "whoever has it now is reminded"),
    row(One(FollowUp), Any, BothStand, Never, "what the resident said counts, whatever else happened"),
    row(One(HandOver), Same, BothStand, Never, "one person owes the answer: the smaller id is shown"),
    row(One(HandOver), Any, BothStand, Never, "an answer is owed whatever becomes of the ticket"),

    // How a ticket ends.
    row(One(Close), One(Withdraw), FirstStands, Never, "it was done, found done and closed before the withdrawal was heard of"),
    row(One(Withdraw), Same, BothStand, Never, "both say the same: the one with the smaller id is shown"),
    row(One(Withdraw), Any, FirstStands, Never, "the resident no longer asks; what was done stays on record"),
    row(One(Merge), Same, Contested, SameInto, "two tickets were named to go on in its place"),
    row(One(Close), One(Merge), FirstStands, Never, "it is closed: nothing is left to merge"),
    row(One(Merge), Of(&[Done, HandledOnSpot, Verify, Archive]), BothStand, Never, "what was done stays on record, the other ticket goes on"),
    row(One(Merge), Any, FirstStands, Never, "the other ticket goes on for both"),

    // Two decisions, or two findings, that exclude each other.
    row(One(Accept), Same, Contested, SameArea, "two centres hold the ticket theirs"),
    row(One(Accept), One(Decline), Contested, Never, "one level took it, the other did not"),
    row(One(Accept), One(Escalate), Contested, Never, "one level took it, another sent it up"),
    row(FINISHED, One(Escalate), Contested, Never, "one says it is done, another that it needs a level above"),
    row(FINISHED, One(Decline), Contested, Never, "one says it is done, another did not take it"),
    row(One(Assign), Same, Contested, SameHandler, "two handlers were told that it is theirs"),
    row(One(Verify), One(SendBack), Contested, Never, "one found it done, the other did not"),
    row(One(Close), One(SendBack), Contested, Never, "it was closed while somebody found it not done"),
    row(One(Start), One(Return), Contested, Never, "one colleague took it on, another gave it back"),
    row(One(Grant), One(Refuse), Contested, Never, "more time was granted and refused"),

    // It is begun anew: another level, another round, or what is missing.
    row(One(Escalate), Of(&[Submit, AskBack, Decline, Assign, Start, Return, SendBack, Suspend, Resume, Reopen]), FirstStands, Never, "a level above looks at it, and decides anew"),
    row(One(Reopen), Of(&[Close, AskBack]), BothStand, Never, "it goes on: it was taken up again"),
    row(One(Reopen), Of(&[Done, HandledOnSpot, Verify]), FirstStands, Never, "it was taken up again: another finish, another finding is needed"),
    row(One(Reopen), Of(&[Submit, Accept, Decline, Assign, Start, Return, SendBack, Suspend, Resume, Archive]), FirstStands, Never, "it was taken up again: this speaks of the time before"),
    row(One(Accept), One(AskBack), FirstStands, Never, "a level took it with what there is"),
    row(FINISHED, One(AskBack), FirstStands, Never, "it is done: nothing is missing"),
    row(One(AskBack), Of(&[Submit, Decline]), FirstStands, Never, "whoever asked may still bring what is missing"),
    row(One(AskBack), Of(&[Assign, Start, Return, SendBack, Suspend, Resume]), FirstStands, Never, "nobody has taken it: something is missing first"),
    row(One(Submit), One(Decline), FirstStands, Never, "what was missing came meanwhile"),

    // A fact beats what was decided or meant without knowing of it.
    row(FINISHED, One(Assign), FirstStands, Never, "it is done: nothing is left to give to anybody"),
    row(FINISHED, Of(&[Start, Resume]), FirstStands, Never, "it is done: nothing is left to begin"),
    row(FINISHED, One(Return), FirstStands, Never, "it is done, although a colleague gave it back"),
    row(FINISHED, Of(&[Suspend, Extend]), FirstStands, Never, "it is done: nothing is left to wait for"),
    row(Of(&[Done, HandledOnSpot]), One(SendBack), FirstStands, Never, "another finish, still to be looked at"),
    row(One(HandledOnSpot), One(Submit), FirstStands, Never, "it is done: nothing is left to submit"),
    row(Of(&[Submit, Accept, AskBack, Escalate, SendBack]), One(Archive), FirstStands, Never, "it goes on: nothing to file yet"),

    // A decision of the level beats what a handler meant to do.
    row(One(Decline), Of(&[Assign, Start, Return, SendBack, Suspend, Resume]), FirstStands, Never, "the level does not take it"),
    row(One(Assign), Of(&[Start, Resume]), FirstStands, SameHandler, "the level gave it to somebody else meanwhile"),
    row(One(Assign), Of(&[Return, Suspend]), FirstStands, Never, "the level chose a handler anew meanwhile"),
    row(One(Assign), One(SendBack), FirstStands, Never, "the level chose anew after an earlier finding"),
    row(One(Return), One(SendBack), FirstStands, Never, "it was given back after an earlier finding"),
    row(One(Return), Of(&[Suspend, Resume]), FirstStands, Never, "it was given back meanwhile"),
    row(One(Resume), One(Suspend), FirstStands, Never, "somebody goes on with it"),

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
            Of(named) => named.contains(&kind),
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
        Close => 0,
        Withdraw => 1,
        Merge => 2,
        Escalate => 3,
        Reopen => 4,
        Done | HandledOnSpot | Verify => 5,
        Accept => 6,
        AskBack => 7,
        Submit => 8,
        Decline => 9,
        Assign => 10,
        Return => 11,
        Resume | SendBack => 12,
        _ => 13,
    }
}

/// Returns whether two kinds say the same step of the flow, so that only one of them is shown.
///
/// Steps that begin the next round begin it once, however many say so; each is shown.
pub fn same_step(first: Kind, second: Kind) -> bool {
    let finish = |kind| matches!(kind, Done | HandledOnSpot);
    match first {
        Answer | Comment | Settle | Retract | Remind | Supervise | FollowUp | AskBack
        | Escalate | Reopen => false,
        _ => first == second || (finish(first) && finish(second)),
    }
}

/// Returns the table as Markdown, for `docs/`.
pub fn markdown() -> String {
    let mut out = String::from("| event | meets | what stands | why |\n|---|---|---|---|\n");
    for pair in PAIRS {
        let first = pair.first.words();
        let second = pair.second.words();
        let stands = match pair.ruling {
            Ruling::FirstStands => first.as_str(),
            Ruling::SecondStands => second.as_str(),
            Ruling::BothStand => "both",
            Ruling::Contested => "contested",
        };
        let unless = match pair.unless {
            Unless::Never => "",
            Unless::SameArea => "; both if the areas are the same",
            Unless::SameHandler => "; both if the handler is the same",
            Unless::SameInto => "; both if they name the same ticket",
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

impl Side {
    fn words(self) -> String {
        match self {
            One(kind) => kind.as_str().to_owned(),
            Of(kinds) => kinds
                .iter()
                .map(|kind| kind.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            Same => "the same".to_owned(),
            Any => "any".to_owned(),
        }
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
        assert_eq!(ruling(Close, Escalate), Contested);
        assert_eq!(ruling(Reopen, Verify), FirstStands);
        assert_eq!(ruling(Decline, Accept), Contested);
        assert_eq!(ruling(Accept, AskBack), FirstStands);
        assert_eq!(ruling(Decline, Decline), BothStand);
        assert_eq!(ruling(Grant, Refuse), Contested);
        assert_eq!(ruling(Close, Withdraw), FirstStands);
        for kind in Kind::ALL {
            assert_eq!(ruling(Answer, kind), BothStand, "{kind}");
            let ends = ruling(Withdraw, kind);
            let fits = match kind {
                Close => ends == SecondStands,
                Answer | Comment | Settle | Retract | Remind | Supervise | FollowUp | HandOver
                | Withdraw => ends == BothStand,
                _ => ends == FirstStands,
            };
            assert!(fits, "withdraw beats all but close: {kind}");
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
        assert!(text.contains(
            "| return | send_back | return | it was given back after an earlier finding |"
        ));
    }
}
