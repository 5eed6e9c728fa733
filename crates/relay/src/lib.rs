//! Accepts, keeps in order and hands on changes per area; devices, scopes, inbox.
//!
//! A relay is one append-only log. It reads the outside of a change (document, owner, author, hash,
//! dependencies) and never what it means; it knows places, people and devices by signed orders. **A
//! receipt leaves only after the commit reached the disk, and nothing out of a device's scope ever
//! leaves at all.**

mod accept;
mod app;
mod audit;
mod backup;
mod ballast;
mod blobs;
mod db;
mod device;
mod doc_keys;
mod doubt;
mod entrance;
mod error;
mod frames;
mod held;
mod holdings;
mod holds;
mod http;
mod inbox;
mod inline;
mod limits;
mod link;
mod listen;
mod log;
mod lost;
mod members;
mod numbers;
mod orders;
mod packs;
mod parked;
mod patient;
mod places;
mod pull;
mod push;
mod recovery;
mod relay;
mod repair;
mod risen;
mod room;
mod scope;
mod secrets;
mod serve;
mod settings;
mod settlements;
mod tail;
mod upstream;
mod writer;

pub use audit::{About, AuditRow, Compared, Fault, Walked, What, Who as AuditWho};
pub use backup::{Backup, BackupTrouble, KEYS_DAYS, Restored};
pub use device::Revoking;
pub use doc_keys::open_bodies;
pub use error::RelayError;
pub use held::SettledItem;
pub use http::{Cell, Cells, ROUTES, Route, Row, Scope, Who};
pub use inline::Inline;
pub use limits::{Limits, Share};
pub use members::NewInvitation;
pub use packs::{GateProgram, Packs, work as gate_worker};
pub use relay::{Counts, DeviceRow, HeldRow, InboxRow, Relay};
pub use serve::{Claim, open_many, serve, serve_claimed};
pub use settings::{Certificate, Clock, Dice, LeaseDays, Settings, Tls};
pub use upstream::{
    BelowView, Carried, Carrier, Met, SharedCarrier, UpstreamTrouble, UpstreamView,
};
pub use wangge_trust::enroll::Code;
pub use wangge_trust::tls::BadCertificate;
pub use wangge_wire::device::{
    DeviceAnswer, DeviceRefusal, DeviceRow as AskedRow, DeviceWish, WaitingBatch,
};
pub use wangge_wire::enroll::EnrollRefusal;
pub use wangge_wire::order::LevelForm;
pub use wangge_wire::{AreaCode, BlobHash, ChangeHash, DeviceId, DocId, HoldReason, Role, Unit};
