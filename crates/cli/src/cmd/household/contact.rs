//! `household contact`: further telephones, each by itself.

use wangge_agent::households::ContactInput;

use super::{Which, say_changed};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

/// Further telephones.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Contact {
    /// Add a telephone
    Add(Add),
    /// Change a telephone, or whose it is
    Edit(Edit),
    /// Take a telephone away
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    which: Which,
    /// The number
    #[arg(value_name = "NUMBER", value_parser = typed::folded)]
    number: String,
    /// Whose it is
    #[arg(long, value_name = "WHO")]
    whose: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    /// Which telephone: its id, its place in the list, or its last digits
    #[arg(value_name = "CONTACT", value_parser = typed::folded)]
    contact: String,
    /// The number
    #[arg(long, value_name = "NUMBER", value_parser = typed::folded)]
    phone: Option<String>,
    /// Whose it is
    #[arg(long, value_name = "WHO")]
    whose: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    which: Which,
    /// Which telephone: its id, its place in the list, or its last digits
    #[arg(value_name = "CONTACT", value_parser = typed::folded)]
    contact: String,
}

pub(super) fn run(context: &Context, command: Contact) -> Result<Exit, Failure> {
    let done = match command {
        Contact::Add(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let input = ContactInput {
                phone: args.number,
                whose: args.whose.unwrap_or_default(),
            };
            replica.add_contact(&id, &input)?
        }
        Contact::Edit(args) => {
            let (mut replica, id) = args.which.open(context)?;
            let phone = args.phone.as_deref();
            replica.edit_contact(&id, &args.contact, phone, args.whose.as_ref())?
        }
        Contact::Remove(args) => {
            let (mut replica, id) = args.which.open(context)?;
            replica.remove_contact(&id, &args.contact)?
        }
    };
    Ok(say_changed(context, &serde_json::json!(done), done.changed))
}
