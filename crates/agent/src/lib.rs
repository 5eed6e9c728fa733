//! One living replica: the façade [`Replica`] and the link driver.
//!
//! Faces call this crate and nothing below it. It owns the clock, the dice, the lock on the home and
//! the connection; it prints nothing and knows no command line.

pub mod access;
pub mod alias;
pub mod attach;
pub mod begun;
pub mod bulk;
pub mod clocks;
pub mod conflicts;
pub mod devices;
pub mod due;
pub mod duplicates;
pub mod error;
pub mod export;
pub mod handover;
pub mod history;
#[cfg(unix)]
pub mod holder;
pub mod home;
pub mod households;
pub mod import;
pub mod inbox;
pub mod incident;
pub mod keys;
pub mod lease;
pub mod levels;
mod life;
pub mod link;
pub mod look;
pub mod machine;
pub mod moving;
pub mod naming;
pub mod people;
pub mod profiles;
pub mod purge;
pub mod replica;
pub mod reports;
pub mod restricted;
pub mod roster;
pub mod rounds;
pub mod safe;
pub mod settings;
pub mod sight;
pub mod status;
pub mod tickets;
pub mod today;
pub mod undo;
pub mod verify;
pub mod visits;
pub mod witness;
pub mod word;

pub use attach::{AttachInput, AttachmentView};
pub use error::{AgentError, InvitationRefused, Sought};
pub use link::SyncReport;
pub use machine::Machine;
pub use replica::{Replica, WrittenBy};
pub use wangge_model::ticket::Refusal;
pub use wangge_model::{clock, mask, tables};
pub use wangge_trust::vault::{MasterKey, WordKind, WordTooWeak};
pub use wangge_wire::{DocId, OrderRefusal};

/// Makes the panics that the document gate catches silent; a program calls it once at its start.
pub fn silence_caught_panics() {
    wangge_crdt::gate::silence_caught_panics();
}

/// Says whether an invitation says itself where its relay is reached.
pub fn names_its_relay(invitation: &str) -> bool {
    wangge_trust::Invitation::parse(invitation).is_ok_and(|text| text.url.is_some())
}
