//! A home that a word locks: who opens it, who waits, and that nothing is ever destroyed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::keys::Opening;
use wangge_agent::purge::Purged;
use wangge_agent::safe::FileSafe;
use wangge_agent::word::as_typed;
use wangge_agent::{AgentError, Machine, Replica, WordKind, WordTooWeak};
use wangge_wire::RelayId;

const WORD: &str = "竹林里有四只鸟在唱歌";
const NOW_MS: i64 = 1_795_000_000_000;

/// A device: where its secret lies, what time it is.
struct Laptop {
    dir: tempfile::TempDir,
    now_ms: Arc<AtomicI64>,
}

impl Laptop {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            now_ms: Arc::new(AtomicI64::new(NOW_MS)),
        }
    }

    fn home(&self) -> std::path::PathBuf {
        self.dir.path().join("home")
    }

    fn machine(&self, word: Option<&str>) -> Machine {
        let (now, word) = (Arc::clone(&self.now_ms), word.map(str::to_owned));
        Machine {
            now_ms: Box::new(move || now.load(Ordering::SeqCst)),
            safe: Box::new(FileSafe::of(self.dir.path().join("keys"))),
            opener: Box::new(move |home| match &word {
                Some(word) => Ok(Opening::Word(as_typed(word))),
                None => Err(AgentError::Locked {
                    at: home.dir.to_owned(),
                }),
            }),
            ..Machine::default()
        }
    }

    fn open(&self, word: Option<&str>) -> Result<Replica, AgentError> {
        Replica::open(&self.home(), self.machine(word))
    }

    /// Makes a home with a household, locked by the word; returns the recovery code.
    fn locked(&self) -> String {
        let made = Replica::init(&self.home(), "李梅", Vec::new(), self.machine(None));
        let mut replica = made.unwrap();
        assert_eq!(replica.word().unwrap(), None);
        replica.store().set_meta("saved", b"by its person").unwrap();
        replica.choose_word(WORD).unwrap().recovery_code.unwrap()
    }
}

fn is_whole(replica: &Replica) -> bool {
    replica.store().meta("saved").unwrap().as_deref() == Some(b"by its person")
}

fn refusal(opened: Result<Replica, AgentError>) -> AgentError {
    opened.err().unwrap()
}

#[test]
fn the_word_opens_the_home_and_nothing_else_does() {
    let laptop = Laptop::new();
    laptop.locked();
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
    assert!(matches!(
        refusal(laptop.open(None)),
        AgentError::Locked { .. }
    ));
    assert!(matches!(
        refusal(laptop.open(Some("竹林里有五只鸟在唱歌"))),
        AgentError::WrongWord { wait_ms: 0, .. }
    ));
    let kept = std::fs::read_dir(laptop.dir.path().join("keys")).unwrap();
    assert_eq!(kept.count(), 1, "the device's secret lies beside no home");
}

#[test]
fn wrong_words_wait_longer_each_time_and_destroy_nothing() {
    let laptop = Laptop::new();
    laptop.locked();
    let wrong = || refusal(laptop.open(Some("this is not the word")));
    for _ in 0..4 {
        assert!(matches!(wrong(), AgentError::WrongWord { wait_ms: 0, .. }));
    }
    let mut waits = Vec::new();
    for _ in 0..9 {
        let AgentError::WrongWord { wait_ms, stuck } = wrong() else {
            panic!("a wrong word");
        };
        waits.push((wait_ms / 1000, stuck));
        // The right one waits as long: else waiting would tell which one it was.
        let early = refusal(laptop.open(Some(WORD)));
        assert!(matches!(early, AgentError::WordWait { .. }));
        laptop.now_ms.fetch_add(wait_ms, Ordering::SeqCst);
    }
    let expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600];
    assert_eq!(
        waits.iter().map(|wait| wait.0).collect::<Vec<_>>(),
        expected
    );
    assert!(waits[8].1 && !waits[0].1);
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
    // The right word ends it: the next slip waits for nothing.
    assert!(matches!(wrong(), AgentError::WrongWord { wait_ms: 0, .. }));
}

#[test]
fn a_clock_that_was_ahead_makes_the_right_word_wait_no_longer_than_a_wrong_one() {
    let laptop = Laptop::new();
    laptop.locked();
    let years = 4 * 365 * 86_400_000;
    laptop.now_ms.fetch_add(years, Ordering::SeqCst);
    for _ in 0..5 {
        refusal(laptop.open(Some("this is not the word")));
    }
    laptop.now_ms.fetch_sub(years, Ordering::SeqCst);
    let AgentError::WordWait { wait_ms } = refusal(laptop.open(Some(WORD))) else {
        panic!("a wait");
    };
    assert_eq!(wait_ms, 30_000);
    laptop.now_ms.fetch_add(wait_ms, Ordering::SeqCst);
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
}

#[cfg(unix)]
#[test]
fn wrong_words_are_noted_where_there_is_room_already() {
    use std::os::unix::fs::MetadataExt as _;
    let laptop = Laptop::new();
    laptop.locked();
    let place = || {
        let file = std::fs::metadata(laptop.home().join("tries")).unwrap();
        (file.ino(), file.len())
    };
    let before = place();
    for _ in 0..3 {
        refusal(laptop.open(Some("this is not the word")));
        assert_eq!(place(), before);
    }
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
    assert_eq!(place(), before);
}

#[test]
fn a_word_that_could_not_be_kept_leaves_no_secret_that_nobody_was_shown() {
    let laptop = Laptop::new();
    let made = Replica::init(&laptop.home(), "李梅", Vec::new(), laptop.machine(None));
    let mut replica = made.unwrap();
    let vault = || std::fs::read(laptop.home().join("vault.json")).unwrap();
    let before = vault();
    let keys = laptop.dir.path().join("keys");
    std::fs::write(&keys, "a file where the device's secret should lie").unwrap();
    assert!(replica.choose_word(WORD).is_err());
    assert_eq!(vault(), before);
    std::fs::remove_file(&keys).unwrap();
    assert!(replica.choose_word(WORD).unwrap().recovery_code.is_some());
}

#[test]
fn a_home_beside_what_stayed_of_a_revoked_device_is_another_devices() {
    let laptop = Laptop::new();
    let begin = || Replica::init(&laptop.home(), "李梅", Vec::new(), laptop.machine(None));
    let revoked = begin().unwrap().device();
    // Nobody can say what it holds: it stays, and what opens it.
    std::fs::write(laptop.home().join("wangge.damaged-1.db"), "a").unwrap();
    let purged = Purged {
        at_ms: NOW_MS,
        relay: RelayId([1; 16]),
        relay_name: "杨家镇".to_owned(),
        device: revoked,
        unsent: 0,
        attachments: 0,
        proven: true,
        set_aside: Vec::new(),
    };
    let text = serde_json::to_string(&purged).unwrap();
    std::fs::write(laptop.home().join("purged.json"), text).unwrap();
    assert!(matches!(refusal(laptop.open(None)), AgentError::Purged(_)));
    let database = || wangge_agent::keys::database_key(&laptop.home(), &laptop.machine(None));
    let before = database().unwrap();
    assert_ne!(begin().unwrap().device(), revoked);
    assert_eq!(database().unwrap(), before, "what stayed opens as before");
}

#[test]
fn a_folder_without_the_device_it_was_locked_on_opens_by_the_recovery_code_alone() {
    let laptop = Laptop::new();
    let code = laptop.locked();
    let elsewhere = Laptop::new();
    copy(&laptop.home(), &elsewhere.home());
    assert!(matches!(
        refusal(elsewhere.open(Some(WORD))),
        AgentError::NoDeviceSecret { .. }
    ));
    let typed = code.to_lowercase().replace('-', " ");
    let mut found = Replica::recover(&elsewhere.home(), &typed, elsewhere.machine(None)).unwrap();
    assert!(is_whole(&found));
    let again = found.choose_word("another long word").unwrap();
    assert!(again.changed && again.recovery_code.is_none());
    drop(found);
    assert!(is_whole(
        &elsewhere.open(Some("another long word")).unwrap()
    ));
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
    let slip = match code.strip_prefix('7') {
        Some(rest) => format!("8{rest}"),
        None => format!("7{}", code.chars().skip(1).collect::<String>()),
    };
    for other in ["", "0000", &slip] {
        let tried = Replica::recover(&elsewhere.home(), other, elsewhere.machine(None));
        assert!(matches!(refusal(tried), AgentError::NotThisRecoveryKey));
    }
}

#[test]
fn a_weak_word_is_refused_and_the_old_one_stays() {
    let laptop = Laptop::new();
    laptop.locked();
    let mut replica = laptop.open(Some(WORD)).unwrap();
    assert_eq!(replica.word_wanted(), WordKind::Passphrase);
    for (weak, why) in [
        ("739142", WordTooWeak::Short { min: 10 }),
        ("aaaaaaaaaaaa", WordTooWeak::Easy),
    ] {
        let refused = replica.choose_word(weak).unwrap_err();
        assert!(matches!(refused, AgentError::WordTooWeak(found) if found == why));
    }
    drop(replica);
    assert!(laptop.open(Some(WORD)).is_ok());
}

#[test]
fn two_people_of_one_device_do_not_open_each_others_homes() {
    let laptop = Laptop::new();
    laptop.locked();
    let other = laptop.dir.path().join("other");
    let made = Replica::init(&other, "王芳", Vec::new(), laptop.machine(None));
    made.unwrap().choose_word("the word of wang fang").unwrap();
    let mine = laptop.open(Some("the word of wang fang"));
    assert!(matches!(refusal(mine), AgentError::WrongWord { .. }));
    // Neither the vault nor the keys of one are of any use in the other's folder.
    for file in ["vault.json", "secrets"] {
        let kept = std::fs::read(laptop.home().join(file)).unwrap();
        std::fs::copy(other.join(file), laptop.home().join(file)).unwrap();
        let crossed = laptop.open(Some("the word of wang fang"));
        assert!(
            matches!(
                refusal(crossed),
                AgentError::HomeFile { .. } | AgentError::WrongWord { .. }
            ),
            "{file}"
        );
        std::fs::write(laptop.home().join(file), kept).unwrap();
    }
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
}

#[test]
fn a_missing_or_damaged_key_file_is_named_and_never_made_anew() {
    let laptop = Laptop::new();
    laptop.locked();
    for file in ["vault.json", "secrets"] {
        let path = laptop.home().join(file);
        let kept = std::fs::read(&path).unwrap();
        for broken in [None, Some(b"{}".to_vec())] {
            match &broken {
                None => std::fs::remove_file(&path).unwrap(),
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            }
            let error = refusal(laptop.open(Some(WORD)));
            let named = matches!(&error, AgentError::HomeFile { path: at, missing }
                if *at == path && *missing == broken.is_none());
            assert!(named, "{file}: {error:?}");
            assert_eq!(std::fs::read(&path).ok(), broken, "{file}");
        }
        std::fs::write(&path, kept).unwrap();
    }
    assert!(is_whole(&laptop.open(Some(WORD)).unwrap()));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
