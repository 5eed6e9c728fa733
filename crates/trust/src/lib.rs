//! Who is who, who may do what, and whose signature this is.
//!
//! Keys, signatures of batches and requests, enrolment proofs, the roster that signed orders build,
//! and the one function [`allowed`] that every push, pull and page asks. No SQL, no sockets, no
//! clock: times and random bytes come in as arguments.

pub mod allow;
pub mod ask;
pub mod enroll;
pub mod invitation;
pub mod key;
pub mod lease;
pub mod request;
pub mod roster;
pub mod tls;
pub mod vault;
pub mod witness;

pub use allow::{Action, Decision, What, allowed, allowed_as};
pub use invitation::{BadInvitation, Invitation};
pub use key::{KeyPair, verify};
pub use roster::{BadOrder, KnownRelay, Member, Reach, Revocation, Roster};
