//! Who may be at the other end of a line, and the clients that let nobody else be there.
//!
//! **Connections are shared by lines to the same relay only**: one that was made while its key was not
//! known yet is never used again once it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use wangge_trust::tls::{self, KeyJudge, Proof};
use wangge_wire::{PublicKey, RelayId};

use crate::error::AgentError;

/// How long connecting may take before there is no link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the line may be silent before it counts as cut.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// Clients that are kept: of the usual relay, and of those of an evening.
const CLIENTS_MAX: usize = 4;

/// Who may be at the other end.
pub(super) struct Peer {
    judge: Arc<KeyJudge>,
    /// The one relay it is; none while only its card may be asked for.
    key: Option<PublicKey>,
}

impl Peer {
    /// Returns the relay of a key.
    pub(super) fn of(key: PublicKey) -> Self {
        Self {
            judge: KeyJudge::of(key),
            key: Some(key),
        }
    }

    /// Returns whoever is there first: who it is must be proven before anything is told.
    pub(super) fn unknown() -> Self {
        Self {
            judge: KeyJudge::noting(),
            key: None,
        }
    }

    /// Returns one of some relays; which of them will be seen.
    pub(super) fn one_of(keys: Vec<PublicKey>) -> Self {
        Self {
            judge: KeyJudge::of_any(keys),
            key: None,
        }
    }

    /// Returns the key of the one relay it is.
    pub(super) fn key(&self) -> Option<PublicKey> {
        self.key
    }

    /// Returns whose key was shown last.
    pub(super) fn met(&self) -> Option<PublicKey> {
        self.judge.met()
    }

    /// Returns the relay that requests are signed for.
    pub(super) fn relay(&self) -> Result<RelayId, AgentError> {
        let nobody = || AgentError::Internal("a request to nobody".to_owned());
        Ok(self.key.ok_or_else(nobody)?.relay())
    }
}

/// The clients of one replica.
#[derive(Default)]
pub(crate) struct Clients(Mutex<Vec<((Proof, PublicKey), Client)>>);

impl Clients {
    /// Returns a client that lets `peer` be there; a known relay's is the same each time.
    pub(super) fn client(&self, proof: Proof, peer: &Peer) -> Result<Client, AgentError> {
        let Some(key) = peer.key else {
            return new(proof, peer);
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, _)| *of == (proof, key));
        if let Some((_, client)) = found {
            return Ok(client.clone());
        }
        let client = new(proof, peer)?;
        if kept.len() >= CLIENTS_MAX {
            kept.remove(0);
        }
        kept.push(((proof, key), client.clone()));
        Ok(client)
    }
}

fn new(proof: Proof, peer: &Peer) -> Result<Client, AgentError> {
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let builder = match proof {
        Proof::Here | Proof::Key => {
            let config = tls::client(Arc::clone(&peer.judge));
            let config = config.map_err(|error| AgentError::Internal(error.to_string()))?;
            builder.tls_backend_preconfigured(config)
        }
        Proof::Ordinary => {
            tls::install();
            builder.tls_version_min(reqwest::tls::Version::TLS_1_3)
        }
    };
    let client = builder.build();
    client.map_err(|error| AgentError::Internal(error.to_string()))
}
