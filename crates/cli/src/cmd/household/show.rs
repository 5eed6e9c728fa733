//! `household show`: a household with its people, what they need, and what to look at.

use serde_json::Value;
use wangge_agent::Replica;

use crate::areas;
use crate::cmd::access::{self, Reveal};
use crate::cmd::history;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::{pairs, table};
use crate::ui::{Tone, tone};
use crate::view::{self, flag, int, items, seen, text, texts};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What names the household: id, initials, name, door, tail of the phone
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Who asked to see hidden fields, when and why
    #[arg(long, conflicts_with = "reveal")]
    access: bool,
    /// Show who changed what, from what to what
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    reveal: Reveal,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut replica = context.open()?;
    let id = replica.name_household(&args.id)?;
    if args.access {
        return access::show(context, &replica, &id);
    }
    let is_clear = args.reveal.ask(context, &mut replica, &id)?;
    let view = replica.household(&id)?;
    let area = view.household.area.as_ref().map(|area| area.to_string());
    let sight = match is_clear {
        true => view::revealed(&replica),
        false => view::sight(&replica, &area.unwrap_or_default()),
    };
    if args.history {
        return history::show(context, &replica, &id.to_string(), sight);
    }
    let value = seen(&view, sight);
    context.ui.show(&value, || {
        let shown = match is_clear {
            true => view::in_full(value.clone()),
            false => value.clone(),
        };
        human(context.ui.lang, &replica, &shown)
    });
    Ok(Exit::Done)
}

fn human(lang: Lang, replica: &Replica, value: &Value) -> String {
    let heading = format!(
        "{} {}",
        lang.placed(text(value, "door_short")),
        head_name(value)
    );
    let facts = pairs(&[
        (lang.col_area(), areas::shown(text(value, "area"))),
        (lang.col_number(), text(value, "number").to_owned()),
        (lang.col_phone(), text(value, "phone_masked").to_owned()),
        (lang.col_contacts(), contacts(lang, value)),
        (
            lang.col_residence(),
            join(&[
                lang.code("residence", text(value, "residence")),
                text(value, "residence_since"),
            ]),
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
    if flag(value, "void") {
        out.insert_str(0, &format!("{}\n", tone(Tone::Warn, lang.taken_back())));
    }
    let members: Vec<Vec<String>> = (1..)
        .zip(items(value, "members"))
        .map(|(row, member)| member_cells(lang, row, member, value))
        .collect();
    if !members.is_empty() {
        let heads = [
            lang.col_row(),
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
    out.push_str(&needs_and_consent(lang, value));
    for flag in items(value, "flags") {
        out.push_str(&format!(
            "{}\n",
            tone(Tone::Warn, &flag_line(lang, flag, value))
        ));
    }
    out.push_str(&super::merge::others(lang, value));
    for conflict in items(value, "conflicts") {
        let line = lang.conflict_in(lang.field(text(conflict, "field")), int(conflict, "number"));
        out.push_str(&format!("{}\n", tone(Tone::Warn, &line)));
    }
    let today = replica.today();
    for visit in items(value, "visits") {
        out.push_str(&format!(
            "{}\n",
            crate::cmd::visit::line(lang, visit, today)
        ));
    }
    out
}

fn head_name(value: &Value) -> String {
    member_name(value, text(value, "head"))
}

/// Returns the name of a member; empty where there is none.
fn member_name(value: &Value, id: &str) -> String {
    let member = items(value, "members")
        .iter()
        .find(|member| text(member, "id") == id);
    member
        .map(|member| text(member, "name").to_owned())
        .unwrap_or_default()
}

fn member_cells(lang: Lang, row: usize, member: &Value, household: &Value) -> Vec<String> {
    let care: Vec<String> = items(member, "care_periods")
        .iter()
        .map(|period| care_cell(lang, period))
        .collect();
    let mut notes = Vec::new();
    if !text(member, "left").is_empty() {
        let why = lang.code("left", text(member, "left"));
        notes.push(join(&[why, text(member, "left_on")]));
        notes.push(elsewhere(household, text(member, "moved_to")));
    }
    if flag(member, "away") {
        notes.push(join(&[lang.away_for_work(), text(member, "away_since")]));
    }
    notes.push(text(member, "note").to_owned());
    notes.retain(|note| !note.is_empty());
    let name = match text(member, "name") {
        "" => lang.unnamed(),
        name => name,
    };
    let sex = int(member, "sex").to_string();
    vec![
        row.to_string(),
        name.to_owned(),
        lang.relation(text(member, "relation")).to_owned(),
        lang.code("sex", &sex).to_owned(),
        [text(member, "birth"), text(member, "age_band")].concat(),
        text(member, "phone_masked").to_owned(),
        care.join(lang.comma()),
        notes.join(lang.comma()),
    ]
}

/// Returns a tag with its time: `独居老人 2025-03-01 – 2026-11-23`.
fn care_cell(lang: Lang, period: &Value) -> String {
    let (since, until) = (text(period, "since"), text(period, "until"));
    let span = match (since, until) {
        (since, "") => since.to_owned(),
        (since, until) => format!("{since} – {until}").trim_start().to_owned(),
    };
    let tag = lang.code("care", text(period, "tag"));
    join(&[tag, lang.code("every", text(period, "every")), &span])
}

fn contacts(lang: Lang, value: &Value) -> String {
    let all: Vec<String> = items(value, "contacts")
        .iter()
        .map(|contact| join(&[text(contact, "phone_masked"), text(contact, "whose")]))
        .collect();
    all.join(lang.comma())
}

fn needs_and_consent(lang: Lang, value: &Value) -> String {
    let mut out = String::new();
    for (row, need) in (1..).zip(items(value, "needs")) {
        let over = text(need, "done");
        let over = if over.is_empty() {
            String::new()
        } else {
            lang.need_met(over)
        };
        let said = [
            text(need, "since"),
            text(need, "kind"),
            text(need, "text"),
            &over,
        ];
        out.push_str(&lang.need_line(row, &join(&said)));
    }
    for (row, one) in (1..).zip(items(value, "consent")) {
        let whose = member_name(value, text(one, "member"));
        let over = text(one, "withdrawn");
        let over = if over.is_empty() {
            String::new()
        } else {
            lang.consent_over(over)
        };
        let said = [
            text(one, "at"),
            &whose,
            text(one, "purpose"),
            lang.code("basis", text(one, "basis")),
            lang.code("consent_how", text(one, "how")),
            text(one, "version"),
            &over,
        ];
        out.push_str(&lang.consent_line(row, &join(&said)));
    }
    out
}

fn flag_line(lang: Lang, flag: &Value, household: &Value) -> String {
    let here = text(household, "id");
    let member = text(flag, "member");
    let found = items(household, "members")
        .iter()
        .find(|one| text(one, "id") == member)
        .unwrap_or(&Value::Null);
    let name = text(found, "name");
    let other = text(flag, "household");
    let place = elsewhere(household, other);
    let place = if place.is_empty() { other } else { &place };
    match text(flag, "code") {
        "head_left" => lang.head_left(name, lang.code("left", text(found, "left")), here),
        "in_two_households" => lang.in_two_households(name, place, here, member),
        "edited_after_move" => {
            let mut fields: Vec<&str> = texts(flag, "fields")
                .into_iter()
                .map(|field| match field.starts_with("care/") {
                    true => lang.field("care"),
                    false => lang.field(field),
                })
                .collect();
            fields.dedup();
            let fields = fields.join(lang.comma());
            let (from, to) = match text(found, "left") {
                "" => (other, here),
                _ => (here, other),
            };
            lang.edited_after_move(name, &fields, from, to, member)
        }
        other => other.to_owned(),
    }
}

/// Returns door and head of a household that members came from or went to.
fn elsewhere(household: &Value, id: &str) -> String {
    let known = items(household, "elsewhere")
        .iter()
        .find(|one| !id.is_empty() && text(one, "id") == id);
    known.map_or_else(String::new, |one| {
        format!("→ {} {}", text(one, "door_short"), text(one, "head"))
    })
}

fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}
