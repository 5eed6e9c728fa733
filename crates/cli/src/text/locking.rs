//! The word of a home, unlocking, profiles and recovery, in words.

use super::help::Help;
use super::{Topic, messages, words};
use wangge_agent::WordTooWeak;

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "unlock",
            about: "解锁本机档案一段时间，其间不再问口令",
            args: &[("most", "最长多久，如 4h 或 90m；半小时没有命令就自动锁定")],
        },
        Help {
            path: "lock",
            about: "马上锁定",
            args: &[],
        },
        Help {
            path: "pin",
            about: "锁定本机档案的口令",
            args: &[],
        },
        Help {
            path: "pin change",
            about: "设置或更换口令",
            args: &[(
                "new_pin_file",
                "新口令所在的文件，- 为标准输入；不写就在终端询问",
            )],
        },
        Help {
            path: "profile",
            about: "这台设备上的各人档案",
            args: &[],
        },
        Help {
            path: "profile list",
            about: "列出这台设备上的各人档案，以及用什么锁定",
            args: &[],
        },
        Help {
            path: "relay recovery",
            about: "恢复密钥：下面任何一台设备忘了口令，都能用它打开",
            args: &[],
        },
        Help {
            path: "relay recovery new",
            about: "生成（或更换）恢复密钥：私密的一半只写到文件里",
            args: &[("file", "写到哪个文件；不能已经存在")],
        },
        Help {
            path: "device recover",
            about: "忘了口令时用恢复码进入，把没送出的送出去",
            args: &[
                (
                    "code_file",
                    "恢复码所在的文件，- 为标准输入；不写就在终端询问",
                ),
                ("offline", "什么也不送，只更换口令"),
                ("new_pin_file", "新口令所在的文件；不写就在终端询问"),
            ],
        },
    ],
    aliases: &[
        ("unlock", "解锁"),
        ("lock", "锁定"),
        ("pin", "口令"),
        ("pin change", "更换"),
        ("profile", "档案"),
        ("profile list", "列表"),
        ("device recover", "恢复"),
        ("relay recovery", "恢复密钥"),
        ("relay recovery new", "生成"),
    ],
    codes: &[
        ("word", "pin", "口令（数字）", "a PIN"),
        ("word", "passphrase", "口令（短句）", "a passphrase"),
    ],
    fields: &[("as", "档案名称", "the name of a profile")],
    takes: &[("as", "只能用文字、数字、空格、-、_ 和 ·，最多 40 个字")],
    refusals: &[],
};

words! {
    word_unreadable { zh: "损坏，读不出", en: "damaged, cannot be read" }
    no_word { zh: "没有口令", en: "no word" }
    no_word_yet { zh: "还没有设口令：拿到这台设备的人打得开这份档案。", en: "No word was chosen yet: whoever has this device opens this home." }
    no_profiles { zh: "这台设备上还没有档案。", en: "Nobody has a home on this device yet." }
    locked_now { zh: "已锁定。", en: "Locked." }
    locked_already { zh: "本来就是锁定的。", en: "It was locked already." }
    word_chosen { zh: "口令已设好。从现在起，打开这份档案要输入口令。", en: "The word is chosen. From now on this home asks for it." }
    word_changed { zh: "口令已更换。", en: "The word was changed." }
    recovery_code { zh: "恢复码（忘了口令时，只有它能打开；只显示这一次）：", en: "The recovery code (if the word is forgotten, nothing else opens this home; it is shown once):" }
    recovery_code_keep { zh: "请抄在纸上，交网格站保管，不要和设备放在一起。", en: "Write it down and leave it with the station, never beside the device." }
    ask_word_again { zh: "再输入一次：", en: "Once more: " }
    words_differ { zh: "两次输入不一样，请重来。", en: "They differ; again, please." }
    ask_recovery { zh: "恢复码：", en: "Recovery code: " }
    recovered { zh: "已用恢复码打开。", en: "Opened with the recovery code." }
    recovery_keep { zh: "请把这个文件移到离线的地方（U 盘或抄在纸上，锁进柜子）：谁拿到它和一台设备，就能打开那台设备。中继不留底。设备下次同步后才能用它打开。", en: "Move the file to where no computer is (a stick or paper, in a safe): whoever has it and a device opens that device. The relay keeps none of it. It opens a device from its next sync on." }
    recovery_at_the_top { zh: "恢复密钥由最上级的中继生成，这里只是它的下级。什么也没有改。", en: "The relay at the top of the tree makes the recovery key; this one is below another. Nothing was changed." }
    no_terminal { zh: "这里没有终端可以输入。口令没有改，什么也没有丢。", en: "There is no terminal to type at. The word is as it was and nothing was lost." }
    not_held { zh: "没有能留住钥匙的进程，仍是锁定的；每条命令会单独问口令。什么也没有丢。", en: "Nothing holds the key, so it is still locked; each command asks for the word. Nothing was lost." }
    wrong_word_stuck { zh: "口令多次不对。请联系网格站：用恢复码可以打开，什么也不会丢。", en: "The word was wrong many times. Ask the station: a recovery code opens it, and nothing is lost." }
    no_device_secret { zh: "这台设备自己的密钥文件不在了，任何口令都打不开；恢复码可以。什么也没有丢。", en: "This device's own secret is gone, so no word opens the home; a recovery code does. Nothing was lost." }
    not_this_code { zh: "这个恢复码打不开这份档案，请对照纸上的核对。什么也没有改。", en: "This recovery code does not open this home; compare it with the paper. Nothing was changed." }
    wrong_word { zh: "口令不对。什么也没有丢。", en: "That is not the word. Nothing was lost." }
    col_lock { zh: "锁", en: "lock" }
    col_home { zh: "文件夹", en: "folder" }
    col_relay { zh: "中继", en: "relay" }
    status_no_word { zh: "还没有设口令（wangge pin change）：拿到这台设备的人打得开这份档案", en: "No word was chosen (wangge pin change): whoever has this device opens this home" }
}

messages! {
    /// A home is unlocked for a while.
    unlocked(until: &str, idle: u64) {
        zh: "已解锁，最晚到 {until}；{idle} 分钟没有命令就自动锁定。",
        en: "Unlocked until {until} at the latest; it locks after {idle} minutes without a command."
    }
    /// A home needs its word.
    is_locked(home: &str) {
        zh: "档案 {home} 是锁定的，这里没有终端可以输入口令。什么也没有丢。",
        en: "The home {home} is locked and there is no terminal to ask for its word at. Nothing was lost."
    }
    /// The next word has to wait.
    word_waits(wait: &str) {
        zh: "口令多次不对，还要等 {wait} 才能再试。什么也没有丢。",
        en: "The word was wrong several times; the next try has to wait {wait}. Nothing was lost."
    }
    /// When the next word may be tried.
    next_try_in(wait: &str) {
        zh: "再试要等 {wait}。",
        en: " The next try has to wait {wait}."
    }
    /// How long a wait is.
    wait_of(seconds: i64) {
        zh: "{seconds} 秒",
        en: "{seconds} s"
    }
    /// Something is no time.
    no_time(typed: &str) {
        zh: "「{typed}」不是时长。写法如 4h、90m、4小时、90分钟，最长 24 小时。",
        en: "\"{typed}\" is no time. Write it as 4h or 90m, at most 24h."
    }
    /// A recovery key was made.
    recovery_made(file: &str) {
        zh: "恢复密钥已生成，私密的一半在 {file}",
        en: "The recovery key is made; its secret half is in {file}"
    }
    /// What a recovery brought home.
    recovered_sent(count: u64) {
        zh: "没送出的 {count} 条已全部到中继，有回执。",
        en: "The {count} that were never sent are at the relay, with receipts."
    }
    /// What a recovery could not send.
    recovered_left(count: u64) {
        zh: "还有 {count} 条没有送出，仍在这份档案里。",
        en: "{count} are not sent yet; they are in this home."
    }
    /// A new home has no word.
    word_not_taken(why: &str) {
        zh: "口令没有设：{why}",
        en: "No word was chosen: {why}"
    }
}

impl super::Lang {
    /// Asks for the word of a home.
    pub(crate) fn ask_word(self, pin: bool) -> &'static str {
        match pin {
            true => self.pick("口令（数字）：", "PIN: "),
            false => self.pick("口令：", "Passphrase: "),
        }
    }

    /// Asks for a new word.
    pub(crate) fn ask_new_word(self, pin: bool) -> &'static str {
        match pin {
            true => self.pick(
                "新口令，至少 6 位数字（直接回车就先不设）：",
                "New PIN, at least 6 digits (Enter for none now): ",
            ),
            false => self.pick(
                "新口令，至少 10 个字，如一句自己记得住的话（直接回车就先不设）：",
                "New passphrase, at least 10 characters (Enter for none now): ",
            ),
        }
    }

    /// Says why a word is not good enough.
    pub(crate) fn word_weak(self, why: WordTooWeak) -> String {
        match why {
            WordTooWeak::Short { min } => match self {
                Self::Zh => format!("口令太短，至少 {min} 个字。口令没有改。"),
                Self::En => format!(
                    "the word is too short, it takes {min} characters. Nothing was changed."
                ),
            },
            WordTooWeak::Long => self
                .pick(
                    "口令太长。口令没有改。",
                    "the word is too long. Nothing was changed.",
                )
                .to_owned(),
            WordTooWeak::Easy => self
                .pick(
                    "这样的口令人人先猜，请换一个。口令没有改。",
                    "everybody tries such a word first, take another one. Nothing was changed.",
                )
                .to_owned(),
        }
    }
}
