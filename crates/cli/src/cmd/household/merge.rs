//! `household merge`, `unmerge` and `distinct`: one family in two records, or two families.

use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::{Tone, tone};
use crate::view::{self, items, seen, text, texts};

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The households, by id or what finds each
    #[arg(value_name = "HOUSEHOLD", required = true, num_args = 2.., value_parser = typed::folded)]
    households: Vec<String>,
    /// Show what they say differently and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Unmerge {
    /// The household that is to stand for itself: its id, or the other one where there are two
    #[arg(value_name = "HOUSEHOLD", value_parser = typed::folded)]
    household: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Distinct {
    /// One household
    #[arg(value_name = "ONE", value_parser = typed::folded)]
    one: String,
    /// The other
    #[arg(value_name = "OTHER", value_parser = typed::folded)]
    other: String,
}

pub(crate) fn merge(context: &Context, args: &Merge) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let merged = replica.merge_households(&args.households, args.dry_run)?;
    let home = replica.store().home(&merged.id).ok().flatten();
    let area = home.map(|area| area.to_string()).unwrap_or_default();
    let value = seen(&merged, view::sight(&replica, &area));
    context.ui.show(&value, || {
        let id = text(&value, "id");
        let head = match (merged.changed, merged.dry_run) {
            (false, _) if merged.also.is_empty() => lang.merge_of_one().to_owned(),
            (false, _) => lang.merged_already().to_owned(),
            (true, true) => lang.would_merge(merged.also.len(), id),
            (true, false) => lang.merged(merged.also.len(), id),
        };
        format!("{head}\n{}", others(lang, &value))
    });
    Ok(match merged.changed && merged.dry_run {
        true => Exit::Found,
        false => Exit::Done,
    })
}

pub(crate) fn unmerge(context: &Context, args: &Unmerge) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let done = context.open()?.unmerge_household(&args.household)?;
    context.ui.show(&done, || {
        lang.unmerged(&done.id.to_string(), &done.from.to_string())
    });
    Ok(Exit::Done)
}

pub(crate) fn distinct(context: &Context, args: &Distinct) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let changed = context.open()?.tell_apart(&args.one, &args.other)?;
    context.ui.show(&json!({"changed": changed}), || {
        if changed {
            lang.told_apart().to_owned()
        } else {
            lang.said_already().to_owned()
        }
    });
    Ok(Exit::Done)
}

/// Returns the lines that say for whom a household stands and what those say otherwise.
pub(crate) fn others(lang: Lang, value: &Value) -> String {
    let mut out = String::new();
    let also = texts(value, "also");
    if !also.is_empty() {
        let line = lang.stands_for(&also.join(lang.comma()));
        out.push_str(&format!("{}\n", tone(Tone::Faint, &line)));
    }
    for other in items(value, "other_values") {
        let said = match other.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let field = text(other, "field");
        let said = lang.code(field, &said).to_owned();
        out.push_str(&format!("{}\n", lang.also_says(lang.field(field), &said)));
    }
    out
}
