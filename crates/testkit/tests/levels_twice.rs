//! Levels when a log is not the one it was, a bit changed on the way, or somebody was relieved: each of
//! these was found by a seed of the simulator's tree.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use wangge_agent::Replica;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_relay::{
    Carried, Carrier, LevelForm, Relay, RelayError, Settings, SharedCarrier, UpstreamTrouble,
};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::tree::{AREAS, Tree};
use wangge_testkit::work::visit;
use wangge_wire::{ChangeHash, DocId, Role};

const GRID: &str = "511724103202001";

fn family(replica: &mut Replica, door: &str, head: &str) -> String {
    let input = HouseholdInput {
        area: Some(GRID.into()),
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id.to_string()
}

/// Which levels are told to have a record, the lowest first.
fn reached(replica: &Replica, id: &str) -> Vec<&'static str> {
    let view = replica.receipts(id).unwrap();
    let levels = view.changes[0].levels.iter();
    levels
        .filter(|level| level.reached)
        .map(|level| level.level)
        .collect()
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

fn back_up(relay: &mut District) {
    relay.stop();
    copy(&relay.relay_dir(), &relay.path().join("backup"));
    relay.start();
}

fn put_back(relay: &mut District) {
    relay.stop();
    copy(&relay.path().join("backup"), &relay.relay_dir());
    relay.start();
}

#[test]
fn a_receipt_of_a_meeting_that_was_cut_does_not_outlive_the_log_it_was_of() {
    let mut tree = Tree::new();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "1", "龙国华");
    sync(&mut li).unwrap();
    tree.settle();
    let mut town = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    tree.to_township.take();
    tree.village_meets().unwrap();
    let (_, down) = tree.to_township.take();
    for at in 0..16 {
        let id = visit(&mut li, "龙国华");
        sync(&mut li).unwrap();
        back_up(&mut tree.township);
        tree.to_township.cut_after(u64::MAX, down * at / 16);
        let _ = tree.village_meets();
        tree.to_township.cut_after(u64::MAX, u64::MAX);
        put_back(&mut tree.township);
        tree.village_meets().unwrap();
        sync(&mut li).unwrap();
        assert!(reached(&li, &id).contains(&"township"), "cut at {at}");
        sync(&mut town).unwrap();
        assert!(town.visit(&id).is_ok(), "cut at {at}: told, and not there");
    }
}

#[test]
fn an_order_told_in_a_meeting_that_was_cut_does_not_outlive_the_log_it_was_in() {
    let mut tree = Tree::new();
    tree.settle();
    let enrolled = |tree: &Tree, at: u64| {
        let name = format!("网格员{at}");
        tree.village.home(&name, Role::Worker, &[GRID]).device()
    };
    enrolled(&tree, 100);
    tree.to_township.take();
    tree.village_meets().unwrap();
    let (_, down) = tree.to_township.take();
    for at in 0..12 {
        let device = enrolled(&tree, at);
        back_up(&mut tree.township);
        tree.to_township.cut_after(u64::MAX, down * at / 12);
        let _ = tree.village_meets();
        tree.to_township.cut_after(u64::MAX, u64::MAX);
        put_back(&mut tree.township);
        tree.village_meets().unwrap();
        let known = tree.township.relay().devices().unwrap();
        let known = known.iter().any(|row| row.device == device);
        assert!(known, "cut at {at}: the township lost who is enrolled");
    }
}

#[test]
fn what_an_inbox_above_holds_is_named_to_who_wrote_it_also_after_it_went() {
    let tree = Tree::new();
    let mut desk = tree.village.home("陈站长", Role::Station, &[AREAS[2]]);
    let families: Vec<String> = (1..9)
        .map(|n| family(&mut desk, &n.to_string(), &format!("王小{n}")))
        .collect();
    sync(&mut desk).unwrap();
    tree.settle();
    let mut town = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    sync(&mut town).unwrap();
    // Both desks move each household; the township's word reaches the township first.
    for id in &families {
        town.move_household(id, "511724103203001", false).unwrap();
        desk.move_household(id, "511724103202002", false).unwrap();
    }
    sync(&mut town).unwrap();
    sync(&mut desk).unwrap();
    tree.settle();
    sync(&mut desk).unwrap();
    let database = rusqlite::Connection::open(tree.township.relay_dir().join("relay.db")).unwrap();
    let mut parked = database.prepare("SELECT doc, hash FROM parked").unwrap();
    let parked = parked.query_map([], |row| Ok((DocId(row.get(0)?), ChangeHash(row.get(1)?))));
    let parked: Vec<_> = parked.unwrap().map(Result::unwrap).collect();
    assert_eq!(parked.len(), families.len());
    for (doc, hash) in parked {
        let named = desk.store().is_named_above(&doc, &hash).unwrap();
        assert!(named, "the watermark passed {hash} in silence");
    }
}

#[test]
fn who_is_relieved_of_every_area_at_the_township_is_relieved_at_the_village() {
    let tree = Tree::new();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    tree.village
        .home("王芳", Role::Worker, &["511724103202002"]);
    family(&mut li, "1", "龙国华");
    sync(&mut li).unwrap();
    tree.settle();
    let mut town = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    sync(&mut town).unwrap();
    wait(town.hand_over("李梅", "王芳", &[GRID.to_owned()], false)).unwrap();
    tree.settle();
    let rows = tree.village.relay().devices().unwrap();
    let row = rows.iter().find(|row| row.name == "李梅").unwrap();
    assert!(row.areas.is_empty(), "{:?}", row.areas);
    let report = sync(&mut li).unwrap();
    assert_eq!(report.handed_over, 1);
}

/// Carries requests over the network, and changes the last bit of the next one's body where told to.
struct Flipping {
    client: reqwest::Client,
    armed: AtomicBool,
}

impl Carrier for &'static Flipping {
    fn carry(&self, mut request: reqwest::Request) -> Carried {
        let sync = request.url().path() == "/v1/sync";
        if sync && self.armed.swap(false, Ordering::SeqCst) {
            let body = request.body().and_then(|body| body.as_bytes());
            let mut bytes = body.unwrap().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            *request.body_mut() = Some(bytes.into());
        }
        let sent = self.client.execute(request);
        Box::pin(async move {
            sent.await.map_err(|error| UpstreamTrouble::NoLink {
                reason: error.to_string(),
            })
        })
    }
}

#[test]
fn a_batch_that_was_refused_for_a_bit_on_the_way_goes_up_again_level_by_level() {
    let county = District::with(quiet("大竹县", LevelForm::County));
    let township = District::with(quiet("杨家镇", LevelForm::Township));
    let code = county.invite("杨家镇", Role::Relay, &[AREAS[1]]);
    let url = format!("http://{}", county.address());
    wait(township.relay().join(&code, &url)).unwrap();
    wait(township.relay().meet_upstream()).unwrap();
    wangge_trust::tls::install();
    let line: &'static Flipping = Box::leak(Box::new(Flipping {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        armed: AtomicBool::new(false),
    }));
    let village = District::with(Settings {
        upstream_carrier: Some(SharedCarrier::new(line)),
        ..quiet("民主村", LevelForm::Village)
    });
    let code = township.invite("民主村", Role::Relay, &[AREAS[2]]);
    let url = format!("http://{}", township.address());
    wait(village.relay().join(&code, &url)).unwrap();
    let mut li = village.home("李梅", Role::Worker, &[GRID]);
    wait(village.relay().meet_upstream()).unwrap();
    wait(township.relay().meet_upstream()).unwrap();
    let id = family(&mut li, "1", "龙国华");
    sync(&mut li).unwrap();
    line.armed.store(true, Ordering::SeqCst);
    let _ = wait(village.relay().meet_upstream());
    let changes = |relay: &District| relay.relay().counts().unwrap().changes;
    assert_eq!(changes(&township), 0, "it was refused");
    wait(village.relay().meet_upstream()).unwrap();
    assert_eq!(changes(&township), changes(&village));
    assert_eq!(village.relay().upstream().unwrap().unwrap().exceptions, 0);
    // The county's watermark had passed it while it was named as refused.
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township"]);
    wait(township.relay().meet_upstream()).unwrap();
    wait(village.relay().meet_upstream()).unwrap();
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township", "county"]);
}

#[test]
fn a_meeting_on_a_full_disk_says_that_the_disk_is_full() {
    let mut tree = Tree::new();
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    for door in 0..60 {
        family(&mut county, &door.to_string(), &format!("王小{door}"));
    }
    sync(&mut county).unwrap();
    tree.township.stop();
    let file = tree.township.relay_dir().join("relay.db");
    let pages = std::fs::metadata(file).unwrap().len() / 4096;
    let full = Settings {
        pages_max: Some(u32::try_from(pages).unwrap()),
        ..quiet("杨家镇", LevelForm::Township)
    };
    let relay = Relay::open(&tree.township.relay_dir(), &full).unwrap();
    let met = wait(relay.meet_upstream());
    assert!(matches!(met, Err(RelayError::Full)), "{met:?}");
    drop(relay);
    tree.township.start();
    let met = tree.township_meets().unwrap();
    assert!(met.complete);
}

fn quiet(name: &str, level: LevelForm) -> Settings {
    Settings {
        upstream_every: None,
        ..Settings::new(name, level)
    }
}
