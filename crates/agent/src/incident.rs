//! What a lost device held, for whom it must be told: people, kinds of data, since when, and what is done.
//!
//! PIPL article 57: within hours it must be said which data, of whom, what may come of it and what was done.
//! **Masked until somebody gives a reason**, which is written down with each family that is shown.

use serde::Serialize;
use wangge_model::{household, kind, mask};
use wangge_store::HouseholdFilter;
use wangge_wire::device::{DeviceWish, Incident};
use wangge_wire::{AreaCode, DocId};

use crate::devices::DeviceView;
use crate::error::AgentError;
use crate::replica::Replica;

/// What a lost device held and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentView {
    /// The device, who has it, when it came last, and whether it was told to purge.
    pub device: DeviceView,
    /// When this was put together, milliseconds since 1970.
    pub at_ms: i64,
    /// Since when it read what.
    pub grants: Vec<GrantView>,
    /// Areas of which this desk reads nothing: what the device held there, another desk says.
    pub elsewhere: Vec<AreaCode>,
    /// How many documents name its person, wherever they live.
    pub named: u64,
    /// The families it read.
    pub families: Vec<FamilyView>,
    /// How many people live in them, or did.
    pub people: usize,
    /// Which kinds of data it held, and of how many.
    pub held: Held,
    /// Batches after the last good one that wait for a decision in the inbox.
    pub inbox: Vec<BatchView>,
    /// Batches after the last good one that had their numbers before: somebody should look at them.
    pub numbered_after: Vec<BatchView>,
    /// Whether names and numbers are shown in full.
    pub unmasked: bool,
}

/// A grant.
#[derive(Debug, Clone, Serialize)]
pub struct GrantView {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The role.
    pub role: wangge_wire::Role,
    /// The areas.
    pub areas: Vec<AreaCode>,
}

/// A family whose data was on the device.
#[derive(Debug, Clone, Serialize)]
pub struct FamilyView {
    /// The household.
    pub id: DocId,
    /// The grid.
    pub area: String,
    /// The door, `3-12`; masked the village group alone.
    pub address: String,
    /// Those who live there or did, masked unless there was a reason.
    pub people: Vec<String>,
    /// The household's telephone, masked unless there was a reason.
    pub phone: String,
}

/// Kinds of data, and of how many families or people each was there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Names.
    pub names: usize,
    /// Births, year and month.
    pub births: usize,
    /// Telephones, further ones included.
    pub phones: usize,
    /// People of whom an id number was checked; the number itself is on no device.
    pub id_checked: usize,
    /// People with a care tag: health, age, a hard life.
    pub care: usize,
    /// What families need.
    pub needs: usize,
    /// Years of visits, with notes.
    pub visit_books: usize,
    /// Reports.
    pub reports: usize,
    /// Tickets.
    pub tickets: usize,
}

/// A batch.
#[derive(Debug, Clone, Serialize)]
pub struct BatchView {
    /// Its number.
    pub number: u64,
    /// When the relay received it, milliseconds since 1970.
    pub received_ms: i64,
    /// How many entries.
    pub entries: u64,
}

impl Replica {
    /// Returns what a lost device held, of what this desk reads; in full where there is a reason.
    pub async fn incident(
        &mut self,
        typed: &str,
        reason: Option<&str>,
    ) -> Result<IncidentView, AgentError> {
        self.may_read()?;
        let device = self.device_named(typed).await?;
        let answer = self
            .ask_devices(DeviceWish::Incident(device.device))
            .await?;
        let incident = answer.incident.ok_or_else(|| AgentError::StrangeAnswer {
            reason: "no incident".into(),
        })?;
        let device = answer
            .rows
            .first()
            .and_then(|row| self.device_view(row))
            .unwrap_or(device);
        let mut families = Vec::new();
        let own = self.areas().into_owned();
        let mut elsewhere = Vec::new();
        for area in incident.areas.iter().map(|it| &it.area) {
            match own.iter().any(|own| own.covers(area)) {
                true => families.extend(self.families_in(area)?),
                false => elsewhere.push(area.clone()),
            }
        }
        families.sort();
        families.dedup();
        if let Some(reason) = reason {
            self.reveal_all(&families, reason)?;
        }
        let mut held = Held::default();
        let mut views = Vec::new();
        for id in &families {
            views.push(self.family_view(id, reason.is_some(), &mut held)?);
        }
        Ok(self.incident_view(device, incident, (views, elsewhere), held, reason.is_some()))
    }

    fn incident_view(
        &self,
        device: DeviceView,
        incident: Incident,
        (families, elsewhere): (Vec<FamilyView>, Vec<AreaCode>),
        held: Held,
        unmasked: bool,
    ) -> IncidentView {
        let batch = |batch: &wangge_wire::device::WaitingBatch| BatchView {
            number: batch.number,
            received_ms: batch.received_ms,
            entries: batch.items,
        };
        IncidentView {
            device,
            at_ms: self.now_ms(),
            grants: incident
                .grants
                .into_iter()
                .map(|grant| GrantView {
                    at_ms: grant.at_ms,
                    role: grant.role,
                    areas: grant.areas,
                })
                .collect(),
            elsewhere,
            named: incident.named,
            people: families.iter().map(|family| family.people.len()).sum(),
            families,
            held,
            inbox: incident.inbox.iter().map(batch).collect(),
            numbered_after: incident.numbered_after.iter().map(batch).collect(),
            unmasked,
        }
    }

    fn families_in(&self, area: &AreaCode) -> Result<Vec<DocId>, AgentError> {
        let filter = HouseholdFilter {
            area: Some(area.clone()),
            ..HouseholdFilter::default()
        };
        let most = self.count_households(&filter)?;
        let rows = self.households_where(&filter, most, 0)?;
        // Those one stands for were on the device too, with what they say.
        let ids = rows
            .into_iter()
            .flat_map(|row| std::iter::once(row.id).chain(row.also));
        Ok(ids.collect())
    }

    fn family_view(
        &self,
        id: &DocId,
        in_full: bool,
        held: &mut Held,
    ) -> Result<FamilyView, AgentError> {
        let document = self.home.store.document(id)?;
        let fields = document.map(|document| document.fields());
        let read = fields.as_ref().map(|fields| household::read(*id, fields));
        let Some(family) = read else {
            return Err(AgentError::NotFound {
                what: crate::error::Sought::Household,
                name: id.to_string(),
            });
        };
        let shown = |name: &str| match in_full {
            true => name.to_owned(),
            false => mask::name(name),
        };
        let people = family.members.iter();
        held.names += people.clone().filter(|it| !it.name.is_empty()).count();
        held.births += people.clone().filter(|it| it.birth.is_some()).count();
        held.phones += people.clone().filter(|it| it.phone.is_some()).count()
            + family.contacts.len()
            + usize::from(family.phone.is_some());
        held.id_checked += people.clone().filter(|it| it.id_checked).count();
        held.care += people.clone().filter(|it| !it.care.is_empty()).count();
        held.needs += family.needs.len();
        for (kind, count) in [
            (kind::VISIT_BOOK, &mut held.visit_books),
            (kind::REPORT, &mut held.reports),
            (kind::TICKET, &mut held.tickets),
        ] {
            *count += self.home.store.owned(id, kind)?.len();
        }
        let phone = family.phone.as_deref().unwrap_or_default();
        Ok(FamilyView {
            id: *id,
            area: family
                .area
                .as_ref()
                .map(|area| area.as_str().to_owned())
                .unwrap_or_default(),
            address: match in_full {
                true => family.door.short(),
                false => mask::address(family.door.group.unwrap_or(0)),
            },
            people: people.map(|member| shown(&member.name)).collect(),
            phone: match in_full {
                true => phone.to_owned(),
                false => mask::phone(phone),
            },
        })
    }
}
