//! Asking to see what is hidden: a reason, a record of it, and only then the data.
//!
//! **The record is durable before anything is shown**; where it cannot be written nothing is. It lives
//! with the household (or the report or ticket that has none), syncs with it, and holds nothing of
//! what was seen.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Datelike as _;
use serde::Serialize;
use wangge_model::access::{self, What};
use wangge_model::{household, kind};
use wangge_store::Draft;
use wangge_wire::{DocId, DocKind};

use crate::error::{AgentError, Sought};
use crate::export::Table;
use crate::naming::Named;
use crate::replica::{Replica, WrittenBy};

/// The kind of document that says who asked to see what is hidden.
pub const BOOK: DocKind = kind::ACCESS_BOOK;

/// How many years of books are read.
const YEARS_SHOWN: i32 = 5;

/// One access, as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct AccessView {
    /// 16 hex digits.
    pub id: String,
    /// Who asked.
    pub by: WrittenBy,
    /// When, by their device's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// `reveal`, `call` or `export`.
    pub what: String,
    /// `visit check errand request emergency`, or their own words.
    pub why: String,
}

/// Numbers to call.
#[derive(Debug, Clone, Serialize)]
pub struct CallView {
    /// The household, report or ticket.
    pub id: DocId,
    /// What tells it apart.
    pub title: String,
    /// The numbers, the household's own first.
    pub numbers: Vec<NumberView>,
}

/// One number and whose it is.
#[derive(Debug, Clone, Serialize)]
pub struct NumberView {
    /// Whose, masked where names are; empty for the household's own.
    pub name: String,
    /// The number in full.
    pub phone: String,
}

impl Replica {
    /// Writes down that a record's hidden fields are asked for; from then on this run shows them.
    pub fn reveal(&mut self, doc: &DocId, why: &str) -> Result<(), AgentError> {
        let owner = self.record_access(doc, What::Reveal, why)?;
        self.revealed.extend([*doc, owner]);
        Ok(())
    }

    /// Returns the numbers of a household, a report or a ticket to call, and writes down that somebody
    /// asked.
    pub fn call(&mut self, name: &str, why: &str) -> Result<CallView, AgentError> {
        let doc = match self.name_any(name)? {
            Named::Document(doc) => doc,
            Named::Visit(visit) => visit.household,
        };
        let numbers = self.numbers(&doc)?;
        if numbers.is_empty() {
            return Err(AgentError::NoNumber);
        }
        self.record_access(&doc, What::Call, why)?;
        Ok(CallView {
            id: doc,
            title: self.title(&doc)?,
            numbers,
        })
    }

    /// Returns who asked to see a record's hidden fields, the latest first; of a household also who
    /// asked by a ticket or report of it.
    pub fn accesses(&self, doc: &DocId) -> Result<Vec<AccessView>, AgentError> {
        let mut owners = vec![self.access_owner(doc)?];
        for kind in [kind::TICKET, kind::REPORT] {
            owners.extend(self.home.store.owned(doc, kind)?);
        }
        let year = self.today().year();
        let mut views = Vec::new();
        let years = (year - YEARS_SHOWN..=year + 1).rev();
        for book in
            years.flat_map(|year| owners.iter().map(move |owner| access::book_id(owner, year)))
        {
            let Some(book) = self.home.store.document(&book)? else {
                continue;
            };
            for record in access::read(&book.fields()) {
                let versions = book.versions("records", &format!("{}/what", record.id));
                let Some(first) = versions.first() else {
                    continue;
                };
                views.push(AccessView {
                    by: self.written_by(&first.actor)?,
                    at_ms: first.at_ms,
                    id: record.id,
                    what: record.what,
                    why: record.why,
                });
            }
        }
        views.sort_by(|one, other| (other.at_ms, &other.id).cmp(&(one.at_ms, &one.id)));
        Ok(views)
    }

    /// Writes down, in one action, that the hidden fields of several records are asked for.
    pub(crate) fn reveal_all(&mut self, docs: &[DocId], why: &str) -> Result<(), AgentError> {
        let drafts = docs
            .iter()
            .map(|doc| Ok(self.access_draft(doc, What::Reveal, why)?.1))
            .collect::<Result<Vec<Draft>, AgentError>>()?;
        if !drafts.is_empty() {
            self.record(&drafts)?;
        }
        self.revealed.extend(docs);
        Ok(())
    }

    /// Writes a list of these records to a file, and before a byte of it that it leaves, and why: in one action,
    /// one record in the book of each household, or of each report or ticket without one. Where that cannot be
    /// written there is no file.
    pub fn export(
        &mut self,
        table: &Table,
        docs: &[DocId],
        why: &str,
        (path, replace): (&Path, bool),
    ) -> Result<(), AgentError> {
        Table::check(path, replace)?;
        self.record_export(docs, why)?;
        table.write(path, replace)
    }

    fn record_export(&mut self, docs: &[DocId], why: &str) -> Result<(), AgentError> {
        // Also where the list is empty: nobody gets used to typing anything.
        checked(why)?;
        let mut drafts = BTreeMap::new();
        for doc in docs {
            let (owner, draft) = self.access_draft(doc, What::Export, why)?;
            drafts.entry(owner).or_insert(draft);
        }
        let drafts: Vec<Draft> = drafts.into_values().collect();
        if !drafts.is_empty() {
            self.record(&drafts)?;
        }
        Ok(())
    }

    /// Writes one record and returns whose book it stands in.
    fn record_access(&mut self, doc: &DocId, what: What, why: &str) -> Result<DocId, AgentError> {
        let (owner, draft) = self.access_draft(doc, what, why)?;
        self.record(&[draft])?;
        Ok(owner)
    }

    fn access_draft(
        &self,
        doc: &DocId,
        what: What,
        why: &str,
    ) -> Result<(DocId, Draft), AgentError> {
        let why = checked(why)?;
        let owner = self.access_owner(doc)?;
        let id: [u8; 8] = self.machine.random()?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let draft = Draft {
            doc: access::book_id(&owner, self.today().year()),
            kind: kind::ACCESS_BOOK,
            owner: Some(owner),
            puts: access::puts(&id, what, &why),
            place: None,
            urgent: false,
        };
        Ok((owner, draft))
    }

    /// Returns in whose book accesses to a document stand: its household's, or its own.
    fn access_owner(&self, doc: &DocId) -> Result<DocId, AgentError> {
        let known = self.home.store.kind_of(doc)?;
        let (_, owner) = known.ok_or_else(|| AgentError::NotFound {
            what: Sought::Record,
            name: doc.to_string(),
        })?;
        // Whoever handles a ticket elsewhere does not hold the household it is for.
        let held = match owner {
            Some(owner) => self.home.store.kind_of(&owner)?.map(|_| owner),
            None => None,
        };
        Ok(held.unwrap_or(*doc))
    }

    fn numbers(&self, doc: &DocId) -> Result<Vec<NumberView>, AgentError> {
        let document = self.home.store.document(doc)?;
        let Some(document) = document else {
            return Ok(Vec::new());
        };
        let fields = document.fields();
        let mut numbers = Vec::new();
        let number = |name: &str, phone: &str| NumberView {
            name: name.to_owned(),
            phone: phone.to_owned(),
        };
        let (kind, owner) = self
            .home
            .store
            .kind_of(doc)?
            .unwrap_or((kind::REPORT, None));
        if kind == kind::HOUSEHOLD {
            let household = household::read(*doc, &fields);
            let area = household.area.as_ref().map_or("", |area| area.as_str());
            let is_masked = self.sight(area).is_masked();
            let shown = |name: &str| match is_masked {
                true => wangge_model::mask::name(name),
                false => name.to_owned(),
            };
            numbers.extend(household.phone.iter().map(|phone| number("", phone)));
            for member in household.present() {
                let name = shown(&member.name);
                numbers.extend(member.phone.iter().map(|phone| number(&name, phone)));
            }
            let contacts = household.contacts.iter();
            numbers.extend(contacts.map(|contact| number(&shown(&contact.whose), &contact.phone)));
            return Ok(numbers);
        }
        if self.hides_who_told(doc, &fields)? {
            return Ok(numbers);
        }
        let contact = fields.root_text("contact");
        if !contact.is_empty() {
            numbers.push(number("", contact));
        }
        if let Some(owner) = owner {
            numbers.extend(self.numbers(&owner)?);
        }
        Ok(numbers)
    }

    /// Says whether who told a report or asked in a ticket is kept from whoever holds this device.
    pub(crate) fn hides_who_told(
        &self,
        doc: &DocId,
        fields: &wangge_crdt::Fields,
    ) -> Result<bool, AgentError> {
        let identity = wangge_model::report::Identity::of(fields.root_text("identity"));
        let is_own = match fields.root_text("first_asked").parse() {
            Ok(person) => self.person() == person,
            Err(_) => self.is_written_here(doc)?,
        };
        Ok(self.is_veiled(doc, identity.unwrap_or_default(), is_own))
    }

    fn is_written_here(&self, doc: &DocId) -> Result<bool, AgentError> {
        let document = self.home.store.document(doc)?;
        match document.and_then(|document| document.author()) {
            Some(author) => Ok(self.written_by(&author)?.here),
            None => Ok(false),
        }
    }
}

/// Returns a reason that says something.
fn checked(why: &str) -> Result<String, AgentError> {
    access::reason(why).ok_or_else(|| AgentError::BadValue {
        field: "reason",
        value: why.to_owned(),
        expected: "visit, check, errand, request, emergency, or a reason of four characters or more",
    })
}
