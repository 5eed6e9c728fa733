//! A stolen laptop: a thousand names, telephones and notes, and not one of them in any file of the disk.
//!
//! What is looked for would be found: the same search finds all of it where it was left in the clear.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;

use crate::world::{GRID, TOWNSHIP, World};

const FAMILIES: usize = 1_000;
const SURNAMES: [&str; 10] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈"];
const GIVEN: [&str; 10] = ["岚", "澈", "珩", "屿", "棠", "翊", "槿", "沅", "昱", "璟"];

fn name(n: usize) -> String {
    let (last, middle, first) = (n % 10, n / 10 % 10, n / 100 % 10);
    [SURNAMES[first], GIVEN[middle], GIVEN[last]].concat()
}

fn phone(n: usize) -> String {
    format!("139{:08}", 71_003_000 + n * 7)
}

fn note(n: usize) -> String {
    format!("床头柜里第{n:04}号药")
}

/// What to look for, in the forms a program may leave it in.
struct Canaries {
    /// By the first two bytes, which most places of a file do not have.
    starts: HashSet<[u8; 2]>,
    /// By length.
    texts: HashMap<usize, HashSet<Vec<u8>>>,
}

impl Canaries {
    fn new() -> Self {
        let (mut starts, mut texts) = (HashSet::new(), HashMap::new());
        for n in 0..FAMILIES {
            for text in [name(n), phone(n), note(n)] {
                let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for bytes in [text.into_bytes(), wide] {
                    starts.insert([bytes[0], bytes[1]]);
                    let known: &mut HashSet<Vec<u8>> = texts.entry(bytes.len()).or_default();
                    known.insert(bytes);
                }
            }
        }
        Self { starts, texts }
    }

    /// Returns how many different ones are in a file or in the files below a folder.
    fn found_in(&self, path: &Path) -> HashSet<Vec<u8>> {
        let mut found = HashSet::new();
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                found.extend(self.found_in(&entry.unwrap().path()));
            }
        } else if path.is_file() {
            let bytes = std::fs::read(path).unwrap();
            for at in 0..bytes.len().saturating_sub(1) {
                if !self.starts.contains(&[bytes[at], bytes[at + 1]]) {
                    continue;
                }
                for (length, known) in &self.texts {
                    let part = bytes.get(at..at + length);
                    found.extend(
                        part.filter(|part| known.contains(*part))
                            .map(<[u8]>::to_vec),
                    );
                }
            }
        }
        found
    }
}

#[test]
fn no_file_of_a_device_holds_a_name_a_telephone_or_a_note_in_the_clear() {
    let world = World::new();
    let canaries = Canaries::new();
    let lines = |line: &dyn Fn(usize) -> String| -> String {
        (0..FAMILIES).map(|n| line(n) + "\n").collect()
    };
    let households = lines(&|n| {
        let (name, phone) = (name(n), phone(n));
        format!(
            r#"{{"door":"{}-{}","phone":"{phone}","members":[{{"name":"{name}"}}]}}"#,
            n / 50 + 1,
            n % 50 + 1
        )
    });
    let visits = lines(&|n| {
        format!(
            r#"{{"household":"{}-{}","note":"{}"}}"#,
            n / 50 + 1,
            n % 50 + 1,
            note(n)
        )
    });
    // In a folder of its own: what is typed lies in the clear, and the search finds all of it.
    let typed = tempfile::tempdir().unwrap();
    let (households_at, visits_at) = (typed.path().join("h"), typed.path().join("v"));
    std::fs::write(&households_at, &households).unwrap();
    std::fs::write(&visits_at, &visits).unwrap();
    assert_eq!(canaries.found_in(typed.path()).len(), 3 * FAMILIES);

    let temp = world.path("tmp");
    std::fs::create_dir(&temp).unwrap();
    let logs = world.path("log");
    std::fs::create_dir(&logs).unwrap();
    let run = |home: &str, args: &[&str]| {
        let mut command = world.command();
        command
            .env("TMPDIR", &temp)
            .env("WANGGE_PIN", "a word of fourteen");
        command.arg("--home").arg(world.path(home)).args(args);
        let output = command.output().unwrap();
        let log = logs.join(format!("{}-{}", args[0], args.len()));
        std::fs::write(log, &output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}");
    };
    let relay = world.relay();
    for (name, role, area) in [("li", "worker", GRID), ("desk", "township", TOWNSHIP)] {
        let code = world.invite(name, role, &[area]);
        run(
            name,
            &["enroll", &code, "--relay", &relay.url(), "--name", name],
        );
    }
    let from = |path: &Path| path.to_str().unwrap().to_owned();
    run(
        "li",
        &[
            "household",
            "add",
            "--from",
            &from(&households_at),
            "--json",
        ],
    );
    run("li", &["sync", "--json"]);
    killed_in_the_middle(&world, &visits_at);
    run(
        "li",
        &["visit", "add", "--from", &from(&visits_at), "--json"],
    );
    run("li", &["sync"]);
    run("desk", &["sync"]);
    run("desk", &["status", "--json"]);
    // A database that was damaged and set aside is as secret as before.
    let database = world.path("desk").join("wangge.db");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[..200].fill(0x5a);
    std::fs::write(&database, bytes).unwrap();
    let mut damaged = world.command();
    damaged.env("WANGGE_PIN", "a word of fourteen");
    damaged.arg("--home").arg(world.path("desk")).arg("status");
    let damaged = damaged.output().unwrap();
    assert_eq!(damaged.status.code(), Some(7));
    std::fs::write(logs.join("damaged"), damaged.stderr).unwrap();

    for place in ["li", "desk", "tmp", "log", ".config"] {
        let found = canaries.found_in(&world.path(place));
        let shown: Vec<_> = found
            .iter()
            .map(|text| String::from_utf8_lossy(text))
            .collect();
        assert!(shown.is_empty(), "{place}: {shown:?}");
    }
}

/// Records visits and kills the program once its log on the disk has grown: what it leaves is looked at too.
fn killed_in_the_middle(world: &World, visits: &Path) {
    let wal = world.path("li").join("wangge.db-wal");
    let mut command = world.command();
    command.arg("--home").arg(world.path("li"));
    command.args(["visit", "add", "--from", visits.to_str().unwrap()]);
    command.env("WANGGE_PIN", "a word of fourteen");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let grown = || std::fs::metadata(&wal).is_ok_and(|file| file.len() > 300_000);
    while !grown() && child.try_wait().unwrap().is_none() {}
    let in_time = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(in_time, "it was killed while it wrote");
}
