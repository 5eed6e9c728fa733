//! Keeps documents, changes, outbox, cursors and what screens read, safe on a device.
//!
//! One SQLite file, WAL, `synchronous=FULL`: what a method says is recorded is on the disk. Changes
//! are the truth, one row each; a saved document and every derived row can be made again from them.
//! **Changes, documents, derived rows, outbox and cursor move in one transaction**, which never
//! outlives a method: nothing here waits for a network.

pub mod alias;
pub mod apply;
pub mod blobs;
mod counted;
pub mod day;
mod derive;
mod document;
pub mod due;
pub mod error;
pub mod gone;
pub mod lease;
mod levels;
mod open;
pub mod outbox;
pub mod packed;
pub mod query;
pub mod record;
pub mod relay;
pub mod repair;
mod sealing;
mod settled;
pub mod trail;
pub mod witness;

pub use alias::Family;
pub use apply::{Incoming, PageOutcome, Signer};
pub use blobs::{AttachmentRow, Blob};
pub use day::{RoundRow, SheetRow};
pub use due::DueRow;
pub use error::StoreError;
pub use gone::{Gone, Leave, LetGo};
pub use open::{Health, Store, keyed};
pub use outbox::OutboxRow;
pub use packed::OpenFrame;
pub use query::{HouseholdFilter, HouseholdRow, ReceiptRow, ReportRow, TicketRow, VisitRow};
pub use record::{Draft, Recorded, Wordings, Writer};
pub use relay::RelayRow;
pub use sealing::{BACKUP_DAYS, wipe};
pub use trail::{ConflictRow, Deed};
