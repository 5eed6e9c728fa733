//! Which record a person means: an id, the beginning of one, a ticket's number, or what finds a
//! household.
//!
//! **A name that fits several is never guessed**: the candidates come back with what tells them apart.

use wangge_model::find::Query;
use wangge_model::ticket::TicketCode;
use wangge_model::{kind, text};
use wangge_store::{HouseholdRow, TicketRow, VisitRow};
use wangge_wire::{AreaCode, DocId, DocKind, PersonId};

use crate::error::{AgentError, Sought};
use crate::replica::Replica;

/// How many candidates are offered.
const CANDIDATES_MAX: usize = 20;
/// How many are offered where none is what was typed.
const OFFERED_MAX: usize = 5;
/// The fewest digits of a household's id that name it.
const HOUSEHOLD_DIGITS_MIN: usize = 6;
/// The fewest digits of an id that name it.
const PREFIX_DIGITS_MIN: usize = 4;

/// What a name names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A document.
    Document(DocId),
    /// A visit in its book.
    Visit(VisitRow),
}

impl Replica {
    /// Returns the household with this id, or the one a search finds.
    pub fn name_household(&self, name: &str) -> Result<DocId, AgentError> {
        if let Ok(doc) = name.parse::<DocId>() {
            // An alias names the household that stands for it.
            let doc = self.of_kind(&doc, kind::HOUSEHOLD, name)?;
            return Ok(self.home.store.survivor(&doc)?);
        }
        let query = Query::parse(name);
        let mut found = self.search(&query.close(), CANDIDATES_MAX)?;
        if found.is_empty() {
            found = self.search(&query, CANDIDATES_MAX)?;
        }
        let begins = self.by_id(name)?;
        let known: Vec<DocId> = found.iter().map(|row| row.id).collect();
        found.extend(begins.into_iter().filter(|row| !known.contains(&row.id)));
        // A hit on the whole of what was typed goes before those that only begin with it.
        let exact: Vec<&HouseholdRow> = found.iter().filter(|row| is_exact(row, name)).collect();
        if let [only] = exact.as_slice() {
            return Ok(only.id);
        }
        if is_whole_door(name) {
            // `3-12` is not the house 3-124: what only begins so is offered, never taken.
            let typed = text::compact(name);
            let (mut whole, mut begun) = (Vec::new(), Vec::new());
            for row in found {
                // A merged family is behind the doors of all its registrations.
                let is_whole =
                    row.number == typed || self.home.store.is_door_of(&typed, &row.id)?;
                if is_whole {
                    whole.push(row)
                } else {
                    begun.push(row)
                }
            }
            if whole.is_empty() && !begun.is_empty() {
                return Err(self.no_such_door(name, &begun));
            }
            found = whole;
        }
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(AgentError::NotFound {
                what: Sought::Household,
                name: name.to_owned(),
            }),
            (Some(only), true) => Ok(only.id),
            (Some(last), false) => {
                found.push(last);
                Err(self.ambiguous(name, &found))
            }
        }
    }

    /// Returns the households whose id begins so; few digits are rather a door or the tail of a telephone.
    fn by_id(&self, name: &str) -> Result<Vec<HouseholdRow>, AgentError> {
        if name.len() < HOUSEHOLD_DIGITS_MIN || !is_hex(name) {
            return Ok(Vec::new());
        }
        let store = &self.home.store;
        let mut rows: Vec<HouseholdRow> = Vec::new();
        for doc in store.documents_with_prefix(name, Some(kind::HOUSEHOLD))? {
            let survivor = store.survivor(&doc)?;
            let is_new = rows.iter().all(|row| row.id != survivor);
            rows.extend(store.household(&survivor)?.filter(|_| is_new));
        }
        Ok(rows)
    }

    fn no_such_door(&self, door: &str, begun: &[HouseholdRow]) -> AgentError {
        let line = |row: &HouseholdRow| (row.id.to_string(), self.household_line(row));
        if !self.offers() {
            return AgentError::NotFound {
                what: Sought::Household,
                name: door.to_owned(),
            };
        }
        AgentError::NoSuchDoor {
            door: door.to_owned(),
            candidates: begun.iter().take(OFFERED_MAX).map(line).collect(),
            more: begun.len().saturating_sub(OFFERED_MAX),
        }
    }

    fn ambiguous(&self, name: &str, rows: &[HouseholdRow]) -> AgentError {
        let line = |row: &HouseholdRow| (row.id.to_string(), self.household_line(row));
        AgentError::Ambiguous {
            name: name.to_owned(),
            candidates: match self.offers() {
                true => rows.iter().map(line).collect(),
                false => Vec::new(),
            },
        }
    }

    /// Says whether others' names may be offered for what was typed.
    fn offers(&self) -> bool {
        self.reads().unwrap_or(false)
    }

    /// Returns the ticket with this number, id or beginning of an id.
    pub fn name_ticket(&self, name: &str) -> Result<DocId, AgentError> {
        if let Ok(code) = TicketCode::parse(name) {
            let rows = self.home.store.tickets_with_code(&code.to_string())?;
            let line = |row: &TicketRow| {
                let subject = row.content.get("subject").and_then(|it| it.as_str());
                (row.id.to_string(), subject.unwrap_or_default().to_owned())
            };
            match rows.as_slice() {
                [only] => return Ok(only.id),
                [] => {}
                // Two relays that knew nothing of each other gave out one number.
                several => {
                    return Err(AgentError::Ambiguous {
                        name: name.to_owned(),
                        candidates: several.iter().map(line).collect(),
                    });
                }
            }
        }
        self.name_by_id(name, kind::TICKET)
    }

    /// Returns the report with this id or beginning of an id.
    pub fn name_report(&self, name: &str) -> Result<DocId, AgentError> {
        self.name_by_id(name, kind::REPORT)
    }

    /// Returns the visit with this id or beginning of an id.
    pub fn name_visit(&self, name: &str) -> Result<VisitRow, AgentError> {
        let fits = name.len() >= PREFIX_DIGITS_MIN && is_hex(name);
        let rows = if fits {
            self.home.store.visits_with_prefix(name)?
        } else {
            Vec::new()
        };
        let line = |row: &VisitRow| {
            let on = row
                .content
                .get("happened_on")
                .and_then(|on| on.as_str())
                .unwrap_or_default();
            (row.id.clone(), on.to_owned())
        };
        match rows.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(AgentError::NotFound {
                what: Sought::Visit,
                name: name.to_owned(),
            }),
            several => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: several.iter().map(line).collect(),
            }),
        }
    }

    /// Returns whatever has this name: a ticket's number, a visit's or document's id, a household.
    pub fn name_any(&self, name: &str) -> Result<Named, AgentError> {
        match self.name_ticket(name) {
            Ok(ticket) => return Ok(Named::Document(ticket)),
            Err(several @ AgentError::Ambiguous { .. }) if TicketCode::parse(name).is_ok() => {
                return Err(several);
            }
            Err(_) => {}
        }
        if let Ok(visit) = self.name_visit(name) {
            return Ok(Named::Visit(visit));
        }
        if name.len() >= PREFIX_DIGITS_MIN
            && is_hex(name)
            && let [only] = self
                .home
                .store
                .documents_with_prefix(name, None)?
                .as_slice()
        {
            return Ok(Named::Document(self.home.store.survivor(only)?));
        }
        let household = self.name_household(name).map(Named::Document);
        household.map_err(|error| match error {
            AgentError::NotFound { name, .. } => AgentError::NotFound {
                what: any_sought(&name),
                name,
            },
            several => several,
        })
    }

    /// Returns what a search finds here, the own grids' first.
    pub(crate) fn search(
        &self,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<HouseholdRow>, AgentError> {
        Ok(self.home.store.find_near(query, &self.areas(), limit)?)
    }

    /// Returns the colleague with this id or name.
    pub fn name_person(&self, name: &str) -> Result<PersonId, AgentError> {
        let name = name.trim();
        if name == self.home.profile.name {
            return Ok(self.person());
        }
        let people = self.people();
        let fitting: Vec<(PersonId, String)> = people
            .iter()
            .filter(|(person, member)| member.name == name || person.to_string() == name)
            .map(|(person, member)| {
                let areas: Vec<&str> = member.areas.iter().map(AreaCode::as_str).collect();
                let line = format!("{} {}", member.role.as_str(), areas.join(" "));
                (*person, line)
            })
            .collect();
        match fitting.as_slice() {
            [(person, _)] => Ok(*person),
            [] => Err(AgentError::NotFound {
                what: Sought::Person,
                name: name.to_owned(),
            }),
            several => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: several
                    .iter()
                    .map(|(id, line)| (id.to_string(), line.clone()))
                    .collect(),
            }),
        }
    }

    fn name_by_id(&self, name: &str, kind: DocKind) -> Result<DocId, AgentError> {
        if let Ok(doc) = name.parse::<DocId>() {
            return self.of_kind(&doc, kind, name);
        }
        let fits = name.len() >= PREFIX_DIGITS_MIN && is_hex(name);
        let found = if fits {
            self.home.store.documents_with_prefix(name, Some(kind))?
        } else {
            Vec::new()
        };
        match found.as_slice() {
            [only] => Ok(*only),
            [] => Err(AgentError::NotFound {
                what: sought(kind),
                name: name.to_owned(),
            }),
            several => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: several
                    .iter()
                    .map(|doc| (doc.to_string(), String::new()))
                    .collect(),
            }),
        }
    }

    fn of_kind(&self, doc: &DocId, kind: DocKind, name: &str) -> Result<DocId, AgentError> {
        match self.home.store.kind_of(doc)? {
            Some((found, _)) if found == kind => Ok(*doc),
            _ => Err(AgentError::NotFound {
                what: sought(kind),
                name: name.to_owned(),
            }),
        }
    }
}

/// Returns the line that tells a household apart: door, head; in full, whoever reads it.
pub(crate) fn household_line(row: &HouseholdRow) -> String {
    let group = if row.group > 0 {
        format!("{}-", row.group)
    } else {
        String::new()
    };
    // A household without a door is told by its head alone.
    format!("{group}{} {}", row.door, row.head)
        .trim()
        .to_owned()
}

/// Returns what somebody looks for who may name anything: its shape says whether it was a ticket's
/// number, the beginning of an id, or what finds a household.
fn any_sought(name: &str) -> Sought {
    // One with a digit mistyped is still a number that was meant.
    match name.matches('-').count() {
        2 => Sought::Ticket,
        _ if name.len() >= PREFIX_DIGITS_MIN && is_hex(name) => Sought::Record,
        _ => Sought::Household,
    }
}

/// Returns what somebody looks for who names a document of a kind.
fn sought(kind: DocKind) -> Sought {
    match kind {
        kind::HOUSEHOLD => Sought::Household,
        kind::TICKET => Sought::Ticket,
        kind::REPORT => Sought::Report,
        _ => Sought::Record,
    }
}

/// Returns whether a name can only be a door or a household's number: with a dash, or too short for
/// the tail of a telephone.
fn is_whole_door(name: &str) -> bool {
    let typed = text::compact(name);
    let shaped = typed.contains(|sign: char| sign.is_ascii_digit())
        && typed
            .chars()
            .all(|sign| sign.is_ascii_digit() || sign == '-');
    shaped && (typed.contains('-') || typed.len() < PREFIX_DIGITS_MIN)
}

fn is_exact(row: &HouseholdRow, name: &str) -> bool {
    let door = if row.group > 0 {
        format!("{}-{}", row.group, row.door)
    } else {
        row.door.clone()
    };
    row.head == name || door == name
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
