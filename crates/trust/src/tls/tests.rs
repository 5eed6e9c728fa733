//! Two ends in memory: who is let be at the other end of a line, and who is not.

use rustls::{ClientConnection, ServerConnection};

use super::*;

fn key(seed: u8) -> Arc<KeyPair> {
    Arc::new(KeyPair::from_secret(&[seed; 32]))
}

/// Lets both ends talk until neither has anything to say; the client's word in the end.
fn shake(client: ClientConfig, server: ServerConfig) -> Result<(), Error> {
    let name = ServerName::try_from("relay.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    let (mut up, mut down) = (Vec::new(), Vec::new());
    while client.is_handshaking() || server.is_handshaking() {
        client.write_tls(&mut up).unwrap();
        if !up.is_empty() {
            server.read_tls(&mut up.as_slice()).unwrap();
            up.clear();
            server.process_new_packets()?;
        }
        server.write_tls(&mut down).unwrap();
        if !down.is_empty() {
            client.read_tls(&mut down.as_slice()).unwrap();
            down.clear();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

fn refused(result: Result<(), Error>) {
    let application = CertificateError::ApplicationVerificationFailure;
    assert_eq!(result, Err(Error::InvalidCertificate(application)));
}

#[test]
fn a_relay_is_known_by_the_key_that_was_pinned_whatever_its_certificate_is_called() {
    let judge = KeyJudge::of(key(1).public());
    let relay = server(own(&key(1)).unwrap()).unwrap();
    shake(client(Arc::clone(&judge)).unwrap(), relay).unwrap();
    assert_eq!(judge.met(), Some(key(1).public()));
}

#[test]
fn somebody_with_a_valid_certificate_of_their_own_is_not_the_relay() {
    let judge = KeyJudge::of(key(1).public());
    let other = server(own(&key(2)).unwrap()).unwrap();
    refused(shake(client(Arc::clone(&judge)).unwrap(), other));
    assert_eq!(judge.met(), None);
}

#[test]
fn the_relays_certificate_without_its_secret_proves_nothing() {
    // The certificate goes over the line in every handshake: anybody may show it.
    let shown = own(&key(1)).unwrap().cert.clone();
    let thief = Arc::new(CertifiedKey::new(shown, Arc::new(Signing(key(2)))));
    let judge = KeyJudge::of(key(1).public());
    let stolen = shake(client(Arc::clone(&judge)).unwrap(), server(thief).unwrap());
    assert_eq!(
        stolen,
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    );
    assert_eq!(judge.met(), None);
}

#[test]
fn a_certificate_of_another_kind_of_key_is_not_the_relays() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["relay.example".to_owned()]).unwrap();
    let made = params.self_signed(&pair).unwrap();
    assert_eq!(key_of(made.der()), None);
}

#[test]
fn while_a_key_is_noted_nobody_else_may_answer_after_the_first() {
    let judge = KeyJudge::noting();
    assert_eq!(judge.met(), None);
    let relay = |seed| server(own(&key(seed)).unwrap()).unwrap();
    shake(client(Arc::clone(&judge)).unwrap(), relay(1)).unwrap();
    assert_eq!(judge.met(), Some(key(1).public()));
    refused(shake(client(Arc::clone(&judge)).unwrap(), relay(2)));
    shake(client(Arc::clone(&judge)).unwrap(), relay(1)).unwrap();
    assert_eq!(judge.met(), Some(key(1).public()));
}

#[test]
fn of_several_known_relays_each_may_be_there_and_no_other_and_of_none_nobody() {
    let judge = KeyJudge::of_any(vec![key(1).public(), key(2).public()]);
    let relay = |seed| server(own(&key(seed)).unwrap()).unwrap();
    for seed in [1, 2, 1] {
        shake(client(Arc::clone(&judge)).unwrap(), relay(seed)).unwrap();
        assert_eq!(judge.met(), Some(key(seed).public()));
    }
    refused(shake(client(Arc::clone(&judge)).unwrap(), relay(3)));
    let nobody = KeyJudge::of_any(Vec::new());
    refused(shake(client(nobody).unwrap(), relay(1)));
}

#[test]
fn the_certificate_of_a_key_is_the_same_each_time_and_never_of_another_key() {
    assert_eq!(own(&key(1)).unwrap().cert, own(&key(1)).unwrap().cert);
    let certified = own(&key(1)).unwrap();
    assert_eq!(key_of(&certified.cert[0]), Some(key(1).public()));
    certified.keys_match().unwrap();
}

#[test]
fn an_address_says_how_its_relay_is_proven() {
    for (scheme, host, fragment, proof) in [
        ("http", "127.0.0.1", None, Some(Proof::Here)),
        ("http", "127.9.9.9", None, Some(Proof::Here)),
        ("http", "localhost", None, Some(Proof::Here)),
        ("http", "[::1]", None, Some(Proof::Here)),
        ("http", "192.168.1.5", None, None),
        ("http", "relay.example", None, None),
        ("http", "127.0.0.1.example", None, None),
        ("http", "[::2]", None, None),
        ("http", "127.0.0.1", Some("ordinary"), None),
        ("https", "127.0.0.1", None, Some(Proof::Key)),
        ("https", "192.168.1.5", None, Some(Proof::Key)),
        ("https", "relay.example", None, Some(Proof::Key)),
        (
            "https",
            "relay.example",
            Some("ordinary"),
            Some(Proof::Ordinary),
        ),
        ("https", "relay.example", Some("other"), None),
        ("https", "relay.example", Some(""), None),
        ("ftp", "127.0.0.1", None, None),
    ] {
        assert_eq!(judge(scheme, host, fragment), proof, "{scheme} {host}");
    }
}

#[test]
fn an_address_of_an_earlier_program_is_the_same_place_by_the_pinned_key() {
    let by = |url| by_key(url).unwrap();
    assert_eq!(by("http://192.168.1.5:8720"), "https://192.168.1.5:8720");
    assert_eq!(by("http://relay.example/"), "https://relay.example:80");
    assert_eq!(
        by("http://[2001:db8::5]:8720"),
        "https://[2001:db8::5]:8720"
    );
    assert_eq!(by("http://[2001:db8::5]"), "https://[2001:db8::5]:80");
    assert_eq!(by_key("https://192.168.1.5:8720"), None);
    assert_eq!(by_key("nonsense"), None);
}

#[test]
fn what_is_no_certificate_and_key_is_named() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["relay.example".to_owned()]).unwrap();
    let made = params.self_signed(&pair).unwrap();
    let chain = pem("CERTIFICATE", made.der());
    let own_key = pem("PRIVATE KEY", &pair.serialize_der());
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let other_key = pem("PRIVATE KEY", &other.serialize_der());
    assert!(ordinary(&chain, &own_key).is_ok());
    let why = |chain: &[u8], key: &[u8]| ordinary(chain, key).map(drop).unwrap_err();
    assert_eq!(why(b"", &own_key), BadCertificate::NoCertificate);
    assert_eq!(why(&own_key, &own_key), BadCertificate::NoCertificate);
    assert_eq!(why(&chain, &chain), BadCertificate::NoKey);
    assert_eq!(why(&chain, &other_key), BadCertificate::Mismatch);
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
}
