//! Devices: taking a lost one out, purging, leases, what must be told, in words.

use super::help::Help;
use super::{Topic, messages, words};

const DEVICE: (&str, &str) = ("device", "哪台设备：编号、编号开头、#序号，或持有人姓名");
const LAST_GOOD: (&str, &str) = ("last_good", "仍算数的最后一批；不写就是中继收到的最后一批");
const YES: (&str, &str) = ("yes", "不再问，直接做");
const DAYS: (&str, &str) = ("days", "从今天起几天；不写就照岗位的天数");

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "device",
            about: "设备：列出、停用丢失的、续租期（在工作台，要有网）",
            args: &[DEVICE],
        },
        Help {
            path: "device list",
            about: "列出本片区域的设备：谁的、何时来过、租期到哪天",
            args: &[],
        },
        Help {
            path: "device revoke",
            about: "停用丢失的设备：它只会收到清空令",
            args: &[LAST_GOOD, YES],
        },
        Help {
            path: "device lease",
            about: "给设备一个续租码，可以在电话里念",
            args: &[DAYS],
        },
        Help {
            path: "relay device",
            about: "停用一台设备或下级中继，给一台设备续租",
            args: &[(
                "device",
                "哪台设备：编号、编号开头、#序号、持有人姓名，或下级中继名称",
            )],
        },
        Help {
            path: "relay device revoke",
            about: "停用丢失的设备或下级中继：设备只会收到清空令",
            args: &[LAST_GOOD, YES],
        },
        Help {
            path: "relay device lease",
            about: "给设备一个续租码，可以在电话里念",
            args: &[DAYS],
        },
        Help {
            path: "lease",
            about: "输入电话里念的续租码，继续查看资料",
            args: &[("code", "续租码，十个字母和数字")],
        },
        Help {
            path: "incident",
            about: "设备丢失后要说清的事",
            args: &[],
        },
        Help {
            path: "incident report",
            about: "丢失的设备上有谁的哪些资料、从何时起、已做了什么",
            args: &[
                DEVICE,
                ("unmask", "显示全名、门牌和电话；谁看的、为什么，先记下来"),
                (
                    "reason",
                    "事由：上门服务、核对信息、办理业务、居民要求、应急，或四个字以上的说明",
                ),
            ],
        },
    ],
    aliases: &[
        ("device", "设备"),
        ("device list", "列表"),
        ("device revoke", "停用"),
        ("device lease", "续租"),
        ("relay device", "单台设备"),
        ("relay device revoke", "停用"),
        ("relay device lease", "续租"),
        ("lease", "续租"),
        ("incident", "丢失"),
        ("incident report", "报告"),
    ],
    codes: &[
        ("held", "names", "姓名", "names"),
        ("held", "births", "出生年月", "births"),
        ("held", "phones", "电话", "telephones"),
        (
            "held",
            "id_checked",
            "证件已核（没有号码）",
            "id checked (no number is kept)",
        ),
        (
            "held",
            "care",
            "关爱类别（健康、年龄、困难）",
            "care tags (health, age, hardship)",
        ),
        ("held", "needs", "需求", "needs"),
        ("held", "visit_books", "走访簿", "visit books"),
        ("held", "reports", "民情", "reports"),
        ("held", "tickets", "工单", "tickets"),
    ],
    fields: &[("device", "设备", "device")],
    takes: &[],
    refusals: &[],
};

messages! {
    /// What taking a device out does, before it is done.
    would_revoke(number: u32, name: &str, last: &str, last_good: u64) {
        zh: "要停用：#{number} {name} 的设备。{last}。到第 {last_good} 批为止算数；以后送来的进收件箱，由工作台定。设备一连上就只会收到清空令：先送出没送的，再清空本机资料。停用后不能恢复，只能用新的登记码重新登记。",
        en: "About to revoke device #{number} of {name}. {last}. Batches up to {last_good} are good; what comes later waits in the inbox for a desk. Once it is on line the device gets only the purge order: it hands in what it has not sent, then removes what it holds. This cannot be taken back; a new code enrols a device anew."
    }
    /// A relay below is about to be taken out.
    would_revoke_relay(name: &str) {
        zh: "要停用下级中继 {name}：它不能再送、再取，它下的令不再算数；它已送上来的都在。它自己文件夹里的资料要由管理它的人清空。",
        en: "About to revoke the relay below {name}: it hands in and reads nothing any more, and its orders count no longer; what it handed up stays. What is in its own folder is its operator's to remove."
    }
    /// The last batch that came.
    last_batch_came(number: u64, at: &str) { zh: "中继最后收到的是第 {number} 批（{at}）", en: "The last batch the relay received is {number} ({at})" }
    /// Batches past the last good one that are numbered.
    numbered_after(count: u64) {
        zh: "注意：之后还有 {count} 批在停用前已经入账，编号不变，请逐条查看（丢失 报告）。",
        en: "Note: {count} batches after it were numbered before and keep their numbers; look at them (incident report)."
    }
    /// It was done.
    device_revoked(name: &str, last_good: u64) {
        zh: "✓ 已停用 {name} 的设备，到第 {last_good} 批为止算数。它一连上就会收到清空令。",
        en: "✓ Revoked the device of {name}; batches up to {last_good} are good. It gets the purge order as soon as it is on line."
    }
    /// A relay was taken out.
    relay_revoked(name: &str) { zh: "✓ 已停用下级中继 {name}。", en: "✓ Revoked the relay {name}." }
    /// A lease's code.
    lease_code(name: &str, until: &str) {
        zh: "续租码给 {name}，能看到 {until} 为止；在那台设备上输入：\nwangge 续租 CODE",
        en: "The code is for {name}, who may read until {until}; it is typed on that device:\nwangge lease CODE"
    }
    /// A lease was renewed.
    lease_renewed(until: &str) { zh: "✓ 可以查看到 {until}。", en: "✓ You may read until {until}." }
    /// How long a device may read.
    lease_until(until: &str) { zh: "租期到 {until}；同步一次就续。", en: "Lease until {until}; a sync renews it." }
    /// A lease that ends soon.
    lease_soon(until: &str, days: u32) {
        zh: "租期到 {until}，还有 {days} 天：请同步一次，或打电话给站里要续租码。",
        en: "Lease until {until}, {days} days left: sync once, or call the station for a code."
    }
    /// A lease that is over.
    lease_over(until: &str) {
        zh: "租期 {until} 已到，查看已锁。走访、上报、工单、新增住户和同步照常。",
        en: "The lease ended on {until} and reading is locked. Visits, reports, tickets, new households and sync go on."
    }
    /// What was refused because the lease is over.
    lease_ended(until: &str) {
        zh: "租期 {until} 已到，他人的资料先不显示；没有丢任何东西。走访、上报、开工单、新增住户和同步照常可用。同步一次，或打电话给站里要续租码，就能再看。",
        en: "The lease ended on {until}, so other people's data is not shown for now; nothing is lost. Recording visits, reports, tickets and households, and sync, go on as before. A sync, or a code from the station by telephone, opens it again."
    }
    /// A wait after wrong codes.
    lease_code_wait(seconds: u64) {
        zh: "错得多了，请等 {seconds} 秒再试。没有丢任何东西。",
        en: "Too many were wrong: wait {seconds} seconds. Nothing is lost."
    }
    /// This device was purged.
    purged(at: &str, relay: &str) {
        zh: "这台设备已被停用：{at}，中继「{relay}」下了清空令。所记的都已送到中继，没有丢；本机资料已清空。要再用，请向站里要新的登记码。",
        en: "This device was revoked: at {at} the relay \"{relay}\" ordered it to purge. All that was recorded is at the relay and nothing is lost; what was here is removed. To use it again ask the station for a new code."
    }
    /// This device was revoked and something of it is only here.
    purge_waits(at: &str, relay: &str, unsent: usize, attachments: usize) {
        zh: "这台设备已被停用：{at}，中继「{relay}」下了清空令。还有 {unsent} 条记录、{attachments} 个附件没能确认送到，所以本机资料没有清空，只锁了查看。请再同步，或交给站里处理。",
        en: "This device was revoked: at {at} the relay \"{relay}\" ordered it to purge. {unsent} entries and {attachments} attachments are not known to have arrived, so nothing was removed and only reading is locked. Sync again, or take it to the station."
    }
    /// Files that stayed.
    purge_left(files: &str) {
        zh: "另有从前损坏、移开的数据库没有删：{files}",
        en: "Databases that were damaged and set aside before were not removed: {files}"
    }
    /// The heading of an incident.
    incident_of(number: u32, name: &str, role: &str) {
        zh: "设备丢失报告：#{number} {name}（{role}）",
        en: "Incident report: device #{number} of {name} ({role})"
    }
    /// When it was put together.
    incident_at(at: &str) { zh: "出具时间：{at}", en: "Put together at {at}" }
    /// A grant of a lost device.
    incident_grant(at: &str, areas: &str) { zh: "{at} 起能看：{areas}", en: "Could read from {at}: {areas}" }
    /// When it came last.
    incident_seen(at: &str) { zh: "最后来过：{at}", en: "Last came: {at}" }
    /// Its lease.
    incident_lease(until: &str) { zh: "没有网时最多能看到：{until}", en: "Without a link it reads until {until} at most" }
    /// It was taken out.
    incident_revoked(at: &str, last_good: u64) {
        zh: "已停用：{at}，到第 {last_good} 批为止算数",
        en: "Revoked at {at}; batches up to {last_good} are good"
    }
    /// It was told to purge.
    incident_told(at: &str, last: &str) { zh: "清空令已送达：{at}（最近一次 {last}）", en: "The purge order was delivered at {at} (last at {last})" }
    /// What lives in an area.
    incident_area(area: &str, documents: u64) { zh: "{area}：{documents} 份文档", en: "{area}: {documents} documents" }
    /// Documents that name the person.
    incident_named(count: u64) { zh: "另有 {count} 份文档点名发给此人", en: "{count} documents elsewhere name this person" }
    /// Families and people.
    incident_people(families: usize, people: usize) { zh: "涉及 {families} 户、{people} 人", en: "{families} families, {people} people" }
    /// A kind of data.
    incident_held(kind: &str, count: usize) { zh: "{kind}：{count}", en: "{kind}: {count}" }
    /// Areas another desk must speak for.
    incident_elsewhere(areas: &str) { zh: "本台看不到、要由别的工作台说明的区域：{areas}", en: "Areas this desk does not read; another desk speaks for them: {areas}" }
    /// Batches that wait.
    incident_inbox(count: usize) { zh: "最后有效批次之后，收件箱里等待处理的：{count} 批", en: "After the last good batch, waiting in the inbox: {count} batches" }
    /// Batches with numbers.
    incident_numbered(count: usize) { zh: "最后有效批次之后，停用前已入账、要查看的：{count} 批", en: "After the last good batch, numbered before the revocation, to be looked at: {count} batches" }
    /// One batch.
    incident_batch(number: u64, at: &str, entries: u64) { zh: "  第 {number} 批，{at}，{entries} 条", en: "  batch {number}, {at}, {entries} entries" }
}

words! {
    enroll_needs_url {
        zh: "还缺中继地址：--relay URL（扫码得到的整段文字里有地址，就不用写）。",
        en: "the relay's address is missing: --relay URL (the whole text of a picture may have it)"
    }
    no_batch_came { zh: "中继没有收到过它的批次", en: "The relay received no batch of it" }
    revoke_asks { zh: "确实要停用吗？输入 y：", en: "Revoke it? Type y: " }
    revoke_needs_yes { zh: "还没有停用。要做，请加 --yes。", en: "Nothing was revoked. Add --yes to do it." }
    revoke_not_done { zh: "没有停用。", en: "Nothing was revoked." }
    revoked_before { zh: "它从前已经停用过。", en: "It was revoked before." }
    incident_not_revoked { zh: "还没有停用：设备 停用", en: "Not revoked yet: device revoke" }
    incident_not_told { zh: "清空令还没有送到：停用后它没有来过", en: "The purge order was not delivered: it has not come since it was revoked" }
    incident_masked { zh: "姓名、门牌、电话已脱敏；要全部显示：--unmask --reason 事由", en: "Names, doors and numbers are masked; in full: --unmask --reason TEXT" }
    incident_to_tell {
        zh: "要向主管部门和本人说明（个人信息保护法第五十七条）：上面的资料种类、原因、可能的危害；已采取的措施；联系方式。",
        en: "To be told to the authority and the people (PIPL article 57): the kinds of data above, the cause and what may come of it; what was done; whom to ask."
    }
    told_to_purge { zh: "中继说这台设备已被停用。请同步：先送出没送的，再清空。", en: "The relay says that this device was revoked. Sync: what is not sent goes first." }
    lease_code_wrong { zh: "续租码不对，或者已经用过。请再听一遍；没有丢任何东西。", en: "The code is wrong, or was used before. Listen once more; nothing is lost." }
    no_lease { zh: "这台设备没有租期，不用续：登记并同步过的设备才有。", en: "This device has no lease to renew: only one that is enrolled and has synced does." }
    device_not_allowed { zh: "这台设备也管着您区域之外的地方，或者就是您自己的；请上一级工作台来做。没有改动。", en: "This device works for areas beyond yours too, or is your own; a desk above does it. Nothing was changed." }
    device_unknown { zh: "中继没有这台设备。没有改动。", en: "The relay knows no such device. Nothing was changed." }
    device_is_revoked { zh: "已停用的设备不能续租。", en: "A revoked device gets no lease." }
    bad_lease_days { zh: "租期是 1 到 60 天。", en: "A lease is for 1 to 60 days." }
    no_devices_here { zh: "您的区域里没有设备。", en: "No devices in your areas." }
    col_lease { zh: "租期到", en: "lease until" }
    added_unread {
        zh: "✓ 已保存到本机。租期已到，不再显示更多。",
        en: "✓ Saved on this device. The lease ended, so no more is shown."
    }
    several_unread {
        zh: "不止一户符合。租期已到，不列出来；请写完整的姓名、门牌或电话。",
        en: "Several fit. The lease ended, so they are not listed; type the whole name, door or number."
    }
}
