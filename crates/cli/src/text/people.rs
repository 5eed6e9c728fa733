//! People, units, leave and cover, in words.

use super::help::Help;
use super::{Topic, messages, words};

const DAYS: [(&str, &str); 3] = [
    ("from", "第一天，如 2026-11-23；不写就是今天"),
    ("until", "最后一天；已知请假的，不写就照请假的日子"),
    ("end", "马上结束这位同事的请假和顶替"),
];
const NOTE: (&str, &str) = ("note", "要让同事知道的；不写请假的原因");

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "people",
            about: "同事：谁在岗、谁请假、谁顶替",
            args: &[("name", "请假的人：姓名或编号"), NOTE],
        },
        Help {
            path: "people list",
            about: "列出同事，以及谁请假、谁顶替",
            args: &[],
        },
        Help {
            path: "people leave",
            about: "登记某人请假（在工作台，要有网）",
            args: &DAYS,
        },
        Help {
            path: "people cover",
            about: "让同事顶替请假的人（在工作台，要有网）",
            args: &[
                ("by", "谁来顶替：姓名或编号"),
                ("area", "请假人的哪个区域；不写就是全部"),
                DAYS[0],
                DAYS[1],
                DAYS[2],
            ],
        },
        Help {
            path: "people hand-over",
            about: "把网格员的网格移交给同事（在工作台，要有网）",
            args: &[
                ("name", "移交的人：姓名或编号"),
                ("to", "接手的人：姓名或编号"),
                ("area", "哪个网格；不写就是全部"),
                ("dry_run", "只看会怎样，不改动"),
            ],
        },
        Help {
            path: "unit",
            about: "承办工单的部门",
            args: &[],
        },
        Help {
            path: "unit add",
            about: "在乡镇或县下面新增部门（在工作台，要有网）",
            args: &[
                ("name", "部门名称，如 水务站"),
                ("area", "服务的乡镇或县的代码"),
                ("phone", "联系电话"),
            ],
        },
        Help {
            path: "unit list",
            about: "列出部门，撤销的排在最后",
            args: &[],
        },
        Help {
            path: "unit close",
            about: "撤销部门：不再给它派单",
            args: &[("name", "部门名称或编号")],
        },
    ],
    aliases: &[
        ("people", "人员"),
        ("people list", "列表"),
        ("people leave", "请假"),
        ("people cover", "顶替"),
        ("people hand-over", "移交"),
        ("unit", "部门"),
        ("unit add", "新增"),
        ("unit list", "列表"),
        ("unit close", "撤销"),
    ],
    codes: &[],
    fields: &[
        ("by", "顶替的人", "who stands in"),
        ("to", "接手的人", "who gets them"),
        ("handed_area", "移交的网格", "the grid to hand over"),
        ("from_day", "第一天", "the first day"),
        ("until_day", "最后一天", "the last day"),
        ("cover_area", "顶替的区域", "the covered area"),
        ("unit_area", "部门的区域", "the unit's area"),
        ("unit_name", "部门名称", "the unit's name"),
    ],
    takes: &[
        (
            "by",
            "应为能顶替的同事：网格员之间，工作台之间，或由工作台顶替网格员",
        ),
        ("to", "应为两位不同的网格员"),
        ("handed_area", "应为移交人自己的网格代码"),
        ("from_day", "应为 2026-11-23 这样的日期"),
        ("until_day", "应为 2026-11-23 这样的日期，不早于第一天"),
        ("cover_area", "应为请假人负责的区域代码"),
        ("unit_area", "应为乡镇 9 位或县 6 位的代码"),
        ("unit_name", "请写明部门名称"),
    ],
    refusals: &[],
};

messages! {
    /// Grids went to a colleague.
    handed_over(from: &str, to: &str, areas: &str, households: usize) {
        zh: "✓ {from} 的 {areas} 已移交给 {to}，共 {households} 户。两人同步后生效；{from} 在此之前记的也会归到这些户里。",
        en: "✓ {areas} went from {from} to {to}: {households} households. It takes effect when both have synced; what {from} recorded before then still goes to these households."
    }
    /// There is nothing to hand over.
    nothing_to_hand_over(from: &str) {
        zh: "{from} 现在没有网格，没有要移交的，没有改动。",
        en: "{from} has no grid now; there is nothing to hand over, and nothing was changed."
    }
    /// What a hand-over would do.
    would_hand_over(from: &str, to: &str, areas: &str, households: usize) {
        zh: "会把 {from} 的 {areas} 移交给 {to}，共 {households} 户。",
        en: "{areas} would go from {from} to {to}: {households} households."
    }
    /// Whose tickets go along.
    answers_go_too(codes: &str) {
        zh: "还欠居民答复的工单一起移交（下次同步时送出）：{codes}",
        en: "With them go the tickets that still owe a resident an answer (sent by the next sync): {codes}"
    }
    /// It is somebody else's now.
    is_handed_over(area: &str, on: &str) {
        zh: "这户已移交，现在属于 {area}（{on}）。这次没有记录；您以前记的都在中继，没有丢。请把情况告诉现在负责的网格员。",
        en: "This household was handed over; it belongs to {area} now ({on}). This was not recorded; what you recorded before is at the relay and not lost. Tell the worker who is in charge now."
    }
    /// Households left this device.
    left_device(households: usize) {
        zh: "{households} 户已移交给别人，资料已从这台设备移走（中继那里都有，接手的人同步时会拿到）。",
        en: "{households} households were handed over and left this device (the relay has them, and their new worker gets them by syncing)."
    }
    /// Households wait for receipts before they leave.
    leave_when_receipted(households: usize) {
        zh: "{households} 户已移交给别人；您记的还没有全部送到最高一级，先留在这台设备上，只能看。",
        en: "{households} households were handed over; something you recorded is not at the highest level yet, so they stay on this device, to read only."
    }
    /// How many went where.
    went_to(households: u64, area: &str, on: &str) { zh: "{area} 的 {households} 户已移交给接手的人（{on}）", en: "Households of {area} handed over to their new worker: {households} ({on})" }
}

messages! {
    /// Somebody is on leave.
    on_leave(from: &str, until: &str) { zh: "请假 {from} 至 {until}", en: "on leave {from} to {until}" }
    /// Who stands in.
    covered_by(name: &str) { zh: "，{name} 顶替", en: ", covered by {name}" }
    /// For whom somebody stands in.
    stands_in_for(name: &str, until: &str) { zh: "顶替 {name} 至 {until}", en: "stands in for {name} until {until}" }
    /// A leave was ordered.
    leave_ordered(name: &str, told: &str) { zh: "✓ {name}：{told}。同事同步后就能看到。", en: "✓ {name}: {told}. Colleagues see it after their next sync." }
    /// A leave was ended.
    leave_ended(name: &str) { zh: "✓ {name} 的请假和顶替已结束。", en: "✓ The leave and cover of {name} are over." }
    /// There was none.
    no_leave(name: &str) { zh: "{name} 没有请假，没有改动。", en: "{name} is not on leave; nothing was changed." }
    /// A unit was added.
    unit_added(name: &str, area: &str) { zh: "✓ 已新增部门 {name}：{area}", en: "✓ Added the unit {name}: {area}" }
    /// A unit was closed.
    unit_closed(name: &str) { zh: "✓ 已撤销部门 {name}，不再给它派单。", en: "✓ Closed the unit {name}; nothing is given to it any more." }
}

words! {
    no_people { zh: "还没有同事。登记以后，同步一次就有。", en: "No colleagues yet. Enrol and sync once." }
    no_units { zh: "还没有部门。", en: "No units." }
    col_unit { zh: "部门", en: "unit" }
    col_staff { zh: "人员", en: "people" }
    by_paper_slip { zh: "没有设备，用纸单", en: "no device: paper slips" }
    closed_unit { zh: "已撤销", en: "closed" }
    unknown_unit {
        zh: "没有这个部门，或者已经撤销。没有改动。",
        en: "No such unit, or it is closed. Nothing was changed."
    }
    order_needs_link {
        zh: "连不上中继：请假、顶替、移交和部门要由中继办。有信号时再来一次；您记的都在这台设备上，没有丢。",
        en: "No link to the relay, which makes leaves, covers, hand-overs and units. Try again when there is a signal; your work is safe on this device."
    }
    order_malformed {
        zh: "中继认为其中有不合适的内容（日期、区域或名称），没有照办。没有改动，资料都在。",
        en: "The relay found a value that cannot be (days, areas or name). Nothing was changed and nothing is lost."
    }
    order_not_allowed {
        zh: "只有管这片区域的站、镇、县工作台可以这样做。没有改动，资料都在。",
        en: "Only a desk that works for these areas may do this. Nothing was changed and nothing is lost."
    }
    order_unknown_person {
        zh: "中继不认得其中的人，或者不能由这个人顶替，也可能区域不是请假人的。没有改动。",
        en: "The relay does not know a person named, or one may not stand in for the other, or an area is not the absent person's. Nothing was changed."
    }
    order_changed {
        zh: "别人刚改过。先同步，看一看，再来一次。没有改动，资料都在。",
        en: "Somebody else changed it meanwhile. Sync, look, and try again. Nothing was changed and nothing is lost."
    }
    unit_name_taken {
        zh: "这片区域已有同名的部门。没有改动。",
        en: "A unit of this name serves the area already. Nothing was changed."
    }
}
