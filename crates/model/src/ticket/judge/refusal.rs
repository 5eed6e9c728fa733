//! Why an event was not legal, as one closed list.
//!
//! **A reason names a stage or a field, never what somebody said**: it may stand in a log.

use super::super::progress::Status;

/// Why an event was not legal in the state its author saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// A newer program knows what it means.
    #[error("the kind of event is not known to this program")]
    UnknownKind,
    /// The ticket is at another stage.
    #[error("not possible while the ticket is {}", status.as_str())]
    WrongStatus {
        /// The stage it was at.
        status: Status,
    },
    /// The handler waits for something; resume comes first.
    #[error("the ticket is suspended")]
    Suspended,
    /// There is nothing to resume.
    #[error("the ticket is not suspended")]
    NotSuspended,
    /// Only others do this: a desk, or whoever talks to residents.
    #[error("not a step of this role")]
    WrongRole,
    /// The ticket is with another level, or outside the author's area.
    #[error("the ticket is with another level")]
    OtherDesk,
    /// Only a level above does this, or the level it is to go to is not above.
    #[error("that is for a level above")]
    NotAbove,
    /// The ticket is somebody else's to handle.
    #[error("the ticket is with another handler")]
    NotHandler,
    /// Neither asked first nor owing the answer, nor standing in for them.
    #[error("not the one who was asked first")]
    NotAsked,
    /// Nobody verifies what they handled.
    #[error("nobody verifies what they handled")]
    OwnWork,
    /// A field that the kind needs is not there.
    #[error("{field} is missing")]
    Missing {
        /// Its name in the text.
        field: &'static str,
    },
    /// A field has a value of a newer program that decides what the event does, or one that fits
    /// nothing.
    #[error("{field} is not known to this program")]
    UnknownValue {
        /// Its name in the text.
        field: &'static str,
    },
    /// More time is asked for once.
    #[error("more time was asked for already")]
    AlreadyExtended,
    /// Nobody asked for more time, or it was answered.
    #[error("no extension waits for an answer")]
    NoExtension,
    /// It is watched as strongly already.
    #[error("supervision only goes up")]
    NotHigher,
    /// A contested ticket is settled before it is closed.
    #[error("contested events are settled first")]
    Contested,
    /// The named events are not contested with the first of them.
    #[error("the named events are not contested")]
    NothingToSettle,
    /// The named event is somebody else's, or somebody built on it.
    #[error("only the author's own last step is taken back")]
    NothingToRetract,
}

impl Refusal {
    /// Every reason once, for the tables of texts; the fields are examples.
    pub const ALL: [Refusal; 18] = [
        Refusal::UnknownKind,
        Refusal::WrongStatus {
            status: Status::Draft,
        },
        Refusal::Suspended,
        Refusal::NotSuspended,
        Refusal::WrongRole,
        Refusal::OtherDesk,
        Refusal::NotAbove,
        Refusal::NotHandler,
        Refusal::NotAsked,
        Refusal::OwnWork,
        Refusal::Missing { field: "to" },
        Refusal::UnknownValue { field: "to" },
        Refusal::AlreadyExtended,
        Refusal::NoExtension,
        Refusal::NotHigher,
        Refusal::Contested,
        Refusal::NothingToSettle,
        Refusal::NothingToRetract,
    ];

    /// Returns the reason as commands and JSON name it.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::UnknownKind => "unknown_kind",
            Refusal::WrongStatus { .. } => "wrong_status",
            Refusal::Suspended => "suspended",
            Refusal::NotSuspended => "not_suspended",
            Refusal::WrongRole => "wrong_role",
            Refusal::OtherDesk => "other_desk",
            Refusal::NotAbove => "not_above",
            Refusal::NotHandler => "not_handler",
            Refusal::NotAsked => "not_asked",
            Refusal::OwnWork => "own_work",
            Refusal::Missing { .. } => "missing",
            Refusal::UnknownValue { .. } => "unknown_value",
            Refusal::AlreadyExtended => "already_extended",
            Refusal::NoExtension => "no_extension",
            Refusal::NotHigher => "not_higher",
            Refusal::Contested => "contested",
            Refusal::NothingToSettle => "nothing_to_settle",
            Refusal::NothingToRetract => "nothing_to_retract",
        }
    }
}
