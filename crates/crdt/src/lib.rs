//! One document as mergeable changes: make, parse, check, apply behind a gate, list conflicts.
//!
//! The only crate that imports automerge. A document here is a set of **registers**: scalars under
//! (container, key), in maps that the genesis made. Nothing is ever nested or deleted, so two devices
//! that add the same thing never hide each other's, whatever they call it and whenever they meet
//! (`docs/decisions/0005-flat-registers.md`). What the registers mean is the crate `model`'s.

pub mod document;
pub mod fate;
pub mod gate;
pub mod genesis;
pub mod history;
pub mod parse;
pub mod register;
pub mod saved;

pub use document::{Document, DocumentError, Written};
pub use gate::{Applied, Held};
pub use history::{Edit, PastChange};
pub use register::{Fields, Put, Register, Scalar, VOID_KEY, Version, is_void_key};
pub use saved::ChangeFacts;
