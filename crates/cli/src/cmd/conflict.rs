//! `conflict`: two people wrote one field; both values are kept until a person settles.
//!
//! **In a worker's own grid both values are shown clear.** At a desk they are masked as everywhere;
//! `household show --reveal` shows them in full to whoever gives a reason.

use serde_json::{Value, json};
use wangge_agent::conflicts::{Choice, ConflictView};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::localize::spoken;
use crate::moment;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;
use crate::ui::{Tone, tone};
use crate::view::{hide_conflict, list_sight};

/// Fields with more than one value.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Conflict {
    /// List fields with more than one value
    List(List),
    /// Show the values of one field
    Show(Show),
    /// Say which value stands
    Settle(Settle),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only of this household and what belongs to it
    #[arg(long, value_name = "HOUSEHOLD", value_parser = typed::folded)]
    household: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A number of the list, an id, or what finds the household
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The field, where the record has several
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Settle {
    /// A number of the list, an id, or what finds the household
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// The field, where the record has several
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Take the value with this number
    #[arg(long = "use", value_name = "NUMBER", value_parser = typed::count, conflicts_with = "value")]
    choice: Option<usize>,
    /// Take a new value
    #[arg(long, value_name = "VALUE")]
    value: Option<String>,
}

pub(crate) fn run(context: &Context, command: Conflict) -> Result<Exit, Failure> {
    match command {
        Conflict::List(args) => list(context, &args),
        Conflict::Show(args) => show(context, &args),
        Conflict::Settle(args) => settle(context, args),
    }
}

fn list(context: &Context, args: &List) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let replica = context.open()?;
    let mut conflicts = match &args.household {
        Some(name) => replica.conflicts_of(&replica.name_household(name)?)?,
        None => replica.conflicts()?,
    };
    for conflict in &mut conflicts {
        hide_conflict(conflict, list_sight(&replica));
    }
    context.ui.list(&conflicts, || {
        if conflicts.is_empty() {
            return lang.no_conflicts().to_owned();
        }
        let cells: Vec<Vec<String>> = conflicts
            .iter()
            .map(|conflict| {
                let values: Vec<String> = conflict
                    .versions
                    .iter()
                    .map(|version| lang.value_of(&conflict.field, &version.value))
                    .collect();
                vec![
                    conflict.number.to_string(),
                    lang.placed(&conflict.title),
                    named(lang, conflict),
                    values.join(" / "),
                ]
            })
            .collect();
        let heads = ["#", lang.col_what(), lang.col_field(), lang.col_value()];
        format!(
            "{}{}{}",
            table(&heads, &cells),
            lang.next_command(),
            spoken(lang, "wangge conflict settle 1 --use 1")
        )
    });
    Ok(Exit::Done)
}

fn show(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let replica = context.open()?;
    let mut conflict = replica.name_conflict(&args.id, args.field.as_deref())?;
    hide_conflict(&mut conflict, list_sight(&replica));
    let today = replica.today();
    context
        .ui
        .show(&conflict, || human(context.ui.lang, &conflict, today));
    Ok(Exit::Done)
}

fn human(lang: Lang, conflict: &ConflictView, today: chrono::NaiveDate) -> String {
    let heading = format!(
        "{} · {}",
        lang.placed(&conflict.title),
        named(lang, conflict)
    );
    let mut lines = vec![tone(Tone::Strong, &heading)];
    for (number, version) in (1..).zip(&conflict.versions) {
        let by = lang.this_device_or(version.by.here, &version.by.name);
        let when = moment::minute(lang, version.at_ms, today);
        let mark = if version.shown { lang.shown_now() } else { "" };
        lines.push(format!(
            "{number}  {} · {by} · {when}{mark}",
            lang.value_of(&conflict.field, &version.value)
        ));
    }
    let next = format!("wangge conflict settle {} --use 1", conflict.number);
    let next = spoken(lang, &next);
    lines.push(format!("{}{next}", tone(Tone::Faint, lang.next_command())));
    lines.join("\n")
}

fn settle(context: &Context, args: Settle) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let choice = match (args.choice, args.value) {
        (Some(number), _) => Choice::Number(number),
        (None, Some(value)) => Choice::Value(value),
        (None, None) => {
            return Err(Failure::Usage {
                message: lang.choice_needed().to_owned(),
                hint: format!("wangge conflict show {}", args.id),
            });
        }
    };
    let mut replica = context.open()?;
    let mut conflict = replica.settle(&args.id, args.field.as_deref(), &choice)?;
    hide_conflict(&mut conflict, list_sight(&replica));
    let value = match choice {
        Choice::Number(number) => number
            .checked_sub(1)
            .and_then(|at| conflict.versions.get(at))
            .map(|version| version.value.clone())
            .unwrap_or_default(),
        Choice::Value(text) => Value::String(text),
    };
    let left = replica.conflicts()?.len();
    let shown = json!({
        "id": conflict.id, "field": conflict.field, "value": value, "conflicts_left": left,
    });
    context.ui.show(&shown, || {
        lang.settled(
            &lang.placed(&conflict.title),
            &named(lang, &conflict),
            &lang.value_of(&conflict.field, &value),
        )
    });
    Ok(Exit::Done)
}

/// Returns the field in words, with whose it is.
fn named(lang: Lang, conflict: &ConflictView) -> String {
    let name = format!("{} {}", conflict.of, lang.field(&conflict.field));
    name.trim().to_owned()
}
