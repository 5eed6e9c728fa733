//! `init`: a home on this device that records without any relay.

use serde_json::json;
use wangge_agent::Replica;
use wangge_relay::AreaCode;

use crate::areas;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Your name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// An area you work for, 6 to 15 digits; may be repeated
    #[arg(long, value_name = "CODE", required = true, value_parser = typed::folded, num_args = 1..)]
    area: Vec<String>,
    /// Record without any relay; enrol later with `enroll`
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(context: &Context, args: Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let codes = area_codes(context, &args.area)?;
    let dir = context.home()?;
    let mut replica = Replica::init(&dir, args.name.trim(), codes, context.machine())?;
    let value = json!({
        "home": dir.display().to_string(),
        "name": replica.profile().name,
        "areas": args.area,
        "device": replica.device().to_string(),
    });
    context.ui.show(&value, || {
        let names: Vec<String> = args.area.iter().map(|code| areas::shown(code)).collect();
        lang.home_made(
            args.name.trim(),
            &names.join(lang.comma()),
            &dir.display().to_string(),
        )
    });
    super::pin::choose_first(context, &mut replica)?;
    if !args.offline && context.ui.json.is_none() {
        context.ui.talk(lang.enroll_next());
    }
    Ok(Exit::Done)
}

/// Reads area codes; a bad one is the command line's fault.
pub(super) fn area_codes(context: &Context, typed: &[String]) -> Result<Vec<AreaCode>, Failure> {
    typed
        .iter()
        .map(|code| {
            AreaCode::parse(code).map_err(|_| Failure::Usage {
                message: context.ui.lang.no_area_code(code),
                hint: "wangge area list".to_owned(),
            })
        })
        .collect()
}
