//! Every way a command fails: its exit code, what happened, what was kept, what to type next.
//!
//! **One place decides.** A failure says whether anything was lost and names one command.

mod damage;
mod home;
mod inbox;
mod line;
mod locked;
mod lost;
mod place;
mod refused;
mod relay;

use serde_json::json;
use wangge_agent::{AgentError, Refusal};
use wangge_relay::RelayError;

use crate::context::Context;
use crate::exit::Exit;
use crate::ui::{Tone, tone};
use refused::{invitation, list_of, order, roster, step, ticket_exit};

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The device says no.
    Agent(AgentError),
    /// The relay says no.
    Relay(RelayError),
    /// The command line is wrong, in words for the person.
    Usage {
        /// What is wrong.
        message: String,
        /// What to type.
        hint: String,
    },
    /// No folder to keep data in.
    NoFolder,
    /// No relay in a folder.
    NoRelay {
        /// The folder.
        at: String,
    },
    /// A folder is a device's home, and no relay's.
    DeviceHome {
        /// The folder.
        at: String,
    },
    /// A device could not be enrolled for want of a line.
    NotReached {
        /// The relay's address.
        url: String,
    },
    /// A ticket is at a stage that does not allow a step.
    Stage {
        /// Why.
        refusal: Refusal,
        /// The ticket's number.
        code: String,
        /// Where it stands.
        status: String,
        /// The steps this person can take now.
        steps: Vec<&'static str>,
    },
    /// A relay may not listen there.
    NotLoopback {
        /// The address.
        address: String,
    },
    /// The address cannot be listened on.
    CannotListen {
        /// The address.
        address: String,
        /// The system's word.
        reason: String,
    },
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// What was shown could not be written.
    Output {
        /// The system's word.
        reason: String,
    },
    /// There is no terminal to type a word at.
    NoTerminal,
    /// No process holds the key of a home.
    NotHeld,
    /// A check of the demo failed.
    Demo {
        /// What did not hold.
        what: String,
    },
}

/// A failure in words.
pub(crate) struct Told {
    /// A stable word.
    pub(crate) kind: &'static str,
    /// The ending.
    pub(crate) exit: Exit,
    /// What happened, and what was kept.
    pub(crate) message: String,
    /// What to type next; empty for the help of the command that failed.
    pub(crate) hint: String,
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        Failure::Agent(error)
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        Failure::Relay(error)
    }
}

impl Failure {
    /// Returns the failure in words.
    pub(crate) fn told(&self, context: &Context) -> Told {
        let lang = context.ui.lang;
        let told = |kind, exit, message: String, hint: &str| Told {
            kind,
            exit,
            message,
            hint: hint.to_owned(),
        };
        match self {
            Failure::Agent(error) => agent(error, context),
            Failure::Relay(error) => relay::told(error, lang),
            Failure::Usage { message, hint } => told("usage", Exit::Usage, message.clone(), hint),
            Failure::NoFolder
            | Failure::NoRelay { .. }
            | Failure::DeviceHome { .. }
            | Failure::NotReached { .. } => place::told(self, lang),
            Failure::Stage {
                refusal,
                code,
                status,
                steps,
            } => refused::stage(*refusal, (code, status), steps, lang),
            Failure::NotLoopback { address } => told(
                "not_loopback",
                Exit::Usage,
                lang.not_loopback(address),
                "wangge relay serve --listen 127.0.0.1:8720",
            ),
            Failure::CannotListen { address, reason } => told(
                "cannot_listen",
                Exit::Failed,
                lang.cannot_listen(address, lang.system_word(reason)),
                "wangge relay serve --listen 127.0.0.1:0",
            ),
            Failure::Unreadable { path, reason } => told(
                "unreadable",
                Exit::Failed,
                lang.unreadable(path, lang.system_word(reason)),
                "",
            ),
            Failure::Output { reason } => {
                let reason = lang.system_word(reason);
                told("output", Exit::Failed, lang.output_failed(reason), "")
            }
            Failure::NoTerminal => {
                let message = lang.no_terminal().to_owned();
                told("no_terminal", Exit::Usage, message, "")
            }
            Failure::NotHeld => told("not_held", Exit::Failed, lang.not_held().to_owned(), ""),
            Failure::Demo { what } => told(
                "demo",
                Exit::Failed,
                lang.demo_failed(what),
                "wangge demo --keep DIR",
            ),
        }
    }

    /// Says the failure on stderr and returns the ending.
    pub(crate) fn report(&self, context: &Context) -> Exit {
        let mut told = self.told(context);
        told.hint = match told.hint.as_str() {
            "" => context.help_command(),
            hint if hint.starts_with("wangge ") => context.filled(hint),
            _ => told.hint,
        };
        report(&told, context);
        told.exit
    }
}

fn report(told: &Told, context: &Context) {
    let ui = &context.ui;
    if ui.json.is_some() {
        let error = json!({"kind": told.kind, "message": told.message, "hint": told.hint});
        ui.talk_as_it_is(&json!({ "error": error }).to_string());
        return;
    }
    ui.talk(&format!(
        "{}{}",
        tone(Tone::Bad, ui.lang.error()),
        told.message
    ));
    ui.talk(&format!(
        "{}{}",
        tone(Tone::Strong, ui.lang.next_command()),
        crate::localize::spoken(ui.lang, &told.hint)
    ));
}

fn agent(error: &AgentError, context: &Context) -> Told {
    use AgentError as E;
    let lang = context.ui.lang;
    let (kind, exit, message, hint): (_, _, String, String) = match error {
        E::NoHome { at } => (
            "no_home",
            Exit::Usage,
            lang.no_home(&at.display().to_string()),
            lang.init_example().to_owned(),
        ),
        E::HomeExists { at } => (
            "home_exists",
            Exit::Failed,
            lang.home_exists(&at.display().to_string()),
            "wangge status".to_owned(),
        ),
        E::InUse => (
            "in_use",
            Exit::Refused,
            lang.in_use().to_owned(),
            "wangge status".to_owned(),
        ),
        E::Lost { .. } | E::Damaged { .. } | E::RecordDamaged { .. } | E::TooNew => {
            return damage::told(error, lang);
        }
        E::Locked { .. }
        | E::WrongWord { .. }
        | E::WordWait { .. }
        | E::WordTooWeak(_)
        | E::NoDeviceSecret { .. }
        | E::NotThisRecoveryKey => return locked::told(error, lang),
        E::HandedOver { home, on } => (
            "handed_over",
            Exit::Refused,
            lang.is_handed_over(&crate::areas::shown(home.as_str()), on),
            "wangge people list".to_owned(),
        ),
        E::DiskFull => (
            "disk_full",
            Exit::Failed,
            lang.disk_full().to_owned(),
            "wangge status".to_owned(),
        ),
        E::NotFound { what, name } => (
            "not_found",
            Exit::Failed,
            lang.not_found(name),
            list_of(*what, lang).to_owned(),
        ),
        E::HomeUnwritable { .. } | E::HomeFile { .. } | E::HomeUnreadable { .. } => {
            return home::told(error, context);
        }
        E::NotInInbox { id } => (
            "not_found",
            Exit::Failed,
            lang.not_in_inbox(id),
            "wangge inbox list".to_owned(),
        ),
        E::Ambiguous { name, candidates } => (
            "ambiguous",
            Exit::Failed,
            refused::ambiguous(lang, name, candidates),
            lang.name_it_by_id().to_owned(),
        ),
        E::NoSuchDoor {
            door,
            candidates,
            more,
        } => (
            "not_found",
            Exit::Failed,
            lang.no_such_door(door, &refused::offered(candidates), *more),
            list_of(wangge_agent::Sought::Household, lang).to_owned(),
        ),
        E::BadValue {
            field,
            value,
            expected,
        } => {
            let takes = lang.takes(field, expected);
            // What was not typed, or is not repeated, is not quoted.
            let message = match value.is_empty() {
                true => lang.bad_empty(lang.field(field), &takes),
                false => lang.bad_value(lang.field(field), lang.value(field, value), &takes),
            };
            ("bad_value", Exit::Usage, message, String::new())
        }
        E::IdNumberDiffers { birth, sex } => {
            let code = sex.map(|sex| lang.code("sex", &sex.to_string()).to_owned());
            let said: Vec<String> = [code, birth.clone()].into_iter().flatten().collect();
            let message = lang.id_number_differs(&said.join(lang.comma()));
            (
                "id_number_differs",
                Exit::Usage,
                message,
                refused::confirms(birth.as_deref(), *sex),
            )
        }
        E::LookedAt {
            field,
            masked,
            signs,
        } => {
            let words: Vec<&str> = signs
                .iter()
                .map(|sign| lang.code("sign", sign.code()))
                .collect();
            let (field, words) = (lang.field(field), words.join(lang.comma()));
            if signs.iter().any(|sign| sign.is_never_saved()) {
                let message = lang.never_saved(field, &words, masked);
                ("never_saved", Exit::Refused, message, String::new())
            } else {
                let message = lang.pointed_out(field, &words, masked);
                (
                    "pointed_out",
                    Exit::Refused,
                    message,
                    lang.keep_example().to_owned(),
                )
            }
        }
        E::Restricted(why) => {
            use wangge_agent::restricted::NoPlace;
            let why = match why {
                NoPlace::AboutAuthor => lang.about_author(),
                NoPlace::AboutNamed => lang.about_named(),
                NoPlace::ReachesAll => lang.reaches_all(),
            };
            (
                "restricted",
                Exit::Refused,
                lang.not_taken_here(why),
                "wangge help report add".to_owned(),
            )
        }
        E::NoNumber => (
            "no_number",
            Exit::Failed,
            lang.no_phone_known().to_owned(),
            "wangge household edit ID --phone NUMBER".to_owned(),
        ),
        E::TooLong(long) => {
            let message = lang.too_long(lang.field(long.field), long.limit);
            ("too_long", Exit::Usage, message, String::new())
        }
        E::DocumentFull => (
            "document_full",
            Exit::Failed,
            lang.document_full().to_owned(),
            String::new(),
        ),
        E::Ticket(refusal) => (
            "ticket_step",
            ticket_exit(*refusal),
            step(*refusal, lang),
            "wangge ticket list".to_owned(),
        ),
        E::InConflict { field } => (
            "in_conflict",
            Exit::NeedsPerson,
            lang.in_conflict(lang.field(field)),
            lang.conflict_list_command().to_owned(),
        ),
        E::NoRound => (
            "no_round",
            Exit::Failed,
            lang.no_round_here().to_owned(),
            lang.round_open_command().to_owned(),
        ),
        E::NoSheet { day, last } => {
            // What was entered is not repeated for another day: the person says which one was meant.
            let (message, hint) = match last {
                Some(last) => (lang.no_sheet_but(day, last), "wangge help today enter"),
                None => (lang.no_sheet(day), lang.sheet_print_command()),
            };
            ("no_sheet", Exit::Failed, message, hint.to_owned())
        }
        E::SheetRow { number, visit } => {
            let message = match visit {
                Some(visit) => lang.entered_before(*number, visit),
                None => lang.not_on_sheet(*number),
            };
            let hint = lang.sheet_print_command().to_owned();
            ("sheet_row", Exit::Failed, message, hint)
        }
        E::NotYourArea { area } => (
            "not_your_area",
            Exit::Refused,
            lang.not_your_area(&crate::areas::shown(area)),
            "wangge area list".to_owned(),
        ),
        E::NotYourRole => (
            "not_your_role",
            Exit::Refused,
            lang.needs_desk().to_owned(),
            "wangge status".to_owned(),
        ),
        E::NotEnrolled => (
            "not_enrolled",
            Exit::Refused,
            lang.not_enrolled().to_owned(),
            "wangge enroll CODE --relay URL".to_owned(),
        ),
        E::BadSettings { at, line } => (
            "bad_settings",
            Exit::Usage,
            lang.bad_settings(&at.display().to_string(), *line),
            "wangge config show".to_owned(),
        ),
        E::Invitation(why) => {
            let (kind, message, hint) = invitation(lang, *why);
            (kind, Exit::Refused, message.to_owned(), hint.to_owned())
        }
        E::Order(why) => order(lang, *why),
        E::Inbox(why) => inbox::told(*why, lang),
        E::OrderUnsent { .. } => (
            "no_link",
            Exit::NoLink,
            lang.order_needs_link().to_owned(),
            "wangge sync".to_owned(),
        ),
        E::Refused { .. } | E::Device(_) => return lost::told(error, context),
        E::PurgeTold(_) | E::Purged(_) | E::LeaseEnded { .. } | E::LeaseCode(_) => {
            return lost::told(error, context);
        }
        E::NoLink { reached, .. } => (
            if *reached { "relay_stuck" } else { "no_link" },
            Exit::NoLink,
            match reached {
                true => lang.relay_stuck().to_owned(),
                false => lang.no_link().to_owned(),
            },
            "wangge sync".to_owned(),
        ),
        E::UnknownRelay { .. }
        | E::OtherRelay { .. }
        | E::StrangeAnswer { .. }
        | E::UnsafeAddress { .. } => return line::told(error, context),
        E::Unreadable { path, reason } => (
            "unreadable",
            Exit::Failed,
            lang.unreadable(&path.display().to_string(), lang.system_word(reason)),
            String::new(),
        ),
        E::FileExists { path } => (
            "file_exists",
            Exit::Failed,
            // One attachment is never written over another file: there is no flag to name.
            match context.is_typed(&["fetch"]) {
                true => lang.file_exists_here(&path.display().to_string()),
                false => lang.file_exists(&path.display().to_string()),
            },
            String::new(),
        ),
        E::Unwritable { path, reason } => (
            "unwritable",
            Exit::Failed,
            lang.unwritable(&path.display().to_string(), lang.system_word(reason)),
            String::new(),
        ),
        E::Roster(error) => roster(error, lang),
        E::Internal(what) => (
            "internal",
            Exit::Failed,
            lang.internal(lang.system_word(what)),
            "wangge status".to_owned(),
        ),
    };
    Told {
        kind,
        exit,
        message,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use wangge_agent::{InvitationRefused, Sought};
    use wangge_relay::BadCertificate;

    use super::*;
    use crate::text::Lang;
    use crate::ui::Ui;

    #[test]
    fn every_failure_has_its_code_and_a_next_command() {
        let context = Context::new(Ui::new(Lang::En, None), None, &[]);
        let noted = |reason: &str| reason.to_owned();
        for (failure, exit) in [
            (AgentError::DiskFull, Exit::Failed),
            (AgentError::TooNew, Exit::Damaged),
            (AgentError::InUse, Exit::Refused),
            (AgentError::NotEnrolled, Exit::Refused),
            (
                AgentError::Refused {
                    reason: noted("unknown device"),
                },
                Exit::Refused,
            ),
            (
                AgentError::NoLink {
                    reason: noted("refused"),
                    reached: false,
                },
                Exit::NoLink,
            ),
            (
                AgentError::Invitation(InvitationRefused::TooManyTries),
                Exit::Refused,
            ),
            (
                AgentError::NotFound {
                    what: Sought::Unit,
                    name: noted("x"),
                },
                Exit::Failed,
            ),
            (AgentError::UnsafeAddress { url: noted("x") }, Exit::Usage),
            (AgentError::OtherRelay { url: noted("x") }, Exit::Refused),
        ] {
            let told = Failure::Agent(failure).told(&context);
            assert_eq!(told.exit, exit, "{}", told.kind);
            assert!(told.hint.starts_with("wangge "), "{}", told.kind);
        }
        let relay = [
            (RelayError::Full, Exit::Failed),
            (RelayError::Busy, Exit::NoLink),
            (RelayError::Served, Exit::Refused),
            (RelayError::TooNew { found: 9, known: 1 }, Exit::Damaged),
            (RelayError::PlainElsewhere, Exit::Usage),
            (
                RelayError::Certificate(BadCertificate::Mismatch),
                Exit::Usage,
            ),
            (
                RelayError::BadInvitation {
                    what: "name is empty",
                },
                Exit::Usage,
            ),
        ];
        for (failure, exit) in relay {
            assert_eq!(Failure::Relay(failure).told(&context).exit, exit);
        }
    }

    #[test]
    fn a_full_disk_says_that_this_was_not_recorded_and_the_rest_is_safe() {
        for (lang, words) in [(Lang::En, "not recorded"), (Lang::Zh, "没有记下")] {
            let context = Context::new(Ui::new(lang, None), None, &[]);
            assert!(
                Failure::Agent(AgentError::DiskFull)
                    .told(&context)
                    .message
                    .contains(words)
            );
        }
    }
}
