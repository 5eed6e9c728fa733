//! Hand-over 移交: a worker's grids go to a colleague, and what this device no longer works for leaves it.
//!
//! **What somebody wrote before they knew is never lost by it**: the relay takes it for thirty days and
//! keeps it in the inbox after. This device lets go of a household only when nothing it made of it
//! waits for a receipt.

use serde::Serialize;
use wangge_store::{HouseholdFilter, Leave};
use wangge_trust::Member;
use wangge_trust::allow::{Action, What, allowed};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{AreaCode, Audience, Day, DeviceId, Grant, OrderBody, PersonId, Role};

use crate::error::AgentError;
use crate::levels;
use crate::link::{Download, SyncReport};
use crate::machine::china_day;
use crate::replica::Replica;
use crate::tickets::Step;

/// Grids that went from one worker to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandOver {
    /// Who had them.
    pub from: PersonId,
    /// Their name.
    pub from_name: String,
    /// Who has them now.
    pub to: PersonId,
    /// Their name.
    pub to_name: String,
    /// The grids.
    pub areas: Vec<AreaCode>,
    /// Households there, as this device knows them.
    pub households: usize,
    /// Tickets of these grids whose answer the first one owes a resident, by their numbers: the new one owes
    /// it from now on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// Whether nothing was done because it was to be shown only.
    pub dry_run: bool,
    /// What the new one will fetch; asked when it is only shown, and none where the relay cannot be
    /// reached or has no packs of these grids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download: Option<Download>,
}

/// Households that are somebody else's now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandedOver {
    /// The area they live in.
    pub area: AreaCode,
    /// The day this device learnt of the last of them, `2026-11-24`.
    pub on: String,
    /// How many.
    pub households: u64,
    /// How many of them are still here because something written of them has no receipt.
    pub waiting: u64,
}

impl Replica {
    /// Gives a worker's grids, all of them or those named, to another worker.
    ///
    /// The new one has them before the old one has not, so that nobody's door is nobody's.
    pub async fn hand_over(
        &mut self,
        from: &str,
        to: &str,
        areas: &[String],
        dry_run: bool,
    ) -> Result<HandOver, AgentError> {
        let typed = to;
        let (from, to) = (self.person_called(from)?, self.person_called(to)?);
        let (giving, taking) = (self.workers(&from), self.workers(&to));
        if giving.is_empty() || taking.is_empty() || from == to {
            return Err(bad("to", typed, "two workers of these areas"));
        }
        let areas = chosen(&giving, areas)?;
        for (device, member) in &taking {
            let more = areas.iter().filter(|area| !member.areas.contains(area));
            let after = member.areas.iter().chain(more).cloned().collect();
            self.regrant(device, member, after, dry_run).await?;
        }
        for (device, member) in &giving {
            let kept = member.areas.iter().filter(|area| !areas.contains(area));
            let after = kept.cloned().collect();
            self.regrant(device, member, after, dry_run).await?;
        }
        let answers = self.hand_over_answers(&from, &to, &areas, dry_run)?;
        let mut households = 0;
        for area in &areas {
            let filter = HouseholdFilter {
                area: Some(area.clone()),
                ..HouseholdFilter::default()
            };
            households += self.count_households(&filter)?;
        }
        let download = match dry_run {
            true => self.download_of(&areas).await.unwrap_or_default(),
            false => None,
        };
        Ok(HandOver {
            download,
            from,
            from_name: self.name_of(&from),
            to,
            to_name: self.name_of(&to),
            areas,
            households,
            answers,
            dry_run,
        })
    }

    /// Lets somebody owe the answers that another owes residents of these grids; returns the tickets'
    /// numbers. They go with the next sync.
    fn hand_over_answers(
        &mut self,
        from: &PersonId,
        to: &PersonId,
        areas: &[AreaCode],
        dry_run: bool,
    ) -> Result<Vec<String>, AgentError> {
        let mut answers = Vec::new();
        for (id, code) in self.answers_owed_by(from, areas)? {
            let step = Step {
                kind: "hand_over".to_owned(),
                to: Some(to.to_string()),
                ..Step::default()
            };
            if !dry_run {
                self.ticket_step(&id.to_string(), &step)?;
            }
            answers.push(code);
        }
        Ok(answers)
    }

    /// Returns the households that went from this device to others, by where they went.
    pub fn handed_over(&self) -> Result<Vec<HandedOver>, AgentError> {
        let rows = self.home.store.gone_households()?;
        let view = |(area, at_ms, households, waiting)| HandedOver {
            area,
            on: china_day(at_ms).to_string(),
            households,
            waiting,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Locks what this device may no longer read on the relay's day, frees what it may again, and lets go
    /// of what is locked if that may leave now.
    fn let_go(&mut self, relay_ms: i64, now: bool) -> Result<wangge_store::LetGo, AgentError> {
        let (roster, device) = (&self.roster, self.device());
        if roster.member(&device).is_none() {
            return Ok(wangge_store::LetGo::default());
        }
        let day = Day::of_ms(relay_ms);
        let reads = |home: &AreaCode, audiences: &[Audience]| {
            let what = What { home, audiences };
            allowed(roster, &device, Action::Read, &what, day).is_allowed()
        };
        let Some(link) = &self.home.profile.relay else {
            return Ok(wangge_store::LetGo::default());
        };
        let path = self.roster.path_up();
        let top = path.get(1..).and_then(<[_]>::last);
        let leave = Leave {
            now,
            relay: link.key.relay(),
            top: top.map(|(id, relay)| (*id, levels::form(relay.level))),
        };
        let now_ms = (self.machine.now_ms)();
        let outcome = self.home.store.let_go(&device, &reads, &leave, now_ms)?;
        if outcome.own_changes {
            self.home.new_life(&self.machine)?;
        }
        Ok(outcome)
    }

    /// Lets go after a sync that told everything, and says so in its report. Nothing leaves where the log
    /// may be another one than was read before, or an area is not complete: what comes next may say that it
    /// is this device's after all.
    pub(crate) fn let_go_after(
        &mut self,
        report: &mut SyncReport,
        relay_ms: i64,
        same_log: bool,
    ) -> Result<(), AgentError> {
        if Sabotage::LetGoIgnored.is_on() {
            return Ok(());
        }
        let is_complete = report.complete.values().all(|area| area.equal);
        let outcome = self.let_go(relay_ms, same_log && is_complete)?;
        report.handed_over = outcome.removed;
        report.hand_over_waits = outcome.waiting;
        Ok(())
    }

    fn workers(&self, person: &PersonId) -> Vec<(DeviceId, Member)> {
        let members = self.roster.members();
        let theirs = members.filter(|(device, member)| {
            member.person == *person
                && member.role == Role::Worker
                && !self.roster.is_revoked(device)
        });
        theirs
            .map(|(device, member)| (*device, member.clone()))
            .collect()
    }

    async fn regrant(
        &mut self,
        device: &DeviceId,
        member: &Member,
        areas: Vec<AreaCode>,
        dry_run: bool,
    ) -> Result<(), AgentError> {
        // Asked of the roster as it is now: an order before this one may have been about this device.
        let known = self.roster.member(device).unwrap_or(member);
        if known.areas == areas {
            return Ok(());
        }
        let grant = Grant {
            areas,
            n: Some(known.n.saturating_add(1)),
            ..known.grant()
        };
        if dry_run {
            let asked = wangge_trust::ask::ask(
                &self.roster,
                &self.device(),
                &OrderBody::Grant(grant),
                self.day(),
            );
            return asked.map(|_| ()).map_err(AgentError::Order);
        }
        self.order(OrderBody::Grant(grant)).await
    }
}

/// Returns the areas that were named, each one the giver's own; all of the giver's if none was.
fn chosen(giving: &[(DeviceId, Member)], typed: &[String]) -> Result<Vec<AreaCode>, AgentError> {
    let mut own: Vec<AreaCode> = giving
        .iter()
        .flat_map(|(_, member)| member.areas.clone())
        .collect();
    own.sort();
    own.dedup();
    if typed.is_empty() {
        return Ok(own);
    }
    let find = |typed: &String| {
        let found = own.iter().find(|area| area.as_str() == typed.trim());
        found
            .cloned()
            .ok_or_else(|| bad("handed_area", typed, "an area of the worker who gives it"))
    };
    typed.iter().map(find).collect()
}

fn bad(field: &'static str, value: &str, expected: &'static str) -> AgentError {
    AgentError::BadValue {
        field,
        value: value.to_owned(),
        expected,
    }
}
