//! Where a relay is reached, and how whoever answers there is proven to be the relay.
//!
//! **The address says which proof counts, and no other does**: `http://` is for this machine alone,
//! `https://` goes by the relay's key, `https://…#ordinary` by a certificate that the platform's roots
//! vouch for.

use reqwest::Url;
use wangge_trust::tls::{self, ORDINARY, Proof};

use crate::error::AgentError;

/// The address of a relay: scheme, host and port, and how it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    authority: String,
    proof: Proof,
}

impl Address {
    /// Returns the address in `url`.
    pub fn parse(url: &str) -> Result<Self, AgentError> {
        let unsafe_address = || AgentError::UnsafeAddress {
            url: url.to_owned(),
        };
        let mut parsed = Url::parse(url.trim()).map_err(|_| unsafe_address())?;
        let host = parsed.host_str().ok_or_else(unsafe_address)?.to_owned();
        let bare = matches!(parsed.path(), "" | "/") && parsed.query().is_none();
        let named = parsed.username().is_empty() && parsed.password().is_none();
        let proof = tls::judge(parsed.scheme(), &host, parsed.fragment());
        let proof = proof.filter(|_| bare && named).ok_or_else(unsafe_address)?;
        parsed.set_fragment(None);
        let authority = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self {
            url: parsed,
            authority,
            proof,
        })
    }

    /// Returns an address that a home keeps. One of an earlier program that went to another machine without
    /// TLS is the same place by the key that was pinned.
    pub fn kept(url: &str) -> Result<Self, AgentError> {
        Self::parse(url).or_else(|error| match tls::by_key(url) {
            Some(url) => Self::parse(&url),
            None => Err(error),
        })
    }

    /// Returns the address with an authority's certificate as its proof; one of this machine stays as it is.
    #[must_use]
    pub fn ordinary(mut self) -> Self {
        if self.proof == Proof::Key {
            self.proof = Proof::Ordinary;
        }
        self
    }

    /// Returns the address as it is kept.
    pub fn text(&self) -> String {
        let url = self.url.as_str().trim_end_matches('/');
        match self.proof {
            Proof::Here | Proof::Key => url.to_owned(),
            Proof::Ordinary => format!("{url}#{ORDINARY}"),
        }
    }

    /// Returns how the relay there is proven.
    pub(super) fn proof(&self) -> Proof {
        self.proof
    }

    /// Returns host and port as requests name them.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the address of a path there.
    pub(super) fn join(&self, path: &str) -> Result<Url, AgentError> {
        let url = self.url.join(path);
        url.map_err(|error| AgentError::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_does_not_leave_this_machine() {
        for good in [
            "http://127.0.0.1:8720",
            "http://localhost:1/",
            "http://[::1]:8720",
        ] {
            assert_eq!(Address::parse(good).unwrap().proof(), Proof::Here, "{good}");
        }
        for bad in [
            "http://192.168.1.5:8720",
            "http://relay.example",
            "http://[2001:db8::5]:8720",
            "http://127.0.0.1@192.168.1.5",
            "127.0.0.1:8720",
            "http://a/b",
            "",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_reads_back_with_its_proof() {
        for (typed, proof, kept) in [
            (
                "https://192.168.1.5:8720/",
                Proof::Key,
                "https://192.168.1.5:8720",
            ),
            (
                "https://[2001:db8::5]:8720",
                Proof::Key,
                "https://[2001:db8::5]:8720",
            ),
            (
                "https://Relay.Example#ordinary",
                Proof::Ordinary,
                "https://relay.example#ordinary",
            ),
        ] {
            let address = Address::parse(typed).unwrap();
            assert_eq!((address.proof(), &*address.text()), (proof, kept));
            assert_eq!(Address::parse(kept).unwrap(), address);
        }
        let asked = Address::parse("https://relay.example").unwrap().ordinary();
        assert_eq!(asked.text(), "https://relay.example#ordinary");
        let here = Address::parse("http://127.0.0.1:1").unwrap().ordinary();
        assert_eq!(here.text(), "http://127.0.0.1:1");
    }

    #[test]
    fn what_an_earlier_program_kept_goes_to_the_same_place_by_key() {
        let kept = Address::kept("http://192.168.1.5:8720").unwrap();
        assert_eq!(kept.text(), "https://192.168.1.5:8720");
        assert_eq!(kept.proof(), Proof::Key);
        let here = Address::kept("http://127.0.0.1:8720").unwrap();
        assert_eq!(here.proof(), Proof::Here);
        assert!(Address::kept("http://a/b").is_err());
    }
}
