//! The inbox and decisions about it, in words.

use super::help::Help;
use super::{Topic, messages, words};

const ID: (&str, &str) = ("id", "条目编号开头的几位，见 收件箱 列表");
const DRY: (&str, &str) = ("dry_run", "只看会怎样，不改动");

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "inbox",
            about: "中继的收件箱（在工作台，要有网）：列表、查看、收下、改归属、作废、重试",
            args: &[ID, DRY],
        },
        Help {
            path: "inbox list",
            about: "列出没能入账的和暂扣的",
            args: &[("settled", "改看已有的决定：谁、何时、为什么")],
        },
        Help {
            path: "inbox show",
            about: "看一条写了什么，或者为什么读不了",
            args: &[],
        },
        Help {
            path: "inbox accept",
            about: "收下：让这一条入账",
            args: &[],
        },
        Help {
            path: "inbox rehome",
            about: "改归属：把这份资料归到一个区域，并让这一条入账",
            args: &[("to", "归到哪个区域（代码）")],
        },
        Help {
            path: "inbox discard",
            about: "作废：搁置不用；不会删除，以后还能收下",
            args: &[("reason", "为什么；记录的人会看到")],
        },
        Help {
            path: "inbox retry",
            about: "让暂扣的更改再试一次",
            args: &[],
        },
    ],
    aliases: &[
        ("inbox", "收件箱"),
        ("inbox list", "列表"),
        ("inbox show", "查看"),
        ("inbox accept", "收下"),
        ("inbox rehome", "改归属"),
        ("inbox discard", "作废"),
        ("inbox retry", "重试"),
    ],
    codes: &[
        (
            "state",
            "discarded",
            "已被工作台作废，仍保留",
            "discarded by a desk, and kept",
        ),
        ("decision", "accept", "收下", "accepted"),
        ("decision", "discard", "作废", "discarded"),
        (
            "reason",
            "settled",
            "别的工作台先决定了",
            "another desk decided first",
        ),
        ("kind", "decision", "决定", "decision"),
        ("kind", "other", "其他", "other"),
        ("kind", "unknown", "不明", "unknown"),
        ("inbox", "open", "等人处理", "for a person to decide"),
        ("inbox", "held", "暂扣，不显示", "held, not shown"),
        ("inbox", "numbered", "已入账", "has its number"),
        (
            "unread",
            "too_large",
            "太大，没有读。可以作废。",
            "Too large to be read. It can be discarded.",
        ),
        (
            "unread",
            "waits",
            "它依据的内容还没有到，暂时读不了。",
            "What it rests on is not here yet, so it cannot be read.",
        ),
        (
            "unread",
            "malformed",
            "内容读不懂。可以作废。",
            "It does not read. It can be discarded.",
        ),
        (
            "unread",
            "not_a_write",
            "不是正常的更改，没有打开。可以作废。",
            "It is no proper change and was not opened. It can be discarded.",
        ),
        (
            "unread",
            "poison",
            "会弄坏整份资料，没有打开。可以作废。",
            "It would break the record and was not opened. It can be discarded.",
        ),
        (
            "unread",
            "hides_container",
            "会遮住别的内容，没有打开。可以作废。",
            "It would hide other content and was not opened. It can be discarded.",
        ),
        (
            "unread",
            "equivocation",
            "同一台设备有两条同号的更改，只能留一条。可以作废。",
            "One device numbered two changes alike; only one can stand. It can be discarded.",
        ),
        (
            "unread",
            "not_this_program",
            "这个版本的程序读不了这类内容。",
            "This program does not read this kind of record.",
        ),
    ],
    fields: &[
        ("settle_reason", "作废的理由", "the reason"),
        ("rehome_area", "归到的区域", "the area"),
    ],
    takes: &[
        ("settle_reason", "请写明理由，不超过 200 字"),
        ("rehome_area", "应为区域代码，如 511724103202001"),
    ],
    refusals: &[],
};

messages! {
    /// It took its place.
    accepted_as(number: u64, by: &str, when: &str) { zh: "{by} {when} 收下，第 {number} 号", en: "accepted as number {number} by {by} on {when}" }
    /// A desk said yes.
    accepted_by(by: &str, when: &str) { zh: "{by} {when} 收下", en: "accepted by {by} on {when}" }
    /// A desk said no.
    discarded_by(by: &str, when: &str, reason: &str) { zh: "{by} {when} 作废：{reason}", en: "discarded by {by} on {when}: {reason}" }
    /// A desk placed it.
    rehomed_by(by: &str, when: &str, to: &str) { zh: "{by} {when} 归到 {to}", en: "re-homed to {to} by {by} on {when}" }
    /// Where a place puts a document.
    places_it_in(area: &str) { zh: "归到 {area}", en: "places it in {area}" }
    /// Nobody has placed it.
    claimed_area(area: &str) { zh: "未归属（自报 {area}）", en: "not placed (says {area})" }
    /// What would be done.
    would_discard(id: &str) { zh: "会作废 {id}：搁置不用，不删除，记录的人会看到理由。没有改动。", en: "{id} would be discarded: kept aside, not deleted, and its author reads why. Nothing was changed." }
    /// What would be done.
    would_rehome(id: &str, from: &str, to: &str) { zh: "会把 {id} 的资料从 {from} 归到 {to}，并让它入账。没有改动。", en: "The record of {id} would go from {from} to {to}, and {id} take its place there. Nothing was changed." }
    /// The decision did not leave.
    decision_unsent(id: &str) { zh: "对 {id} 的决定已记在这台设备上，没有丢；还没送到中继。有信号时：wangge 同步", en: "The decision on {id} is safe on this device and has not reached the relay. With a signal: wangge sync" }
    /// Said yes, and something is missing.
    accepted_but_waits(why: &str) { zh: "还没有入账：{why}。等缺的到了会自动入账。", en: "It has no number yet: {why}. It takes its place when what is missing arrives." }
    /// Nothing to decide.
    numbered_already(id: &str, number: u64) { zh: "{id} 已经入账，第 {number} 号。没有改动。", en: "{id} has its number already: {number}. Nothing was changed." }
    /// Where it lies, and why.
    in_inbox_of(relay: &str, why: &str) { zh: "在{relay}的收件箱：{why}", en: "in the inbox of {relay}: {why}" }
    /// How many were discarded.
    discards(count: usize) { zh: "另有 {count} 条被工作台作废，仍保留（wangge 发件箱）", en: "{count} more were discarded by a desk and are kept (wangge outbox)" }
}

words! {
    desk_decides {
        zh: "在中继的收件箱里，没有丢；等工作台决定：收下、改归或作废；再同步也不会变。",
        en: "It lies in the relay's inbox and is not lost; a desk has to accept, re-home or discard it, and another sync does not change that."
    }
    unknown_colleague { zh: "（不认识的设备）", en: "(unknown device)" }
    inbox_unplaced {
        zh: "还不知道这份资料属于哪里，不能直接收下。没有改动，资料都在。",
        en: "Nobody has said where this record lives, so it cannot just be accepted. Nothing was changed and nothing is lost."
    }
    inbox_equivocation {
        zh: "同一台设备有两条同号的更改，只能留一条；这一条不能收下，可以作废。没有改动，资料都在。",
        en: "One device numbered two changes alike and only one can stand: this one cannot be accepted, but discarded. Nothing was changed and nothing is lost."
    }
    inbox_over_limit {
        zh: "这一条超过大小限制，不能收下，可以作废。没有改动，资料都在。",
        en: "This one is over a limit and cannot be accepted, but discarded. Nothing was changed and nothing is lost."
    }
    inbox_rests_on_discarded {
        zh: "它接在一条已作废的更改后面，前一条不收下，它就入不了账。请先收下前一条（它会跟着入账），或把它也作废。没有改动，资料都在。",
        en: "It rests on a change that was discarded and cannot stand without it. Accept that one first, and this one follows; or discard this one too. Nothing was changed and nothing is lost."
    }
    inbox_decision {
        zh: "这是无权决定的人作的决定，不能收下；请直接决定那一条，或把它作废。没有改动，资料都在。",
        en: "This is a decision by somebody who may not decide. Decide about the item itself, or discard this one. Nothing was changed and nothing is lost."
    }
    inbox_held {
        zh: "这是暂扣的更改，已有编号，只能再试一次。没有改动，资料都在。",
        en: "This is a held change: it has its number and can only be tried again. Nothing was changed and nothing is lost."
    }
    inbox_not_held {
        zh: "这一条不是暂扣的更改。没有改动，资料都在。",
        en: "This is no held change. Nothing was changed and nothing is lost."
    }
    inbox_numbered {
        zh: "这一条已经入账，不能再作废。没有改动，资料都在。",
        en: "It has its number, which is never taken back. Nothing was changed and nothing is lost."
    }
    inbox_settled_before {
        zh: "别的工作台刚刚作了决定，先到的算数。您的决定没有生效，资料都在。",
        en: "Another desk decided first, and the first decision stands. Yours had no effect; nothing is lost."
    }
    inbox_not_allowed {
        zh: "中继不让这个工作台决定这一条：不在您的区域。资料都在。",
        en: "The relay does not let this desk decide about it: it lies outside your areas. Nothing is lost."
    }
    inbox_not_here {
        zh: "这份资料不在这台设备上，或者跟着它所属的住户走。先同步，或改用 household move。没有改动。",
        en: "The record is not on this device, or lives where its household lives. Sync first, or use household move. Nothing was changed."
    }
}

impl super::Lang {
    /// Says that nothing lies there.
    pub(crate) fn nothing_in_inbox(self, settled: bool) -> &'static str {
        match settled {
            true => self.pick("还没有决定。", "No decisions yet."),
            false => self.inbox_empty(),
        }
    }
}
