//! Decides what to send and what to keep: events in, effects out.
//!
//! Sans-IO: no clock, no random source, no file, no socket. [`session`] is the device's side of a
//! meeting; [`admit`] judges what arrives, on a relay and wherever else batches are taken in.

pub mod admit;
pub mod riblt;
pub mod session;

pub use session::{Effect, Event, Form, Outcome, PageTaken, Parcel, Session};
