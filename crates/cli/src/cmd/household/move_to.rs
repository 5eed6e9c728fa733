//! `household move`: to another grid.

use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "HOUSEHOLD", value_parser = typed::folded)]
    household: String,
    /// The grid it moves to, 15 digits
    #[arg(long, value_name = "GRID", value_parser = typed::folded)]
    to: String,
    /// Show what would happen and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let moved = replica.move_household(&args.household, &args.to, args.dry_run)?;
    context.ui.show(&moved, || {
        let from = areas::shown(moved.from.as_str());
        let to = areas::shown(moved.to.as_str());
        match (moved.changed, moved.dry_run) {
            (false, _) => lang.lives_there(&to),
            (true, true) => lang.would_move(&from, &to),
            (true, false) => lang.moved_to(&from, &to),
        }
    });
    Ok(match moved.changed && moved.dry_run {
        true => Exit::Found,
        false => Exit::Done,
    })
}
