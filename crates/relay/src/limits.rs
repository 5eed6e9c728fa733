//! What a relay allows whoever connects to it, in one place.
//!
//! **A limit costs who is past it, and nobody else**: what is not proven to be a member's makes room for
//! who is, the oldest first, and a member that asks too much waits, others not. Sizes of bodies are the
//! line's (`wangge_wire::limits`).

use std::time::Duration;

/// Lines of a request's head.
pub(crate) const HEADERS_MAX: usize = 64;
/// Bytes of a request's head.
pub(crate) const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Bytes that are kept of what a line sends ahead.
pub(crate) const AHEAD_BYTES_MAX: usize = 64 * 1024;
/// Addresses whose share is remembered; those that asked for nothing lately are forgotten first.
pub(crate) const PEERS_MAX: usize = 16 * 1024;
/// When a relay that has too much to do wants to be asked again, seconds.
pub(crate) const BUSY_AGAIN_S: u64 = 2;

/// What an operator's machine can bear; the usual values are of a county's relay on two processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Past seven eighths of it the oldest that is not at a member's request is closed
    /// for each that comes.
    pub connections: usize,
    /// Connections at once of one address that is not this machine: a whole station behind one router.
    pub connections_of_peer: usize,
    /// Connections that one address may begin.
    pub begun_of_peer: Share,
    /// Connections at once that have not agreed on TLS yet; the oldest is closed for each that comes.
    pub handshakes: usize,
    /// How long that may take.
    pub handshake_within: Duration,
    /// How long a connection may be without a whole head of a request: idle, or sending one slowly.
    pub head_within: Duration,
    /// How long the next piece of a body may take, of a request or of an answer; a village's link is slow,
    /// not silent.
    pub piece_within: Duration,
    /// How long a whole body may take: the largest one in about fifteen minutes is 1 KiB a second.
    pub body_within: Duration,
    /// Requests of members at once.
    pub requests: usize,
    /// Requests of one device at once.
    pub requests_of_device: usize,
    /// Requests of one device.
    pub asked_of_device: Share,
    /// Bytes that one device sends.
    pub bytes_of_device: Share,
    /// How many times the share of a device a relay below has: it speaks for a village.
    pub relay_counts_as: u32,
    /// How long the answer takes that tells a device to wait.
    pub told_to_wait_after: Duration,
    /// Requests of one address that are nobody's, and invitations it tries that are none.
    pub wrong_of_peer: Share,
}

/// So many at once, and so many more with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// At once.
    pub at_once: u32,
    /// More in each second.
    pub a_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let share = |at_once, a_second| Share { at_once, a_second };
        Self {
            connections: 4_096,
            connections_of_peer: 1_024,
            begun_of_peer: share(2_048, 64),
            handshakes: 512,
            handshake_within: Duration::from_secs(10),
            head_within: Duration::from_secs(60),
            piece_within: Duration::from_secs(60),
            body_within: Duration::from_secs(15 * 60),
            requests: 2_048,
            requests_of_device: 4,
            asked_of_device: share(500, 50),
            bytes_of_device: share(64 * 1024 * 1024, 4 * 1024 * 1024),
            relay_counts_as: 16,
            told_to_wait_after: Duration::from_secs(1),
            wrong_of_peer: share(100, 1),
        }
    }
}
