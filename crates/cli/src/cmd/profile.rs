//! `profile`: who has a home on this device.

use wangge_agent::profiles;

use super::pin::kind_code;
use crate::context::{Context, data_folder};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui::table::table;

/// Who has a home on this device.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Profile {
    /// List who has a home on this device, and what locks it
    List,
}

pub(crate) fn run(context: &Context, command: &Profile) -> Result<Exit, Failure> {
    let Profile::List = command;
    let lang = context.ui.lang;
    let rows = profiles::list(&data_folder().ok_or(Failure::NoFolder)?)?;
    context.ui.list(&rows, || {
        if rows.is_empty() {
            return lang.no_profiles().to_owned();
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                vec![
                    row.name.clone(),
                    row.relay.clone().unwrap_or_default(),
                    match row.word {
                        _ if row.damaged => lang.word_unreadable().to_owned(),
                        Some(kind) => lang.code("word", kind_code(kind)).to_owned(),
                        None => lang.no_word().to_owned(),
                    },
                    row.home.display().to_string(),
                ]
            })
            .collect();
        let heads = [
            lang.col_name(),
            lang.col_relay(),
            lang.col_lock(),
            lang.col_home(),
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}
