//! The line between a device and its relay, and between relays: encrypted, and to nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::people::LeaveInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_relay::{
    BadCertificate, Certificate, Code, LevelForm, Relay, RelayError, Settings, Tls,
    UpstreamTrouble, serve,
};
use wangge_testkit::device::Device;
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::in_between::InBetween;
use wangge_testkit::wire_client::send_raw;
use wangge_testkit::wire_tap::WireTap;
use wangge_testkit::work::visit;
use wangge_wire::{PublicKey, Role};

const GRID: &str = "511724103202001";
const TOWNSHIP: &str = "511724103";

/// Settings of a relay that speaks TLS by its own key, on this machine too.
fn over_tls(name: &str, level: LevelForm) -> Settings {
    Settings {
        tls: Tls::OwnKey,
        upstream_every: None,
        ..Settings::new(name, level)
    }
}

fn tls_district() -> District {
    District::with(over_tls("杨家镇", LevelForm::Township))
}

fn https(district: &District) -> String {
    format!("https://{}", district.address())
}

fn key_of(district: &District) -> PublicKey {
    district.relay().card(0).key
}

fn home(district: &District, name: &str) -> Replica {
    Replica::init(
        &district.path().join(name),
        name,
        Vec::new(),
        Machine::default(),
    )
    .unwrap()
}

/// Returns a worker of this relay with a household.
fn worker(district: &District, url: &str) -> Replica {
    let mut li = district.home_at("李梅", Role::Worker, &[GRID], url);
    family(&mut li, "1", "龙国华");
    li
}

fn family(li: &mut Replica, door: &str, head: &str) {
    let member = MemberInput {
        name: head.into(),
        ..MemberInput::default()
    };
    let input = HouseholdInput {
        door: door.into(),
        members: vec![member],
        ..HouseholdInput::default()
    };
    li.add_household(input).unwrap();
}

fn is_refused<T: std::fmt::Debug>(result: &Result<T, AgentError>) -> bool {
    matches!(result, Err(AgentError::OtherRelay { .. }))
}

#[test]
fn a_device_enrols_and_syncs_by_the_relays_own_key_and_nothing_can_be_read_on_the_way() {
    let district = tls_district();
    let mut li = worker(&district, &https(&district));
    assert_eq!(li.profile().relay.as_ref().unwrap().url, https(&district));
    visit(&mut li, "龙国华");
    let report = sync(&mut li).unwrap();
    assert!(report.sent > 0 && report.unsent == 0, "{report:?}");

    // Whoever speaks plainly to it is not answered as by a relay.
    let mut line = TcpStream::connect(district.address()).unwrap();
    line.write_all(b"GET /v1/relay HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = line.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn a_relay_is_reached_by_name_and_by_address_of_either_kind() {
    let district = tls_district();
    let port = district.address().port();
    let mut li = district.home_at("李梅", Role::Worker, &[GRID], &https(&district));
    // The same relay by a name, with the same key.
    let report = wait(li.sync_at(&format!("https://localhost:{port}"))).unwrap();
    assert_eq!(report.unsent, 0);

    let six = Settings {
        tls: Tls::OwnKey,
        ..Settings::new("六号", LevelForm::Township)
    };
    let serving = Serving::start(&six, "[::1]:0".parse().unwrap());
    let code = serving.invite();
    let mut wang = home(&district, "王芳");
    let url = format!("https://[::1]:{}", serving.address.port());
    wait(wang.enroll(&code, &url, "王芳", None)).unwrap();
    assert_eq!(sync(&mut wang).unwrap().unsent, 0);
}

#[test]
fn somebody_in_between_with_a_valid_certificate_enrols_nobody_and_the_code_is_as_good_as_before() {
    let district = tls_district();
    let between = InBetween::to(district.address());
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let mut li = home(&district, "李梅");

    // They show their own certificate and the relay's card: the keys differ.
    between.reads();
    let refused = wait(li.enroll(&code, &between.url(), "李梅", None));
    assert!(is_refused(&refused), "{refused:?}");
    let (read, handshakes) = between.take();
    assert!(handshakes > 0);
    assert!(read < 200, "only the card was asked for: {read} bytes");

    // They say that the relay's key is theirs: the code's secret does not say so.
    between.poses_as(key_of(&district));
    let refused = wait(li.enroll(&code, &between.url(), "李梅", None));
    assert!(
        matches!(refused, Err(AgentError::Invitation(_))),
        "{refused:?}"
    );
    assert!(li.member().is_none() && li.profile().relay.is_none());
    assert!(district.relay().devices().unwrap().is_empty());

    // Who knows the key from the invitation does not even ask for the card.
    between.take();
    let pin = Some(key_of(&district));
    let refused = wait(li.enroll(&code, &between.url(), "李梅", pin));
    assert!(is_refused(&refused), "{refused:?}");
    assert_eq!(between.take().0, 0);

    between.passes();
    wait(li.enroll(&code, &between.url(), "李梅", pin)).unwrap();
    assert_eq!(sync(&mut li).unwrap().unsent, 0);
}

#[test]
fn an_invitation_that_says_another_key_enrols_with_nobody() {
    let (district, other) = (tls_district(), District::new());
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let mut li = home(&district, "李梅");
    let pin = Some(key_of(&other));
    let refused = wait(li.enroll(&code, &https(&district), "李梅", pin));
    assert!(is_refused(&refused), "{refused:?}");
    // On this machine there is no certificate, and the card says it.
    let code = other.invite("李梅", Role::Worker, &[GRID]);
    let url = format!("http://{}", other.address());
    let refused = wait(li.enroll(&code, &url, "李梅", Some(key_of(&district))));
    assert!(is_refused(&refused), "{refused:?}");
    assert!(li.member().is_none());
}

#[test]
fn somebody_in_between_reads_nothing_of_any_later_request() {
    let district = tls_district();
    let between = InBetween::to(district.address());
    let url = between.url();
    let mut li = worker(&district, &url);
    let mut desk = district.home_at("周文", Role::Township, &[TOWNSHIP], &url);
    // Who has never read asks first what there is.
    let mut chen = district.home_at("陈强", Role::Worker, &[GRID], &url);
    visit(&mut li, "龙国华");
    for replica in [&mut li, &mut desk] {
        sync(replica).unwrap();
    }
    family(&mut li, "2", "王小明");
    let unsent = li.status().unwrap().counts.unsent;
    between.take();
    between.reads();

    let asked: [(&str, bool); 7] = [
        ("sync", is_refused(&sync(&mut li))),
        ("verify", is_refused(&wait(li.verify()))),
        ("plan", is_refused(&wait(chen.plan_sync()))),
        ("elsewhere", is_refused(&wait(li.sync_at(&url)))),
        ("inbox", is_refused(&wait(desk.inbox(false)))),
        (
            "order",
            is_refused(&wait(desk.add_unit("水务站", TOWNSHIP, ""))),
        ),
        (
            "leave",
            is_refused(&wait(desk.leave(LeaveInput {
                absent: "李梅".into(),
                until: Some("2099-12-31".into()),
                ..LeaveInput::default()
            }))),
        ),
    ];
    for (what, refused) in asked {
        assert!(refused, "{what}");
    }
    let (read, handshakes) = between.take();
    assert_eq!(read, 0, "they got to read something");
    assert!(handshakes >= asked.len() as u64);
    assert_eq!(li.status().unwrap().counts.unsent, unsent);

    between.passes();
    assert_eq!(sync(&mut li).unwrap().unsent, 0);
}

#[test]
fn somebody_between_two_relays_joins_none_and_reads_nothing_of_a_meeting() {
    let county = District::with(over_tls("渠县", LevelForm::County));
    let between = InBetween::to(county.address());
    let village = District::with(over_tls("民主村", LevelForm::Village));
    let code = county.invite("民主村", Role::Relay, &["511724103202"]);
    let wrong = |result: Result<(), RelayError>| {
        matches!(
            result,
            Err(RelayError::Upstream(UpstreamTrouble::WrongRelay))
        )
    };
    between.reads();
    assert!(wrong(wait(village.relay().join(&code, &between.url()))));
    between.poses_as(key_of(&county));
    assert!(wait(village.relay().join(&code, &between.url())).is_err());
    assert_eq!(village.relay().upstream().unwrap(), None);
    assert!(county.relay().below().unwrap().is_empty());

    between.passes();
    wait(village.relay().join(&code, &between.url())).unwrap();
    wait(village.relay().meet_upstream()).unwrap();
    let mut li = worker(&village, &https(&village));
    visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    between.take();
    between.reads();
    assert!(wrong(wait(village.relay().meet_upstream()).map(drop)));
    let (read, handshakes) = between.take();
    assert!(read == 0 && handshakes > 0, "{read} {handshakes}");
    between.passes();
    let met = wait(village.relay().meet_upstream()).unwrap();
    assert!(met.complete && met.waiting == 0, "{met:?}");
}

#[test]
fn a_request_that_was_made_for_one_relay_is_nobodys_at_another() {
    let (one, other) = (District::new(), District::new());
    let now_ms = Settings::new("", LevelForm::Village).clock.now_ms();
    let mut li = Device::new(7);
    for district in [&other, &one] {
        let code = district.invite("李梅", Role::Worker, &[GRID]);
        li.roster = wangge_trust::Roster::default();
        li.enroll(district.address(), &Code::parse(&code).unwrap());
    }
    // It knows both relays and both know it; requests are for the one it asked last.
    let ask = li.ask(0, false).bytes();
    let recorded = li.request(one.address(), now_ms, &ask, &[]);
    // Whatever the host is called: it is sent there as it was recorded.
    assert_eq!(send_raw(other.address(), &recorded).status, 401);
    assert_eq!(send_raw(one.address(), &recorded).status, 200);
    assert_eq!(send_raw(one.address(), &recorded).status, 401, "a replay");
}

#[test]
fn plain_http_is_served_to_this_machine_and_to_nobody_else() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let proxy = Settings {
        tls: Tls::BehindProxy,
        ..Settings::new("杨家镇", LevelForm::Township)
    };
    let dir = tempfile::tempdir().unwrap();
    let refused = wait(async {
        let listener = tokio::net::TcpListener::bind(everywhere).await.unwrap();
        let relay = Relay::open(dir.path(), &proxy).unwrap();
        serve(relay, listener, std::future::pending()).await
    });
    assert!(matches!(refused, Err(RelayError::PlainElsewhere)));

    // Who says nothing serves this machine plainly and the world by its own key.
    let usual = Settings::new("杨家镇", LevelForm::Township);
    let serving = Serving::start(&usual, everywhere);
    let here = SocketAddr::from(([127, 0, 0, 1], serving.address.port()));
    let mut line = TcpStream::connect(here).unwrap();
    line.write_all(b"GET /v1/relay HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = line.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let folder = tempfile::tempdir().unwrap();
    let mut li = Replica::init(folder.path(), "李梅", Vec::new(), Machine::default()).unwrap();
    let url = format!("https://{here}");
    wait(li.enroll(&serving.invite(), &url, "李梅", None)).unwrap();
}

#[test]
fn a_device_sends_nothing_to_another_machine_without_encryption() {
    let district = District::new();
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let mut li = home(&district, "李梅");
    let url = format!("http://192.0.2.7:{}", district.address().port());
    let refused = wait(li.enroll(&code, &url, "李梅", None));
    assert!(matches!(refused, Err(AgentError::UnsafeAddress { .. })));
    let joined = wait(district.relay().join(&code, &url));
    let address = UpstreamTrouble::Address;
    assert!(matches!(joined, Err(RelayError::Upstream(why)) if why == address));
}

#[test]
fn an_authoritys_certificate_is_not_the_relays_key_and_counts_only_where_roots_say_so() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let made = params.self_signed(&pair).unwrap();
    let chain = pem("CERTIFICATE", made.der());
    let own_key = pem("PRIVATE KEY", &pair.serialize_der());
    let certificate = Certificate::read(chain.as_bytes(), own_key.as_bytes()).unwrap();
    let district = District::with(Settings {
        tls: Tls::Certificate(certificate),
        ..Settings::new("杨家镇", LevelForm::Township)
    });
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let mut li = home(&district, "李梅");
    let url = format!("https://localhost:{}", district.address().port());
    // By key: it shows another. By roots: nobody vouches for it. Neither falls back to the other.
    for url in [url.clone(), format!("{url}#ordinary")] {
        let refused = wait(li.enroll(&code, &url, "李梅", None));
        assert!(is_refused(&refused), "{url} {refused:?}");
    }
    let none = Certificate::read(own_key.as_bytes(), own_key.as_bytes());
    assert!(matches!(
        none,
        Err(RelayError::Certificate(BadCertificate::NoCertificate))
    ));
}

#[test]
fn an_answer_that_points_elsewhere_is_not_followed() {
    let district = District::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let target = district.address();
    let pointing = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        assert!(line.read(&mut asked).unwrap() > 0);
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{target}/v1/relay\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n"
        );
        line.write_all(answer.as_bytes()).unwrap();
    });
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let mut li = home(&district, "李梅");
    let refused = wait(li.enroll(&code, &url, "李梅", None));
    pointing.join().unwrap();
    assert!(matches!(refused, Err(AgentError::StrangeAnswer { .. })));
    assert!(district.relay().devices().unwrap().is_empty());
}

#[test]
fn a_home_of_an_earlier_program_goes_to_the_same_place_encrypted() {
    let district = tls_district();
    let mut li = worker(&district, &https(&district));
    let path = district.path().join("李梅").join("profile.json");
    drop(sync(&mut li));
    drop(li);
    // As 0.3.0 kept it with --plain-http: another name of this machine that is no loopback name to it.
    let text = std::fs::read_to_string(&path).unwrap();
    let port = district.address().port();
    let old = text.replace(
        &format!("https://127.0.0.1:{port}"),
        &format!("http://0.0.0.0:{port}"),
    );
    assert_ne!(old, text);
    std::fs::write(&path, old).unwrap();
    let folder = district.path().join("李梅");
    let mut li = Replica::open(&folder, Machine::default()).unwrap();
    visit(&mut li, "龙国华");
    assert_eq!(sync(&mut li).unwrap().unsent, 0);
}

#[test]
fn on_the_wire_there_is_not_a_word_of_what_is_said() {
    let district = tls_district();
    let tap = WireTap::to(district.address());
    let heard = tap.record();
    let url = tap.url().replace("http://", "https://");
    let mut li = worker(&district, &url);
    visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.len() > 2_000, "{}", heard.len());
    let says = |word: &[u8]| heard.windows(word.len()).any(|part| part == word);
    for word in ["HTTP/1.1", "/v1/", "wangge-head", "signature", "杨家镇"] {
        assert!(!says(word.as_bytes()), "{word}");
    }
}

/// A relay at an address of a test's choice; it ends with the test.
struct Serving {
    dir: tempfile::TempDir,
    settings: Settings,
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    fn start(settings: &Settings, at: SocketAddr) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let relay = Relay::open(dir.path(), settings).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (ready, listening) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            wait(async move {
                let listener = tokio::net::TcpListener::bind(at).await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let stop = async {
                    let _ = stopped.await;
                };
                serve(relay, listener, stop).await.unwrap();
            });
        });
        Self {
            dir,
            settings: settings.clone(),
            address: listening.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn invite(&self) -> String {
        let relay = Relay::open(self.dir.path(), &self.settings).unwrap();
        let new = wangge_relay::NewInvitation {
            name: "李梅".into(),
            role: Role::Worker,
            areas: vec![wangge_wire::AreaCode::parse(GRID).unwrap()],
        };
        let now_ms = self.settings.clock.now_ms();
        relay.invite(&new, now_ms).unwrap().shown()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
