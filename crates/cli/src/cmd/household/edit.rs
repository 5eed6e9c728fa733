//! `household edit`: fields of the household itself; its people are `member`'s.

use wangge_agent::households::HouseholdEdit;

use super::{done, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The telephone; empty takes it away
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
    /// The head: a member by id, name or place in the list
    #[arg(long, value_name = "MEMBER", value_parser = typed::folded)]
    head: Option<String>,
    /// The village group
    #[arg(long, value_name = "GROUP", value_parser = typed::folded)]
    group: Option<String>,
    /// The door, with or without the group
    #[arg(long, value_name = "DOOR", value_parser = typed::folded)]
    door: Option<String>,
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
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let wanted = HouseholdEdit {
        phone: args.phone,
        residence: args.residence,
        head: args.head,
        group: args.group,
        door: args.door,
        number: args.number,
        note: args.note,
        arrangement: args.arrangement,
    };
    let is_empty = [
        &wanted.phone,
        &wanted.residence,
        &wanted.head,
        &wanted.group,
        &wanted.door,
        &wanted.number,
        &wanted.note,
        &wanted.arrangement,
    ]
    .into_iter()
    .all(Option::is_none);
    if is_empty {
        return Err(Failure::Usage {
            message: lang.nothing_to_change().to_owned(),
            hint: "wangge household edit --help".to_owned(),
        });
    }
    let mut replica = context.open()?;
    let id = replica.name_household(&args.id)?;
    let changed = replica.edit_household(&id, wanted)?;
    Ok(say_changed(context, &done(id, changed), changed))
}
