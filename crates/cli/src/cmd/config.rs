//! `config`: the settings of this device and where each comes from.

use serde_json::json;
use wangge_agent::settings::SettingRow;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::table::table;

/// The settings of this device.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Config {
    /// Show each setting and where it comes from
    Show,
    /// Set a setting; an empty value brings the usual one back
    Set(Set),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// A name that config show lists
    #[arg(value_name = "NAME", value_parser = typed::folded)]
    name: String,
    /// What to set it to
    #[arg(value_name = "VALUE", num_args = 0.., allow_hyphen_values = true)]
    value: Vec<String>,
}

pub(crate) fn run(context: &Context, command: &Config) -> Result<Exit, Failure> {
    match command {
        Config::Show => show(context),
        Config::Set(args) => set(context, args),
    }
}

fn set(context: &Context, args: &Set) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open_unread()?;
    let row = replica.set_setting(&args.name, &args.value.join(" "))?;
    let value = json!({"name": row.name, "value": row.value, "origin": origin(&row)});
    context
        .ui
        .show(&value, || lang.setting_set(&row.name, &row.value));
    Ok(Exit::Done)
}

fn origin(row: &SettingRow) -> &'static str {
    if row.usual { "default" } else { "home" }
}

fn show(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let home = context.home()?;
    let replica = context.open_unread().ok();
    let relay = replica
        .as_ref()
        .and_then(|replica| replica.profile().relay.clone());
    let from_env = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let home_origin = match (context.is_home_named(), from_env("WANGGE_HOME")) {
        (false, _) => "default",
        (true, true) => "flag_or_environment",
        (true, false) => "flag",
    };
    let lang_word = lang.pick("zh", "en");
    let fixed = [
        ("home", home.display().to_string(), home_origin),
        ("lang", lang_word.to_owned(), context.lang_origin()),
        (
            "name",
            replica
                .as_ref()
                .map(|r| r.profile().name.clone())
                .unwrap_or_default(),
            "home",
        ),
        (
            "relay.url",
            relay
                .as_ref()
                .map(|relay| relay.url.clone())
                .unwrap_or_default(),
            "home",
        ),
        (
            "relay.name",
            relay.map(|relay| relay.name).unwrap_or_default(),
            "home",
        ),
    ];
    let mut rows: Vec<(String, String, &str)> = fixed
        .into_iter()
        .map(|(name, value, origin)| (name.to_owned(), value, origin))
        .collect();
    if let Some(replica) = &replica {
        let settings = replica.settings()?.rows();
        rows.extend(settings.into_iter().map(|row| {
            let origin = origin(&row);
            (row.name, row.value, origin)
        }));
    }
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|(name, value, origin)| json!({"name": name, "value": value, "origin": origin}))
        .collect();
    context.ui.list(&values, || {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|(name, value, origin)| {
                vec![
                    name.clone(),
                    value.clone(),
                    lang.code("origin", origin).to_owned(),
                ]
            })
            .collect();
        table(
            &[lang.col_setting(), lang.col_value(), lang.col_origin()],
            &cells,
        )
    });
    Ok(Exit::Done)
}
