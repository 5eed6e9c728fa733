//! Attachments from a worker's device through a real relay to a desk: text first, always.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, AttachInput, AttachmentView, Machine, Replica};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::wire_tap::WireTap;
use wangge_wire::{BlobHash, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";
const PIECE: u64 = 128 * 1024;

/// Returns a photo that does not compress; `seed` makes another one.
fn photo(seed: u32, width: u32, height: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    let image = RgbImage::from_fn(width, height, |_, _| {
        image::Rgb([noise(), noise(), noise()])
    });
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    DynamicImage::ImageRgb8(image)
        .write_with_encoder(encoder)
        .unwrap();
    // Where it was taken, as a telephone writes it.
    let said = b"Exif\0\0II\x2a\0\x08\0\0\0\0\0\0\0\0\0GPS 30.736N 107.204E";
    let length = u16::try_from(said.len() + 2).unwrap().to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &length, said, &bytes[2..]].concat()
}

fn file(district: &District, name: &str, bytes: &[u8]) -> PathBuf {
    let path = district.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn attach(replica: &mut Replica, file: &Path, to: &str) -> Result<AttachmentView, AgentError> {
    replica.attach(&AttachInput {
        file: file.to_owned(),
        to: to.to_owned(),
        ..AttachInput::default()
    })
}

/// Li with a household, through a line that may be cut, and the desk of the township.
struct Town {
    district: District,
    line: WireTap,
    li: Replica,
    zhou: Replica,
}

impl Town {
    fn new() -> Self {
        let district = District::new();
        let line = WireTap::to(district.address());
        let mut li = district.home_at("李梅", Role::Worker, &[GRID_1], &line.url());
        let zhou = district.home_at("周文", Role::Township, &[TOWNSHIP], &line.url());
        let household = HouseholdInput {
            door: "3-12".into(),
            members: vec![MemberInput {
                name: "张建国".into(),
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        };
        li.add_household(household).unwrap();
        Self {
            district,
            line,
            li,
            zhou,
        }
    }

    fn visit(&mut self, note: &str) -> String {
        let input = VisitInput {
            household: "张建国".into(),
            note: note.into(),
            ..VisitInput::default()
        };
        self.li.add_visit(input).unwrap().id
    }

    fn report(&mut self) -> String {
        let input = ReportInput {
            text: "三组路口积水".into(),
            ..ReportInput::default()
        };
        self.li.add_report(input).unwrap().view.id.to_string()
    }

    fn photo(&self, seed: u32, width: u32, height: u32) -> PathBuf {
        let bytes = photo(seed, width, height);
        file(&self.district, &format!("IMG_{seed}.jpg"), &bytes)
    }
}

/// Returns the files below a folder, by name, with their sizes.
fn files(folder: PathBuf) -> Vec<(String, u64)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.push((name, path.metadata().unwrap().len()));
            }
        }
    }
    found.sort();
    found
}

fn tells_where(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|window| window == b"GPS")
}

#[test]
fn a_photo_of_four_megabytes_first_in_the_queue_does_not_delay_a_visit() {
    let mut town = Town::new();
    let first = town.visit("量血压");
    let photo = town.photo(1, 1_600, 1_400);
    assert!(photo.metadata().unwrap().len() > 4_000_000);
    let attached = attach(&mut town.li, &photo, &first).unwrap();
    assert!(attached.waiting && attached.attachment.bytes > 4_000_000);
    let second = town.visit("送药");
    // A line that breaks long before the photo is through.
    town.line.cut_after(20_000, u64::MAX);
    let report = sync(&mut town.li).unwrap();
    assert_eq!((report.unsent, report.attachments.left), (0, 1));
    assert!(
        town.li.receipts(&second).unwrap().all_safe,
        "the visit behind it is receipted"
    );
    let relay = files(town.district.relay_dir().join("blobs"));
    let whole = attached.attachment.hash.to_string();
    assert!(
        !relay.iter().any(|(name, _)| name.contains(&whole)),
        "{relay:?}"
    );
    let status = town.li.status().unwrap();
    assert_eq!((status.attachments_waiting, status.all_safe), (1, false));

    town.line.cut_after(u64::MAX, u64::MAX);
    let report = sync(&mut town.li).unwrap();
    assert_eq!(report.attachments.left, 0);
    let status = town.li.status().unwrap();
    assert_eq!((status.attachments_waiting, status.all_safe), (0, true));
    assert_eq!(
        sync(&mut town.li).unwrap().attachments.bytes_up,
        0,
        "nothing travels twice"
    );
}

#[test]
fn a_line_cut_anywhere_costs_a_piece_on_the_way_up_and_nothing_on_the_way_down() {
    let mut town = Town::new();
    let visit = town.visit("屋顶漏水");
    let photo = town.photo(2, 1_000, 800);
    let attached = attach(&mut town.li, &photo, &visit).unwrap();
    let (hash, bytes) = (attached.attachment.hash, attached.attachment.bytes);
    assert!(bytes > 10 * PIECE);
    sync_text_only(&mut town);
    let cuts = [1_u64, 700, 20_000, PIECE + 3, 2 * PIECE + 5_000, 400_001];
    let (mut up, mut durable) = (0, 0);
    for cut in cuts {
        town.line.cut_after(cut, u64::MAX);
        let _ = sync(&mut town.li);
        up += town.line.take().0;
        let parts = files(town.district.relay_dir().join("blobs"));
        let part = parts
            .iter()
            .find(|(name, _)| name.ends_with(&hash.to_string()));
        let held = part.map_or(0, |(_, held)| *held);
        assert!(
            held >= durable,
            "what was durable stays: {held} after {durable}"
        );
        durable = held;
    }
    assert!(durable > 2 * PIECE && durable < bytes);
    town.line.cut_after(u64::MAX, u64::MAX);
    assert_eq!(sync(&mut town.li).unwrap().attachments.left, 0);
    up += town.line.take().0;
    let most = bytes + (PIECE + 8_000) * cuts.len() as u64 + 50_000;
    assert!(up < most, "{up} bytes for {bytes}");

    sync(&mut town.zhou).unwrap();
    town.line.take();
    let (mut down, mut held) = (0, 0);
    for cut in [1_u64, 300, 5_000, PIECE, 300_000, 500_001] {
        town.line.cut_after(u64::MAX, cut);
        let error = wait(town.zhou.fetch(&attached.attachment.id)).unwrap_err();
        assert!(matches!(error, AgentError::NoLink { .. }), "{error}");
        down += town.line.take().1;
        let parts = files(town.zhou.dir().join("blobs/part"));
        let now = parts.first().map_or(0, |(_, held)| *held);
        assert!(now >= held);
        held = now;
    }
    assert!(held > 700_000 && held < bytes, "{held}");
    town.line.cut_after(u64::MAX, u64::MAX);
    let fetched = wait(town.zhou.fetch(&attached.attachment.id)).unwrap();
    down += town.line.take().1;
    assert!(down < bytes + 100_000, "{down} bytes for {bytes}");
    let came = town
        .zhou
        .attachment_bytes(&fetched[0].attachment.hash)
        .unwrap();
    assert_eq!(BlobHash::of(&came), hash);
    // What is here needs no line.
    town.line.cut_after(0, 0);
    assert_eq!(
        wait(town.zhou.fetch(&attached.attachment.id))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(files(town.zhou.dir().join("blobs/part")), []);
}

/// Brings the text over, and not much of a photo.
fn sync_text_only(town: &mut Town) {
    town.line.cut_after(12_000, u64::MAX);
    let report = sync(&mut town.li).unwrap();
    assert_eq!((report.unsent, report.attachments.left), (0, 1));
}

#[test]
fn a_desk_sees_the_small_picture_first_and_no_photo_says_where_it_was_taken() {
    let mut town = Town::new();
    let report = town.report();
    let photo = town.photo(3, 600, 400);
    assert!(tells_where(&std::fs::read(&photo).unwrap()));
    attach(&mut town.li, &photo, &report).unwrap();
    sync(&mut town.zhou).unwrap();
    sync(&mut town.li).unwrap();
    let came = sync(&mut town.zhou).unwrap().attachments;
    assert_eq!((came.received, came.left), (1, 0));
    let seen = town.zhou.attachments(&report).unwrap().remove(0);
    assert_eq!((seen.here, seen.by_name.as_str()), (false, "李梅"));
    let small = town
        .zhou
        .attachment_bytes(&seen.attachment.thumb.unwrap())
        .unwrap();
    assert!(small.len() <= 16 * 1024);
    let fetched = wait(town.zhou.fetch(&report)).unwrap().remove(0);
    let whole = town
        .zhou
        .attachment_bytes(&fetched.attachment.hash)
        .unwrap();
    assert!(!tells_where(&whole) && !tells_where(&small));
    assert_eq!(image::load_from_memory(&whole).unwrap().width(), 600);
    let out = town.district.path().join("copy.jpg");
    town.zhou.save_attachment(&fetched, &out).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), whole);
    let again = town.zhou.save_attachment(&fetched, &out).unwrap_err();
    assert!(matches!(again, AgentError::FileExists { .. }));
}

#[test]
fn the_same_photo_twice_is_one_file_everywhere_and_travels_once() {
    let mut town = Town::new();
    let (first, second) = (town.visit("一"), town.visit("二"));
    let report = town.report();
    let photo = town.photo(4, 500, 500);
    let one = attach(&mut town.li, &photo, &first).unwrap();
    let same = attach(&mut town.li, &photo, &first).unwrap();
    assert_eq!(
        same.attachment.id, one.attachment.id,
        "the attachment there is"
    );
    assert!(same.again && !one.again && !one.damaged);
    attach(&mut town.li, &photo, &second).unwrap();
    attach(&mut town.li, &photo, &report).unwrap();
    sync(&mut town.li).unwrap();
    let two = 2;
    assert_eq!(
        files(town.li.dir().join("blobs")).len(),
        two,
        "the photo and its small picture"
    );
    assert_eq!(files(town.district.relay_dir().join("blobs")).len(), two);
    let up = town.line.take().0;
    assert!(up < one.attachment.bytes + 60_000, "{up}");
    sync(&mut town.zhou).unwrap();
    for name in [&first, &second, &report] {
        let seen = wait(town.zhou.fetch(name)).unwrap();
        assert!(seen.len() == 1 && seen[0].here, "{name}");
    }
}

#[test]
fn a_colleague_of_another_grid_knows_nothing_of_it() {
    let mut town = Town::new();
    let visit = town.visit("腿脚不便");
    let photo = town.photo(5, 200, 200);
    let attached = attach(&mut town.li, &photo, &visit).unwrap();
    sync(&mut town.li).unwrap();
    let mut wang = town.district.home("王芳", Role::Worker, &[GRID_2]);
    let report = sync(&mut wang).unwrap();
    assert_eq!(report.attachments.received, 0);
    let error = wait(wang.fetch(&attached.attachment.id)).unwrap_err();
    assert!(matches!(error, AgentError::NotFound { .. }), "{error}");
    assert_eq!(files(wang.dir().join("blobs")), []);
}

#[test]
fn a_full_disk_keeps_no_half_and_loses_nothing() {
    let mut town = Town::new();
    let visit = town.visit("台阶");
    let photo = town.photo(6, 300, 300);
    let hash = {
        let trial = town.visit("试");
        attach(&mut town.li, &photo, &trial)
            .unwrap()
            .attachment
            .hash
    };
    let folder = town.li.dir().join("blobs");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir_all(folder.join("part")).unwrap();
    let next = folder.join("part").join(format!("{hash}.new"));
    symlink("/dev/full", &next).unwrap();
    let error = attach(&mut town.li, &photo, &visit).unwrap_err();
    assert!(matches!(error, AgentError::DiskFull), "{error}");
    assert_eq!(town.li.attachments(&visit).unwrap().len(), 0);
    assert!(photo.exists(), "the photo is where it was");
    std::fs::remove_file(&next).unwrap();
    // The database has no room: the file may stay, no record names it.
    let visits: Vec<String> = (0..80).map(|n| town.visit(&n.to_string())).collect();
    let pages = town.li.store().pages().unwrap();
    town.li.store().limit_pages(pages).unwrap();
    let full = visits.iter().zip(100..).find_map(|(to, seed)| {
        let input = AttachInput {
            file: town.photo(seed, 20, 20),
            to: to.clone(),
            name: "楼道".repeat(50),
            on: None,
        };
        town.li.attach(&input).err().map(|error| (to, error))
    });
    let (to, error) = full.unwrap();
    assert!(matches!(error, AgentError::DiskFull), "{error}");
    assert_eq!(town.li.attachments(to).unwrap().len(), 0);
    town.li.store().limit_pages(pages + 10_000).unwrap();
    assert!(attach(&mut town.li, &photo, &visit).is_ok());
    assert_eq!(sync(&mut town.li).unwrap().unsent, 0);
}

#[test]
fn only_what_may_be_attached_is_and_a_name_is_never_a_path() {
    let mut town = Town::new();
    let visit = town.visit("门口");
    let program = file(
        &town.district,
        "photo.jpg",
        b"MZ\x90\0 a program with a photo's name",
    );
    let long = file(
        &town.district,
        "long.pdf",
        &[b"%PDF-", vec![0; 20 * 1024 * 1024].as_slice()].concat(),
    );
    for (path, field) in [
        (&program, "attach_type"),
        (&town.district.path().to_owned(), "attach_type"),
        (&long, "attach_size"),
        (
            &file(&town.district, "broken.jpg", b"\xff\xd8\xff\xe1\xff"),
            "attach_broken",
        ),
    ] {
        let error = attach(&mut town.li, path, &visit).unwrap_err();
        assert!(
            matches!(error, AgentError::BadValue { field: f, .. } if f == field),
            "{error}"
        );
    }
    let missing = attach(&mut town.li, Path::new("/nowhere/a.jpg"), &visit).unwrap_err();
    assert!(matches!(missing, AgentError::Unreadable { .. }));
    let photo = town.photo(7, 100, 100);
    let household = attach(&mut town.li, &photo, "张建国").unwrap_err();
    assert!(matches!(
        household,
        AgentError::BadValue {
            field: "attach_to",
            ..
        }
    ));
    let input = AttachInput {
        file: photo,
        to: visit.clone(),
        name: "../../../etc/门口.jpg".into(),
        on: Some("2026-11-20".into()),
    };
    let said = town.li.attach(&input).unwrap();
    assert_eq!(said.attachment.name, "../../../etc/门口.jpg");
    let hashes = files(town.li.dir().join("blobs"));
    assert!(
        hashes
            .iter()
            .all(|(name, _)| name.parse::<BlobHash>().is_ok()),
        "{hashes:?}"
    );
    let to_come = AttachInput {
        on: Some("2100-01-01".into()),
        ..input.clone()
    };
    assert!(town.li.attach(&to_come).is_err(), "a day to come");
    // A photo that was cut short may be the only one there is.
    let whole = std::fs::read(town.photo(9, 900, 600)).unwrap();
    let cut = file(&town.district, "cut.jpg", &whole[..whole.len() / 2]);
    assert!(attach(&mut town.li, &cut, &visit).unwrap().damaged);
    let id = AttachInput {
        name: "511724196001011233".into(),
        ..input
    };
    let other = town.photo(8, 100, 100);
    let refused = town
        .li
        .attach(&AttachInput { file: other, ..id })
        .unwrap_err();
    assert!(matches!(refused, AgentError::LookedAt { .. }), "{refused}");
}

#[test]
fn a_photo_taken_back_before_it_left_does_not_leave() {
    let mut town = Town::new();
    let visit = town.visit("错了");
    let photo = town.photo(9, 200, 200);
    attach(&mut town.li, &photo, &visit).unwrap();
    let undone = town.li.undo(false).unwrap();
    assert_eq!(undone.taken_back[0].what, "attachment");
    assert_eq!(town.li.attachments(&visit).unwrap().len(), 0);
    let report = sync(&mut town.li).unwrap();
    assert_eq!((report.attachments.sent, report.attachments.left), (0, 0));
    assert_eq!(files(town.district.relay_dir().join("blobs")), []);
    // Attached again it is a new one, and goes.
    attach(&mut town.li, &photo, &visit).unwrap();
    assert_eq!(sync(&mut town.li).unwrap().attachments.sent, 1);
}

#[test]
fn damaged_bytes_at_a_relay_are_not_taken() {
    let mut town = Town::new();
    let visit = town.visit("门牌");
    let photo = town.photo(10, 300, 300);
    let attached = attach(&mut town.li, &photo, &visit).unwrap();
    sync(&mut town.li).unwrap();
    let name = attached.attachment.hash.to_string();
    let stored = town
        .district
        .relay_dir()
        .join("blobs")
        .join(&name[..2])
        .join(&name);
    let right = std::fs::read(&stored).unwrap();
    let mut wrong = right.clone();
    wrong[right.len() / 2] ^= 1;
    std::fs::write(&stored, wrong).unwrap();
    sync(&mut town.zhou).unwrap();
    assert!(!wait(town.zhou.fetch(&visit)).unwrap()[0].here);
    assert!(
        !stored.exists(),
        "the relay has none that does not fit its name"
    );
    std::fs::write(&stored, right).unwrap();
    assert!(wait(town.zhou.fetch(&visit)).unwrap()[0].here);
}

/// A line that swallows everything once so many bytes went up, and says that it does.
fn stalling(relay: SocketAddr, after: usize) -> (String, Receiver<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, stalled) = channel();
    std::thread::spawn(move || {
        let up = Arc::new(AtomicUsize::new(0));
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(relay).unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let (told, up) = (told.clone(), Arc::clone(&up));
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    if up.fetch_add(read, Ordering::SeqCst) > after {
                        let _ = told.send(());
                    } else {
                        to.write_all(&buffer[..read]).unwrap();
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || std::io::copy(&mut { far }, &mut { near }));
        }
    });
    (url, stalled)
}

#[test]
fn a_visit_can_be_recorded_while_a_photo_is_stuck_on_the_line() {
    let town = Town::new();
    let (url, stalled) = stalling(town.district.address(), 100_000);
    let mut wang = town.district.home_at("王芳", Role::Worker, &[GRID_1], &url);
    let input = ReportInput {
        text: "路灯不亮".into(),
        ..ReportInput::default()
    };
    let report = wang.add_report(input).unwrap().view.id.to_string();
    attach(&mut wang, &town.photo(11, 800, 800), &report).unwrap();
    let home = wang.dir().to_owned();
    let other = std::thread::spawn(move || {
        stalled.recv().unwrap();
        // Waits for the home as any command does: three seconds, and the line is silent for sixty.
        let mut here = Replica::open(&home, Machine::default()).unwrap();
        let input = ReportInput {
            text: "路灯修好了".into(),
            ..ReportInput::default()
        };
        here.add_report(input).unwrap();
        here.status().unwrap().attachments_waiting
    });
    let synced = sync(&mut wang).unwrap();
    assert_eq!((synced.unsent, synced.attachments.left), (0, 1));
    drop(wang);
    assert_eq!(other.join().unwrap(), 1, "the photo goes on later");
}

#[test]
fn a_photo_of_a_grid_that_was_handed_over_arrives_and_then_leaves_the_old_device() {
    let mut town = Town::new();
    let mut wang = town.district.home("王芳", Role::Worker, &[GRID_2]);
    let (visit, wrong) = (town.visit("手术后"), town.visit("拍错"));
    sync(&mut town.li).unwrap();
    sync(&mut town.zhou).unwrap();
    let mistaken = town.photo(13, 200, 200);
    let mistaken = attach(&mut town.li, &mistaken, &wrong).unwrap();
    town.li.undo(false).unwrap();
    let photo = town.photo(12, 900, 900);
    let attached = attach(&mut town.li, &photo, &visit).unwrap();
    wait(town.zhou.hand_over("李梅", "王芳", &[], false)).unwrap();
    // The text arrives and the household leaves; of the photo only a part got through.
    sync_text_only(&mut town);
    town.line.cut_after(u64::MAX, u64::MAX);
    for _ in 0..2 {
        assert_eq!(sync(&mut town.li).unwrap().attachments.left, 0);
    }
    assert_eq!(town.li.store().counts().unwrap().households, 0);
    assert_eq!(
        files(town.li.dir().join("blobs")),
        [],
        "what is somebody else's is not kept"
    );
    sync(&mut wang).unwrap();
    let came = wait(wang.fetch(&attached.attachment.id)).unwrap();
    assert!(came[0].here);
    let mistaken = mistaken.attachment.hash.to_string();
    let relay = files(town.district.relay_dir().join("blobs"));
    assert!(
        relay.iter().all(|(name, _)| *name != mistaken),
        "taken back, it never leaves"
    );
}
