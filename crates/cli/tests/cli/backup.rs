//! `relay backup` and `relay restore` as an operator types them.

use crate::world::{GRID, World};

#[test]
fn a_serving_relay_is_backed_up_and_restored_in_an_empty_folder() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let file = world.path("monday.backup");
    let file = file.to_str().unwrap();
    let made = world
        .at("relay", &["relay", "backup", file, "--json"])
        .ok()
        .json();
    assert!(made["entries"].as_u64().unwrap() >= 2, "{made}");
    assert_eq!(
        made["bytes"].as_u64().unwrap(),
        std::fs::metadata(file).unwrap().len()
    );
    let again = world.at("relay", &["relay", "backup", file, "--json"]);
    assert_eq!(again.ends(4).error()["kind"], "file_exists");
    let back = ["relay", "restore", file, "--json"];
    assert_eq!(
        world.at("relay", &back).ends(4).error()["kind"],
        "not_empty"
    );

    let restored = world.at("other", &back).ok().json();
    assert_eq!(restored["entries"], made["entries"]);
    let status = ["relay", "status", "--json"];
    let (before, after) = (world.at("relay", &status), world.at("other", &status));
    assert_eq!(before.ok().json(), after.ok().json());
}

#[test]
fn a_damaged_backup_is_refused_and_the_secret_is_said_to_be_one() {
    let world = World::new();
    drop(world.relay());
    let file = world.path("b");
    let name = file.to_str().unwrap();
    let said = world.at("relay", &["--lang", "en", "relay", "backup", name]);
    assert!(said.ok().stdout.contains("pose as this relay"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let refused = world.at("other", &["relay", "restore", name, "--json"]);
    assert_eq!(refused.ends(7).error()["kind"], "damaged_backup");
    assert!(!world.path("other").exists());
    let nowhere = world.at("nobody", &["relay", "backup", name, "--json"]);
    assert_eq!(nowhere.ends(2).error()["kind"], "no_relay");
}

#[test]
fn a_backup_without_a_damaged_attachment_names_it_and_is_not_called_verified() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "li", "worker", &[GRID]);
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("li", &add).ok();
    let visit = world
        .at("li", &["走访", "3-12", "好", "--json"])
        .ok()
        .json();
    let photo = world.write("a.pdf", "%PDF-1.4 a paper");
    let id = visit["id"].as_str().unwrap();
    world.at("li", &["attach", &photo, "--to", id]).ok();
    world.at("li", &["sync"]).ok();
    let shelf = world.path("relay").join("blobs");
    let mut cut = String::new();
    for folder in std::fs::read_dir(&shelf).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = file.unwrap();
            cut = file.file_name().into_string().unwrap();
            std::fs::write(file.path(), "%PDF").unwrap();
        }
    }
    let file = world.path("b").display().to_string();
    let made = world.at("relay", &["--lang", "en", "relay", "backup", &file]);
    let made = made.ends(3).stdout;
    assert!(made.contains(&cut) && !made.contains("verified"), "{made}");
}

#[test]
fn a_backup_without_its_keys_tells_nobody_anything_and_opens_with_them_from_anywhere() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let add = [
        "household",
        "add",
        "张建国",
        "--door",
        "3-12",
        "--note",
        "门前有口老井",
    ];
    world.at("李梅", &add).ok();
    world.at("李梅", &["visit", "zjg", "老人血压高"]).ok();
    world.at("李梅", &["sync"]).ok();
    let (file, keys) = (world.path("b"), world.path("safe"));
    let (file, keys) = (file.to_str().unwrap(), keys.to_str().unwrap());
    let backup = ["relay", "backup", file, "--keys", keys, "--json"];
    let made = world.at("relay", &backup).ok().json();
    assert_eq!(made["keys"], keys);
    let days = made["keys_expire_ms"].as_i64().unwrap() - made["made_ms"].as_i64().unwrap();
    assert_eq!(days, 30 * 24 * 60 * 60 * 1000);
    let secret = std::fs::read(world.path("relay").join("relay.key")).unwrap();
    for (path, holds) in [(file, false), (keys, true)] {
        let bytes = std::fs::read(path).unwrap();
        let has = |part: &[u8]| bytes.windows(part.len()).any(|at| at == part);
        assert_eq!(has(&secret), holds, "{path}");
        assert!(!has("张建国".as_bytes()) && !has("老井".as_bytes()) && !has("血压".as_bytes()));
    }
    let refused = world.at("other", &["relay", "restore", file, "--json"]);
    assert_eq!(refused.ends(2).error()["kind"], "no_keys");
    assert!(!world.path("other").exists());
    world
        .at("other", &["relay", "restore", file, "--keys", keys])
        .ok();
    drop(relay);
    let again = crate::world::Relay::start_with(
        &world,
        "other",
        &["relay", "serve", "--listen", "127.0.0.1:0", "--json"],
    );
    let code = world.at(
        "other",
        &[
            "relay",
            "invite",
            "--name",
            "周文",
            "--role",
            "township",
            "--area",
            "511724103",
            "--json",
        ],
    );
    let code = code.ok().json()["code"].as_str().unwrap().to_owned();
    world
        .at("周文", &["enroll", &code, "--relay", &again.url()])
        .ok();
    world.at("周文", &["sync"]).ok();
    let counts = world.at("周文", &["status", "--json"]).ok().json()["counts"].clone();
    assert_eq!(
        (&counts["households"], &counts["visits"]),
        (&1.into(), &1.into())
    );
}
