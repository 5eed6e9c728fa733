//! The steps of a ticket: each a few words, one event.

use wangge_agent::tickets::Step;

use super::show;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
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
pub(crate) struct Assign {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// A person's name or id, or an area's code
    #[arg(long, value_name = "WHO")]
    to: String,
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

pub(super) fn plain(context: &Context, kind: &str, args: Plain) -> Result<Exit, Failure> {
    take(
        context,
        &args.id,
        Step {
            text: said(&args.text),
            ..step(kind)
        },
    )
}

pub(super) fn assign(context: &Context, args: Assign) -> Result<Exit, Failure> {
    let step = Step {
        to: Some(args.to),
        text: said(&args.text),
        ..step("assign")
    };
    take(context, &args.id, step)
}

pub(super) fn done(context: &Context, args: Done) -> Result<Exit, Failure> {
    let step = Step {
        text: said(&args.text),
        done_kind: Some(args.kind),
        ..step("done")
    };
    take(context, &args.id, step)
}

pub(super) fn answer(context: &Context, args: Answer) -> Result<Exit, Failure> {
    take(
        context,
        &args.id,
        Step {
            text: said(&args.text),
            how: args.how,
            ..step("answer")
        },
    )
}

pub(super) fn reason(context: &Context, kind: &str, args: Reason) -> Result<Exit, Failure> {
    take(
        context,
        &args.id,
        Step {
            reason: said(&args.text),
            ..step(kind)
        },
    )
}

pub(super) fn comment(context: &Context, args: Comment) -> Result<Exit, Failure> {
    take(
        context,
        &args.id,
        Step {
            text: said(&args.text),
            ..step("comment")
        },
    )
}

pub(super) fn settle(context: &Context, args: Settle) -> Result<Exit, Failure> {
    let step = Step {
        names: args.steps,
        reason: args.reason,
        ..step("settle")
    };
    take(context, &args.id, step)
}

fn step(kind: &str) -> Step {
    Step {
        kind: kind.to_owned(),
        ..Step::default()
    }
}

fn said(words: &[String]) -> Option<String> {
    Some(words.join(" ")).filter(|text| !text.is_empty())
}

fn take(context: &Context, id: &str, step: Step) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let detail = replica.ticket_step(id, &step)?;
    show(context, &replica, &detail, true);
    Ok(Exit::Done)
}
