//! What carries this relay's requests upward where that is not the network.
//!
//! All that a relay says to the one above goes through one line, and a line may have a carrier: a
//! simulator drives **the same requests, signatures and answers as over HTTP** through links of its own.

use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Request, Response};

use super::UpstreamTrouble;

/// An answer that is on its way, or the line that broke.
pub type Carried = Pin<Box<dyn Future<Output = Result<Response, UpstreamTrouble>> + Send>>;

/// Carries requests to the relay above and brings its answers.
pub trait Carrier: Send + Sync {
    /// Carries one request; a body that breaks off is a line that was cut.
    fn carry(&self, request: Request) -> Carried;
}

/// A carrier that the lines of one relay share.
#[derive(Clone)]
pub struct SharedCarrier(Arc<dyn Carrier>);

impl SharedCarrier {
    /// Returns a carrier to share.
    pub fn new(carrier: impl Carrier + 'static) -> Self {
        Self(Arc::new(carrier))
    }

    pub(super) fn carry(&self, request: Request) -> Carried {
        self.0.carry(request)
    }
}

impl std::fmt::Debug for SharedCarrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedCarrier")
    }
}
