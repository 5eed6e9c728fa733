//! What a relay holds back, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "relay held",
            about: "列出暂不显示的改动（读不通、太重等）",
            args: &[],
        },
        Help {
            path: "relay release",
            about: "让一条暂不显示的改动重新试一次",
            args: &[("change", "改动编号的前几位，relay held 里有")],
        },
    ],
    aliases: &[("relay held", "暂扣"), ("relay release", "放行")],
    codes: &[
        ("hold", "malformed", "读不懂", "does not read"),
        ("hold", "not_a_write", "不是普通填写", "not a plain write"),
        ("hold", "poison", "会损坏文档", "would damage the document"),
        (
            "hold",
            "hides_container",
            "会遮住别的内容",
            "would hide other content",
        ),
        (
            "hold",
            "equivocation",
            "同一编号有两条",
            "two with one number",
        ),
        ("hold", "too_heavy", "太重，处理不了", "too heavy"),
    ],
    fields: &[],
    takes: &[],
    refusals: &[],
};

words! {
    download_unknown {
        zh: "要下载多少还不知道：连不上中继，或中继还没有备好这些区域的资料包。没有改动。",
        en: "What has to be fetched is not known yet: no relay, or it has no packs of these areas yet. Nothing was changed."
    }
    download_without_packs {
        zh: "要下载多少还不知道：连上了中继，它还没有备好这些区域的资料包（内容少时不备）。没有改动。",
        en: "What has to be fetched is not known yet: the relay answered and has no packs of these areas (of little it makes none). Nothing was changed."
    }
    download_since {
        zh: "已经下载过；只取上次同步以后的新内容。没有改动。",
        en: "Everything was fetched before; only what is new since the last sync comes. Nothing was changed."
    }
    nothing_held { zh: "没有暂扣的改动。（暂扣是这个中继试过以后不让显示的；某台设备自己未放行的，看那台设备的状态。）", en: "Nothing is held. (A hold is what this relay tried and does not let be shown; what a device itself holds back is in its status.)" }
    col_change { zh: "改动", en: "change" }
    released {
        zh: "已放行：中继下一轮会重新试；还不行的会再暂扣，内容一直在，没有丢。",
        en: "released: the relay tries it again in its next round; what fails is held again. Nothing was lost."
    }
}

messages! {
    /// How far a first download is, on a line that is written over.
    packs_come(percent: u64, kib: u64) {
        zh: "首次下载 {percent}%（共 {kib} KB）",
        en: "first download {percent}% of {kib} KB"
    }
    /// What came as packs.
    packs_came(documents: u64, kib: u64) {
        zh: "  首次下载：{documents} 份文档，资料包 {kib} KB",
        en: "  first download: {documents} documents, {kib} KB of packs"
    }
    /// What a download costs, on the line last seen.
    download_costs(documents: u64, kib: u64, seconds: u64) {
        zh: "要下载 {documents} 份文档，{kib} KB；按上次的网速约 {seconds} 秒。没有改动。",
        en: "Documents to fetch: {documents}, {kib} KB; about {seconds} s at the pace of the last sync. Nothing was changed."
    }
    /// What a download costs, where no line was seen yet.
    download_costs_unknown_pace(documents: u64, kib: u64) {
        zh: "要下载 {documents} 份文档，{kib} KB；网速还不知道。没有改动。",
        en: "Documents to fetch: {documents}, {kib} KB; how fast the line is is not known yet. Nothing was changed."
    }
    /// What a sync would send.
    would_send(entries: u64) {
        zh: "待送出 {entries} 条。",
        en: "{entries} to send."
    }
    /// No held change begins with what was typed.
    no_such_hold(typed: &str) {
        zh: "没有（或不止一条）以「{typed}」开头的暂扣改动；至少写 8 位。什么都没有改动。",
        en: "no one held change begins with \"{typed}\"; type at least 8 digits. Nothing was changed."
    }
}
