//! `enroll`: ten typed characters make this device known to a relay.

use wangge_agent::begun::{self, Before};
use wangge_agent::{AgentError, Replica};

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code of the invitation, or the text that was read from its picture
    #[arg(value_name = "CODE")]
    code: String,
    /// The relay's address; not needed where the text has one
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    relay: String,
    /// Your name; as invited if it is not said
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    name: String,
    /// The relay shows an ordinary certificate, for the name in its address
    #[arg(long)]
    ordinary_certificate: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    if args.relay.trim().is_empty() && !wangge_agent::names_its_relay(&args.code) {
        return Err(Failure::Usage {
            message: lang.enroll_needs_url().to_owned(),
            hint: "wangge enroll CODE --relay URL".to_owned(),
        });
    }
    let (mut replica, begun) = match context.open_unread() {
        Err(Failure::Agent(error @ (AgentError::NoHome { .. } | AgentError::Purged(_)))) => {
            let at = match error {
                AgentError::NoHome { at } => at,
                // What was here is gone: this device begins anew.
                _ => context.home()?,
            };
            // A device may begin by enrolling: its areas come with the grant.
            let before = Before::look(&at);
            let made = Replica::init(&at, args.name.trim(), Vec::new(), context.machine())?;
            (made, Some(before))
        }
        opened => (opened?, None),
    };
    let url = super::sync::address(&args.relay, args.ordinary_certificate)?;
    let enrolled = replica.enroll(&args.code, &url, args.name.trim(), None);
    let enrolled = match block_on(enrolled)? {
        // A device that is not enrolled has nothing to sync with: the code is typed again.
        Err(AgentError::NoLink { reached: false, .. }) => {
            return Err(Failure::NotReached {
                url: args.relay.clone(),
            });
        }
        Err(error) => {
            // A mistyped code begins no home: the next command would take it for somebody's.
            if let Some(before) = begun.filter(|_| begun::is_refused_for_good(&error)) {
                before.put_back(replica)?;
            }
            return Err(error.into());
        }
        Ok(enrolled) => enrolled,
    };
    context.ui.show(&enrolled, || {
        let names: Vec<String> = enrolled
            .areas
            .iter()
            .map(|area| areas::shown(area.as_str()))
            .collect();
        lang.enrolled(
            &enrolled.name,
            lang.code("role", enrolled.role),
            &names.join(lang.comma()),
            &enrolled.relay,
            enrolled.device_number,
        )
    });
    super::pin::choose_first(context, &mut replica)?;
    if context.ui.json.is_none() {
        let next = crate::localize::spoken(lang, "wangge sync");
        context.ui.talk(&format!("{}{next}", lang.next_command()));
    }
    Ok(Exit::Done)
}
