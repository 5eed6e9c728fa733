//! What carries a request to a relay where that is not the network.
//!
//! All that a device says to a relay goes through one line, and a line may have a carrier: a simulator
//! drives **the same requests, signatures and answers as over HTTP** through links of its own making.

use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Request, Response};

use crate::error::AgentError;

/// An answer that is on its way, or the line that broke.
pub type Carried = Pin<Box<dyn Future<Output = Result<Response, AgentError>> + Send>>;

/// Carries requests and brings their answers.
pub trait Carrier: Send + Sync {
    /// Carries one request; a body that breaks off is a line that was cut.
    fn carry(&self, request: Request) -> Carried;
}

/// A carrier of one replica.
pub type SharedCarrier = Arc<dyn Carrier>;
