//! Tickets between real devices through a real relay: from the worker's first words to the archive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "tickets/cast.rs"]
mod cast;
#[path = "tickets/journeys.rs"]
mod journeys;
#[path = "tickets/reach.rs"]
mod reach;
#[path = "tickets/side_ways.rs"]
mod side_ways;
