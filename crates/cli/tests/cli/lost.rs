//! A lost device, from the telephone call to the report, with the commands people type.

use wangge_relay::{Clock, LevelForm, NewInvitation, Role, Settings};

use crate::world::{GRID, Relay, TOWNSHIP, World};

fn cast() -> (World, Relay) {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "王芳", "township", &[TOWNSHIP]);
    let add = [
        "household",
        "add",
        "张建国",
        "--door",
        "3-12",
        "--phone",
        "13812345678",
    ];
    world.at("李梅", &add).ok();
    world.at("李梅", &["visit", "zjg", "好"]).ok();
    world.at("李梅", &["sync"]).ok();
    world.at("王芳", &["sync"]).ok();
    (world, relay)
}

#[test]
fn a_lost_device_is_taken_out_purged_and_reported_and_its_holder_begins_anew() {
    let (world, relay) = cast();
    world.at("李梅", &["visit", "zjg", "血压高"]).ok();
    let rows = world.at("王芳", &["device", "list", "--json"]).ok().json();
    assert_eq!(
        (rows[0]["name"].as_str(), rows.as_array().unwrap().len()),
        (Some("李梅"), 1)
    );

    // Nobody can be asked here: what would be done is said, and nothing is.
    let would = world.at("王芳", &["device", "revoke", "李梅"]).ends(10);
    assert!(would.stderr.contains("只会收到清空令"), "{}", would.stderr);
    let rows = world.at("王芳", &["device", "list", "--json"]).ok().json();
    assert_eq!(rows[0]["revoked"], false);
    let done = world
        .at("王芳", &["device", "revoke", "李梅", "--yes", "--json"])
        .ok()
        .json();
    assert_eq!(
        (done["last_good"].as_u64(), done["dry_run"].as_bool()),
        (Some(1), Some(false))
    );

    let said = world.at("李梅", &["sync"]).ends(4).stderr;
    assert!(said.contains("没有丢") && said.contains("登记码"), "{said}");
    let left: Vec<_> = std::fs::read_dir(world.path("李梅")).unwrap().collect();
    assert_eq!(left.len(), 1, "only the mark");
    for args in [
        &["status"][..],
        &["visit", "zjg", "好"],
        &["household", "list"],
        &[],
    ] {
        let said = world.at("李梅", args).ends(4);
        assert!(
            said.stderr.contains("这台设备已被停用"),
            "{args:?} {}",
            said.stderr
        );
        let bare = world.bare("李梅", &said.stderr);
        assert!(bare.contains("下一步：wangge 登记"), "{bare}");
    }

    let report = ["incident", "report", "--device", "#1", "--json"];
    let desk = world.at("王芳", &report).ok().json();
    assert_eq!(desk["people"], 1);
    assert_eq!(desk["families"][0]["people"][0], "张**");
    assert_eq!(desk["families"][0]["phone"], "138****5678");
    assert!(desk["device"]["purge_told_ms"].as_i64().unwrap() > 0);
    assert_eq!(desk["inbox"][0]["number"], 2);
    let unmask = ["incident", "report", "--device", "#1", "--unmask"];
    world.at("王芳", &unmask).ends(2);
    let full = [&unmask[..], &["--reason", "设备丢失告知", "--json"]].concat();
    let full = world.at("王芳", &full).ok().json();
    assert_eq!(full["families"][0]["people"][0], "张建国");
    let text = world
        .at("王芳", &["incident", "report", "--device", "李梅"])
        .ok()
        .stdout;
    assert!(
        text.contains("第五十七条") && !text.contains("张建国"),
        "{text}"
    );
    let at_relay = world.at("relay", &report).ok();
    assert!(!at_relay.stdout.contains("张"), "{}", at_relay.stdout);
    assert_eq!(at_relay.json()["areas"][0]["area"], GRID);
    let text = world
        .at("relay", &["incident", "report", "--device", "#1"])
        .ok()
        .stdout;
    assert!(text.contains("清空令已送达"), "{text}");

    // The same folder, a new code, another device.
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.at("李梅", &["sync"]).ok();
    let status = world.at("李梅", &["status", "--json"]).ok().json();
    assert_eq!(
        (
            status["device_number"].as_u64(),
            status["counts"]["visits"].as_u64()
        ),
        (Some(3), Some(1))
    );
    assert!(status["lease"]["days_left"].as_u64().unwrap() >= 14);
}

#[test]
fn an_operator_takes_a_device_out_and_is_told_which_batch_is_the_last_good_one() {
    let (world, _relay) = cast();
    let revoke = ["relay", "device", "revoke"];
    let unknown = world
        .at("relay", &[&revoke[..], &["无此人"]].concat())
        .ends(1);
    let bare = world.bare("relay", &unknown.stderr);
    assert!(bare.contains("wangge 中继 设备"), "{bare}");
    let would = world
        .at("relay", &[&revoke[..], &["#1", "--json"]].concat())
        .ends(10);
    let value: serde_json::Value = serde_json::from_str(&would.stdout).unwrap();
    assert_eq!(
        (value["last_good"].as_u64(), value["dry_run"].as_bool()),
        (Some(1), Some(true))
    );
    assert!(would.stderr.contains("第 1 批"), "{}", would.stderr);
    let lower = [&revoke[..], &["李梅", "--last-good", "0", "--lang", "en"]].concat();
    let would = world.at("relay", &lower).ends(10);
    assert!(
        would.stderr.contains("1 batches after it were numbered"),
        "{}",
        would.stderr
    );
    let devices = world
        .at("relay", &["relay", "devices", "--json"])
        .ok()
        .json();
    assert!(
        devices
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["revoked"] == false)
    );
    world
        .at("relay", &[&revoke[..], &["#1", "--yes"]].concat())
        .ok();
    world.at("李梅", &["sync"]).ends(4);
}

#[test]
fn a_code_of_a_lease_is_one_line_for_the_telephone_and_a_revoked_device_gets_none() {
    let (world, _relay) = cast();
    let lease = ["relay", "device", "lease", "#1"];
    let out = world.at("relay", &lease).ok();
    assert_eq!(out.stdout.trim().len(), 10, "{}", out.stdout);
    let longer = [&lease[..], &["--days", "60"]].concat();
    let code = world
        .at("王芳", &["device", "lease", "李梅", "--days", "60"])
        .ok()
        .stdout;
    assert_eq!(
        code,
        world.at("relay", &longer).ok().stdout,
        "one code, whoever makes it"
    );
    let (first, second) = code.trim().split_at(5);
    let renewed = world
        .at("李梅", &["lease", first, second, "--json"])
        .ok()
        .json();
    assert_eq!(renewed["days_left"], 61);
    world.at("李梅", &["lease", code.trim()]).ends(4);
    world
        .at("relay", &[&lease[..], &["--days", "61"]].concat())
        .ends(2);
    world
        .at("relay", &["relay", "device", "revoke", "#1", "--yes"])
        .ok();
    world.at("relay", &lease).ends(4);
}

#[test]
fn an_invitation_is_one_text_that_enrols_without_an_address_and_only_with_its_own_relay() {
    let world = World::new();
    let relay = world.relay();
    let invite = |home: &str, url: &str| {
        let args = [
            "relay", "invite", "--name", "李梅", "--area", GRID, "--url", url, "--json",
        ];
        let value = world.at(home, &args).ok().json();
        value["invitation"].as_str().unwrap().to_owned()
    };
    let text = invite("relay", &relay.url());
    assert!(text.starts_with("wangge:1?u=http://127.0.0.1:"), "{text}");
    world.at("li", &["enroll", &text]).ok();
    let spent = world.at("other", &["enroll", &text, "--json"]).ends(4);
    assert_eq!(spent.error()["kind"], "spent");

    // The text of one relay, and another one that answers: it is told nothing.
    let other = Relay::start_with(
        &world,
        "relay2",
        &["relay", "serve", "--listen", "127.0.0.1:0", "--json"],
    );
    let text = invite("relay", &other.url());
    let wrong = world.at("wang", &["enroll", &text, "--json"]).ends(4);
    assert_eq!(wrong.error()["kind"], "wrong_relay");
    world
        .at("wang", &["enroll", &text, "--relay", &relay.url()])
        .ok();

    let bare = ["relay", "invite", "--name", "陈强", "--area", GRID, "--qr"];
    let shown = world.at("relay", &bare).ok();
    assert_eq!(shown.stdout.trim().len(), 10, "the code alone is data");
    assert!(
        shown.stderr.contains('▀') && shown.stderr.contains("wangge:1?k="),
        "{}",
        shown.stderr
    );
    let text = shown
        .stderr
        .lines()
        .find(|line| line.starts_with("wangge:1?"))
        .unwrap();
    let no_address = world.at("chen", &["enroll", text]).ends(2);
    assert!(
        no_address.stderr.contains("--relay URL"),
        "{}",
        no_address.stderr
    );
    world
        .at("chen", &["enroll", text, "--relay", &relay.url()])
        .ok();
    let plain = world
        .at(
            "relay",
            &["relay", "invite", "--name", "周强", "--area", GRID],
        )
        .ok();
    assert!(!plain.stderr.contains('▀'), "nobody looks at a terminal");
}

/// A relay in this process whose clock is so many days behind: what it leases is over by ours.
fn relay_of_yesterday(world: &World, days: i64) -> (String, String, impl Drop) {
    struct Running(
        Option<tokio::sync::oneshot::Sender<()>>,
        Option<std::thread::JoinHandle<()>>,
    );
    impl Drop for Running {
        fn drop(&mut self) {
            drop(self.0.take());
            self.1.take().unwrap().join().unwrap();
        }
    }
    let system = Clock::system();
    let settings = Settings {
        clock: Clock::of(move || system.now_ms() - days * 24 * 60 * 60 * 1000),
        ..Settings::new("杨家镇", LevelForm::Township)
    };
    let dir = world.path("relay");
    let relay = wangge_relay::Relay::open(&dir, &settings).unwrap();
    let new = NewInvitation {
        name: "李梅".into(),
        role: Role::Worker,
        areas: vec![wangge_relay::AreaCode::parse(GRID).unwrap()],
    };
    let code = relay.invite(&new, settings.clock.now_ms()).unwrap().shown();
    let (ready, listening) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
                .await
                .unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            let stop = async move {
                let _ = stopped.await;
            };
            wangge_relay::serve(relay, listener, stop).await.unwrap();
        });
    });
    let url = format!("http://{}", listening.recv().unwrap());
    (code, url, Running(Some(stop), Some(thread)))
}

#[test]
fn a_lease_that_is_over_locks_every_command_that_shows_and_none_that_records() {
    let world = World::new();
    let (code, url, _running) = relay_of_yesterday(&world, 40);
    world.at("li", &["enroll", &code, "--relay", &url]).ok();
    for (name, door) in [("张建国", "3-12"), ("张建军", "3-13")] {
        let add = [
            "household",
            "add",
            name,
            "--door",
            door,
            "--phone",
            "13812345678",
        ];
        world.at("li", &add).ok();
    }
    world.at("li", &["visit", "3-12", "好"]).ok();
    world.at("li", &["sync"]).ok();

    let id = "0000000000000000";
    for args in [
        &["household", "list"][..],
        &["household", "show", "3-12"],
        &["household", "find", "zj"],
        &["household", "duplicates"],
        &["member", "edit", "3-12", "1", "--sex", "女"],
        &["visit", "list"],
        &["visit", "due"],
        &["visit", "show", id],
        &["visit"],
        &["today"],
        &["today", "print", "3-12"],
        &["report", "list"],
        &["ticket", "list"],
        &["ticket", "slip", "0001-0001-1"],
        &["conflict", "list"],
        &["receipts", "3-12"],
        &["call", "3-12", "--reason", "应急"],
        &["fetch", id],
        &["undo"],
        &["round", "list"],
        &["inbox", "list"],
        &["people", "hand-over", "李梅", "--to", "王芳"],
        &["incident", "report", "--device", "#1"],
        &["visit", "list", "--out", "x.csv"],
        &[],
    ] {
        let said = world.at("li", args).ends(4);
        assert!(said.stderr.contains("租期"), "{args:?} {}", said.stderr);
        assert!(
            !said.stderr.contains('张') && said.stdout.is_empty(),
            "{args:?} {}",
            said.stdout
        );
    }

    let typed = world.at("li", &["visit", "3-12", "水退了", "+代办"]).ok();
    assert!(
        typed.stdout.contains("3-12") && !typed.stdout.contains('张'),
        "{}",
        typed.stdout
    );
    let typed = world.at("li", &["report", "zjg", "水管破了"]).ok();
    assert!(
        typed.stdout.contains("zjg") && !typed.stdout.contains("建国"),
        "{}",
        typed.stdout
    );
    let typed = world
        .at("li", &["ticket", "open", "3-13", "修水管", "--json"])
        .ok();
    assert!(!typed.stdout.contains('张'), "{}", typed.stdout);
    let several = world.at("li", &["visit", "zj", "好"]).ends(1);
    assert!(
        !several.stderr.contains('张') && !several.stderr.contains("3-1"),
        "{}",
        several.stderr
    );
    world
        .at("li", &["household", "add", "龙国华", "--door", "3-14"])
        .ok();
    let waiting = world.at("li", &["outbox"]).ok().stdout;
    assert!(
        !waiting.contains('张') && !waiting.contains('龙'),
        "{waiting}"
    );
    let status = world.at("li", &["status"]).ok().stdout;
    assert!(
        status.contains("查看已锁") && !status.contains("建国"),
        "{status}"
    );
    world.at("li", &["sync"]).ok();
    world.at("li", &["verify"]).ok();
    let unread = world.at("li", &["outbox", "--json"]).ok().json();
    assert!(unread.as_array().unwrap().is_empty(), "all of it arrived");
}
