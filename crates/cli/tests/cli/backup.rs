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
