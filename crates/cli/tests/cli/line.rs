//! A relay that serves other machines, with its own key and with an authority's certificate.
#![cfg(unix)]

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::world::{GRID, Out, Relay, World};

/// The certificate of an authority, and of a relay by its name, with the key; PEM.
struct Papers {
    authority: String,
    chain: String,
    key: String,
}

fn papers(name: &str) -> Papers {
    let pair = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = pair();
    let authority = params.self_signed(&root).unwrap();
    let issuer = Issuer::new(params, root);
    let own = pair();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    Papers {
        authority: pem("CERTIFICATE", authority.der()),
        chain: pem("CERTIFICATE", certificate.der()),
        key: pem("PRIVATE KEY", &own.serialize_der()),
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Runs a command on a home, on a machine that trusts these authorities.
fn trusting(world: &World, authorities: &str, args: &[&str]) -> Out {
    let mut command = world.command();
    command.arg("--home").arg(world.path("li")).args(args);
    command.env("SSL_CERT_FILE", authorities);
    let output = command.output().unwrap();
    Out {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_relay_for_other_machines_speaks_tls_and_says_so() {
    let world = World::new();
    let relay = Relay::start(&world, "0.0.0.0:0");
    assert!(relay.said_url.starts_with("https://"), "{}", relay.said_url);
    let url = format!("https://127.0.0.1:{}", port(&relay));
    let code = world.invite("李梅", "worker", &[GRID]);
    let plain = url.replace("https", "http");
    // Plainly it answers nobody, and the code is as good as before.
    let enroll = |url: &str| {
        world.at(
            "li",
            &["enroll", &code, "--relay", url, "--name", "李梅", "--json"],
        )
    };
    assert_eq!(enroll(&plain).ends(5).error()["kind"], "no_link");
    enroll(&url).ok();
    world.at("li", &["sync"]).ok();

    let here = Relay::start_with(
        &world,
        "other",
        &["relay", "serve", "--listen", "127.0.0.1:0", "--json"],
    );
    assert!(here.said_url.starts_with("http://127.0.0.1:"));
}

#[test]
fn a_relay_with_an_ordinary_certificate_is_known_by_the_machines_authorities_and_by_its_name() {
    let world = World::new();
    let (own, other) = (papers("localhost"), papers("localhost"));
    let chain = world.write("relay.pem", &own.chain);
    let key = world.write("relay.key.pem", &own.key);
    let trusted = world.write("authorities.pem", &own.authority);
    let strangers = world.write("strangers.pem", &other.authority);
    let serve = [
        "relay",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--tls-cert",
        &chain,
        "--tls-key",
        &key,
    ];
    let relay = Relay::start_with(&world, "relay", &serve);
    assert!(relay.said_url.starts_with("https://127.0.0.1:"));
    let code = world.invite("李梅", "worker", &[GRID]);
    let by_name = format!("https://localhost:{}", port(&relay));
    let by_address = format!("https://127.0.0.1:{}", port(&relay));
    let enroll = |url: &str, ordinary: bool| {
        let mut args = vec!["enroll", &code, "--relay", url, "--name", "李梅", "--json"];
        args.extend(ordinary.then_some("--ordinary-certificate"));
        args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>()
    };
    let run = |authorities: &str, args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        trusting(&world, authorities, &args)
    };
    // Another authority, another name, and no word that an authority's is meant: each is refused.
    for (authorities, args) in [
        (&strangers, enroll(&by_name, true)),
        (&trusted, enroll(&by_address, true)),
        (&trusted, enroll(&by_name, false)),
    ] {
        let error = run(authorities, &args).ends(4).error();
        assert_eq!(error["kind"], "other_relay", "{args:?}");
    }
    run(&trusted, &enroll(&by_name, true)).ok();
    trusting(&world, &trusted, &["sync"]).ok();
    let profile = std::fs::read_to_string(world.path("li").join("profile.json")).unwrap();
    assert!(
        profile.contains(&format!("{by_name}#ordinary")),
        "{profile}"
    );
    let told = trusting(&world, &strangers, &["sync"]).ends(4).stderr;
    assert!(told.contains("什么也没有送出"), "{told}");
}

#[test]
fn a_certificate_that_cannot_be_shown_starts_no_relay() {
    let world = World::new();
    let (own, other) = (papers("localhost"), papers("localhost"));
    let chain = world.write("relay.pem", &own.chain);
    let key = world.write("relay.key.pem", &own.key);
    let wrong = world.write("other.key.pem", &other.key);
    let gone = world.path("gone.pem").display().to_string();
    let serve = |chain: &str, key: &str| {
        let args = [
            "relay",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--tls-cert",
            chain,
            "--tls-key",
            key,
        ];
        world.at("relay", &args)
    };
    for (chain, key, exit, kind, says) in [
        (&chain, &wrong, 2, "bad_certificate", "不是一对"),
        (&key, &key, 2, "bad_certificate", "证书文件"),
        (&chain, &chain, 2, "bad_certificate", "私钥文件"),
        (&chain, &gone, 1, "unreadable", "gone.pem"),
    ] {
        let error = serve(chain, key).ends(exit).error();
        assert_eq!(error["kind"], kind);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    assert!(!world.path("relay").exists());
}

fn port(relay: &Relay) -> String {
    relay.address.rsplit_once(':').unwrap().1.to_owned()
}
