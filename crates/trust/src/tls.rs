//! TLS by a relay's own key: the pin is the public key that invitation, profile and roster carry already.
//!
//! **Names and dates of a certificate count for nothing here, its key for everything**: a certificate that
//! any authority gave somebody else proves nothing to who pinned a key. TLS 1.3 only; no sockets, and no
//! clock. A relay that has a name in the world may show an authority's certificate in place of its own; a
//! device then goes by the platform's roots, where the address says so ([`judge`]), and never by both.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, PKCS_ED25519, PublicKeyData, SignatureAlgorithm as RcgenAlgorithm};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureAlgorithm,
    SignatureScheme,
};
use wangge_wire::PublicKey;

use crate::key::KeyPair;

/// What stands before the 32 bytes of an Ed25519 key in a certificate (RFC 8410, section 4).
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// What is spoken inside.
const HTTP_1: &[u8] = b"http/1.1";
/// What an address ends with where the relay shows an authority's certificate.
pub const ORDINARY: &str = "ordinary";

/// How the relay at an address proves that it is the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Plain HTTP, which does not leave this machine.
    Here,
    /// TLS by the relay's own key, which is known before.
    Key,
    /// TLS by a certificate that the platform's roots vouch for, for the host of the address.
    Ordinary,
}

/// Returns how a relay is proven at an address of these parts; none where it must not be used.
///
/// `http://` goes to this machine and nowhere else; `https://` by the relay's key; `https://…#ordinary` by
/// the platform's roots. Nothing falls back to anything.
pub fn judge(scheme: &str, host: &str, fragment: Option<&str>) -> Option<Proof> {
    match (scheme, fragment) {
        ("http", None) if is_loopback(host) => Some(Proof::Here),
        ("https", None) => Some(Proof::Key),
        ("https", Some(ORDINARY)) => Some(Proof::Ordinary),
        _ => None,
    }
}

/// Returns the address at which an earlier program went to another machine without TLS, by the key that was
/// pinned: such a relay speaks TLS at the same place now. None where it is no such address.
pub fn by_key(url: &str) -> Option<String> {
    let rest = url.trim().strip_prefix("http://")?.trim_end_matches('/');
    let port = rest.rsplit_once(':').map(|(_, port)| port);
    let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    // The port that is meant by none is another one for another scheme.
    Some(match has_port {
        true => format!("https://{rest}"),
        false => format!("https://{rest}:80"),
    })
}

/// Returns whether a connection failed because whoever is there is not proven to be the relay.
pub fn is_somebody_else(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Error::InvalidCertificate(_)) = error.downcast_ref::<Error>() {
            return true;
        }
        // What an input error was made of is no source of it.
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref());
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// Returns whether a host, as an address has it, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let is_v4 = || {
        host.parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
    };
    matches!(host, "localhost" | "[::1]") || is_v4()
}

/// Why a certificate and its key cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// There is no certificate in the file.
    #[error("no certificate")]
    NoCertificate,
    /// There is no private key in the file, or of a kind that is not known.
    #[error("no private key")]
    NoKey,
    /// The key is not the certificate's.
    #[error("the key is not the certificate's")]
    Mismatch,
    /// The library does not make a certificate or settings of it.
    #[error("TLS cannot be set up")]
    SetUp,
}

/// Makes the one library of ciphers known to whatever asks for the process's own.
pub fn install() {
    // Another call was first: it installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Returns what a relay shows by its own key: a certificate over that very key, signed by itself.
pub fn own(key: &Arc<KeyPair>) -> Result<Arc<CertifiedKey>, BadCertificate> {
    let names = CertificateParams::new(vec!["relay.wangge.invalid".to_owned()]);
    let own = Own::new(key);
    let made = names.and_then(|params| params.self_signed(&own));
    let certificate = made.map_err(|_| BadCertificate::SetUp)?;
    let signing = Arc::new(Signing(Arc::clone(key)));
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        signing,
    )))
}

/// Returns what a relay shows that an authority gave a certificate: PEM of the chain, and of the key.
pub fn ordinary(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, BadCertificate> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|_| BadCertificate::NoCertificate)?;
    if chain.is_empty() {
        return Err(BadCertificate::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| BadCertificate::NoKey)?;
    match CertifiedKey::from_der(chain, key, &provider()) {
        Ok(certified) => Ok(Arc::new(certified)),
        Err(Error::InconsistentKeys(_)) => Err(BadCertificate::Mismatch),
        Err(Error::InvalidCertificate(_)) => Err(BadCertificate::NoCertificate),
        Err(_) => Err(BadCertificate::NoKey),
    }
}

/// Returns the settings of a relay that shows this.
pub fn server(shown: Arc<CertifiedKey>) -> Result<ServerConfig, BadCertificate> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| BadCertificate::SetUp)?;
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(config)
}

/// Returns the settings of who connects to a relay of a key.
pub fn client(judge: Arc<KeyJudge>) -> Result<ClientConfig, BadCertificate> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| BadCertificate::SetUp)?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(judge)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(config)
}

/// Judges who is at the other end by the key of their certificate alone.
///
/// Before a key is known, at an enrolment by typed characters, **nothing is accepted by this**: whoever is
/// there is noted, and the enrolment must prove that very key before anything else is sent.
#[derive(Debug)]
pub struct KeyJudge {
    /// Who may be there; empty for whoever is there first.
    wanted: Vec<PublicKey>,
    /// Who was there: has shown a certificate, and signed with its key.
    met: Mutex<Option<PublicKey>>,
    schemes: WebPkiSupportedAlgorithms,
}

impl KeyJudge {
    /// Returns a judge of one key.
    pub fn of(key: PublicKey) -> Arc<Self> {
        Self::of_any(vec![key])
    }

    /// Returns a judge of some keys, any of which will do; of none it lets nobody be there.
    pub fn of_any(mut keys: Vec<PublicKey>) -> Arc<Self> {
        if keys.is_empty() {
            // A key of zeros is nobody's: its signatures are refused as weak.
            keys.push(PublicKey([0; 32]));
        }
        Self::new(keys)
    }

    /// Returns a judge that notes whoever is there first, and lets nobody else be there after.
    pub fn noting() -> Arc<Self> {
        Self::new(Vec::new())
    }

    fn new(wanted: Vec<PublicKey>) -> Arc<Self> {
        Arc::new(Self {
            wanted,
            met: Mutex::default(),
            schemes: provider().signature_verification_algorithms,
        })
    }

    /// Returns whose key was shown and signed with; none before a handshake.
    pub fn met(&self) -> Option<PublicKey> {
        *self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<PublicKey, Error> {
        let key = key_of(certificate).ok_or(CertificateError::BadEncoding)?;
        let wanted = self.wanted.is_empty() || self.wanted.contains(&key);
        let same = self.met().is_none_or(|met| met == key) || !self.wanted.is_empty();
        match wanted && same {
            true => Ok(key),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

impl ServerCertVerifier for KeyJudge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity)
            .map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = self.check(cert)?;
        let valid = verify_tls13_signature(message, cert, dss, &self.schemes)?;
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(valid)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // All there are: whoever has another kind of certificate shows it, and is told apart from no line.
        self.schemes.supported_schemes()
    }
}

/// Returns the Ed25519 key of a certificate; none for another kind of key, or of a certificate.
fn key_of(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let spki = parsed.subject_public_key_info();
    let key = spki.as_ref().strip_prefix(&ED25519_SPKI)?;
    key.try_into().ok().map(PublicKey)
}

/// A relay's key as the maker of its certificate.
struct Own<'a> {
    key: &'a KeyPair,
    public: [u8; 32],
}

impl<'a> Own<'a> {
    fn new(key: &'a KeyPair) -> Self {
        let public = key.public().0;
        Self { key, public }
    }
}

impl PublicKeyData for Own<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static RcgenAlgorithm {
        &PKCS_ED25519
    }
}

impl rcgen::SigningKey for Own<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).0.to_vec())
    }
}

/// A relay's key in a handshake. What is signed there begins with 64 blanks and a name of its own (RFC
/// 8446, section 4.4.3), and so is never what the key signs elsewhere.
#[derive(Debug)]
struct Signing(Arc<KeyPair>);

impl SigningKey for Signing {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let offered = offered.contains(&SignatureScheme::ED25519);
        offered.then(|| Box::new(Self(Arc::clone(&self.0))) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let spki = [ED25519_SPKI.as_slice(), &self.0.public().0].concat();
        Some(SubjectPublicKeyInfoDer::from(spki))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Signing {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).0.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

#[cfg(test)]
mod tests;
