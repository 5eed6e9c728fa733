//! `attach` and `fetch` as people and scripts meet them, with a relay that runs.

use crate::world::{GRID, TOWNSHIP, World};

/// A recording; a photo needs a picture, this only its parts.
fn recording() -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes.extend([1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0]);
    bytes.extend(b"LIST\x08\0\0\0GPS here");
    bytes.extend(b"data\x04\0\0\0abcd");
    bytes
}

#[test]
fn a_recording_goes_from_a_worker_to_the_desk_in_both_languages() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("李梅", &add).ok();
    let visit = world
        .at("李梅", &["visit", "zjg", "好", "--json"])
        .ok()
        .json();
    let visit = visit["id"].as_str().unwrap();
    let file = world.path("录音.wav");
    std::fs::write(&file, recording()).unwrap();
    let file = file.to_str().unwrap();
    let said = world
        .at("李梅", &["附件", file, "--to", visit, "--name", "说明"])
        .ok()
        .stdout;
    assert!(said.contains("已加附件：录音"), "{said}");
    let status = world.at("李梅", &["status", "--lang", "en"]).ok().stdout;
    assert!(
        status.contains("1 attachments are on this device"),
        "{status}"
    );
    let synced = world.at("李梅", &["sync"]).ok().stdout;
    assert!(synced.contains("传出 1 个"), "{synced}");

    world.at("周文", &["sync"]).ok();
    let rows = world
        .at("周文", &["attach", "--to", visit, "--json"])
        .ok()
        .json();
    assert_eq!(
        (&rows[0]["here"], &rows[0]["name"]),
        (&false.into(), &"说明".into())
    );
    let id = rows[0]["id"].as_str().unwrap();
    let out = world.path("收到.wav");
    let shown = world
        .at("周文", &["取件", id, "--out", out.to_str().unwrap()])
        .ok()
        .stdout;
    assert!(shown.contains("已另存为"), "{shown}");
    let came = std::fs::read(&out).unwrap();
    assert!(came.ends_with(b"abcd") && !came.windows(3).any(|window| window == b"GPS"));
    let again = world.at(
        "周文",
        &["fetch", id, "--out", out.to_str().unwrap(), "--json"],
    );
    let again = again.ends(1);
    assert_eq!(again.error()["kind"], "file_exists");
    assert!(
        !again.stderr.contains("--force") && again.stderr.contains("--out"),
        "fetch has no --force: {}",
        again.stderr
    );
}

#[test]
fn what_is_no_photo_recording_or_paper_is_refused_by_what_it_is() {
    let world = World::new();
    world.home_with_households("d");
    let visit = world.at("d", &["visit", "zjg", "好", "--json"]).ok().json();
    let visit = visit["id"].as_str().unwrap();
    let file = world.path("photo.jpg");
    std::fs::write(&file, "MZ").unwrap();
    let file = file.to_str().unwrap();
    let refused = world
        .at("d", &["attach", file, "--to", visit])
        .ends(2)
        .stderr;
    assert!(refused.contains("只收照片"), "{refused}");
    let refused = world
        .at("d", &["attach", file, "--to", "zjg", "--lang", "en"])
        .ends(2)
        .stderr;
    assert!(
        refused.contains("a visit, a report or a ticket"),
        "{refused}"
    );
    let none = world
        .at("d", &["attach", "--to", visit, "--lang", "en"])
        .ok()
        .stdout;
    assert!(none.contains("No attachments"), "{none}");
}

#[test]
fn a_sync_whose_attachments_are_left_ends_with_3_and_says_that_nothing_is_lost() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    let visit = world
        .at("李梅", &["visit", "zjg", "好", "--json"])
        .ok()
        .json();
    let file = world.path("a.wav");
    std::fs::write(&file, recording()).unwrap();
    let to = visit["id"].as_str().unwrap();
    let said = world
        .at(
            "李梅",
            &["attach", file.to_str().unwrap(), "--to", to, "--json"],
        )
        .ok()
        .json();
    // The file is gone from the home: whoever restored a database without it.
    let hash = said["hash"].as_str().unwrap();
    let path = world
        .path("李梅")
        .join("blobs")
        .join(hash.get(..2).unwrap())
        .join(hash);
    let aside = world.path("aside");
    std::fs::rename(&path, &aside).unwrap();
    let left = world.at("李梅", &["sync", "--lang", "en"]).ends(3).stdout;
    assert!(
        left.contains("1 attachments are on this device") && left.contains("Nothing is lost"),
        "{left}"
    );
    std::fs::rename(&aside, path).unwrap();
    world.at("李梅", &["sync"]).ok();
}

#[test]
fn what_became_of_a_file_is_said_once_and_truly() {
    let world = World::new();
    world.home_with_households("d");
    let visit = world.at("d", &["visit", "zjg", "好", "--json"]).ok().json();
    let visit = visit["id"].as_str().unwrap();
    let paper = world.write("x.pdf", "%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n");
    let said = world
        .at("d", &["attach", &paper, "--to", visit])
        .ok()
        .stdout;
    assert!(said.contains("照原样保存"), "{said}");
    assert!(!said.contains("已去掉"), "{said}");
    let said = world
        .at("d", &["attach", &paper, "--to", visit, "--lang", "en"])
        .ok()
        .stdout;
    assert!(!said.contains("removed"), "{said}");
}
