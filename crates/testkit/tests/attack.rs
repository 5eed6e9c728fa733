//! A relay under attack: whoever holds it up is bounded, and an honest device syncs meanwhile and after.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use wangge_agent::Replica;
use wangge_relay::{Code, LevelForm, Limits, Settings, Share, Tls};
use wangge_testkit::device::Device;
use wangge_testkit::district::{District, sync};
use wangge_testkit::wire_client::{Reply, send, send_raw};
use wangge_testkit::work::visit;
use wangge_wire::Role;
use wangge_wire::limits::REQUEST_BYTES_MAX;

const GRID: &str = "511724103202001";
/// How long a test waits for what a relay must do by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Short, where a test waits for a relay to lose its patience.
const SOON: Duration = Duration::from_millis(200);

fn district(limits: Limits) -> District {
    District::with(Settings {
        limits,
        ..Settings::new("杨家镇", LevelForm::Township)
    })
}

/// A worker with a household, who syncs.
fn honest(district: &District, url: &str) -> Replica {
    let mut li = district.home_at("李梅", Role::Worker, &[GRID], url);
    let member = wangge_agent::households::MemberInput {
        name: "龙国华".into(),
        ..Default::default()
    };
    let input = wangge_agent::households::HouseholdInput {
        door: "1".into(),
        members: vec![member],
        ..Default::default()
    };
    li.add_household(input).unwrap();
    works(&mut li);
    li
}

fn works(li: &mut Replica) {
    visit(li, "龙国华");
    let report = sync(li).unwrap();
    assert!(report.sent > 0 && report.unsent == 0, "{report:?}");
}

fn http(district: &District) -> String {
    format!("http://{}", district.address())
}

fn connect(to: SocketAddr) -> TcpStream {
    let line = TcpStream::connect(to).unwrap();
    line.set_read_timeout(Some(PATIENCE)).unwrap();
    line.set_write_timeout(Some(PATIENCE)).unwrap();
    line
}

/// Waits until the relay hangs up; returns what it said before.
fn hung_up(mut line: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    match line.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "it never hung up"),
    }
    said
}

/// Files that this process has open, and the memory it holds, KiB; relay and attackers are in it.
#[cfg(target_os = "linux")]
fn held() -> (usize, u64) {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    (files, kib.parse().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn two_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    let district = district(Limits::default());
    let mut li = honest(&district, &http(&district));
    let (files, kib) = held();
    let mut idle = Vec::new();
    for n in 0..2_000 {
        idle.push(connect(district.address()));
        if n % 500 == 0 {
            works(&mut li);
        }
    }
    works(&mut li);
    let (files_then, kib_then) = held();
    // Both ends are in this process; the replica and the relay open a few of their own.
    assert!(files_then - files <= 2 * 2_000 + 50, "{files} {files_then}");
    let each = (kib_then - kib) / 2_000;
    assert!(each < 64, "{each} KiB a connection");
    drop(idle);
    works(&mut li);
}

#[test]
fn past_the_limit_the_oldest_that_only_stands_there_goes_and_a_member_comes_in() {
    let district = district(Limits {
        connections: 64,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let mut idle: Vec<TcpStream> = (0..200).map(|_| connect(district.address())).collect();
    works(&mut li);
    // The first of them were closed, the last of them were not.
    let last = idle.pop().unwrap();
    for line in idle.drain(..100) {
        assert!(hung_up(line).is_empty());
    }
    let mut line = last;
    line.write_all(b"GET /v1/relay HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    assert!(hung_up(line).starts_with(b"HTTP/1.1 200"));
}

#[test]
fn a_head_that_comes_a_byte_at_a_time_is_given_up_and_holds_nobody() {
    let district = district(Limits {
        connections: 64,
        head_within: SOON,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut line = connect(district.address());
            // Those before the last sixty are closed already.
            let _ = line.write_all(b"POST /v1/sync HTTP/1.1\r\nhost: x\r\nx-slow: a");
            line
        })
        .collect();
    works(&mut li);
    for mut line in slow {
        // It may go on writing as long as it likes: the whole head has its time, not each byte.
        while line.write_all(b"a").is_ok() {
            std::thread::yield_now();
        }
    }
    works(&mut li);
}

#[test]
fn a_body_that_stops_in_the_middle_is_given_up_and_takes_no_members_place() {
    let district = district(Limits {
        requests: 2,
        piece_within: SOON,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut line = connect(district.address());
            line.write_all(
                b"POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n\0\0",
            )
            .unwrap();
            line
        })
        .collect();
    works(&mut li);
    for line in slow {
        let said = hung_up(line);
        assert!(said.starts_with(b"HTTP/1.1 400"), "{said:?}");
    }
    works(&mut li);
}

#[test]
fn a_body_that_drips_for_ever_has_its_time_too() {
    let district = district(Limits {
        body_within: SOON,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let mut line = connect(district.address());
    line.write_all(
        b"POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n\0\0\x0f\0",
    )
    .unwrap();
    let drip = std::thread::spawn({
        let mut line = line.try_clone().unwrap();
        move || {
            // A piece always comes before the next one is late.
            while line.write_all(b"a").is_ok() {
                std::thread::yield_now();
            }
        }
    });
    works(&mut li);
    let _ = hung_up(line);
    drip.join().unwrap();
    works(&mut li);
}

#[test]
fn heads_are_read_up_to_their_limits_and_not_past_them() {
    let district = district(Limits::default());
    let mut li = honest(&district, &http(&district));
    let with = |headers: &[(&str, &str)]| {
        send(district.address(), "GET", "/v1/relay", headers, b"").status
    };
    let long = "a".repeat(15 * 1024);
    assert_eq!(with(&[("x-long", &long)]), 200);
    assert_eq!(with(&[("x-long", &"a".repeat(16 * 1024))]), 431);
    assert_eq!(with(&[("x-long", &"a".repeat(1024 * 1024))]), 431);
    // Host, connection and content-length are sent beside these.
    assert_eq!(with(&[("x", "1"); 61]), 200);
    assert_eq!(with(&[("x", "1"); 62]), 431);
    works(&mut li);
}

#[test]
fn a_body_without_an_end_is_read_to_its_limit_by_a_member_and_hardly_by_anybody_else() {
    let district = district(Limits::default());
    let mut li = honest(&district, &http(&district));
    let chunk = |bytes: usize| format!("{bytes:x}\r\n{}\r\n", "a".repeat(bytes)).into_bytes();
    // Nobody: the head in front is read, then it is refused.
    let mut line = connect(district.address());
    line.write_all(b"POST /v1/sync HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    line.write_all(b"4\r\n\0\0\x10\0\r\n").unwrap();
    let mut taken = 0_usize;
    while line.write_all(&chunk(64 * 1024)).is_ok() && taken < 1 << 30 {
        taken += 64 * 1024;
    }
    assert!(
        taken < 64 << 20,
        "what the system keeps on the way, no more: {taken}"
    );

    // A member: past the bytes of a request.
    let mut wang = Device::new(5);
    let code = district.invite("王芳", Role::Worker, &[GRID]);
    wang.enroll(district.address(), &Code::parse(&code).unwrap());
    let head = wang.ask(1, false).bytes();
    let mut body = u32::try_from(head.len()).unwrap().to_be_bytes().to_vec();
    body.extend_from_slice(&head);
    // One frame that says that it is longer than a request may be.
    body.extend_from_slice(&u32::MAX.to_be_bytes());
    body.extend(vec![1; REQUEST_BYTES_MAX + 64 * 1024]);
    let what = ("POST", "/v1/sync", "?");
    let now_ms = Settings::new("", LevelForm::Village).clock.now_ms();
    let more = [("transfer-encoding", "chunked")];
    let mut request = wang.signed_request(district.address(), now_ms, what, &head, &more, &[]);
    for piece in body.chunks(32 * 1024) {
        let start = format!("{:x}\r\n", piece.len());
        request.extend([start.as_bytes(), piece, b"\r\n"].concat());
    }
    let status = send_raw(district.address(), &request).status;
    assert!(matches!(status, 400 | 413), "{status}");
    works(&mut li);
}

#[test]
fn hands_that_are_never_shaken_are_let_go_of() {
    let limits = Limits {
        handshakes: 8,
        handshake_within: SOON,
        ..Limits::default()
    };
    let district = District::with(Settings {
        limits,
        tls: Tls::OwnKey,
        ..Settings::new("杨家镇", LevelForm::Township)
    });
    let url = format!("https://{}", district.address());
    let mut li = honest(&district, &url);
    // One says nothing, one begins to speak, one speaks of something else.
    let mut stalled = Vec::new();
    for opening in [
        b"".as_slice(),
        b"\x16\x03\x01\x02\0\x01",
        b"GET / HTTP/1.1\r\n",
    ] {
        for _ in 0..20 {
            let mut line = connect(district.address());
            let _ = line.write_all(opening);
            stalled.push(line);
        }
    }
    works(&mut li);
    for line in stalled {
        let said = hung_up(line);
        assert!(said.len() < 64 && !said.starts_with(b"HTTP"), "{said:?}");
    }
    works(&mut li);
}

#[test]
fn a_device_that_asks_too_much_is_told_to_wait_and_no_other_one_is() {
    let share = Share {
        at_once: 40,
        a_second: 0,
    };
    let district = district(Limits {
        asked_of_device: share,
        told_to_wait_after: Duration::ZERO,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let mut flooder = Device::new(5);
    let code = district.invite("王芳", Role::Worker, &[GRID]);
    flooder.enroll(district.address(), &Code::parse(&code).unwrap());
    let now_ms = Settings::new("", LevelForm::Village).clock.now_ms();
    let mut ask = || {
        let head = flooder.ask(0, false).bytes();
        let request = flooder.request(district.address(), now_ms, &head, &[]);
        send_raw(district.address(), &request)
    };
    let replies: Vec<Reply> = (0..60).map(|_| ask()).collect();
    assert!(replies[..40].iter().all(|reply| reply.status == 200));
    for reply in &replies[40..] {
        assert_eq!(reply.status, 429);
        assert_eq!(reply.header("retry-after"), Some("2"));
    }
    works(&mut li);
}

#[test]
fn a_device_that_is_told_to_wait_does_so_and_its_sync_ends_well() {
    let share = Share {
        at_once: 2,
        a_second: 1,
    };
    let district = district(Limits {
        asked_of_device: share,
        told_to_wait_after: Duration::ZERO,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    for _ in 0..3 {
        works(&mut li);
    }
}

#[test]
fn past_all_requests_at_once_a_relay_is_busy_and_says_when_to_come_again() {
    let district = district(Limits {
        requests: 1,
        ..Limits::default()
    });
    let mut li = honest(&district, &http(&district));
    let mut wang = Device::new(5);
    let code = district.invite("王芳", Role::Worker, &[GRID]);
    wang.enroll(district.address(), &Code::parse(&code).unwrap());
    let now_ms = Settings::new("", LevelForm::Village).clock.now_ms();
    let mut ask = |frames: &[Vec<u8>]| {
        let head = wang.ask(frames.len(), false).bytes();
        wang.request(district.address(), now_ms, &head, frames)
    };
    // Which of two requests is there first is not said: until it is the one that goes on for long.
    let busy = loop {
        let long = ask(&[vec![7; 5_000]]);
        let (most, rest) = long.split_at(long.len() - 1_000);
        let mut line = connect(district.address());
        line.write_all(most).unwrap();
        let reply = send_raw(district.address(), &ask(&[]));
        let _ = line.write_all(rest);
        assert!(hung_up(line).starts_with(b"HTTP/1.1"));
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!(busy.status, 503);
    assert_eq!(busy.header("retry-after"), Some("2"));
    works(&mut li);
}

#[test]
fn an_address_that_tries_codes_or_signatures_is_slowed_down_and_others_are_not() {
    let district = District::with(Settings {
        limits: Limits {
            wrong_of_peer: Share {
                at_once: 10,
                a_second: 0,
            },
            ..Limits::default()
        },
        tls: Tls::BehindProxy,
        ..Settings::new("杨家镇", LevelForm::Township)
    });
    let mut li = honest(&district, &http(&district));
    let from = |address: &str, path: &str| {
        let headers = [("x-forwarded-for", address)];
        send(district.address(), "POST", path, &headers, b"\0\0\0\0")
    };
    for _ in 0..5 {
        assert_eq!(from("203.0.113.9", "/v1/enroll").status, 400);
        assert_eq!(from("203.0.113.9", "/v1/sync").status, 401);
    }
    for path in ["/v1/enroll", "/v1/sync"] {
        let slowed = from("203.0.113.9", path);
        assert_eq!(slowed.status, 503, "{path}");
        assert_eq!(slowed.header("retry-after"), Some("2"));
        // What stands before the last address is whatever somebody wrote.
        assert_eq!(from("203.0.113.10, 203.0.113.9", path).status, 503);
        assert_ne!(from("203.0.113.10", path).status, 503);
    }
    works(&mut li);
}
