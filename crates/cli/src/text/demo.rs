//! The demo's people, what they write, and what is said of it. Nobody here exists.

use super::{Lang, messages, words};

/// The relay.
pub(crate) const RELAY: &str = "杨家镇中继";
/// The township desk's clerk.
pub(crate) const DESK: &str = "周文";
/// A worker.
pub(crate) const FIRST: &str = "李梅";
/// A worker of a neighbouring grid.
pub(crate) const SECOND: &str = "陈强";
/// 杨家镇.
pub(crate) const TOWNSHIP: &str = "511724103";
/// The grid both workers have.
pub(crate) const SHARED_GRID: &str = "511724103202002";
/// The first worker's grids.
pub(crate) const FIRST_GRIDS: [&str; 2] = ["511724103202001", SHARED_GRID];
/// The second worker's grids.
pub(crate) const SECOND_GRIDS: [&str; 2] = [SHARED_GRID, "511724103202003"];
/// Every grid of the demo.
pub(crate) const GRIDS: [&str; 3] = ["511724103202001", SHARED_GRID, "511724103202003"];
/// A number no network gives out.
pub(crate) const FIRST_PHONE: &str = "13800000001";
/// Another one.
pub(crate) const SECOND_PHONE: &str = "13900000002";
/// What the first worker writes of a household.
pub(crate) const NOTE: &str = "门口路灯不亮，晚上请走东侧";
/// What the second worker writes of the same household.
pub(crate) const ARRANGEMENT: &str = "耳背，请大声敲门；院里有狗";
/// Where the demo's reports come from.
pub(crate) const SOURCE: &str = "走访";
/// What was done at once.
pub(crate) const HANDLED: &str = "当场疏通，已恢复排水";

/// Notes of visits, in turn; an empty one means that nothing changed.
pub(crate) const NOTES: [&str; 10] = [
    "",
    "血压偏高，提醒按时吃药",
    "",
    "",
    "儿子春节回来，想问养老认证",
    "",
    "",
    "屋后排水沟有点堵",
    "",
    "",
];

/// Reports: category and text.
pub(crate) const REPORTS: [(&str, &str); 5] = [
    ("E06", "屋后排水沟堵塞，污水外溢"),
    ("D01", "三组路口路灯不亮"),
    ("D05", "机井水泵有异响，出水小"),
    ("C04", "村道边坡有落石"),
    ("F01", "独居老人缺过冬被褥"),
];

/// Tickets: kind and subject.
pub(crate) const TICKETS: [(&str, &str); 3] = [
    ("help", "修复三组路口路灯"),
    ("errand", "代办养老保险认证"),
    ("inquiry", "咨询危房改造补助"),
];

words! {
    demo_relay_answers { zh: "中继已停，却还有人回答", en: "the relay is stopped, yet somebody answers" }
    demo_not_arrived { zh: "交办、定下的电话或合并的内容没有到网格员的设备", en: "the assignment, the settled phone or the merge did not reach a worker's device" }
    demo_no_relay { zh: "中继没有起来", en: "the relay did not start" }
    stopped { zh: "中继停了。", en: "The relay is stopped." }
    again { zh: "中继又起来了，端口不变。", en: "The relay is up again, on the same port." }
}

messages! {
    /// The relay serves.
    demo_relay(address: &str) { zh: "中继在本机 {address} 上运行。", en: "A relay serves on {address}." }
    /// A person was enrolled.
    demo_enrolled(name: &str, role: &str, areas: &str) {
        zh: "{name}（{role}）登记：{areas}。",
        en: "{name} ({role}) is enrolled: {areas}."
    }
    /// The roster was imported.
    demo_imported(area: &str, households: usize, people: usize, refused: usize) {
        zh: "乡镇导入花名册到 {area}：{households} 户 {people} 人，没有收的值 {refused} 个。",
        en: "The desk imports the roster into {area}: {households} households, {people} people, {refused} values not taken."
    }
    /// What a sync did and cost.
    demo_synced(name: &str, sent: usize, received: usize, cost: &str) {
        zh: "{name} 同步：送出 {sent}，收到 {received}；{cost}。",
        en: "{name} syncs: sent {sent}, received {received}; {cost}."
    }
    /// What a worker recorded offline.
    demo_recorded(name: &str, visits: usize, reports: usize, tickets: usize) {
        zh: "{name} 离线记下 {visits} 次走访、{reports} 条上报（1 条当场办结）、{tickets} 张工单。",
        en: "{name} records offline: {visits} visits, {reports} reports (one handled on the spot), {tickets} tickets."
    }
    /// Two edits that meet.
    demo_edited(first: &str, second: &str) {
        zh: "{first} 和 {second} 各自改了同一户的电话（会冲突），又改了另一户的不同字段（会合并）。",
        en: "{first} and {second} both change one household's phone (a conflict) and different fields of another (a merge)."
    }
    /// No link.
    demo_no_link(name: &str, unsent: u64) {
        zh: "{name} 想同步，连不上：{unsent} 条都在本机，没有丢。",
        en: "{name} tries to sync: no link. {unsent} entries are safe on the device."
    }
    /// A ticket was assigned.
    demo_assigned(desk: &str, code: &str, to: &str) {
        zh: "{desk} 受理工单 {code}，交办给 {to}。",
        en: "{desk} accepts ticket {code} and assigns it to {to}."
    }
    /// Conflicts the desk sees.
    demo_conflict(count: usize) { zh: "乡镇看到 {count} 处冲突，两个值都在。", en: "The desk sees {count} conflict(s), both values kept." }
    /// The value that stands.
    demo_settled(desk: &str, value: &str) { zh: "{desk} 定为 {value}。", en: "{desk} settles it: {value}." }
    /// Both arrived.
    demo_arrived(name: &str) {
        zh: "{name} 的设备上，交办和定下的电话都到了；另一户的两处修改合在一起。",
        en: "On {name}'s device both arrived, the assignment and the settled phone; the other household has both edits."
    }
    /// An arrival.
    demo_arrival(relay: &str, level: &str, position: u64, when: &str) {
        zh: "{relay}（{level}）第 {position} 位，{when}",
        en: "{relay} ({level}), position {position}, {when}"
    }
    /// A visit's receipts.
    demo_receipts(visit: &str, arrivals: &str) { zh: "走访 {visit} 的回执：{arrivals}。", en: "Receipts of visit {visit}: {arrivals}." }
    /// Where the data stays.
    demo_kept(dir: &str) { zh: "数据留在 {dir}", en: "The data is in {dir}" }
}

impl Lang {
    /// Says that the relay is stopped.
    pub(crate) fn demo_stopped(self) -> String {
        self.stopped().to_owned()
    }

    /// Says that the relay is up again.
    pub(crate) fn demo_again(self) -> String {
        self.again().to_owned()
    }

    /// Says how the proof came out.
    pub(crate) fn demo_verdict(self, equal: bool, safe: bool, documents: usize) -> String {
        match (self, equal, safe) {
            (Lang::Zh, true, true) => {
                format!("✓ 三份副本在每个共有区域都一致（{documents} 份记录），所记全部有回执。")
            }
            (Lang::En, true, true) => {
                format!(
                    "✓ All three replicas are equal in each shared area ({documents} documents), and everything has a receipt."
                )
            }
            (Lang::Zh, false, _) => "✗ 三份副本不一致。".to_owned(),
            (Lang::En, false, _) => "✗ The replicas differ.".to_owned(),
            (Lang::Zh, true, false) => "✗ 还有没有回执的。".to_owned(),
            (Lang::En, true, false) => "✗ Something has no receipt.".to_owned(),
        }
    }
}
