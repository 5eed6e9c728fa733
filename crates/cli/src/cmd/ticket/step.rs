//! The steps of a ticket: each a few words, one event.
//!
//! Each command says what of its arguments becomes what of the step; taking it is the same for all.

use wangge_agent::tickets::Step;
use wangge_agent::{AgentError, Refusal, Replica};

use super::show::show;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Plain {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Reason {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GiveBack {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decline {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Where the resident is to go instead
    #[arg(long = "to", value_name = "TEXT")]
    whom: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Assign {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A person's name or id, a unit, or an area's code
    #[arg(long, value_name = "WHO")]
    to: String,
    /// Who works along; may be repeated
    #[arg(long, value_name = "WHO")]
    with: Vec<String>,
    /// Who is told and does nothing; may be repeated
    #[arg(long = "copy", value_name = "WHO")]
    copies: Vec<String>,
    /// Until the end of which day
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    due: Option<String>,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Done {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// What was done
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// substantive, interim or procedural
    #[arg(long, value_name = "WORD", default_value = "substantive")]
    kind: String,
    /// Of an interim finish: when it is looked at again
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    review_on: Option<String>,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Answer {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// What the resident was told
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// By which way: at the door, by telephone
    #[arg(long, value_name = "WORD")]
    how: Option<String>,
    /// Who was told
    #[arg(long = "to", value_name = "NAME")]
    whom: Option<String>,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Escalate {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// township, county or an area's code; the next level up if it is not said
    #[arg(long, value_name = "LEVEL", value_parser = typed::folded)]
    to: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Until which day
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    until: String,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Extend {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Why
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Until the end of which day; as long again if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    until: Option<String>,
    /// The unit whose paper slip you type
    #[arg(long = "for", value_name = "UNIT")]
    for_unit: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Grant {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// Until the end of which day; what was asked if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    until: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FollowUp {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// What the resident said
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// 5 very content, 4 content, 3 well enough, 2 not content, 1 not at all
    #[arg(long, value_name = "GRADE", value_parser = typed::folded)]
    grade: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// The ticket that goes on
    #[arg(long, value_name = "TICKET", value_parser = typed::folded)]
    into: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Supervise {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// ordinary, yellow or red
    #[arg(long, value_name = "WORD", default_value = "ordinary")]
    card: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Comment {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The remark
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Settle {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The contested steps by the beginnings of their ids, the one that stands first
    #[arg(value_name = "STEP", required = true, num_args = 2.., value_parser = typed::folded)]
    steps: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HandOver {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A remark
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// A person's name or id
    #[arg(long, value_name = "WHO")]
    to: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Retract {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The step by the beginning of its id; your last one if it is not said
    #[arg(value_name = "STEP", value_parser = typed::folded)]
    step: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// What was typed for a step.
pub(super) trait Typed {
    /// Returns what names the ticket.
    fn id(&self) -> &str;

    /// Fills in what the step says.
    fn fill(self, step: &mut Step, days: &Days) -> Result<(), Failure>;
}

/// Reads days as people type them.
pub(super) struct Days {
    today: chrono::NaiveDate,
    lang: Lang,
    /// Where the words of the command are.
    help: String,
}

impl Days {
    fn day(&self, typed: &str) -> Result<String, Failure> {
        let day = typed.trim_start_matches('@');
        let found = typed::day_of(day, self.today);
        found
            .map(|day| day.to_string())
            .ok_or_else(|| Failure::Usage {
                message: self.lang.no_day(typed),
                hint: self.help.clone(),
            })
    }

    fn maybe(&self, typed: Option<String>) -> Result<Option<String>, Failure> {
        typed.map(|day| self.day(&day)).transpose()
    }
}

/// Takes a step and shows where the ticket stands.
pub(super) fn take(context: &Context, kind: &str, args: impl Typed) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let days = Days {
        today: replica.today(),
        lang: context.ui.lang,
        help: context.help_command(),
    };
    let id = args.id().to_owned();
    let mut step = Step {
        kind: kind.to_owned(),
        ..Step::default()
    };
    args.fill(&mut step, &days)?;
    let detail = match replica.ticket_step(&id, &step) {
        Err(AgentError::Ticket(refusal)) => return Err(stage(&replica, &id, refusal)),
        taken => taken?,
    };
    show(context, &replica, &detail, true);
    Ok(Exit::Done)
}

/// Returns a refusal with where the ticket stands and what can be done instead.
fn stage(replica: &Replica, id: &str, refusal: Refusal) -> Failure {
    match (replica.ticket(id), replica.possible_steps(id)) {
        (Ok(here), Ok(steps)) => Failure::Stage {
            refusal,
            code: here.ticket.code,
            status: here.status,
            steps,
        },
        _ => AgentError::Ticket(refusal).into(),
    }
}

fn said(words: &[String]) -> Option<String> {
    Some(words.join(" ")).filter(|text| !text.is_empty())
}

/// Says how the arguments of a command fill a step.
macro_rules! fills {
    ($($args:ident => |$self:ident, $step:ident, $days:pat_param| $body:expr;)*) => {
        $(impl Typed for $args {
            fn id(&self) -> &str {
                &self.id
            }

            fn fill($self, $step: &mut Step, $days: &Days) -> Result<(), Failure> {
                $body;
                Ok(())
            }
        })*
    };
}

fills! {
    Plain => |self, step, _| step.text = said(&self.text);
    Comment => |self, step, _| step.text = said(&self.text);
    Reason => |self, step, _| step.reason = said(&self.text);
    Work => |self, step, _| (step.text, step.for_unit) = (said(&self.text), self.for_unit);
    GiveBack => |self, step, _| (step.reason, step.for_unit) = (said(&self.text), self.for_unit);
    Decline => |self, step, _| (step.reason, step.whom) = (said(&self.text), Some(self.whom));
    Escalate => |self, step, _| (step.reason, step.to) = (said(&self.text), self.to);
    HandOver => |self, step, _| (step.text, step.to) = (said(&self.text), Some(self.to));
    Merge => |self, step, _| (step.text, step.into) = (said(&self.text), Some(self.into));
    Supervise => |self, step, _| (step.text, step.card) = (said(&self.text), Some(self.card));
    FollowUp => |self, step, _| (step.text, step.grade) = (said(&self.text), Some(self.grade));
    Settle => |self, step, _| (step.names, step.reason) = (self.steps, self.reason);
    Retract => |self, step, _| {
        (step.names, step.reason) = (self.step.into_iter().collect(), self.reason)
    };
    Assign => |self, step, days| {
        (step.to, step.with, step.copies) = (Some(self.to), self.with, self.copies);
        (step.text, step.due) = (said(&self.text), days.maybe(self.due)?)
    };
    Done => |self, step, days| {
        (step.text, step.done_kind) = (said(&self.text), Some(self.kind));
        (step.on, step.for_unit) = (days.maybe(self.review_on)?, self.for_unit)
    };
    Answer => |self, step, _| {
        (step.text, step.how) = (said(&self.text), self.how);
        (step.whom, step.for_unit) = (self.whom, self.for_unit)
    };
    Suspend => |self, step, days| {
        (step.reason, step.for_unit) = (said(&self.text), self.for_unit);
        step.on = Some(days.day(&self.until)?)
    };
    Extend => |self, step, days| {
        (step.reason, step.for_unit) = (said(&self.text), self.for_unit);
        step.due = days.maybe(self.until)?
    };
    Grant => |self, step, days| {
        (step.text, step.due) = (said(&self.text), days.maybe(self.until)?)
    };
}
