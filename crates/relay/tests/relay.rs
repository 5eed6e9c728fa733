//! A relay as devices meet it: over HTTP, with its own threads and its own file.
//!
//! Each test has a relay and people of its own: Li and Wang work in grids of one village, Deng in
//! another township, Zhao at the township's desk.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "relay/audit.rs"]
mod audit;
#[path = "relay/blobs.rs"]
mod blobs;
#[path = "relay/cells.rs"]
mod cells;
#[path = "relay/inbox.rs"]
mod inbox;
#[path = "relay/life.rs"]
mod life;
#[path = "relay/limits.rs"]
mod limits;
#[path = "relay/link.rs"]
mod link;
#[path = "relay/lost.rs"]
mod lost;
#[path = "relay/members.rs"]
mod members;
#[path = "relay/packs.rs"]
mod packs;
#[path = "relay/people.rs"]
mod people;
#[path = "relay/pull.rs"]
mod pull;
#[path = "relay/push.rs"]
mod push;
#[path = "relay/random.rs"]
mod random;
#[path = "relay/requests.rs"]
mod requests;
#[path = "relay/sealed.rs"]
mod sealed;
#[path = "relay/town.rs"]
mod town;
