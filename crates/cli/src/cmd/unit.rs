//! `unit`: offices outside the area tree that handle tickets.

use wangge_agent::people::UnitView;

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;

/// Units: add, list, close.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Unit {
    /// Add a unit under a township or county, at a desk with a link
    Add(Add),
    /// List units, the closed ones last
    List,
    /// Close a unit: nothing is given to it any more
    Close(Close),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    /// The township or county it serves
    #[arg(long, value_name = "CODE", value_parser = typed::folded)]
    area: String,
    /// How to reach it
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "",
        hide_default_value = true
    )]
    phone: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Close {
    /// The unit's name or id
    #[arg(value_name = "NAME")]
    name: String,
}

pub(crate) fn run(context: &Context, command: Unit) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    match command {
        Unit::List => list(context, &replica.units()),
        Unit::Add(add) => {
            let unit = block_on(replica.add_unit(&add.name, &add.area, &add.phone))??;
            context.ui.show(&unit, || {
                lang.unit_added(&unit.name, &areas::shown(unit.area.as_str()))
            });
        }
        Unit::Close(close) => {
            let unit = block_on(replica.close_unit(&close.name))??;
            context.ui.show(&unit, || lang.unit_closed(&unit.name));
        }
    }
    Ok(Exit::Done)
}

fn list(context: &Context, units: &[UnitView]) {
    let lang = context.ui.lang;
    context.ui.list(units, || {
        if units.is_empty() {
            return lang.no_units().to_owned();
        }
        let cells: Vec<Vec<String>> = units.iter().map(|unit| row(lang, unit)).collect();
        let heads = [
            lang.col_title(),
            lang.col_area(),
            lang.col_phone(),
            lang.col_staff(),
            "",
        ];
        table(&heads, &cells)
    });
}

fn row(lang: Lang, unit: &UnitView) -> Vec<String> {
    let people = match (unit.people.as_slice(), unit.closed) {
        ([], false) => lang.by_paper_slip().to_owned(),
        (people, _) => people.join(lang.comma()),
    };
    let closed = if unit.closed { lang.closed_unit() } else { "" };
    vec![
        unit.name.clone(),
        areas::shown(unit.area.as_str()),
        unit.phone.clone(),
        people,
        closed.to_owned(),
    ]
}
