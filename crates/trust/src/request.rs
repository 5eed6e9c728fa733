//! Signed requests: a fixed profile of RFC 9421, so that no bearer token exists to steal.
//!
//! Covered are method, authority, path, query and the digest of the request's head (`wangge-head`);
//! created and nonce make each request its own, and the tag names the relay it is for: **what one relay was
//! told cannot be told another in the device's name**, whatever either is called by. The body of a sync
//! beyond its head needs no cover: batches prove themselves.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use wangge_wire::{DeviceId, PublicKey, RelayId, Signature};

use crate::key::{KeyPair, verify};

/// The header with the SHA-256 of the request's head, as a structured-field byte sequence.
pub const HEAD_HEADER: &str = "wangge-head";
/// How far a request's time may be from the relay's, seconds.
pub const CREATED_WINDOW_S: i64 = 300;

/// The longest that anybody waits for a relay that has too much to do, seconds.
pub const AGAIN_MAX_S: u64 = 30;

/// What every signature here covers, in this order.
const COVERED: [&str; 5] = ["@method", "@authority", "@path", "@query", HEAD_HEADER];

/// What a request is signed over.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Whom it is for.
    pub relay: RelayId,
    /// In capitals.
    pub method: &'a str,
    /// Host and port, in lower case, as the Host header has it.
    pub authority: &'a str,
    /// Beginning with a slash.
    pub path: &'a str,
    /// Beginning with a question mark, or just one.
    pub query: &'a str,
    /// The head of the request, whose digest is covered.
    pub head: &'a [u8],
}

/// The values of the three headers of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// For [`HEAD_HEADER`].
    pub head: String,
    /// For `signature-input`.
    pub signature_input: String,
    /// For `signature`.
    pub signature: String,
}

/// Who a request says it is from, and when and as what it was signed; proven by [`check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The device.
    pub device: DeviceId,
    /// Its clock, seconds since 1970.
    pub created_s: i64,
    /// Fresh for each request.
    pub nonce: String,
    /// Whom it is for.
    pub relay: RelayId,
    params: String,
    signature: Signature,
}

/// Why a request is not taken for its sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The headers are missing or not of this profile.
    #[error("the request is not signed as it must be")]
    Profile,
    /// The signature does not fit.
    #[error("the request's signature is wrong")]
    Signature,
    /// The head's digest does not fit the head.
    #[error("the request's head was changed")]
    Head,
    /// It was made for another relay.
    #[error("the request is for another relay")]
    Relay,
}

/// Returns the headers of a request signed by `key`.
pub fn sign(key: &KeyPair, request: &Signed<'_>, created_s: i64, nonce: &[u8; 8]) -> Headers {
    let head = sequence(&Sha256::digest(request.head));
    let params = format!(
        "{};created={created_s};nonce=\"{}\";keyid=\"{}\";alg=\"ed25519\";tag=\"{}\"",
        covering(&COVERED),
        hex(nonce),
        key.public().device(),
        request.relay,
    );
    let signature = key.sign(base(&components(request, &head), &params).as_bytes());
    Headers {
        head,
        signature_input: format!("w={params}"),
        signature: format!("w={}", sequence(&signature.0)),
    }
}

/// Returns whose request this claims to be.
pub fn claim(headers: &Headers) -> Result<Claim, BadRequest> {
    let params = headers
        .signature_input
        .strip_prefix("w=")
        .ok_or(BadRequest::Profile)?;
    let rest = params
        .strip_prefix(&format!("{};created=", covering(&COVERED)))
        .ok_or(BadRequest::Profile)?;
    let (created, rest) = rest.split_once(";nonce=\"").ok_or(BadRequest::Profile)?;
    let (nonce, rest) = rest.split_once("\";keyid=\"").ok_or(BadRequest::Profile)?;
    let (device, rest) = rest
        .split_once("\";alg=\"ed25519\";tag=\"")
        .ok_or(BadRequest::Profile)?;
    let relay = rest.strip_suffix('"').ok_or(BadRequest::Profile)?;
    let signature = headers
        .signature
        .strip_prefix("w=")
        .ok_or(BadRequest::Profile)?;
    let signature = signature
        .strip_prefix(':')
        .and_then(|s| s.strip_suffix(':'));
    let signature = signature.and_then(|text| STANDARD.decode(text).ok());
    let fits = nonce.len() == 16 && nonce.bytes().all(|digit| digit.is_ascii_hexdigit());
    Ok(Claim {
        device: device.parse().map_err(|_| BadRequest::Profile)?,
        created_s: created.parse().map_err(|_| BadRequest::Profile)?,
        nonce: if fits {
            nonce.to_owned()
        } else {
            return Err(BadRequest::Profile);
        },
        relay: relay.parse().map_err(|_| BadRequest::Profile)?,
        params: params.to_owned(),
        signature: signature
            .and_then(|bytes| Signature::from_slice(&bytes))
            .ok_or(BadRequest::Profile)?,
    })
}

/// Proves a claim with the device's key.
pub fn check(
    claim: &Claim,
    key: &PublicKey,
    request: &Signed<'_>,
    head_header: &str,
) -> Result<(), BadRequest> {
    if head_header != sequence(&Sha256::digest(request.head)) {
        return Err(BadRequest::Head);
    }
    if claim.relay != request.relay {
        return Err(BadRequest::Relay);
    }
    let covered = components(request, head_header);
    let good =
        key.device() == claim.device && proves(key, &covered, &claim.params, &claim.signature);
    if good {
        Ok(())
    } else {
        Err(BadRequest::Signature)
    }
}

/// Returns when to come again, where an answer of this status and `retry-after` asks for that: a relay has too
/// much to do, or too much for one device. Nothing is wrong then, and nothing counts as failed.
pub fn again_in(status: u16, retry_after: Option<&str>) -> Option<Duration> {
    let seconds: u64 = retry_after?.trim().parse().ok()?;
    matches!(status, 429 | 503).then(|| Duration::from_secs(seconds.min(AGAIN_MAX_S)))
}

/// Returns whether a signature is this key's over these components, a name and a value each, and these
/// parameters.
fn proves(key: &PublicKey, covered: &[(&str, &str)], params: &str, signature: &Signature) -> bool {
    verify(key, base(covered, params).as_bytes(), signature)
}

/// Returns what this profile covers of a request.
fn components<'a>(request: &Signed<'a>, head: &'a str) -> [(&'static str, &'a str); 5] {
    let [method, authority, path, query, digest] = COVERED;
    [
        (method, request.method),
        (authority, request.authority),
        (path, request.path),
        (query, request.query),
        (digest, head),
    ]
}

/// Returns the names of covered components as the parameters begin with them.
fn covering(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("({})", quoted.join(" "))
}

/// Returns the signature base of RFC 9421, section 2.5: a line for each covered component, then the parameters.
fn base(covered: &[(&str, &str)], params: &str) -> String {
    let mut base = String::new();
    for (name, value) in covered {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    base
}

fn sequence(bytes: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Signed<'static> {
        Signed {
            relay: RelayId([9; 16]),
            method: "POST",
            authority: "127.0.0.1:8720",
            path: "/v1/sync",
            query: "?",
            head: b"head",
        }
    }

    #[test]
    fn a_signed_request_is_proven_and_every_covered_part_counts() {
        let key = KeyPair::from_secret(&[3; 32]);
        let headers = sign(&key, &request(), 1_795_000_000, &[7; 8]);
        let claim = claim(&headers).unwrap();
        assert_eq!(claim.device, key.public().device());
        assert_eq!(
            check(&claim, &key.public(), &request(), &headers.head),
            Ok(())
        );
        let changed = [
            Signed {
                method: "GET",
                ..request()
            },
            Signed {
                authority: "127.0.0.1:8721",
                ..request()
            },
            Signed {
                path: "/v1/enroll",
                ..request()
            },
            Signed {
                query: "?all",
                ..request()
            },
        ];
        for bad in changed {
            let checked = check(&claim, &key.public(), &bad, &headers.head);
            assert_eq!(checked, Err(BadRequest::Signature));
        }
        let bad = Signed {
            head: b"tail",
            ..request()
        };
        assert_eq!(
            check(&claim, &key.public(), &bad, &headers.head),
            Err(BadRequest::Head)
        );
        let bad = Signed {
            relay: RelayId([8; 16]),
            ..request()
        };
        assert_eq!(
            check(&claim, &key.public(), &bad, &headers.head),
            Err(BadRequest::Relay)
        );
        let other = KeyPair::from_secret(&[4; 32]).public();
        assert_eq!(
            check(&claim, &other, &request(), &headers.head),
            Err(BadRequest::Signature)
        );
    }

    #[test]
    fn the_time_and_nonce_cannot_be_changed() {
        let key = KeyPair::from_secret(&[3; 32]);
        let mut headers = sign(&key, &request(), 1_795_000_000, &[7; 8]);
        headers.signature_input = headers.signature_input.replace("1795000000", "1795000001");
        let claim = claim(&headers).unwrap();
        let checked = check(&claim, &key.public(), &request(), &headers.head);
        assert_eq!(checked, Err(BadRequest::Signature));
    }

    #[test]
    fn the_relay_it_is_for_cannot_be_changed_or_left_out() {
        let key = KeyPair::from_secret(&[3; 32]);
        let good = sign(&key, &request(), 1_795_000_000, &[7; 8]);
        let (own, other) = (RelayId([9; 16]), RelayId([8; 16]));
        let mut moved = good.clone();
        let input = &good.signature_input;
        moved.signature_input = input.replace(&own.to_string(), &other.to_string());
        let there = Signed {
            relay: other,
            ..request()
        };
        let checked = check(&claim(&moved).unwrap(), &key.public(), &there, &moved.head);
        assert_eq!(checked, Err(BadRequest::Signature));
        let mut bare = good.clone();
        bare.signature_input = input.replace(&format!(";tag=\"{own}\""), "");
        assert_eq!(claim(&bare), Err(BadRequest::Profile));
    }

    #[test]
    fn a_relay_says_when_to_come_again_and_nobody_waits_longer_than_a_while() {
        let s = Duration::from_secs;
        assert_eq!(again_in(503, Some("5")), Some(s(5)));
        assert_eq!(again_in(429, Some(" 1 ")), Some(s(1)));
        assert_eq!(again_in(503, Some("30")), Some(s(30)));
        assert_eq!(again_in(503, Some("31")), Some(s(30)));
        assert_eq!(again_in(503, Some("999999999999")), Some(s(30)));
        for (status, header) in [
            (503, None),
            (503, Some("soon")),
            (503, Some("-1")),
            (500, Some("5")),
            (200, Some("5")),
        ] {
            assert_eq!(again_in(status, header), None, "{status} {header:?}");
        }
    }

    #[test]
    fn headers_of_another_profile_are_refused() {
        let key = KeyPair::from_secret(&[3; 32]);
        let good = sign(&key, &request(), 1_795_000_000, &[7; 8]);
        for input in ["", "w=()", "sig1=(\"@method\");created=1"] {
            let bad = Headers {
                signature_input: input.into(),
                ..good.clone()
            };
            assert_eq!(claim(&bad), Err(BadRequest::Profile));
        }
        let bad = Headers {
            signature: "w=:AAAA:".into(),
            ..good
        };
        assert_eq!(claim(&bad), Err(BadRequest::Profile));
    }

    /// Appendix B.2.6 of RFC 9421 with the key of B.1.4, through what proves a request here.
    #[test]
    fn the_vector_of_the_rfc_is_proven_and_nothing_else_in_its_place() {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let key = |text| <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        let public = PublicKey(key("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"));
        let secret = key("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU");
        let covered = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let names = covered.map(|(name, _)| name);
        let params = format!(
            "{};created=1618884473;keyid=\"test-key-ed25519\"",
            covering(&names)
        );
        let text = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        let signature = Signature::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
        assert!(proves(&public, &covered, &params, &signature));
        let pair = KeyPair::from_secret(&secret);
        assert_eq!(pair.public(), public);
        assert_eq!(
            pair.sign(base(&covered, &params).as_bytes()),
            signature,
            "the same signature is made here"
        );
        for index in 0..covered.len() {
            let mut changed = covered;
            changed[index].1 = "else";
            assert!(!proves(&public, &changed, &params, &signature));
            let mut renamed = covered;
            renamed[index].0 = "else";
            assert!(!proves(&public, &renamed, &params, &signature));
        }
        assert!(!proves(&public, &covered[1..], &params, &signature));
        let later = params.replace("1618884473", "1618884474");
        assert!(!proves(&public, &covered, &later, &signature));
    }
}
