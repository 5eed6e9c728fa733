//! What is refused, and what is not found, in words: a village roster, an order, a code, a step.
//!
//! **The next command is one of the same matter**: whoever looks for a ticket is shown tickets.

use wangge_agent::{InvitationRefused, Refusal, Sought};

use super::Told;
use crate::exit::Exit;
use crate::text::{Lang, aliases};

pub(super) fn roster(
    error: &wangge_agent::roster::RosterError,
    lang: Lang,
) -> (&'static str, Exit, String, String) {
    use wangge_agent::roster::RosterError as R;
    let (kind, message) = match error {
        R::Unreadable { source } => {
            let reason = source.to_string();
            (
                "unreadable",
                lang.roster_unreadable(lang.system_word(&reason)),
            )
        }
        R::NoHeadings => ("no_headings", lang.roster_no_headings().to_owned()),
        R::NotASpreadsheet => ("not_a_spreadsheet", lang.not_a_spreadsheet().to_owned()),
        R::Protected => ("protected", lang.roster_protected().to_owned()),
        R::Damaged { sheet } => ("roster_damaged", lang.roster_damaged(sheet)),
        R::TooLarge { .. } => ("roster_too_large", lang.roster_too_large().to_owned()),
    };
    (
        kind,
        Exit::Failed,
        message,
        "wangge household import FILE.xlsx --grid CODE --dry-run".to_owned(),
    )
}

pub(super) fn order(
    lang: Lang,
    why: wangge_agent::OrderRefusal,
) -> (&'static str, Exit, String, String) {
    use wangge_agent::OrderRefusal as R;
    let (kind, message, hint) = match why {
        R::Malformed => ("bad_order", lang.order_malformed(), "wangge help people"),
        R::NotAllowed => (
            "not_your_area",
            lang.order_not_allowed(),
            "wangge area list",
        ),
        R::UnknownPerson => (
            "not_found",
            lang.order_unknown_person(),
            "wangge people list",
        ),
        R::Changed => ("changed", lang.order_changed(), "wangge sync"),
        R::NameTaken => ("name_taken", lang.unit_name_taken(), "wangge unit list"),
    };
    (kind, Exit::Refused, message.to_owned(), hint.to_owned())
}

/// Returns why a code was not taken. Codes are made where the relay is: nobody is sent to make one here.
pub(super) fn invitation(
    lang: Lang,
    why: InvitationRefused,
) -> (&'static str, &'static str, &'static str) {
    let (kind, message) = match why {
        InvitationRefused::WrongCode => ("wrong_code", lang.wrong_code()),
        InvitationRefused::TooManyTries => ("too_many_tries", lang.too_many_tries()),
        InvitationRefused::Spent => ("spent", lang.code_spent()),
        InvitationRefused::Expired => ("expired", lang.code_expired()),
        InvitationRefused::WrongRelay => ("wrong_relay", lang.wrong_relay()),
        InvitationRefused::ForRelay => {
            let next = "wangge relay join CODE --relay URL";
            return ("for_relay", lang.code_for_relay(), next);
        }
    };
    (kind, message, "wangge enroll CODE --relay URL")
}

/// Returns what is said where several fit; none is offered where the lease ended.
pub(super) fn ambiguous(lang: Lang, name: &str, candidates: &[(String, String)]) -> String {
    match candidates {
        [] => lang.several_unread().to_owned(),
        several => lang.ambiguous(name, &offered(several)),
    }
}

/// Returns candidates, a line each: the id that names one, and what tells it apart.
pub(super) fn offered(candidates: &[(String, String)]) -> String {
    let lines = candidates.iter();
    lines
        .map(|(id, line)| format!("\n  {id}  {line}"))
        .collect()
}

/// Returns the list in which what was not found would stand.
pub(super) fn list_of(what: Sought, lang: Lang) -> &'static str {
    match what {
        Sought::Household => "wangge household list",
        Sought::Member | Sought::Entry => "wangge household show ID",
        // An attachment is listed with what it belongs to, a visit most often.
        Sought::Record | Sought::Visit | Sought::Attachment => "wangge visit list",
        Sought::Report => "wangge report list",
        Sought::Ticket => "wangge ticket list",
        Sought::Step => "wangge ticket show ID",
        Sought::Round => "wangge round list",
        Sought::Conflict => lang.conflict_list_command(),
        Sought::Person | Sought::Handler => "wangge people list",
        Sought::Unit => "wangge unit list",
        Sought::Device => "wangge device list",
    }
}

pub(super) fn ticket_exit(refusal: Refusal) -> Exit {
    match refusal {
        Refusal::Contested => Exit::NeedsPerson,
        _ => Exit::Refused,
    }
}

/// Returns the words for a step that a ticket at this status does not allow, and what it does allow.
pub(super) fn stage(
    refusal: Refusal,
    (code, status): (&str, &str),
    steps: &[&'static str],
    lang: Lang,
) -> Told {
    let words: Vec<String> = steps.iter().map(|step| step_command(lang, step)).collect();
    let status = lang.code("status", status);
    Told {
        kind: "ticket_step",
        exit: ticket_exit(refusal),
        message: lang.stage(&step(refusal, lang), code, status, &words),
        hint: format!("wangge ticket show {code}"),
    }
}

/// Returns why a ticket does not allow a step.
pub(super) fn step(refusal: Refusal, lang: Lang) -> String {
    match refusal {
        Refusal::Missing { field } => lang.ticket_missing(lang.field(field)),
        other => lang.ticket_refused(other.code()),
    }
}

/// Returns the name of the command that takes a step.
fn step_command(lang: Lang, kind: &str) -> String {
    let name = match kind {
        "ask_back" => "ask".to_owned(),
        kind => kind.replace('_', "-"),
    };
    let han = aliases::of(&format!("ticket {name}"));
    match (lang, han) {
        (Lang::Zh, Some(han)) => han.to_owned(),
        _ => name,
    }
}

/// Returns the flags that say what an id number says.
pub(super) fn confirms(birth: Option<&str>, sex: Option<u8>) -> String {
    let birth = birth.map(|birth| format!(" --birth {birth}"));
    let sex = sex.map(|sex| format!(" --sex {sex}"));
    let flags = [birth, sex].into_iter().flatten().collect::<String>();
    format!("wangge member edit HOUSEHOLD MEMBER --id-number FILE{flags}")
}
