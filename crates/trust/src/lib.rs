//! Who is who, who may do what, and whose signature this is.
//!
//! Keys, signatures of batches and requests, enrolment proofs, the roster that signed orders build,
//! and the one function [`allowed`] that every push, pull and page asks. No SQL, no sockets, no
//! clock: times and random bytes come in as arguments.

pub mod allow;
pub mod ask;
pub mod enroll;
pub mod key;
pub mod request;
pub mod roster;
pub mod vault;

pub use allow::{Action, Decision, What, allowed, allowed_as};
pub use key::{KeyPair, verify};
pub use roster::{BadOrder, KnownRelay, Member, Reach, Roster};

/// Makes the one library of ciphers known; an HTTP client is not made before that.
pub fn install_ciphers() {
    // Another call was first: it installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
