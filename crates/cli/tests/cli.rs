//! The command line as a process: what a person or a script types, and what comes back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "cli/attach.rs"]
mod attach;
#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/backup.rs"]
mod backup;
#[path = "cli/bad_input.rs"]
mod bad_input;
// It asks the system how much memory a process has.
#[cfg(target_os = "linux")]
#[path = "cli/besieged.rs"]
mod besieged;
#[path = "cli/bulk.rs"]
mod bulk;
#[path = "cli/canary.rs"]
mod canary;
#[path = "cli/day.rs"]
mod day;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/due.rs"]
mod due;
#[path = "cli/family.rs"]
mod family;
#[path = "cli/held.rs"]
mod held;
#[path = "cli/inbox.rs"]
mod inbox;
#[path = "cli/journey.rs"]
mod journey;
#[path = "cli/killed.rs"]
mod killed;
#[path = "cli/killed_often.rs"]
mod killed_often;
#[path = "cli/language.rs"]
mod language;
#[path = "cli/line.rs"]
mod line;
#[path = "cli/lists.rs"]
mod lists;
#[path = "cli/locked.rs"]
mod locked;
#[path = "cli/lost.rs"]
mod lost;
#[path = "cli/named.rs"]
mod named;
#[path = "cli/next.rs"]
mod next;
#[path = "cli/operator.rs"]
mod operator;
#[path = "cli/people.rs"]
mod people;
#[path = "cli/privacy.rs"]
mod privacy;
#[path = "cli/quick.rs"]
mod quick;
#[path = "cli/reference.rs"]
mod reference;
#[path = "cli/said.rs"]
mod said;
#[path = "cli/slips.rs"]
mod slips;
#[path = "cli/tickets.rs"]
mod tickets;
#[path = "cli/told.rs"]
mod told;
#[path = "cli/trail.rs"]
mod trail;
#[path = "cli/twins.rs"]
mod twins;
#[path = "cli/world.rs"]
mod world;
