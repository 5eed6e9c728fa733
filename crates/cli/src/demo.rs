//! The journey of one day: recorded offline, synced through a relay, settled at the desk.
//!
//! A relay as a process of its own, so that stopping it is real; three homes; one roster. **Every
//! number at the end is read from the replicas**, none from this script.

mod proof;
mod stage;
mod work;

use std::path::Path;

use serde_json::{Value, json};
use wangge_agent::{AgentError, SyncReport};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::demo as words;
use crate::ui::{Tone, tone};
use stage::{Device, Folder, Relay};

/// What one sync cost.
struct SyncCost {
    device: String,
    report: SyncReport,
}

/// The demo under way.
struct Demo<'a> {
    context: &'a Context,
    number: usize,
    syncs: Vec<SyncCost>,
}

/// The people of the demo, each with a device.
struct Cast {
    desk: Device,
    first: Device,
    second: Device,
}

/// Plays the day; with `keep` the data stays there.
pub(crate) fn run(context: &Context, keep: Option<&Path>) -> Result<Exit, Failure> {
    let folder = Folder::make(keep)?;
    let mut demo = Demo {
        context,
        number: 0,
        syncs: Vec::new(),
    };
    let mut relay = Relay::start(context, &folder)?;
    demo.step(
        &context.ui.lang.demo_relay(&relay.address),
        json!({"relay": relay.address}),
    );
    let mut cast = demo.enroll(&folder, &relay)?;
    demo.import(&folder, &mut cast)?;
    for device in cast.all() {
        demo.sync(device)?;
    }
    relay.stop()?;
    demo.step(&context.ui.lang.demo_stopped(), json!({}));
    let recorded = demo.record(&mut cast)?;
    demo.expect_no_link(&mut cast)?;
    relay.start_again(context, &folder)?;
    demo.step(&context.ui.lang.demo_again(), json!({}));
    for device in [&mut cast.first, &mut cast.second, &mut cast.desk] {
        demo.sync(device)?;
    }
    let found = demo.at_the_desk(&mut cast, &recorded)?;
    for device in cast.all() {
        demo.sync(device)?;
    }
    demo.both_arrived(&cast, &recorded)?;
    demo.receipts(&cast, &recorded)?;
    let proof = proof::take(&cast, found)?;
    relay.stop()?;
    demo.end(&proof, keep)
}

impl Cast {
    fn all(&mut self) -> [&mut Device; 3] {
        [&mut self.desk, &mut self.first, &mut self.second]
    }
}

impl Demo<'_> {
    /// Says what happened.
    fn step(&mut self, text: &str, mut fields: Value) {
        self.number += 1;
        let ui = &self.context.ui;
        if ui.json.is_none() {
            ui.data(&format!(
                "{} {text}",
                tone(Tone::Strong, &format!("{:>2}.", self.number))
            ));
            return;
        }
        let mut line = json!({"type": "step", "number": self.number, "text": text});
        if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object_mut()) {
            line.append(fields);
        }
        ui.json_line(&line);
    }

    /// Takes in the desk and two workers whose grids overlap.
    fn enroll(&mut self, folder: &Folder, relay: &Relay) -> Result<Cast, Failure> {
        let mut one = |name: &str, role, areas: &[&str]| -> Result<Device, Failure> {
            let device = Device::enroll(folder, relay, name, role, areas)?;
            let shown: Vec<String> = areas.iter().map(|area| crate::areas::shown(area)).collect();
            let lang = self.context.ui.lang;
            let text = lang.demo_enrolled(
                name,
                lang.code("role", role.as_str()),
                &shown.join(lang.comma()),
            );
            self.step(
                &text,
                json!({"device": name, "role": role.as_str(), "areas": areas}),
            );
            Ok(device)
        };
        Ok(Cast {
            desk: one(
                words::DESK,
                wangge_relay::Role::Township,
                &[words::TOWNSHIP],
            )?,
            first: one(
                words::FIRST,
                wangge_relay::Role::Worker,
                &words::FIRST_GRIDS,
            )?,
            second: one(
                words::SECOND,
                wangge_relay::Role::Worker,
                &words::SECOND_GRIDS,
            )?,
        })
    }

    fn import(&mut self, folder: &Folder, cast: &mut Cast) -> Result<(), Failure> {
        let report = stage::import(folder, &mut cast.desk, words::SHARED_GRID)?;
        let counts = &report.households;
        let area = crate::areas::shown(words::SHARED_GRID);
        let text = self.context.ui.lang.demo_imported(
            &area,
            counts.added,
            report.people,
            report.refused.len(),
        );
        self.step(
            &text,
            json!({"households": counts, "people": report.people, "refused": report.refused.len()}),
        );
        Ok(())
    }

    fn sync(&mut self, device: &mut Device) -> Result<(), Failure> {
        let report = device.sync()?;
        let lang = self.context.ui.lang;
        let cost = lang.sync_cost(
            report.round_trips,
            report.bytes_up,
            report.bytes_down,
            report.ms,
        );
        let text = lang.demo_synced(&device.name, report.sent, report.received, cost.trim());
        self.step(&text, json!({"device": device.name, "sync": report}));
        self.syncs.push(SyncCost {
            device: device.name.clone(),
            report,
        });
        Ok(())
    }

    fn record(&mut self, cast: &mut Cast) -> Result<work::Recorded, Failure> {
        let lang = self.context.ui.lang;
        let shared = work::shared_households(&cast.first)?;
        let first = work::day(&mut cast.first, &shared, 0)?;
        let second = work::day(&mut cast.second, &shared, work::VISITS)?;
        for (device, day) in [(&cast.first, &first), (&cast.second, &second)] {
            let (visits, reports, tickets) =
                (day.visits.len(), day.reports.len(), day.tickets.len());
            let text = lang.demo_recorded(&device.name, visits, reports, tickets);
            self.step(
                &text,
                json!({"device": device.name, "visits": visits, "reports": reports, "tickets": tickets}),
            );
        }
        let edited = work::edits(cast, &shared)?;
        self.step(
            &lang.demo_edited(words::FIRST, words::SECOND),
            json!({"household": edited.conflicting}),
        );
        Ok(work::Recorded { first, edited })
    }

    /// Tries to sync against a relay that is not there; nothing is lost by it.
    fn expect_no_link(&mut self, cast: &mut Cast) -> Result<(), Failure> {
        let unsent = match cast.first.sync() {
            Err(Failure::Agent(AgentError::NoLink { .. })) => {
                cast.first.replica.status()?.counts.unsent
            }
            Err(other) => return Err(other),
            Ok(_) => return Err(self.broken(self.context.ui.lang.demo_relay_answers())),
        };
        let text = self.context.ui.lang.demo_no_link(&cast.first.name, unsent);
        self.step(&text, json!({"device": cast.first.name, "unsent": unsent}));
        Ok(())
    }

    /// Assigns a ticket and settles the conflict; returns how many conflicts the desk saw.
    fn at_the_desk(
        &mut self,
        cast: &mut Cast,
        recorded: &work::Recorded,
    ) -> Result<usize, Failure> {
        let lang = self.context.ui.lang;
        let code = work::assign(&mut cast.desk, recorded)?;
        self.step(
            &lang.demo_assigned(words::DESK, &code, words::FIRST),
            json!({"ticket": code}),
        );
        let conflicts = cast.desk.replica.conflicts()?;
        let values: Vec<&Value> = conflicts
            .iter()
            .flat_map(|conflict| &conflict.versions)
            .map(|version| &version.value)
            .collect();
        self.step(
            &lang.demo_conflict(conflicts.len()),
            json!({"conflicts": conflicts.len(), "values": values}),
        );
        let stands = work::settle(&mut cast.desk, recorded)?;
        self.step(
            &lang.demo_settled(words::DESK, &stands),
            json!({"value": stands}),
        );
        Ok(conflicts.len())
    }

    /// Checks that the worker's device has the assignment, the settled phone and the merged household.
    fn both_arrived(&mut self, cast: &Cast, recorded: &work::Recorded) -> Result<(), Failure> {
        let lang = self.context.ui.lang;
        if !work::arrived(cast, recorded)? {
            return Err(self.broken(lang.demo_not_arrived()));
        }
        self.step(
            &lang.demo_arrived(words::FIRST),
            json!({"device": words::FIRST}),
        );
        Ok(())
    }

    fn receipts(&mut self, cast: &Cast, recorded: &work::Recorded) -> Result<(), Failure> {
        let lang = self.context.ui.lang;
        let Some(visit) = recorded.first.visits.first() else {
            return Ok(());
        };
        let receipts = cast.first.replica.receipts(visit)?;
        let mut lines = Vec::new();
        for arrival in receipts.changes.iter().flat_map(|change| &change.relays) {
            let when = crate::moment::exact(arrival.at_ms);
            let level = lang.code("level", arrival.level);
            lines.push(lang.demo_arrival(&arrival.name, level, arrival.position, &when));
        }
        let text = lang.demo_receipts(visit, &lines.join("; "));
        self.step(&text, json!({"visit": visit, "receipts": receipts.changes}));
        Ok(())
    }

    fn end(&mut self, proof: &proof::Proof, keep: Option<&Path>) -> Result<Exit, Failure> {
        let lang = self.context.ui.lang;
        let good = proof.replicas_equal && proof.all_safe;
        let ui = &self.context.ui;
        if ui.json.is_some() {
            ui.json_line(&proof.summary(&self.syncs));
        } else {
            let said = if good { Tone::Good } else { Tone::Bad };
            ui.data(&tone(
                said,
                &lang.demo_verdict(proof.replicas_equal, proof.all_safe, proof.documents),
            ));
            let counts = &proof.counts;
            ui.data(&lang.counts(
                counts.households,
                counts.visits,
                counts.reports,
                counts.tickets,
            ));
            if let Some(keep) = keep {
                ui.data(&lang.demo_kept(&keep.display().to_string()));
            }
        }
        Ok(if good { Exit::Done } else { Exit::Found })
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::Demo {
            what: what.to_owned(),
        }
    }
}
