//! The link driver: does over HTTP what the session says, and tells it what happened.
//!
//! **No transaction is open while a byte travels.** Each frame is handled as it arrives: a receipt is
//! kept, a page applied, before the next is read; a cut costs the frame it hit.

mod address;
mod batches;
mod blobs;
mod carrier;
mod devices;
mod elsewhere;
mod enroll;
mod http;
mod inbox;
mod incoming;
mod order;
mod packs;
mod parting;
mod peer;
mod plan;
mod repair;
mod standing;
mod sync;

pub use address::Address;
pub use blobs::BlobReport;
pub use carrier::{Carried, Carrier, SharedCarrier};
pub use enroll::Enrolled;
pub use packs::PackReport;
pub(crate) use peer::Clients;
pub use plan::{Download, SyncPlan};
pub use repair::RepairReport;
pub use sync::{AreaReport, SyncReport};
