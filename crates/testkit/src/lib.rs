//! A district for tests: devices, desks, relays, bad links, and the rules of the house.

pub mod tidy;
