//! `ticket slip`: plain text to print, for whoever handles a ticket and for the resident.
//!
//! What it says of the resident is masked by the façade, whoever prints it.

use wangge_agent::tickets::{Slip, SlipFor};

use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::{Lang, typed as words};
use crate::typed;
use crate::ui::table::pairs;

/// How long the lines to write on are, in cells.
const BLANK: &str = "____________________";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The ticket's number, its id or the beginning of the id
    #[arg(value_name = "ID", value_parser = typed::folded)]
    id: String,
    /// Who it is for: handler or resident
    #[arg(long = "for", value_name = "WHO", default_value = "handler")]
    whom: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let slip_for = match args.whom.trim() {
        word if words::RESIDENT.contains(&word) => SlipFor::Resident,
        word if words::HANDLER.contains(&word) => SlipFor::Handler,
        word => {
            return Err(Failure::Usage {
                message: lang.bad_choice("--for", word, lang.slip_readers()) + lang.nothing_done(),
                hint: context.help_command(),
            });
        }
    };
    let slip = context.open()?.ticket_slip(&args.id, slip_for)?;
    context.ui.show(&slip, || match slip_for {
        SlipFor::Handler => [work_part(lang, &slip), return_part(lang, &slip)]
            .join(&format!("\n{}\n\n", lang.slip_cut())),
        SlipFor::Resident => resident(lang, &slip),
    });
    Ok(Exit::Done)
}

/// 承办联: what whoever handles it keeps.
fn work_part(lang: Lang, slip: &Slip) -> String {
    let mut rows = head(lang, slip);
    rows.extend([
        (lang.col_detail(), slip.detail.clone()),
        (lang.col_area(), place(lang, slip)),
        (lang.col_requester(), who(lang, slip)),
        (lang.col_contact(), slip.contact.clone()),
        (lang.col_wish(), slip.wish.clone()),
        (lang.col_first_asked(), slip.first_asked.clone()),
        (lang.col_custody(), slip.custody.join(lang.comma())),
    ]);
    let signed = lang.slip_taken(BLANK, BLANK);
    format!("{}\n{}{signed}\n", lang.slip_work_part(), pairs(&rows))
}

/// 回执联: what goes back to the level that gave it.
fn return_part(lang: Lang, slip: &Slip) -> String {
    let desk = slip.desk.as_ref().map(|area| areas::spoken(area.as_str()));
    let result = lang.slip_result(BLANK, &desk.unwrap_or_default());
    format!(
        "{}\n{}{result}\n",
        lang.slip_return_part(),
        pairs(&head(lang, slip))
    )
}

/// 居民回执: whom to ask, until when, and where to complain.
fn resident(lang: Lang, slip: &Slip) -> String {
    let rows = [
        (lang.col_number(), slip.code.clone()),
        (lang.col_what(), slip.subject.clone()),
        (lang.col_first_asked(), slip.first_asked.clone()),
        (lang.col_promised(), until(slip.promised)),
        (lang.col_custody(), slip.custody.join(lang.comma())),
        (lang.col_station_phone(), slip.station_phone.clone()),
        (lang.col_complaint_line(), slip.complaint_line.clone()),
        (lang.col_printed(), slip.printed_on.clone()),
    ];
    format!("{}\n{}", lang.slip_resident(), pairs(&rows))
}

fn head(lang: Lang, slip: &Slip) -> Vec<(&'static str, String)> {
    let named = |view: &wangge_agent::tickets::HandlerView| areas::spoken(&view.name);
    let with: Vec<String> = slip.with.iter().map(named).collect();
    vec![
        (lang.col_number(), slip.code.clone()),
        (lang.col_kind(), lang.code("ticket", &slip.kind).to_owned()),
        (lang.col_urgency(), slip.urgency.clone()),
        (lang.col_what(), slip.subject.clone()),
        (
            lang.col_handler(),
            slip.handler.as_ref().map(named).unwrap_or_default(),
        ),
        (lang.col_with(), with.join(lang.comma())),
        (lang.col_limit(), until(slip.due)),
        (lang.col_printed(), slip.printed_on.clone()),
    ]
}

fn who(lang: Lang, slip: &Slip) -> String {
    match slip.identity {
        "named" => slip.requester.clone(),
        identity => lang.code("identity", identity).to_owned(),
    }
}

/// Returns the area, and of the door only the village group.
fn place(lang: Lang, slip: &Slip) -> String {
    let area = slip.area.as_ref().map(|area| areas::spoken(area.as_str()));
    let group = slip.group.map(|group| lang.village_group(group));
    let parts: Vec<String> = area.into_iter().chain(group).collect();
    parts.join(" ")
}

fn until(at_ms: Option<i64>) -> String {
    let moment = at_ms.and_then(moment::china);
    moment.map_or_else(String::new, |moment| {
        moment.format("%Y-%m-%d %H:%M").to_string()
    })
}
