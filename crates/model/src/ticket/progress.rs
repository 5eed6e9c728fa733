//! Where a ticket stands, and what each shown event does to it.
//!
//! **A ticket goes in rounds**: asking back, escalating and taking up again begin the next round. A
//! step belongs to the round its author saw, and moves the ticket only in that round; so a late step
//! of a round that is over cannot pull the ticket back, and two that begin the same round begin it
//! once. Within a round steps only raise the status, or the table of pairs lets one of two stand.

use std::collections::BTreeSet;

use wangge_wire::{AreaCode, DocId, PersonId, Role};

use super::event::{Card, DoneKind, EventId, Handler, Kind, TicketEvent};

/// How far a ticket is. A greater status is a later stage; a return lies between accept and assign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// Not submitted yet.
    #[default]
    Draft,
    /// 已退回补充: whoever submitted owes what is missing.
    AskedBack,
    /// 已提交.
    Submitted,
    /// 已上报: a level above is to take it.
    Escalated,
    /// 已受理.
    Accepted,
    /// 已退回: with the accepting level again.
    Returned,
    /// 已交办.
    Assigned,
    /// 办理中.
    InProgress,
    /// 已办结, to be verified.
    Done,
    /// 已核查.
    Verified,
    /// 不予受理.
    Declined,
    /// 已合并: another ticket goes on for both.
    Merged,
    /// 已撤回: the resident no longer asks.
    Withdrawn,
    /// 已结案.
    Closed,
    /// 已归档.
    Archived,
}

/// A level that holds a ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Desk {
    /// Station, township or county.
    pub role: Role,
    /// Its area.
    pub area: AreaCode,
}

/// The one time more time was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The day asked for, or the one granted; milliseconds since 1970.
    pub until: i64,
    /// What became of it.
    pub answer: ExtensionAnswer,
}

/// What became of an extension that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtensionAnswer {
    /// Nobody answered yet.
    Asked,
    /// 不同意.
    Refused,
    /// 同意.
    Granted,
}

/// What a resident said afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FollowedUp {
    /// The event.
    pub event: EventId,
    /// 5 very content to 1 not at all.
    pub grade: u8,
    /// Written down by somebody who had a part in it: outside the satisfaction rate.
    pub self_recorded: bool,
}

/// Where a ticket stands: what the shown events add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far it is.
    pub status: Status,
    /// How often it was begun anew: asked back, escalated, taken up again.
    pub round: u32,
    /// The level that accepted; while that is contested, first the shown one, then the others.
    pub desks: Vec<Desk>,
    /// The area it was escalated to and not accepted since; only a desk at or above it accepts.
    pub escalated_to: Option<AreaCode>,
    /// Who handles it; while that is contested, first the shown one, then the others.
    pub handlers: Vec<Handler>,
    /// 协办: who works along; they remark, the handler finishes.
    pub helpers: Vec<Handler>,
    /// 抄告: who was ever told of it and does nothing.
    pub copies: BTreeSet<Handler>,
    /// Until when, milliseconds since 1970, as the last event that set it says; what was granted
    /// stays until the ticket is begun anew.
    pub due: Option<i64>,
    /// Until which day the handler waits for something; the stage stays what it was.
    pub suspended_until: Option<String>,
    /// The extension asked for, once per ticket.
    pub extension: Option<Extension>,
    /// What the present finish amounts to; none once it was sent back.
    pub done_kind: Option<DoneKind>,
    /// When an interim finish is looked at again, `2026-12-01`.
    pub review_on: Option<String>,
    /// Everybody who finished the present stage; none of them may verify it.
    pub done_by: BTreeSet<PersonId>,
    /// In whose place they finished it.
    pub done_instead_of: BTreeSet<PersonId>,
    /// Who first told the resident.
    pub answered_by: Option<PersonId>,
    /// Who owes the answer since the last hand-over; none before.
    pub answer_owner: Option<PersonId>,
    /// What the resident said afterwards, in causal order.
    pub followed_up: Vec<FollowedUp>,
    /// How strongly a level above watches it.
    pub card: Option<Card>,
    /// How often a level above asked to hurry.
    pub reminders: usize,
    /// The ticket that goes on in its place.
    pub merged_into: Option<DocId>,
    /// Whether `due` was granted in this round.
    pub(super) due_is_granted: bool,
}

/// What was true for an event's author, and stays true of the event.
#[derive(Debug, Clone, Default)]
pub(super) struct Outlook {
    /// The round they saw.
    pub round: u32,
    /// The handler they acted for.
    pub acted_for: Option<Handler>,
    /// Whether they had a part in what they follow up.
    pub self_recorded: bool,
}

impl Status {
    /// Every status, in order.
    pub const ALL: [Status; 15] = [
        Status::Draft,
        Status::AskedBack,
        Status::Submitted,
        Status::Escalated,
        Status::Accepted,
        Status::Returned,
        Status::Assigned,
        Status::InProgress,
        Status::Done,
        Status::Verified,
        Status::Declined,
        Status::Merged,
        Status::Withdrawn,
        Status::Closed,
        Status::Archived,
    ];

    /// Returns the status as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::AskedBack => "asked_back",
            Status::Submitted => "submitted",
            Status::Escalated => "escalated",
            Status::Accepted => "accepted",
            Status::Returned => "returned",
            Status::Assigned => "assigned",
            Status::InProgress => "in_progress",
            Status::Done => "done",
            Status::Verified => "verified",
            Status::Declined => "declined",
            Status::Merged => "merged",
            Status::Withdrawn => "withdrawn",
            Status::Closed => "closed",
            Status::Archived => "archived",
        }
    }

    /// Returns whether somebody still owes a step: submitted and not ended.
    pub fn is_open(self) -> bool {
        self != Status::Draft && !self.is_ended()
    }

    /// Returns whether the ticket came to an end, of whatever kind.
    pub fn is_ended(self) -> bool {
        self >= Status::Declined
    }
}

impl ExtensionAnswer {
    /// Returns the answer as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            ExtensionAnswer::Asked => "asked",
            ExtensionAnswer::Refused => "refused",
            ExtensionAnswer::Granted => "granted",
        }
    }
}

impl Progress {
    /// Returns the level that accepted.
    pub fn desk(&self) -> Option<&Desk> {
        self.desks.first()
    }

    /// Returns who handles it.
    pub fn handler(&self) -> Option<&Handler> {
        self.handlers.first()
    }

    /// Returns whether the handler waits for something.
    pub fn is_suspended(&self) -> bool {
        self.suspended_until.is_some()
    }

    /// Adds one shown event, with those that stand beside it.
    ///
    /// A step of another round than the present one leaves the ticket where it is.
    pub(super) fn apply(
        &mut self,
        id: EventId,
        kind: Kind,
        event: &TicketEvent,
        outlook: &Outlook,
        beside: &[&TicketEvent],
    ) {
        self.mark(id, kind, event, outlook);
        if outlook.round == self.round || ends_every_round(kind) {
            self.step(kind, event, outlook, beside);
        }
    }

    /// What holds whatever the round.
    fn mark(&mut self, id: EventId, kind: Kind, event: &TicketEvent, outlook: &Outlook) {
        match kind {
            Kind::Answer => _ = self.answered_by.get_or_insert(event.by),
            Kind::Remind => self.reminders += 1,
            Kind::Supervise => self.card = self.card.take().max(event.card.clone()),
            Kind::HandOver => {
                if let Some(Handler::Person(person)) = event.to {
                    self.answer_owner = Some(person);
                }
            }
            Kind::FollowUp => self.followed_up.push(FollowedUp {
                event: id,
                grade: event.grade.unwrap_or_default(),
                self_recorded: outlook.self_recorded,
            }),
            Kind::Extend => self.extend(event.due, ExtensionAnswer::Asked),
            Kind::Grant => self.extend(event.due, ExtensionAnswer::Granted),
            Kind::Refuse => self.extend(None, ExtensionAnswer::Refused),
            _ => {}
        }
    }

    /// What a step does in its round.
    fn step(
        &mut self,
        kind: Kind,
        event: &TicketEvent,
        outlook: &Outlook,
        beside: &[&TicketEvent],
    ) {
        let together = || std::iter::once(event).chain(beside.iter().copied());
        match kind {
            Kind::Submit => self.raise(Status::Submitted),
            Kind::Accept => {
                self.raise(Status::Accepted);
                let desk = |event: &TicketEvent| Desk {
                    role: event.role,
                    area: event.area.clone(),
                };
                self.desks = together().map(desk).collect();
                self.escalated_to = None;
            }
            Kind::Assign => self.assign(
                event,
                together().filter_map(|event| event.to.clone()).collect(),
            ),
            Kind::Start => self.raise(Status::InProgress),
            Kind::Done | Kind::HandledOnSpot => {
                self.raise(Status::Done);
                self.handlers = outlook.acted_for.iter().cloned().collect();
                self.done_kind.clone_from(&event.done_kind);
                self.review_on.clone_from(&event.on);
                self.done_by.extend(together().map(|event| event.by));
                self.done_instead_of
                    .extend(together().filter_map(|event| event.instead_of));
            }
            Kind::Return => {
                self.step_back(Status::Returned);
                self.leave_handlers();
            }
            Kind::SendBack => self.step_back(Status::InProgress),
            Kind::Verify => self.raise(Status::Verified),
            Kind::Decline => self.raise(Status::Declined),
            Kind::Merge => {
                self.raise(Status::Merged);
                self.merged_into = event.into;
            }
            Kind::Withdraw => self.raise(Status::Withdrawn),
            Kind::Close => self.raise(Status::Closed),
            Kind::Archive => self.raise(Status::Archived),
            Kind::Suspend => self.suspended_until.clone_from(&event.on),
            Kind::Resume => self.suspended_until = None,
            Kind::AskBack => self.begin_round(Status::AskedBack),
            Kind::Escalate => self.escalate(event),
            Kind::Reopen => self.take_up(),
            Kind::FollowUp if is_bad(event) => self.take_up(),
            Kind::Grant => {
                self.due = self.extension.as_ref().map(|extension| extension.until);
                self.due_is_granted = true;
            }
            _ => {}
        }
        let sets_due = match kind {
            Kind::Submit | Kind::Accept | Kind::Assign | Kind::Escalate | Kind::Reopen => true,
            Kind::FollowUp => is_bad(event),
            _ => false,
        };
        if sets_due && !self.due_is_granted {
            self.due = event.due.or(self.due);
        }
    }

    fn raise(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    fn assign(&mut self, event: &TicketEvent, handlers: Vec<Handler>) {
        // Given to the same handler again, with another date, it goes on.
        if self.status != Status::InProgress || self.handlers != handlers {
            self.status = Status::Assigned;
            self.suspended_until = None;
        }
        self.handlers = handlers;
        self.helpers.clone_from(&event.with);
        self.copies.extend(event.copies.iter().cloned());
    }

    fn step_back(&mut self, status: Status) {
        self.status = status;
        self.done_kind = None;
        self.review_on = None;
        self.done_by.clear();
        self.done_instead_of.clear();
    }

    fn leave_handlers(&mut self) {
        self.handlers.clear();
        self.helpers.clear();
        self.suspended_until = None;
    }

    fn begin_round(&mut self, status: Status) {
        self.round += 1;
        self.step_back(status);
        self.leave_handlers();
        self.due_is_granted = false;
    }

    fn escalate(&mut self, event: &TicketEvent) {
        self.begin_round(Status::Escalated);
        self.desks.clear();
        if let Some(Handler::Area(area)) = &event.to {
            self.escalated_to = Some(area.clone());
        }
    }

    /// Taken up again, it is with the level that had it.
    fn take_up(&mut self) {
        let status = match (self.desks.is_empty(), &self.escalated_to) {
            (false, _) => Status::Accepted,
            (true, Some(_)) => Status::Escalated,
            (true, None) => Status::Submitted,
        };
        self.begin_round(status);
    }

    /// The strongest answer counts, whichever comes first.
    fn extend(&mut self, until: Option<i64>, answer: ExtensionAnswer) {
        let before = self.extension.take();
        self.extension = match (before, until) {
            (Some(before), _) if before.answer > answer => Some(before),
            (before, until) => until
                .or(before.map(|before| before.until))
                .map(|until| Extension { until, answer }),
        };
    }
}

/// Returns whether a follow-up says that the resident is not content: 1 or 2 of 5.
pub(crate) fn is_bad(event: &TicketEvent) -> bool {
    event.grade.is_some_and(|grade| grade <= 2)
}

/// Returns whether a step begins the next round.
pub(super) fn begins_round(kind: Kind, event: &TicketEvent) -> bool {
    match kind {
        Kind::AskBack | Kind::Escalate | Kind::Reopen => true,
        Kind::FollowUp => is_bad(event),
        _ => false,
    }
}

/// Returns whether a step ends the ticket in whatever round it is.
pub(super) fn ends_every_round(kind: Kind) -> bool {
    matches!(kind, Kind::Withdraw | Kind::Merge)
}

/// Returns whether a step moves the ticket in its own round only.
pub(super) fn is_of_round(kind: Kind, event: &TicketEvent) -> bool {
    match kind {
        Kind::Answer
        | Kind::Comment
        | Kind::Settle
        | Kind::Retract
        | Kind::Remind
        | Kind::Supervise
        | Kind::HandOver
        | Kind::Extend
        | Kind::Grant
        | Kind::Refuse => false,
        Kind::FollowUp => is_bad(event),
        _ => !ends_every_round(kind),
    }
}
