//! `member`: the people of a household, in, changed, out, back, elsewhere.

use wangge_agent::households::{MemberDone, MemberEdit, MemberInput, Move};

use super::household::{Which, say_changed};
use super::read_lines;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

/// The people of a household.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Member {
    /// Add a member
    Add(Add),
    /// Change fields of a member
    Edit(Edit),
    /// Say that a member left: died, moved_out, married, split or mistake
    Leave(Leave),
    /// Say that a member lives here again
    Return(Return),
    /// Move a member to another household
    Move(MoveArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    which: Which,
    /// The name
    #[arg(long, value_name = "NAME", required_unless_present = "unnamed")]
    name: Option<String>,
    /// A newborn without a name
    #[arg(long, conflicts_with = "name")]
    unnamed: bool,
    /// Another person of whom the same is said: a twin
    #[arg(long)]
    another: bool,
    #[command(flatten)]
    fields: Fields,
    /// Works away
    #[arg(long)]
    away: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
    /// The name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Works away
    #[arg(long, conflicts_with = "present")]
    away: bool,
    /// Does not work away, or no longer
    #[arg(long = "at-home")]
    present: bool,
}

/// What can be said of a member.
#[derive(Debug, clap::Args)]
pub(crate) struct Fields {
    /// What they are to the head, in words or as a code of GB/T 4761
    #[arg(long, value_name = "WORD")]
    relation: Option<String>,
    /// 1 male, 2 female
    #[arg(long, value_name = "WORD", value_parser = typed::folded)]
    sex: Option<String>,
    /// Year and month: 1967-09, or 1967
    #[arg(long, value_name = "MONTH", value_parser = typed::folded)]
    birth: Option<String>,
    /// Their own telephone
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
    /// 18 digits in a file, - is stdin; checked and kept only as a hash
    #[arg(long, value_name = "FILE")]
    id_number: Option<String>,
    /// Remarks
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Leave {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
    /// died, moved_out, married, split or mistake
    #[arg(long, value_name = "WORD")]
    reason: String,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Return {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    which: Which,
    /// Which member: name, id or place in the list
    #[arg(value_name = "MEMBER", value_parser = typed::folded)]
    member: String,
    /// The household they move to
    #[arg(long, value_name = "HOUSEHOLD", value_parser = typed::folded)]
    to: String,
    /// moved_out or married; moved_out if it is not said
    #[arg(long, value_name = "WORD")]
    reason: Option<String>,
    /// What they are to the head of the new household
    #[arg(long, value_name = "WORD")]
    relation: Option<String>,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(crate) fn run(context: &Context, command: Member) -> Result<Exit, Failure> {
    let done = match command {
        Member::Add(args) => add(context, args)?,
        Member::Edit(args) => edit(context, args)?,
        Member::Leave(args) => {
            let (mut replica, id) = args.which.open(context)?;
            replica.member_leaves(&id, &args.member, &args.reason, args.on.as_deref())?
        }
        Member::Return(args) => {
            let (mut replica, id) = args.which.open(context)?;
            replica.member_returns(&id, &args.member)?
        }
        Member::Move(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let to = replica.name_household(&args.to)?;
            let how = Move {
                reason: args.reason,
                on: args.on,
                relation: args.relation,
            };
            replica.move_member(&id, &args.member, &to, how)?
        }
    };
    Ok(say_changed(context, &serde_json::json!(done), done.changed))
}

fn add(context: &Context, args: Add) -> Result<MemberDone, Failure> {
    let number = id_number(context, args.fields.id_number.as_deref())?;
    let (mut replica, id) = args.which.open(context)?;
    let input = MemberInput {
        name: args.name.unwrap_or_default(),
        relation: args.fields.relation,
        sex: args.fields.sex,
        birth: args.fields.birth,
        id_number: number,
        phone: args.fields.phone,
        away: args.away,
        note: args.fields.note.unwrap_or_default(),
        ..MemberInput::default()
    };
    Ok(replica.add_member(&id, input, args.another)?)
}

fn edit(context: &Context, args: Edit) -> Result<MemberDone, Failure> {
    let edit = MemberEdit {
        name: args.name,
        relation: args.fields.relation,
        sex: args.fields.sex,
        birth: args.fields.birth,
        id_number: id_number(context, args.fields.id_number.as_deref())?,
        phone: args.fields.phone,
        away: (args.away || args.present).then_some(args.away),
        note: args.fields.note,
    };
    if edit == MemberEdit::default() {
        return Err(Failure::Usage {
            message: context.ui.lang.nothing_to_change().to_owned(),
            hint: "wangge member edit --help".to_owned(),
        });
    }
    let (mut replica, id) = args.which.open(context)?;
    Ok(replica.edit_member(&id, &args.member, edit)?)
}

/// Returns the id number in a file or on stdin.
///
/// As an argument it would stay in the shell's history and be seen in the list of processes: one that
/// is typed there is refused and not repeated.
fn id_number(context: &Context, from: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(from) = from else { return Ok(None) };
    let digits = from.chars().filter(char::is_ascii_digit).count();
    if digits >= 15 {
        return Err(Failure::Usage {
            message: context.ui.lang.id_number_as_argument().to_owned(),
            hint: "wangge member edit --help".to_owned(),
        });
    }
    let text = read_lines(from)?;
    Ok(Some(
        text.lines().next().unwrap_or_default().trim().to_owned(),
    ))
}
