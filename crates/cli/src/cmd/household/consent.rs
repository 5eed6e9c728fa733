//! `household consent`: on what grounds what is kept is kept, and until when.

use wangge_agent::households::ConsentInput;

use super::{Which, done, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

/// On what grounds what is kept about a household is kept.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Consent {
    /// Record a consent, or another ground
    Add(Add),
    /// Say that a consent was withdrawn
    Withdraw(Withdraw),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    which: Which,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    purpose: String,
    /// consent, duty or emergency
    #[arg(long, value_name = "WORD")]
    basis: Option<String>,
    /// Which version of the text was read out or signed
    #[arg(long = "text-version", value_name = "VERSION")]
    text_version: Option<String>,
    /// spoken, written or phone
    #[arg(long, value_name = "WORD")]
    how: Option<String>,
    /// Whose it is; the household's as a whole if it is not said
    #[arg(long, value_name = "MEMBER", value_parser = typed::folded)]
    member: Option<String>,
    /// Who consents for a child under 14: a member or a name
    #[arg(long, value_name = "WHO", value_parser = typed::folded)]
    guardian: Option<String>,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    which: Which,
    /// Which consent: its id or its place in the list
    #[arg(value_name = "CONSENT", value_parser = typed::folded)]
    consent: String,
    /// The day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    on: Option<String>,
}

pub(super) fn run(context: &Context, command: Consent) -> Result<Exit, Failure> {
    match command {
        Consent::Add(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let input = ConsentInput {
                purpose: args.purpose,
                basis: args.basis,
                version: args.text_version.unwrap_or_default(),
                how: args.how,
                member: args.member,
                guardian: args.guardian,
                on: args.on,
            };
            let consent = replica.add_consent(&id, input)?;
            Ok(say_changed(context, &done(consent, true), true))
        }
        Consent::Withdraw(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let changed = replica.withdraw_consent(&id, &args.consent, args.on.as_deref())?;
            Ok(say_changed(context, &done(id, changed), changed))
        }
    }
}
