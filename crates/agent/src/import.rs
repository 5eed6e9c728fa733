//! Taking a roster in: match what is there, add what is not, undo nothing a person wrote since.
//!
//! A household of the sheet is matched by its people's id numbers, then by door and head, then by
//! phone and a name. **Importing twice makes nothing twice**; a sheet that still says what it said last time
//! brings no news, so what a worker corrected in between stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use wangge_crdt::{Fields, Put, VOID_KEY};
use wangge_model::door::Door;
use wangge_model::find::Query;
use wangge_model::household::{self, Household, Member, NewHousehold, NewMember, Residence};
use wangge_model::id_number::IdNumber;
use wangge_model::kind;
use wangge_store::{Draft, HouseholdRow, Wordings, Writer};
use wangge_wire::{ActionId, AreaCode, DocId};

use crate::error::AgentError;
use crate::households::member_ids;
use crate::replica::Replica;
use crate::roster::{self, Refused, RosterHousehold, SheetReading};

/// What a roster brought, or would bring.
#[derive(Debug, Serialize)]
pub struct ImportReport {
    /// Households added, updated and unchanged.
    pub households: ImportCounts,
    /// People in the households that were read.
    pub people: usize,
    /// Each value that was not taken, with its cell; the rest of its household was.
    pub refused: Vec<Refused>,
    /// How each sheet was understood.
    pub sheets: Vec<SheetReading>,
    /// Columns that are not modelled, with the cells left in them.
    pub left_behind: BTreeMap<String, u64>,
    /// Rows of households that hold more than a document may; they were not taken.
    pub too_large: Vec<u32>,
    /// Rows that say of a household what a row above says; they were not taken a second time.
    pub repeated: Vec<Repeated>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// A household that a file has twice, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// The sheet of the row that was passed over.
    pub sheet: String,
    /// The row that was passed over, as the spreadsheet counts it.
    pub row: u32,
    /// The sheet of the row that was taken.
    pub first_sheet: String,
    /// The row that was taken.
    pub first_row: u32,
}

/// Households by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportCounts {
    /// New on this device.
    pub added: usize,
    /// There already, and the sheet brought news.
    pub updated: usize,
    /// There already, and the sheet brought none.
    pub unchanged: usize,
}

/// A household of the sheet with the document and members it is matched to.
struct Matched {
    id: DocId,
    is_new: bool,
    members: Vec<String>,
    new: NewHousehold,
    /// Aliases of the household, with their members by the shown ones.
    wordings: Wordings,
    /// Whether the sheet names it by an alias's door, which is not where it is known to live.
    by_alias: bool,
}

impl Replica {
    /// Imports a roster into a grid; a dry run shows what would happen and writes nothing.
    pub fn import_roster(
        &mut self,
        path: &Path,
        grid: &AreaCode,
        dry_run: bool,
    ) -> Result<ImportReport, AgentError> {
        self.grid(Some(grid.as_str()))?;
        let roster = roster::read(path)?;
        if roster.sheets.iter().all(|sheet| sheet.layout.is_none()) {
            return Err(roster::RosterError::NoHeadings.into());
        }
        let mut left_behind: BTreeMap<String, u64> = BTreeMap::new();
        for column in roster.sheets.iter().flat_map(|sheet| &sheet.left_behind) {
            *left_behind.entry(column.header.clone()).or_default() += u64::from(column.cells);
        }
        let mut report = ImportReport {
            households: ImportCounts::default(),
            people: 0,
            refused: roster.refused,
            sheets: roster.sheets,
            left_behind,
            too_large: Vec::new(),
            repeated: Vec::new(),
            dry_run,
        };
        let mut taken: BTreeSet<DocId> = BTreeSet::new();
        let mut matched = Vec::new();
        let read = once_each(roster.households, grid, &mut report.repeated);
        let derived = read
            .iter()
            .filter_map(|(_, new)| household::derived_id(new, 0));
        let named: BTreeSet<DocId> = derived.collect();
        for (row, new) in read {
            if household::check(&new).is_err() {
                report.too_large.push(row);
                continue;
            }
            report.people += new.members.len();
            matched.push(self.match_household(new, &named, &mut taken)?);
        }
        report.households = self.take_matched(matched, dry_run)?;
        Ok(report)
    }

    /// Writes what is matched, all of it in one transaction; a dry run takes it back.
    fn take_matched(
        &mut self,
        matched: Vec<Matched>,
        dry_run: bool,
    ) -> Result<ImportCounts, AgentError> {
        let (at_ms, actor) = (self.now_ms(), self.writing_as()?);
        let places: Vec<_> = matched
            .iter()
            .map(|found| self.place(found.id, found.new.area.clone()))
            .collect();
        let key = self.home.id_key.clone();
        let action = ActionId(self.machine.random()?);
        let mut counts = ImportCounts::default();
        let done = self.home.store.write(actor, |writer: &mut Writer<'_>| {
            for (found, place) in matched.iter().zip(places) {
                let mut puts = household::puts(&found.new, &found.members, &key);
                if found.by_alias {
                    puts.retain(|put| !matches!(put.key.as_str(), "group" | "door" | "head"));
                }
                let known = writer.document(&found.id)?;
                let known = known.map(|document| document.fields()).unwrap_or_default();
                // A sheet settles no conflict: what two people wrote waits for a person.
                puts.retain(|put| {
                    let register = known.get(put.container, &put.key);
                    register.is_none_or(|register| register.others.is_empty())
                });
                let mut puts = writer.news(&found.id, puts, &found.wordings)?;
                if known.is_void() {
                    // A household that was taken back is there again when a roster says so.
                    puts.push(Put::root(VOID_KEY, false));
                }
                let draft = Draft {
                    doc: found.id,
                    kind: kind::HOUSEHOLD,
                    owner: None,
                    puts,
                    place: found.is_new.then_some(place),
                    urgent: false,
                };
                let recorded = writer.record(at_ms, action, &[draft])?;
                let changed = recorded.iter().any(|recorded| recorded.change.is_some());
                match (found.is_new, changed) {
                    (true, _) => counts.added += 1,
                    (false, true) => counts.updated += 1,
                    (false, false) => counts.unchanged += 1,
                }
            }
            if dry_run {
                Err(TakeBack::DryRun)
            } else {
                Ok(())
            }
        });
        match done {
            Ok(()) | Err(TakeBack::DryRun) => Ok(counts),
            Err(TakeBack::Failed(error)) => Err(error),
        }
    }

    /// `named` are the ids that follow from the rows of the sheet.
    fn match_household(
        &self,
        new: NewHousehold,
        named: &BTreeSet<DocId>,
        taken: &mut BTreeSet<DocId>,
    ) -> Result<Matched, AgentError> {
        let derived = household::derived_id(&new, 0);
        let existing = match self.existing(&new, derived)? {
            // One document for two households of a sheet would mix two families; a family that was
            // merged and that the sheet still has twice has a document for each row.
            Some(id) => self
                .family_documents(&id, derived, named)?
                .into_iter()
                .find(|id| !taken.contains(id)),
            None => None,
        };
        // The same row has the same id at every import, also where another row has the first of them:
        // a random one would make one more family each time.
        let numbered = (0..).map(|nth| Some(household::row_id(&new, nth)));
        let id = [derived, household::people_id(&new, 0)]
            .into_iter()
            .chain(numbered)
            .flatten()
            .find(|id| !taken.contains(id));
        let id = match id {
            Some(id) => id,
            None => self.new_doc()?,
        };
        let is_here = self.home.store.kind_of(&id)?.is_some();
        let matched = match existing.or(is_here.then_some(id)) {
            Some(id) => {
                let members = self.match_members(&id, &new)?;
                let (wordings, by_alias) = self.wordings(&id, &new)?;
                Matched {
                    id,
                    is_new: false,
                    members,
                    new,
                    wordings,
                    by_alias,
                }
            }
            None => Matched {
                id,
                is_new: true,
                members: member_ids(&id, &new),
                new,
                wordings: Vec::new(),
                by_alias: false,
            },
        };
        taken.insert(matched.id);
        Ok(matched)
    }

    /// Returns the household that is there already.
    fn existing(
        &self,
        new: &NewHousehold,
        derived: Option<DocId>,
    ) -> Result<Option<DocId>, AgentError> {
        let store = &self.home.store;
        if let Some(id) = self.by_id_numbers(new)? {
            return Ok(Some(id));
        }
        if let Some(id) = derived
            && store.kind_of(&id)?.is_some()
        {
            return Ok(Some(store.survivor(&id)?));
        }
        let door = new.door.short();
        let Some(head) = new.members.first().filter(|head| !head.name.is_empty()) else {
            return self.nameless_at(&new.area, &door);
        };
        for row in store.find(&Query::parse(&head.name), 50)? {
            let same_area = row.area == new.area.as_str();
            if same_area
                && self.faces(&row)?.iter().any(|known| {
                    let same_door = !door.is_empty() && known.door.short() == door;
                    let same_phone = new.phone.is_some() && known.phone == new.phone;
                    let name = known.head_member().map(|head| head.name.as_str());
                    name == Some(head.name.as_str()) && (same_door || same_phone)
                })
            {
                return Ok(Some(row.id));
            }
        }
        Ok(None)
    }

    /// Returns the household behind this door of which nobody is known either.
    fn nameless_at(&self, area: &AreaCode, door: &str) -> Result<Option<DocId>, AgentError> {
        if door.is_empty() {
            return Ok(None);
        }
        for row in self.home.store.find(&Query::parse(door), 50)? {
            let nobody = row.head.is_empty() && row.people == 0;
            let lives_here = |known: &Household| known.door.short() == door;
            if nobody && row.area == area.as_str() && self.faces(&row)?.iter().any(lives_here) {
                return Ok(Some(row.id));
            }
        }
        Ok(None)
    }

    /// Returns a household as each of its documents has it.
    fn faces(&self, row: &HouseholdRow) -> Result<Vec<Household>, AgentError> {
        let mut faces = Vec::new();
        for doc in std::iter::once(&row.id).chain(&row.also) {
            if let Some(document) = self.home.store.document(doc)? {
                faces.push(household::read(*doc, &document.fields()));
            }
        }
        Ok(faces)
    }

    /// Returns the documents of a family in the order in which a row may be taken by them: the survivor,
    /// unless the row is an alias's and the survivor has a row of its own.
    fn family_documents(
        &self,
        id: &DocId,
        derived: Option<DocId>,
        named: &BTreeSet<DocId>,
    ) -> Result<Vec<DocId>, AgentError> {
        let mut documents = vec![*id];
        documents.extend(self.home.store.aliases(id)?);
        if let Some(derived) = derived
            && derived != *id
            && named.contains(id)
            && documents.contains(&derived)
        {
            documents.insert(0, derived);
        }
        Ok(documents)
    }

    /// Returns how the aliases of a household name its members, and whether the sheet's row is where
    /// only an alias lives.
    fn wordings(&self, id: &DocId, new: &NewHousehold) -> Result<(Wordings, bool), AgentError> {
        let store = &self.home.store;
        if store.aliases(id)?.is_empty() {
            return Ok((Vec::new(), false));
        }
        let family = store.family(id)?;
        let lives_here = |doc: &DocId, fields: &Fields| {
            household::read(*doc, fields).door.short() == new.door.short()
        };
        let own = family.documents.get(id);
        let mut by_alias = false;
        let mut wordings = Wordings::new();
        for (alias, document) in family.aliases() {
            let fields = document.fields();
            by_alias |= lives_here(alias, &fields);
            let theirs: BTreeMap<String, String> = fields
                .entries("members")
                .into_keys()
                .filter_map(|own| Some((family.united.same.get(own)?.clone(), own.to_owned())))
                .collect();
            wordings.push((*alias, theirs));
        }
        by_alias &= own.is_none_or(|own| !lives_here(id, &own.fields()));
        Ok((wordings, by_alias))
    }

    /// Returns the household of the same grid that the id numbers of the sheet's people are in: the
    /// head's as its head, or most of them. **One person is not a household**: a daughter who married
    /// next door must not pull her parents along.
    fn by_id_numbers(&self, new: &NewHousehold) -> Result<Option<DocId>, AgentError> {
        let store = &self.home.store;
        let (mut hits, mut numbers): (BTreeMap<DocId, usize>, usize) = (BTreeMap::new(), 0);
        let mut with_this_head = None;
        for (place, member) in new.members.iter().enumerate() {
            let Some(number) = &member.id_number else {
                continue;
            };
            numbers += 1;
            for (doc, id) in self.members_with_number(number)? {
                let row = store.household(&doc)?;
                if row.is_none_or(|row| row.area != new.area.as_str())
                    || self.has_left(&doc, &id)?
                {
                    continue;
                }
                *hits.entry(doc).or_default() += 1;
                if place == 0 && self.head_of(&doc)?.as_deref() == Some(&*id) {
                    with_this_head = Some(doc);
                }
            }
        }
        let most = hits
            .into_iter()
            .find(|(_, hits)| hits * 2 > numbers)
            .map(|(doc, _)| doc);
        Ok(with_this_head.or(most))
    }

    /// Returns where a person with this id number is known, under any key this home has had.
    fn members_with_number(&self, number: &IdNumber) -> Result<Vec<(DocId, String)>, AgentError> {
        let mut found = BTreeSet::new();
        for key in std::iter::once(&self.home.id_key).chain(&self.home.past_id_keys) {
            found.extend(
                self.home
                    .store
                    .members_with_hash(&key.name(), &key.hash(number))?,
            );
        }
        Ok(found.into_iter().collect())
    }

    /// Says whether a member lives in this household no more: who moved is known at both places.
    fn has_left(&self, doc: &DocId, member: &str) -> Result<bool, AgentError> {
        let (household, _) = self.read_household(doc)?;
        Ok(household
            .member(member)
            .is_some_and(|known| known.left.is_some()))
    }

    fn head_of(&self, doc: &DocId) -> Result<Option<String>, AgentError> {
        let document = self.home.store.document(doc)?;
        Ok(document.and_then(|document| household::read(*doc, &document.fields()).head))
    }

    /// Returns an id for each member of the sheet: a member that is there, or a derived one.
    fn match_members(&self, id: &DocId, new: &NewHousehold) -> Result<Vec<String>, AgentError> {
        let household = if self.home.store.aliases(id)?.is_empty() {
            match self.home.store.document(id)? {
                Some(document) => household::read(*id, &document.fields()),
                None => return Ok(member_ids(id, new)),
            }
        } else {
            household::read(*id, &self.home.store.family(id)?.united.fields)
        };
        let mut open: Vec<&Member> = household.members.iter().collect();
        let mut ids = Vec::new();
        for (member, derived) in new.members.iter().zip(member_ids(id, new)) {
            let by_hash = match &member.id_number {
                Some(number) => self
                    .members_with_number(number)?
                    .into_iter()
                    .find(|(doc, known)| doc == id && open.iter().any(|member| member.id == *known))
                    .map(|(_, known)| known),
                None => None,
            };
            let found = by_hash
                .or_else(|| known_member(member, &derived, &open))
                .unwrap_or(derived);
            open.retain(|member| member.id != found);
            ids.push(found);
        }
        Ok(ids)
    }
}

/// Returns the households of a file with their rows; one that is there twice, word for word, is taken
/// once, if anything tells it from others: three empty houses without a door are three.
///
/// Its number does not tell: a sheet that repeats a family often counts it again.
fn once_each(
    found: Vec<RosterHousehold>,
    grid: &AreaCode,
    repeated: &mut Vec<Repeated>,
) -> Vec<(u32, NewHousehold)> {
    let mut firsts: BTreeMap<DocId, Vec<(String, u32, NewHousehold)>> = BTreeMap::new();
    let mut read = Vec::new();
    for found in found {
        let (sheet, row) = (found.sheet.clone(), found.row);
        let new = new_household(found, grid);
        let unnumbered = NewHousehold {
            number: None,
            ..new.clone()
        };
        let named = new.members.iter().any(|member| !member.name.is_empty())
            || !new.door.number.is_empty()
            || new.phone.is_some();
        let firsts = firsts.entry(household::row_id(&new, 0)).or_default();
        let first = firsts.iter().find(|(.., first)| *first == unnumbered);
        match first {
            Some((first_sheet, first_row, _)) if named => {
                repeated.push(Repeated {
                    sheet,
                    row,
                    first_sheet: first_sheet.clone(),
                    first_row: *first_row,
                });
            }
            _ => {
                firsts.push((sheet, row, unnumbered));
                read.push((row, new));
            }
        }
    }
    read
}

/// Returns the member that a person of the sheet is: the same derived id, name and birth, or name and
/// relation where the birth is not known on one side.
fn known_member(new: &NewMember, derived: &str, open: &[&Member]) -> Option<String> {
    let birth = new
        .birth
        .map(|(year, month)| format!("{year:04}-{month:02}"));
    let same_id = |member: &&&Member| member.id == derived;
    let same_birth =
        |member: &&&Member| member.name == new.name && birth.is_some() && member.birth == birth;
    let same_relation = |member: &&&Member| {
        member.name == new.name
            && member.relation == new.relation
            && (member.birth.is_none() || birth.is_none())
    };
    open.iter()
        .find(same_id)
        .or_else(|| open.iter().find(same_birth))
        .or_else(|| open.iter().find(same_relation))
        .map(|member| member.id.clone())
}

fn new_household(found: RosterHousehold, grid: &AreaCode) -> NewHousehold {
    let members = found
        .members
        .into_iter()
        .map(|member| NewMember {
            name: member.name,
            sex: member.sex,
            birth: member.birth,
            relation: member.relation,
            id_number: member.id_number,
            phone: member.phone,
            care: member.care,
            away: member.away,
            note: member.note,
        })
        .collect();
    NewHousehold {
        area: grid.clone(),
        door: Door {
            group: found.group,
            number: found.door,
        },
        number: found.number,
        phone: found.phone,
        residence: found.residence.map(|residence| match residence {
            roster::Residence::Resident => Residence::Resident,
            roster::Residence::Away => Residence::Away,
            roster::Residence::Vacant => Residence::Empty,
            roster::Residence::MovedOut => Residence::MovedOut,
        }),
        note: found.note,
        arrangement: String::new(),
        contacts: Vec::new(),
        members,
    }
}

/// Why a transaction is undone: it was only to be tried, or it failed.
pub(crate) enum TakeBack {
    DryRun,
    Failed(AgentError),
}

impl From<wangge_store::StoreError> for TakeBack {
    fn from(error: wangge_store::StoreError) -> Self {
        TakeBack::Failed(error.into())
    }
}
