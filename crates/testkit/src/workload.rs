//! The neutral workload that other products were measured with, as our documents.
//!
//! It is read from a folder of JSON lines, or made here in the same shape from texts of its own.
//! **One line is one action of a person**: what it changes in several documents travels together. Left
//! out is only `updated`, which is the change's own time.

mod made;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use chrono::{DateTime, Datelike as _};
use serde_json::Value;
use wangge_crdt::Put;
use wangge_model::report::{self, Report, Urgency};
use wangge_model::ticket::document::{self, Ticket, event_put};
use wangge_model::ticket::{Kind, Stamp, TicketEvent};
use wangge_model::visit::{self, Visit};
use wangge_model::{kind, relation};
use wangge_store::Draft;
use wangge_wire::entry::owned_doc;
use wangge_wire::{AreaCode, DocId, DocKind, PersonId, Place, Role};

/// The township all of it lies in.
pub const TOWNSHIP: &str = "511724103";
/// Grids of one village.
const VILLAGE_GRIDS: usize = 50;
/// Households of one grid.
pub const GRID_HOUSEHOLDS: usize = 60;

/// What one person did at one moment.
#[derive(Debug, Clone)]
pub struct Op {
    /// Who, in the workload's words: `w001`.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What it writes, a document each.
    pub drafts: Vec<Draft>,
}

/// Takes one household after the other.
pub type Taker<'a> = dyn FnMut(usize, Vec<Op>) -> Result<(), String> + 'a;

/// A source of lines: a folder, or a seed.
#[derive(Debug, Clone)]
pub enum Workload {
    /// Files as `workload.mjs` writes them.
    Folder(std::path::PathBuf),
    /// Made here; never a seed the dictionary was trained on.
    Made {
        /// How many households there are at the start.
        households: usize,
        /// What everything follows from.
        seed: u64,
    },
}

impl Workload {
    /// Returns the workload of a folder, or one made here.
    pub fn open(folder: Option<&Path>, households: usize) -> Self {
        match folder {
            Some(folder) => Self::Folder(folder.to_owned()),
            None => Self::Made {
                households,
                seed: 90_210,
            },
        }
    }

    /// Returns how each household came to be: its document, then its visits one by one.
    pub fn households(&self) -> Result<Vec<Op>, String> {
        let mut all = Vec::new();
        self.each_household(&mut |_, ops| {
            all.extend(ops);
            Ok(())
        })?;
        Ok(all)
    }

    /// Hands on how each household came to be, one after the other with its number: sixty thousand of
    /// them are more than a machine should hold at once.
    pub fn each_household(&self, take: &mut Taker<'_>) -> Result<(), String> {
        let mut one = |number: usize, line: &Value| {
            let ops = household(text(line, "id")?, part(line, "doc")?)?;
            take(number, ops)
        };
        match self {
            Self::Folder(folder) => {
                let file = File::open(folder.join("households.jsonl")).map_err(said)?;
                for (number, line) in BufReader::new(file).lines().enumerate() {
                    let line = serde_json::from_str(&line.map_err(said)?).map_err(said)?;
                    one(number, &line)?;
                }
                Ok(())
            }
            Self::Made { households, seed } => {
                (0..*households).try_for_each(|number| one(number, &made::household(number, *seed)))
            }
        }
    }

    /// Returns a device's day: 60 visits with edits, 20 reports, 10 tickets.
    pub fn day(&self, day: usize) -> Result<Vec<Op>, String> {
        match self {
            Self::Folder(folder) => read(&lines(folder, &format!("day-{day}.jsonl"))?, 0),
            Self::Made { households, seed } => read(&made::day(day, *households, *seed, None), 0),
        }
    }

    /// Returns the day of one of many devices, each with 60 households of its own.
    pub fn rush(&self, device: usize) -> Result<Vec<Op>, String> {
        self.rush_on(device, 9)
    }

    /// Returns a day of one of many devices; a folder has the same for each day.
    pub fn rush_on(&self, device: usize, day: usize) -> Result<Vec<Op>, String> {
        let first = device * GRID_HOUSEHOLDS;
        match self {
            Self::Folder(folder) => read(&lines(folder, &format!("rush-{device}.jsonl"))?, first),
            Self::Made { households, seed } => {
                read(&made::day(day, *households, *seed, Some(device)), first)
            }
        }
    }

    /// Returns what two devices do to the same 60 households without knowing of each other.
    pub fn conflict(&self) -> Result<(Vec<Op>, Vec<Op>), String> {
        match self {
            Self::Folder(folder) => Ok((
                read(&lines(folder, "conflict-A.jsonl")?, 0)?,
                read(&lines(folder, "conflict-B.jsonl")?, 0)?,
            )),
            Self::Made { seed, .. } => {
                let (one, other) = made::conflict(*seed);
                Ok((read(&one, 0)?, read(&other, 0)?))
            }
        }
    }
}

/// Returns the document of a household of the workload: `hh-000017`.
pub fn household_id(id: &str) -> DocId {
    owned_doc(kind::HOUSEHOLD, &DocId([0x57; 16]), id)
}

/// Returns the grid of the household with this number.
pub fn grid(household: usize) -> AreaCode {
    let grid = household / GRID_HOUSEHOLDS;
    let (village, grid) = (201 + grid / VILLAGE_GRIDS, 1 + grid % VILLAGE_GRIDS);
    let code = format!("{TOWNSHIP}{village:03}{grid:03}");
    AreaCode::parse(&code).unwrap_or_else(|_| unreachable!("15 digits are a grid"))
}

fn lines(folder: &Path, file: &str) -> Result<Vec<Value>, String> {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(said))
        .collect()
}

/// Reads the lines of somebody whose own grid is that of household `first`.
fn read(lines: &[Value], first: usize) -> Result<Vec<Op>, String> {
    lines.iter().map(|line| op(line, first)).collect()
}

fn op(line: &Value, first: usize) -> Result<Op, String> {
    let id = text(line, "id")?;
    match text(line, "op")? {
        "create" => {
            let doc = part(line, "doc")?;
            let draft = match text(doc, "type")? {
                "report" => report_draft(id, doc, grid(first))?,
                "ticket" => ticket_draft(id, doc)?,
                other => return Err(format!("a document of type {other}")),
            };
            Ok(Op {
                by: text(doc, "by")?.to_owned(),
                at_ms: moment(text(doc, "at")?)?,
                drafts: vec![draft],
            })
        }
        "edit" => edit(id, list(line, "ops")?),
        other => Err(format!("an op {other}")),
    }
}

/// A household with its history: who wrote the first visit wrote the household.
fn household(id: &str, doc: &Value) -> Result<Vec<Op>, String> {
    let number: usize = id.trim_start_matches("hh-").parse().map_err(said)?;
    let (household, area) = (household_id(id), grid(number));
    let mut puts = vec![Put::root("area", area.as_str())];
    puts.push(Put::root("door", door(part(doc, "address")?)?));
    puts.push(Put::root("phone", text(part(doc, "head")?, "phone")?));
    puts.push(Put::root("head", "m0"));
    puts.push(Put::root("housing", text(doc, "housing")?));
    for (index, member) in list(doc, "members")?.iter().enumerate() {
        puts.extend(member_puts(&format!("m{index}"), member)?);
    }
    for (index, need) in list(doc, "needs")?.iter().enumerate() {
        let id = format!("n{index}");
        for (field, from) in [("kind", "kind"), ("text", "detail"), ("status", "status")] {
            puts.push(entry("needs", &id, field, text(need, from)?)?);
        }
        puts.push(entry("needs", &id, "since", day_of(text(need, "since")?))?);
    }
    let visits = list(doc, "visits")?;
    let first = visits.first().ok_or("a household nobody visited")?;
    let place = Place {
        doc: household,
        home: area,
        audiences: Vec::new(),
        n: 0,
    };
    let mut ops = vec![Op {
        by: text(first, "by")?.to_owned(),
        at_ms: moment(text(first, "at")?)?,
        drafts: vec![Draft {
            place: Some(place),
            ..draft(household, kind::HOUSEHOLD, None, puts)
        }],
    }];
    for visit in visits {
        ops.push(Op {
            by: text(visit, "by")?.to_owned(),
            at_ms: moment(text(visit, "at")?)?,
            drafts: vec![visit_draft(&household, visit)?],
        });
    }
    Ok(ops)
}

fn member_puts(id: &str, member: &Value) -> Result<Vec<Put>, String> {
    let mut puts = Vec::new();
    for field in ["name", "phone", "job", "health", "note"] {
        let value = text(member, field)?;
        if !value.is_empty() {
            puts.push(entry("members", id, field, value)?);
        }
    }
    let sex = if text(member, "sex")? == "男" { 1 } else { 2 };
    puts.push(Put::entry("members", id, "sex", i64::from(sex)));
    let word = text(member, "relation")?;
    let relation = relation::code_of(word).unwrap_or(word);
    puts.push(entry("members", id, "relation", relation)?);
    // A number is kept as a keyed hash only, and its year and month of birth.
    let number = text(member, "idcard")?;
    let hash = owned_doc(DocKind(0), &DocId([0x1d; 16]), number).to_string();
    puts.push(entry("members", id, "id_hash.bench", &hash)?);
    if let (Some(year), Some(month)) = (number.get(6..10), number.get(10..12)) {
        puts.push(entry("members", id, "birth", &format!("{year}-{month}"))?);
    }
    Ok(puts)
}

fn visit_draft(household: &DocId, line: &Value) -> Result<Draft, String> {
    let at_ms = moment(text(line, "at")?)?;
    let year = DateTime::from_timestamp_millis(at_ms).map_or(2025, |at| at.year());
    let nobody = text(line, "result")? == "未见人";
    let recorded = Visit {
        id: owned_doc(DocKind(0), household, text(line, "id")?)
            .to_string()
            .chars()
            .take(16)
            .collect(),
        happened_on: day_of(text(line, "at")?).to_owned(),
        at_ms,
        met: if nobody {
            visit::Met::Nobody
        } else {
            visit::Met::Person
        },
        purposes: vec![text(line, "kind")?.to_owned()],
        note: text(line, "note")?.to_owned(),
        ..Visit::default()
    };
    let mut puts = visit::puts(&recorded);
    puts.push(entry(
        "visits",
        &recorded.id,
        "result",
        text(line, "result")?,
    )?);
    let book = visit::book_id(household, year);
    Ok(draft(book, kind::VISIT_BOOK, Some(*household), puts))
}

/// An edit of a household; a visit appended goes to the year's book.
fn edit(id: &str, ops: &[Value]) -> Result<Op, String> {
    let household = household_id(id);
    let (mut puts, mut drafts, mut by, mut at_ms) = (Vec::new(), Vec::new(), "", 0);
    for op in ops {
        let what = at(op, 0)?.as_str().ok_or("an edit without a word")?;
        let path = at(op, 1)?.as_array().ok_or("an edit without a path")?;
        let value = at(op, 2)?;
        let step = |index: usize| path.get(index).and_then(Value::as_str).unwrap_or_default();
        let index = path.get(1).and_then(Value::as_u64).unwrap_or_default();
        if (what, step(0)) == ("append", "visits") {
            by = text(value, "by")?;
            at_ms = moment(text(value, "at")?)?;
            drafts.push(visit_draft(&household, value)?);
            continue;
        }
        let value = value.as_str().ok_or("a value that is no text")?;
        match (step(0), step(2)) {
            ("members", field) => puts.push(entry("members", &format!("m{index}"), field, value)?),
            ("needs", field) => puts.push(entry("needs", &format!("n{index}"), field, value)?),
            ("head", _) => puts.push(Put::root("phone", value)),
            ("address", _) => puts.push(Put::root("door", value)),
            ("updated", _) => {}
            (other, _) => return Err(format!("an edit of {other}")),
        }
    }
    drafts.push(draft(household, kind::HOUSEHOLD, None, puts));
    Ok(Op {
        by: by.to_owned(),
        at_ms,
        drafts,
    })
}

/// A report of no household: it lives in its author's own grid.
fn report_draft(id: &str, doc: &Value, home: AreaCode) -> Result<Draft, String> {
    let level = part(doc, "level")?.as_u64().unwrap_or(3);
    let made = Report {
        area: Some(home.clone()),
        place: text(doc, "place")?.to_owned(),
        category: text(doc, "kind")?.to_owned(),
        text: format!("{}。{}", text(doc, "title")?, text(doc, "body")?),
        urgency: if level == 1 { Urgency::P1 } else { Urgency::P2 },
        happened_on: day_of(text(doc, "at")?).to_owned(),
        at_ms: moment(text(doc, "at")?)?,
        ..Report::default()
    };
    let mut puts = report::puts(&made);
    let gps = part(doc, "gps")?;
    puts.push(Put::root(
        "gps",
        format!(
            "{},{}",
            part(gps, "lat")?,
            part(gps, "lon").or_else(|_| part(gps, "lng"))?
        ),
    ));
    puts.push(Put::root("status", text(doc, "status")?));
    let id = owned_doc(kind::REPORT, &DocId([0x52; 16]), id);
    let place = Place {
        doc: id,
        home,
        audiences: Vec::new(),
        n: 0,
    };
    Ok(Draft {
        place: Some(place),
        ..draft(id, kind::REPORT, None, puts)
    })
}

fn ticket_draft(id: &str, doc: &Value) -> Result<Draft, String> {
    let household = household_id(text(doc, "household")?);
    let at_ms = moment(text(doc, "at")?)?;
    let who = PersonId(owned_doc(DocKind(0), &DocId([0x50; 16]), text(doc, "by")?).0);
    let opened = Ticket {
        code: id.to_owned(),
        kind: "help".to_owned(),
        subject: text(doc, "title")?.to_owned(),
        detail: text(doc, "body")?.to_owned(),
        household: Some(household),
        first_asked_by: Some(who),
        at_ms,
        ..Ticket::default()
    };
    let mut puts = document::puts(&opened);
    for field in ["need", "due", "status", "assignee"] {
        puts.push(Put::root(field, text(doc, field)?));
    }
    let stamp = Stamp {
        at_ms,
        offset_ms: None,
    };
    let step = list(doc, "steps")?
        .first()
        .ok_or("a ticket nobody opened")?;
    let event = TicketEvent {
        text: Some(text(step, "note")?.to_owned()),
        ..TicketEvent::new(Kind::Submit, who, Role::Worker, grid(0), stamp)
    };
    puts.push(event_put(&event).map_err(said)?.1);
    let id = owned_doc(kind::TICKET, &DocId([0x54; 16]), id);
    Ok(draft(id, kind::TICKET, Some(household), puts))
}

fn draft(doc: DocId, kind: DocKind, owner: Option<DocId>, puts: Vec<Put>) -> Draft {
    Draft {
        doc,
        kind,
        owner,
        puts,
        place: None,
        urgent: false,
    }
}

fn entry(container: &str, id: &str, field: &str, value: &str) -> Result<Put, String> {
    let holder = [kind::HOUSEHOLD, kind::VISIT_BOOK]
        .into_iter()
        .find_map(|kind| kind::container(kind, container));
    let container = holder.ok_or("no such container")?;
    Ok(Put::entry(container, id, field, value))
}

fn door(address: &Value) -> Result<String, String> {
    let parts = ["community", "street", "detail", "building", "unit", "room"];
    parts.iter().map(|part| text(address, part)).collect()
}

fn moment(at: &str) -> Result<i64, String> {
    let read = DateTime::parse_from_rfc3339(at).map_err(said)?;
    Ok(read.timestamp_millis())
}

fn day_of(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

fn part<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("no {name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    part(value, name)?
        .as_str()
        .ok_or_else(|| format!("{name} is no text"))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], String> {
    let list = part(value, name)?.as_array();
    list.map(Vec::as_slice)
        .ok_or_else(|| format!("{name} is no list"))
}

fn at(value: &Value, index: usize) -> Result<&Value, String> {
    value
        .get(index)
        .ok_or_else(|| "an edit too short".to_owned())
}

fn said(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
