//! `household`: add, list, show, find, edit; import has a file of its own.

mod duplicates;
mod merge;
mod move_to;

use serde_json::{Value, json};
use wangge_agent::Replica;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_relay::AreaCode;

use super::{import, init, read_input, show_bulk};
use crate::areas;
use crate::context::{ALL, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::{pairs, table};
use crate::ui::{Tone, tone};
use crate::view::{self, flag, int, items, list_sight, seen, text, texts};

/// Households found when nobody says how many.
const FOUND_MAX: usize = 20;

/// Households.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Household {
    /// Add a household, or many from JSON lines
    Add(Add),
    /// List households by group and door
    List(List),
    /// Show a household with its latest visits
    Show(Show),
    /// Find households by initials, name, door or the tail of a phone
    Find(Find),
    /// Change fields of a household
    Edit(Edit),
    /// Import a roster: a spreadsheet as village offices keep it
    Import(import::Args),
    /// List households that may be registered twice
    Duplicates(duplicates::Args),
    /// Make households one family; each record stays as it is
    Merge(merge::Merge),
    /// Take a merge back: a household stands for itself again
    Unmerge(merge::Unmerge),
    /// Say that two households are two families
    Distinct(merge::Distinct),
    /// Move a household to another grid
    Move(move_to::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The head's name
    #[arg(value_name = "HEAD", required_unless_present = "from")]
    head: Option<String>,
    /// The grid, 15 digits; this home's only one if it is not said
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    grid: Option<String>,
    /// The door, with or without the group: 3-12
    #[arg(long, value_name = "DOOR", value_parser = typed::folded)]
    door: Option<String>,
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

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only households under this area
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
    /// Leave out this many first
    #[arg(long, value_name = "N", value_parser = typed::count, default_value = "0")]
    offset: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Find {
    /// Initials, pinyin, name, door or the tail of a phone
    #[arg(value_name = "WORDS", required = true)]
    words: Vec<String>,
    /// At most this many
    #[arg(long, value_name = "N", value_parser = typed::count)]
    limit: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The telephone; empty takes it away
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
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

pub(crate) fn run(context: &Context, command: Household) -> Result<Exit, Failure> {
    match command {
        Household::Add(args) => add(context, args),
        Household::List(args) => list(context, &args),
        Household::Show(args) => show(context, &args),
        Household::Find(args) => find(context, &args),
        Household::Edit(args) => edit(context, args),
        Household::Import(args) => import::run(context, &args),
        Household::Duplicates(args) => duplicates::run(context, &args),
        Household::Merge(args) => merge::merge(context, &args),
        Household::Unmerge(args) => merge::unmerge(context, &args),
        Household::Distinct(args) => merge::distinct(context, &args),
        Household::Move(args) => move_to::run(context, &args),
    }
}

fn add(context: &Context, args: Add) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if let Some(from) = &args.from {
        let lines = read_input(from)?;
        let report = context.open()?.bulk_households(&lines)?;
        return Ok(show_bulk(context, &report));
    }
    let mut replica = context.open()?;
    let head = MemberInput {
        name: args.head.unwrap_or_default(),
        relation: Some("02".to_owned()),
        ..MemberInput::default()
    };
    let added = replica.add_household(HouseholdInput {
        area: args.grid,
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

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let area: Option<AreaCode> = match &args.area {
        Some(code) => init::area_codes(context, std::slice::from_ref(code))?.pop(),
        None => None,
    };
    let replica = context.open()?;
    let rows = replica.households(area.as_ref(), args.limit.unwrap_or(ALL), args.offset)?;
    show_rows(context, &replica, seen(&rows, list_sight(&replica)));
    Ok(Exit::Done)
}

fn find(context: &Context, args: &Find) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let mut rows = replica.find(&args.words.join(" "), args.limit.unwrap_or(FOUND_MAX))?;
    rows.truncate(args.limit.unwrap_or(ALL));
    let found = !rows.is_empty();
    show_rows(context, &replica, seen(&rows, list_sight(&replica)));
    Ok(if found { Exit::Done } else { Exit::Failed })
}

fn show_rows(context: &Context, replica: &Replica, rows: Value) {
    let lang = context.ui.lang;
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let today = replica.today();
    context.ui.list(rows, || {
        if rows.is_empty() {
            return lang.no_households().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let care: Vec<&str> = texts(row, "care")
                    .into_iter()
                    .map(|care| lang.code("care", care))
                    .collect();
                vec![
                    door(row),
                    text(row, "head").to_owned(),
                    int(row, "people").to_string(),
                    text(row, "phone_masked").to_owned(),
                    lang.code("residence", text(row, "residence")).to_owned(),
                    care.join(lang.comma()),
                    moment::day(lang, text(row, "last_visit"), today),
                    text(row, "id").to_owned(),
                ]
            })
            .collect();
        let heads = [
            lang.col_door(),
            lang.col_head(),
            lang.col_people(),
            lang.col_phone(),
            lang.col_residence(),
            lang.col_care(),
            lang.col_last_visit(),
            lang.col_id(),
        ];
        format!(
            "{}{}",
            table(&heads, &cells),
            tone(Tone::Faint, &lang.rows(rows.len()))
        )
    });
}

fn door(row: &Value) -> String {
    match int(row, "group") {
        0 => text(row, "door").to_owned(),
        group => format!("{group}-{}", text(row, "door")),
    }
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let id = replica.name_household(&args.id)?;
    let view = replica.household(&id)?;
    let area = view
        .household
        .area
        .as_ref()
        .map(|area| area.to_string())
        .unwrap_or_default();
    let value = seen(&view, view::sight(&replica, &area));
    context
        .ui
        .show(&value, || human(context.ui.lang, &replica, &value));
    Ok(Exit::Done)
}

fn human(lang: Lang, replica: &Replica, value: &Value) -> String {
    let heading = format!("{} {}", text(value, "door_short"), head_name(value));
    let facts = pairs(&[
        (lang.col_area(), areas::shown(text(value, "area"))),
        (lang.col_number(), text(value, "number").to_owned()),
        (lang.col_phone(), text(value, "phone_masked").to_owned()),
        (
            lang.col_residence(),
            lang.code("residence", text(value, "residence")).to_owned(),
        ),
        (
            lang.col_arrangement(),
            text(value, "arrangement").to_owned(),
        ),
        (lang.col_note(), text(value, "note").to_owned()),
        (lang.col_confirmed(), text(value, "confirmed_on").to_owned()),
        (lang.col_id(), text(value, "id").to_owned()),
    ]);
    let mut out = format!("{}\n{facts}", tone(Tone::Strong, heading.trim()));
    let members: Vec<Vec<String>> = items(value, "members")
        .iter()
        .map(|member| member_cells(lang, member))
        .collect();
    if !members.is_empty() {
        let heads = [
            lang.col_name(),
            lang.col_relation(),
            lang.col_sex(),
            lang.col_birth(),
            lang.col_phone(),
            lang.col_care(),
            lang.col_note(),
        ];
        out.push('\n');
        out.push_str(&table(&heads, &members));
    }
    out.push_str(&merge::others(lang, value));
    for conflict in items(value, "conflicts") {
        let line = lang.conflict_in(lang.field(text(conflict, "field")), int(conflict, "number"));
        out.push_str(&format!("{}\n", tone(Tone::Warn, &line)));
    }
    let today = replica.today();
    for visit in items(value, "visits") {
        out.push_str(&format!("{}\n", super::visit::line(lang, visit, today)));
    }
    out
}

fn head_name(value: &Value) -> String {
    let head = text(value, "head");
    let member = items(value, "members")
        .iter()
        .find(|member| text(member, "id") == head);
    member
        .map(|member| text(member, "name").to_owned())
        .unwrap_or_default()
}

fn member_cells(lang: Lang, member: &Value) -> Vec<String> {
    let care: Vec<&str> = texts(member, "care")
        .into_iter()
        .map(|care| lang.code("care", care))
        .collect();
    let mut notes = vec![text(member, "note").to_owned()];
    if flag(member, "away") {
        notes.push(lang.away_for_work().to_owned());
    }
    if !text(member, "left").is_empty() {
        notes.push(text(member, "left").to_owned());
    }
    notes.retain(|note| !note.is_empty());
    let sex = int(member, "sex").to_string();
    vec![
        text(member, "name").to_owned(),
        relation(text(member, "relation")).to_owned(),
        lang.code("sex", &sex).to_owned(),
        text(member, "birth").to_owned(),
        text(member, "phone_masked").to_owned(),
        care.join(lang.comma()),
        notes.join(lang.comma()),
    ]
}

/// Returns the word of a relation's code; the code itself where the table has none.
fn relation(code: &str) -> &str {
    wangge_agent::tables::relation(code).map_or(code, |relation| relation.name)
}

fn edit(context: &Context, args: Edit) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let wanted = HouseholdEdit {
        phone: args.phone,
        residence: args.residence,
        door: args.door,
        number: args.number,
        note: args.note,
        arrangement: args.arrangement,
    };
    let is_empty = [
        &wanted.phone,
        &wanted.residence,
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
    context.ui.show(&json!({"id": id, "changed": changed}), || {
        if changed {
            lang.household_changed().to_owned()
        } else {
            lang.said_already().to_owned()
        }
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_shown_with_its_group() {
        assert_eq!(door(&json!({"group": 3, "door": "12"})), "3-12");
        assert_eq!(door(&json!({"group": 0, "door": "12"})), "12");
    }
}
