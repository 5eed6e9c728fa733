//! What a relay hands up beside batches: the orders it signed, and those of relays below it.
//!
//! **An order proves itself**: the relay above checks who signed it and how far that word counts, never
//! who brought it.

use minicbor::{Decode, Encode};

use crate::enroll::OrderBytes;

/// Orders, in the order of the sender's log. `POST /v1/rise`, from a relay below.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RiseAsk {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    #[n(0)]
    pub version: u16,
    /// The orders.
    #[n(1)]
    pub orders: Vec<OrderBytes>,
}

/// Where each order stands now. To the relay below, after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RiseAnswer {
    /// The position of each in the log above; 0 for one that does not count there.
    #[n(0)]
    pub positions: Vec<u64>,
}
