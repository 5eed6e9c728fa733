//! `ticket open`: one ticket from a few words, or many from JSON lines.

use wangge_agent::tickets::TicketInput;

use super::show::show;
use crate::cmd::{read_lines, show_bulk, unread};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The household and what is asked; one word alone is what is asked
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// inquiry, help, complaint, suggestion, praise or errand
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// The area it is in, where no household is named
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// The matter at length
    #[arg(long, value_name = "TEXT")]
    detail: Option<String>,
    /// Who asks, when they belong to no household here
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// How to reach them
    #[arg(long, value_name = "TEXT", value_parser = typed::folded)]
    contact: Option<String>,
    /// named, confidential or anonymous
    #[arg(long, value_name = "WORD")]
    identity: Option<String>,
    /// A report it came from; may be repeated
    #[arg(long = "report", value_name = "ID", value_parser = typed::folded)]
    reports: Vec<String>,
    /// P0 to P3
    #[arg(long, value_name = "LEVEL", value_parser = typed::folded)]
    urgency: Option<String>,
    /// When the resident can be met outside office hours
    #[arg(long, value_name = "TEXT")]
    wish: Option<String>,
    /// What was done at once: it is opened and finished in one go
    #[arg(long, value_name = "TEXT", conflicts_with = "draft")]
    handled: Option<String>,
    /// Do not submit it yet
    #[arg(long)]
    draft: bool,
    /// JSON lines, one ticket each; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    from: Option<String>,
}

pub(super) fn run(context: &Context, args: Open) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_lines(from)?;
        let report = context.open_unread()?.bulk_tickets(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let (household, subject) = match args.words.as_slice() {
        [] => {
            return Err(Failure::Usage {
                message: lang.text_needed().to_owned(),
                hint: context.help_command(),
            });
        }
        [subject] => (None, subject.clone()),
        _ if args.area.is_some() => (None, args.words.join(" ")),
        [household, subject @ ..] => (Some(typed::half_width(household.trim())), subject.join(" ")),
    };
    let mut replica = context.open_unread()?;
    let typed = household.clone().unwrap_or_default();
    let detail = replica.open_ticket(TicketInput {
        household,
        area: args.area,
        kind: args.kind,
        subject,
        detail: args.detail.unwrap_or_default(),
        requester: args.requester.unwrap_or_default(),
        contact: args.contact.unwrap_or_default(),
        identity: args.identity,
        reports: args.reports,
        urgency: args.urgency,
        wish: args.wish.unwrap_or_default(),
        handled_on_spot: args.handled,
        done_kind: None,
        draft: args.draft,
    })?;
    if !replica.reads()? {
        let (id, code) = (detail.id.to_string(), detail.ticket.code.clone());
        return Ok(unread::show(context, &id, &typed, &[code]));
    }
    show(context, &replica, &detail, true);
    Ok(Exit::Done)
}
