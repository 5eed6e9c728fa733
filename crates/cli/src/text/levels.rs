//! Levels of relays, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "relay join",
            about: "接到上级中继下面",
            args: &[
                ("code", "上级给的登记码"),
                ("relay", "上级中继的地址"),
                (
                    "ordinary_certificate",
                    "中继用的是普通证书，与地址里的域名相符",
                ),
            ],
        },
        Help {
            path: "relay status",
            about: "中继有多少内容，上级收到哪里了",
            args: &[],
        },
        Help {
            path: "relay meet",
            about: "现在就和上级中继同步一次",
            args: &[],
        },
    ],
    aliases: &[
        ("relay join", "加入"),
        ("relay status", "状态"),
        ("relay meet", "对接"),
    ],
    codes: &[
        ("role", "relay", "下级中继", "relay below"),
        (
            "state",
            "inbox_above",
            "已到中继；上级没有编号，等人处理",
            "at the relay; further up it waits for a person",
        ),
    ],
    fields: &[],
    takes: &[],
    refusals: &[],
};

words! {
    no_link_up {
        zh: "连不上上级中继。这里收到的都在，没有丢；会自动再试。",
        en: "No link to the relay above. What is here is safe; it will be tried again."
    }
    join_no_link {
        zh: "连不上那个中继，没有加入，也不会自动再试。登记码还能用：网络好了再运行同一条命令。",
        en: "No link to that relay. Nothing was joined, and it is not tried again by itself. The code is as good as before: run the same command again."
    }
    not_met_since {
        zh: "恢复或加入以后还没有和上级对接过，内容是否一致还不知道",
        en: "not met since it was restored or joined; whether it is equal to the relay above is not known"
    }
    bad_address_up {
        zh: "上级地址不对：要写成 https://…，只有本机才能用 http://。什么也没有做。",
        en: "The address above is none: write https://…; http:// is for this machine only. Nothing was done."
    }
    refused_up {
        zh: "上级中继不让进：请上级重新发登记码，再加入一次。这里收到的都在。",
        en: "The relay above does not let this one in: ask for a new code and join again. What is here is safe."
    }
    not_higher {
        zh: "那个中继的级别不比这里高，不能做上级。什么也没有做。",
        en: "That relay stands no higher than this one. Nothing was done."
    }
    below_nobody {
        zh: "这个中继没有上级。要接到上级：wangge 中继 加入 登记码 --relay 地址",
        en: "This relay is below nobody. To join: wangge relay join CODE --relay URL"
    }
    top_of_tree { zh: "没有上级", en: "below nobody" }
    digests_equal_up { zh: "与上级内容完全一致", en: "equal to the relay above" }
    digests_differ_up { zh: "与上级内容还不一致", en: "not equal to the relay above yet" }
    passed_level { zh: "已到", en: "there" }
    not_at_level { zh: "未到", en: "not there" }
    not_all_up { zh: "还没有全部送到最上一级；不用做什么，会自动往上送。", en: "Not all of it is at the highest level yet; it goes up by itself." }
}

messages! {
    /// Name and level that were given are not those of the first start.
    recorded_already(name: &str, level: &str) {
        zh: "这个中继第一次运行时定为「{name}」（{level}），以后不能改；这次给的名称和级别没有用。",
        en: "This relay was begun as {name} ({level}), which stays; the name and level given now do not count."
    }
    /// Another address than that of the relay above was given.
    below_another(name: &str, url: &str) {
        zh: "这个中继已经在「{name}」下面，地址 {url}，和这次给的不同；没有改动。上级换了地址或要换上级，就请上级重新发登记码，再加入一次：wangge 中继 加入 登记码 --relay 地址",
        en: "This relay is below {name} at {url}, which is not the address given; nothing was changed. Where the address changed, or another relay is to be above, ask there for a new code and join again: wangge relay join CODE --relay URL"
    }
    /// The relay at an address is of another tree.
    unknown_relay(url: &str) {
        zh: "{url} 的中继不属于您的网格系统，什么也没有送过去。",
        en: "The relay at {url} is of another tree; nothing was sent to it."
    }
    /// An answer from above does not read.
    strange_up(what: &str) {
        zh: "上级中继的回答看不懂（{what}）。这里收到的都在，没有丢。",
        en: "The answer of the relay above does not read ({what}). What is here is safe."
    }
    /// A relay joined.
    joined(name: &str, level: &str) {
        zh: "已接到「{name}」（{level}）下面。",
        en: "Joined below {name} ({level})."
    }
    /// What a relay has.
    relay_holds(name: &str, level: &str, entries: u64, documents: u64, devices: u64) {
        zh: "{name}（{level}）：{entries} 条，{documents} 份档案，{devices} 台设备",
        en: "{name} ({level}): {entries} entries, {documents} documents, {devices} devices"
    }
    /// Items that wait, and the inbox.
    relay_parked(waiting: u64, inbox: u64) {
        zh: "等前面内容的 {waiting} 条，收件箱 {inbox} 条",
        en: "{waiting} wait for earlier ones, {inbox} in the inbox"
    }
    /// Who is above, and when it was met.
    above_is(name: &str, level: &str, url: &str, last: &str) {
        zh: "上级：{name}（{level}）{url}，上次同步 {last}",
        en: "above: {name} ({level}) {url}, last met {last}"
    }
    /// Who is below, and when it was met.
    below_is(name: &str, areas: &str, last: &str) {
        zh: "下级：{name}（{areas}），上次同步 {last}",
        en: "below: {name} ({areas}), last met {last}"
    }
    /// It was equal to the relay above at the last meeting, and something waits since.
    digests_were_equal_up(last: &str) {
        zh: "{last}上次同步时与上级内容完全一致；上面等着往上送的是后来的",
        en: "equal to the relay above when it was last met, {last}; what waits to go up came since"
    }
    /// What waits to go up.
    waits_up(count: u64) { zh: "等着往上送的 {count} 条", en: "{count} wait to go up" }
    /// What has no number above.
    exceptions_up(count: u64) {
        zh: "上级没有编号的 {count} 条，要请上级处理",
        en: "{count} have no number above and need a person there"
    }
    /// A watermark.
    passed_up_to(level: &str, position: u64) {
        zh: "{level}：第 {position} 号为止都已收到",
        en: "{level}: has everything up to number {position}"
    }
    /// What a meeting did.
    met_above(orders: u64, batches: u64, received: u64) {
        zh: "送上 {orders} 条登记、{batches} 批内容，收到 {received} 条",
        en: "{orders} orders and {batches} batches went up, {received} entries came"
    }
    /// Everything is safe at the highest level.
    all_safe_at(level: &str) {
        zh: "本机所记全部已送达{level}级",
        en: "Everything made here is at the {level}"
    }
    /// What is said behind it where attachments were made: of those only the own relay is known to have them.
    attachments_at(level: &str) {
        zh: "；附件已到{level}级，由中继接着往上送",
        en: "; attachments are at the {level}, whose relay hands them on"
    }
    /// A record is safe at the highest level.
    all_arrived_at(level: &str) {
        zh: "全部已送达{level}级。",
        en: "All of it is at the {level}."
    }
    /// How much of this device's work is not known to be at a level.
    missing_at(level: &str, count: u64) {
        zh: "{level} 还差 {count} 条",
        en: "{level}: {count} not there yet"
    }
}
