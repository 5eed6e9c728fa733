//! `ticket`: the tree of its commands; opening, lists, steps and slips have files of their own.

mod custody;
mod list;
mod open;
mod show;
mod slip;
mod step;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Tickets and their steps.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Ticket {
    /// Open a ticket, or many from JSON lines
    Open(Box<open::Open>),
    /// List tickets: contested and late ones first, then by what is due first
    List(list::List),
    /// Show a ticket with its steps
    Show(show::Show),
    /// Submit a draft, or what was missing
    Submit(step::Plain),
    /// Take a ticket for your level
    Accept(step::Plain),
    /// Ask whoever submitted it for what is missing
    Ask(step::Reason),
    /// Do not take it, and say where to go
    Decline(step::Decline),
    /// Give a ticket to somebody
    Assign(step::Assign),
    /// Begin to handle a ticket
    Start(step::Work),
    /// Say what was done
    Done(step::Done),
    /// Tell the resident
    Answer(step::Answer),
    /// Find it done; not by whoever did it
    Verify(step::Plain),
    /// Find it not done
    SendBack(step::Reason),
    /// Give it back to the level that assigned it
    Return(step::GiveBack),
    /// Raise it to a level above
    Escalate(step::Escalate),
    /// Wait for something until a day
    Suspend(step::Suspend),
    /// Go on after waiting
    Resume(step::Work),
    /// Ask for more time, once
    Extend(step::Extend),
    /// Give more time
    Grant(step::Grant),
    /// Give no more time
    Refuse(step::Reason),
    /// Write down how content the resident is
    FollowUp(step::FollowUp),
    /// End it
    Close(step::Plain),
    /// Take it up again
    Reopen(step::Reason),
    /// Let another ticket go on for both
    Merge(step::Merge),
    /// The resident no longer asks
    Withdraw(step::Reason),
    /// Put it away: nothing more is to come
    Archive(step::Plain),
    /// Ask to hurry
    Remind(step::Plain),
    /// Watch it from above; only ever more strongly
    Supervise(step::Supervise),
    /// Remark
    Comment(step::Comment),
    /// Say which of two contested steps stands
    Settle(step::Settle),
    /// Let somebody else owe the resident the answer
    HandOver(step::HandOver),
    /// Take back your own step that nobody built on
    Retract(step::Retract),
    /// Print the slip for whoever handles it, or for the resident
    Slip(slip::Args),
    /// Say what of the resident's is held, and that it went back
    Custody(custody::Args),
}

pub(crate) fn run(context: &Context, command: Ticket) -> Result<Exit, Failure> {
    use step::take;
    match command {
        Ticket::Open(args) => open::run(context, *args),
        Ticket::List(args) => list::run(context, &args),
        Ticket::Show(args) => show::run(context, &args),
        Ticket::Submit(args) => take(context, "submit", args),
        Ticket::Accept(args) => take(context, "accept", args),
        Ticket::Ask(args) => take(context, "ask_back", args),
        Ticket::Decline(args) => take(context, "decline", args),
        Ticket::Assign(args) => take(context, "assign", args),
        Ticket::Start(args) => take(context, "start", args),
        Ticket::Done(args) => take(context, "done", args),
        Ticket::Answer(args) => take(context, "answer", args),
        Ticket::Verify(args) => take(context, "verify", args),
        Ticket::SendBack(args) => take(context, "send_back", args),
        Ticket::Return(args) => take(context, "return", args),
        Ticket::Escalate(args) => take(context, "escalate", args),
        Ticket::Suspend(args) => take(context, "suspend", args),
        Ticket::Resume(args) => take(context, "resume", args),
        Ticket::Extend(args) => take(context, "extend", args),
        Ticket::Grant(args) => take(context, "grant", args),
        Ticket::Refuse(args) => take(context, "refuse", args),
        Ticket::FollowUp(args) => take(context, "follow_up", args),
        Ticket::Close(args) => take(context, "close", args),
        Ticket::Reopen(args) => take(context, "reopen", args),
        Ticket::Merge(args) => take(context, "merge", args),
        Ticket::Withdraw(args) => take(context, "withdraw", args),
        Ticket::Archive(args) => take(context, "archive", args),
        Ticket::Remind(args) => take(context, "remind", args),
        Ticket::Supervise(args) => take(context, "supervise", args),
        Ticket::Comment(args) => take(context, "comment", args),
        Ticket::Settle(args) => take(context, "settle", args),
        Ticket::HandOver(args) => take(context, "hand_over", args),
        Ticket::Retract(args) => take(context, "retract", args),
        Ticket::Slip(args) => slip::run(context, &args),
        Ticket::Custody(args) => custody::run(context, args),
    }
}
