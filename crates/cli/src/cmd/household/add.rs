//! `household add`: one household, or many from JSON lines.

use wangge_agent::households::{HouseholdInput, MemberInput};

use crate::cmd::{read_lines, show_bulk};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The head's name
    #[arg(value_name = "HEAD", required_unless_present = "from")]
    head: Option<String>,
    /// The grid, 15 digits; this home's only one if it is not said
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    grid: Option<String>,
    /// The door, with or without the group: 3-12
    #[arg(long, value_name = "DOOR", value_parser = typed::folded)]
    door: Option<String>,
    /// The village group, where the door does not say it
    #[arg(long, value_name = "GROUP", value_parser = typed::folded)]
    group: Option<String>,
    /// The telephone
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
    /// The household's number in the village's books
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    number: Option<String>,
    /// resident, away, empty or moved_out
    #[arg(long, value_name = "WORD")]
    residence: Option<String>,
    /// Remarks
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// What whoever knocks must know first
    #[arg(long, value_name = "TEXT")]
    arrangement: Option<String>,
    /// JSON lines, one household each; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "head")]
    from: Option<String>,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_lines(from)?;
        let report = context.open_unread()?.bulk_households(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let mut replica = context.open_unread()?;
    let head = MemberInput {
        name: args.head.unwrap_or_default(),
        relation: Some("02".to_owned()),
        ..MemberInput::default()
    };
    let added = replica.add_household(HouseholdInput {
        area: args.grid,
        group: args.group,
        door: args.door.unwrap_or_default(),
        number: args.number,
        phone: args.phone,
        residence: args.residence,
        note: args.note.unwrap_or_default(),
        arrangement: args.arrangement.unwrap_or_default(),
        members: vec![head],
        ..HouseholdInput::default()
    })?;
    context.ui.show(&added, || {
        let id = added.id.to_string();
        if added.created {
            lang.household_added(&id)
        } else {
            lang.household_known(&id)
        }
    });
    Ok(Exit::Done)
}
