//! `people`: who works here, who is on leave, who stands in.

use chrono::NaiveDate;
use wangge_agent::link::Download;
use wangge_agent::people::{LeaveInput, LeaveView, PersonView};

use crate::areas;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Lang;
use crate::typed;
use crate::ui::table::table;

/// People: list, leave, cover.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum People {
    /// List colleagues, who is on leave and who stands in
    List,
    /// Say that somebody is on leave, at a desk with a link
    Leave(Leave),
    /// Let somebody stand in for a colleague, at a desk with a link
    Cover(Cover),
    /// Give a worker's grids to a colleague, at a desk with a link
    HandOver(HandOverArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct HandOverArgs {
    /// Who has the grids
    #[arg(value_name = "NAME")]
    name: String,
    /// Who gets them
    #[arg(long, value_name = "NAME")]
    to: String,
    /// A grid; all of them if it is not said
    #[arg(long, value_name = "CODE", value_parser = typed::folded, num_args = 1..)]
    area: Vec<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Leave {
    /// Who is away
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    days: Days,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Cover {
    /// Who is away
    #[arg(value_name = "NAME")]
    name: String,
    /// Who stands in
    #[arg(long, value_name = "NAME", required_unless_present = "end")]
    by: Option<String>,
    /// An area of the one who is away; all of them if it is not said
    #[arg(long, value_name = "CODE", value_parser = typed::folded, num_args = 1.., conflicts_with = "end")]
    area: Vec<String>,
    #[command(flatten)]
    days: Days,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Days {
    /// The first day; today if it is not said
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    from: Option<String>,
    /// The last day; that of the leave if one is known
    #[arg(long, value_name = "DAY", value_parser = typed::folded)]
    until: Option<String>,
    /// What colleagues should know; never why somebody is away
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    note: String,
    /// End the leave and every cover of this colleague now
    #[arg(long, conflicts_with_all = ["from", "until", "note"])]
    end: bool,
}

pub(crate) fn run(context: &Context, command: People) -> Result<Exit, Failure> {
    match command {
        People::List => list(context),
        People::HandOver(args) => hand_over(context, &args),
        People::Leave(Leave { name, days }) if days.end => end(context, &name),
        People::Cover(Cover { name, days, .. }) if days.end => end(context, &name),
        People::Leave(Leave { name, days }) => {
            let mut replica = context.open()?;
            let input = input((context, replica.today()), name, None, Vec::new(), days)?;
            ordered(context, &block_on(replica.leave(input))??)
        }
        People::Cover(Cover {
            name,
            by,
            area,
            days,
        }) => {
            let mut replica = context.open()?;
            let input = input((context, replica.today()), name, by, area, days)?;
            ordered(context, &block_on(replica.cover(input))??)
        }
    }
}

fn input(
    (context, today): (&Context, NaiveDate),
    absent: String,
    substitute: Option<String>,
    areas: Vec<String>,
    days: Days,
) -> Result<LeaveInput, Failure> {
    let day = |typed: Option<String>| {
        let read = |typed: String| {
            let day = typed::day_of(typed.trim_start_matches('@'), today);
            day.map(|day| day.to_string()).ok_or(Failure::Usage {
                message: context.ui.lang.no_day(&typed),
                hint: "wangge people leave --help".to_owned(),
            })
        };
        typed.map(read).transpose()
    };
    Ok(LeaveInput {
        absent,
        substitute,
        areas,
        from: day(days.from)?,
        until: day(days.until)?,
        note: days.note,
    })
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let people = context.open()?.people_list();
    context.ui.list(&people, || {
        if people.is_empty() {
            return lang.no_people().to_owned();
        }
        let cells: Vec<Vec<String>> = people.iter().map(|person| row(lang, person)).collect();
        let heads = [
            lang.col_name(),
            lang.col_role(),
            lang.col_area(),
            lang.col_unit(),
            "",
        ];
        table(&heads, &cells)
    });
    Ok(Exit::Done)
}

fn row(lang: Lang, person: &PersonView) -> Vec<String> {
    let areas: Vec<String> = person
        .areas
        .iter()
        .map(|area| areas::shown(area.as_str()))
        .collect();
    let leaves = person.leaves.iter().map(|leave| told(lang, leave));
    let covering = person
        .covering
        .iter()
        .map(|covering| lang.stands_in_for(&covering.name, &covering.until));
    let notes: Vec<String> = leaves.chain(covering).collect();
    vec![
        person.name.clone(),
        lang.code("role", person.role.as_str()).to_owned(),
        areas.join(lang.comma()),
        person.unit.clone().unwrap_or_default(),
        notes.join(lang.comma()),
    ]
}

fn hand_over(context: &Context, args: &HandOverArgs) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let done = replica.hand_over(&args.name, &args.to, &args.area, args.dry_run);
    let done = block_on(done)??;
    let nothing = done.areas.is_empty();
    context.ui.show(&done, || {
        if nothing {
            return lang.nothing_to_hand_over(&done.from_name);
        }
        let areas: Vec<String> = done
            .areas
            .iter()
            .map(|area| areas::shown(area.as_str()))
            .collect();
        let areas = areas.join(lang.comma());
        let answers = match done.answers.as_slice() {
            [] => String::new(),
            codes => format!("\n{}", lang.answers_go_too(&codes.join(lang.comma()))),
        };
        let told = match done.dry_run {
            true => {
                let first =
                    lang.would_hand_over(&done.from_name, &done.to_name, &areas, done.households);
                let cost = done.download.as_ref().map(|it| download(lang, it));
                let cost = cost.unwrap_or_else(|| lang.download_unknown().to_owned());
                format!("{first}\n{cost}")
            }
            false => lang.handed_over(&done.from_name, &done.to_name, &areas, done.households),
        };
        format!("{told}{answers}")
    });
    Ok(match done.dry_run && !nothing {
        true => Exit::Found,
        false => Exit::Done,
    })
}

/// Returns what a download costs, in words.
pub(crate) fn download(lang: Lang, download: &Download) -> String {
    let bytes = download.bytes.div_ceil(1024);
    match download.seconds {
        Some(seconds) => lang.download_costs(download.documents, bytes, seconds),
        None => lang.download_costs_unknown_pace(download.documents, bytes),
    }
}

fn end(context: &Context, name: &str) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let mut replica = context.open()?;
    let ended = block_on(replica.end_leave(name))??;
    context.ui.list(&ended, || match ended.len() {
        0 => lang.no_leave(name),
        _ => lang.leave_ended(name),
    });
    Ok(Exit::Done)
}

fn ordered(context: &Context, leave: &LeaveView) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    context.ui.show(leave, || {
        lang.leave_ordered(&leave.absent_name, &told(lang, leave))
    });
    Ok(Exit::Done)
}

/// Returns a leave in a few words.
fn told(lang: Lang, leave: &LeaveView) -> String {
    let days = lang.on_leave(&leave.from, &leave.until);
    let who = leave.substitute_name.as_deref();
    let by = who.map(|name| lang.covered_by(name)).unwrap_or_default();
    let note = if leave.note.is_empty() {
        String::new()
    } else {
        format!(" · {}", leave.note)
    };
    format!("{days}{by}{note}")
}
