//! The whole flow of a ticket, in words.

use super::help::Help;
use super::tickets_words::{CODES, FIELDS, REFUSALS, TAKES};
use super::{Lang, Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: HELP,
    aliases: ALIASES,
    codes: CODES,
    fields: FIELDS,
    takes: TAKES,
    refusals: REFUSALS,
};

words! {
    col_limit { zh: "时限", en: "due" }
    col_wish { zh: "错时服务", en: "outside office hours" }
    col_reports { zh: "来自上报", en: "from reports" }
    col_answer_owner { zh: "答复责任人", en: "owes the answer" }
    col_desk { zh: "受理", en: "accepted by" }
    col_escalated_to { zh: "上报到", en: "raised to" }
    col_with { zh: "协办", en: "with" }
    col_copies { zh: "抄告", en: "told" }
    col_suspended { zh: "挂起到", en: "suspended until" }
    col_extension { zh: "延期", en: "more time" }
    col_finish { zh: "办结", en: "finish" }
    col_card { zh: "督办", en: "watched" }
    col_reminders { zh: "催办次数", en: "reminders" }
    col_follow_up { zh: "回访", en: "follow-up" }
    col_merged_into { zh: "并入", en: "goes on as" }
    col_custody { zh: "代管", en: "held" }
    col_level_clock { zh: "本级时限", en: "due here" }
    col_promised { zh: "承诺办结", en: "promised by" }
    col_station_phone { zh: "网格站电话", en: "station" }
    col_complaint_line { zh: "投诉电话", en: "complaints" }
    col_printed { zh: "打印日期", en: "printed on" }
    col_phoned { zh: "先电话告知", en: "phoned first" }
    col_affected { zh: "涉及人数", en: "people affected" }
    col_travelled { zh: "到了哪里", en: "where it is" }
    self_recorded { zh: "（经办人自己记的，不计满意率）", en: "(written down by somebody who had a part in it: not counted)" }
    still_held { zh: "还没有还", en: "still held" }
    instead_of { zh: "代", en: "for" }
    for_unit { zh: "代录", en: "for unit" }
    slip_readers { zh: "办理人、居民", en: "handler, resident" }
    slip_work_part { zh: "工单交办单（承办联）", en: "Ticket slip: keep this part" }
    slip_return_part { zh: "工单交办单（回执联）", en: "Ticket slip: send this part back" }
    slip_resident { zh: "居民回执", en: "Your receipt" }
    slip_cut { zh: "- - - - - - - - - - - - - - - - 裁开 - - - - - - - - - - - - - - - -", en: "- - - - - - - - - - - - - - - - cut here - - - - - - - - - - - - - - - -" }
    ticket_word { zh: "工单", en: "ticket" }
}

messages! {
    /// What is still held when a ticket is finished.
    custody_out(what: &str) {
        zh: "! 还代管着居民的：{what}。还了以后：wangge 工单 代管 工单号 --returned",
        en: "! Still held of the resident's: {what}. When it went back: wangge ticket custody ID --returned"
    }
    /// The holidays of a year are not known.
    no_workdays(year: i64) {
        zh: "! {year} 年的放假调休安排还没有，先按周一至周五算工作日。",
        en: "! The holidays of {year} are not known; Monday to Friday are counted as working days."
    }
    /// It was given back.
    given_back(on: &str) { zh: "{on} 已还", en: "given back {on}" }
    /// When an interim finish is looked at again.
    review_on(on: &str) { zh: "{on} 再看", en: "looked at again {on}" }
    /// A step lacks something.
    ticket_missing(field: &str) {
        zh: "这一步还缺：{field}。什么也没有改动。",
        en: "The step lacks {field}. Nothing was changed."
    }
    /// A village group.
    village_group(group: u16) { zh: "{group}组", en: "group {group}" }
    /// Signed for by whoever handles it.
    slip_taken(name: &str, day: &str) {
        zh: "\n签收人：{name}  日期：{day}",
        en: "\nTaken by: {name}  Day: {day}"
    }
    /// What became of it, to be written by hand.
    slip_result(blank: &str, desk: &str) {
        zh: "\n办理结果：□实质性办结  □阶段性办结（再看日期：{blank}）  □程序性办结\n{blank}{blank}{blank}\n{blank}{blank}{blank}\n是否已答复居民：□是  □否  方式：{blank}\n承办人：{blank}  日期：{blank}  电话：{blank}\n请交回：{desk}",
        en: "\nResult: [ ] substantive  [ ] interim (look again on {blank})  [ ] procedural\n{blank}{blank}{blank}\n{blank}{blank}{blank}\nResident told: [ ] yes  [ ] no  By which way: {blank}\nHandled by: {blank}  Day: {blank}  Telephone: {blank}\nSend back to: {desk}"
    }
}

impl Lang {
    /// Returns why a step is not applied.
    pub(crate) fn parked_because(self, code: &str) -> &str {
        match self.code("parked", code) {
            word if word == code => self.refusal(code),
            word => word,
        }
    }
}

const ALIASES: &[(&str, &str)] = &[
    ("ticket", "工单"),
    ("ticket open", "新建"),
    ("ticket list", "列表"),
    ("ticket show", "查看"),
    ("ticket submit", "提交"),
    ("ticket accept", "受理"),
    ("ticket ask", "退回补充"),
    ("ticket decline", "不予受理"),
    ("ticket assign", "交办"),
    ("ticket start", "签收"),
    ("ticket done", "办结"),
    ("ticket answer", "答复"),
    ("ticket verify", "核查"),
    ("ticket send-back", "核查退回"),
    ("ticket return", "退回"),
    ("ticket escalate", "上报"),
    ("ticket suspend", "挂起"),
    ("ticket resume", "恢复"),
    ("ticket extend", "延期"),
    ("ticket grant", "同意延期"),
    ("ticket refuse", "不同意延期"),
    ("ticket follow-up", "回访"),
    ("ticket close", "结案"),
    ("ticket reopen", "重办"),
    ("ticket merge", "合并"),
    ("ticket withdraw", "撤回"),
    ("ticket archive", "归档"),
    ("ticket remind", "催办"),
    ("ticket supervise", "督办"),
    ("ticket comment", "批注"),
    ("ticket settle", "裁定"),
    ("ticket hand-over", "移交"),
    ("ticket retract", "撤销"),
    ("ticket slip", "交办单"),
    ("ticket custody", "代管"),
    ("report comment", "批注"),
];

const HELP: &[Help] = &[
    Help {
        path: "ticket",
        about: "新建、查看和每一步办理",
        args: &[
            ("id", "工单号、编号或编号的开头"),
            ("text", "附一句话"),
            ("for_unit", "代哪个部门录入纸质交办单"),
            ("until", "到哪一天：12-01、周五"),
            ("reason", "原因"),
        ],
    },
    Help {
        path: "ticket open",
        about: "新建工单，或从 JSON 行新建多张",
        args: &[
            ("words", "先写哪一户，再写诉求；只有一项就是诉求"),
            ("kind", "咨询、求助、投诉、建议、表扬、代办"),
            ("area", "在哪个区域（没有写哪一户时）"),
            ("detail", "详情"),
            ("requester", "谁的诉求（不是这里的住户时）"),
            ("contact", "联系方式"),
            ("identity", "实名、实名保密、匿名"),
            ("reports", "来自哪条上报；可以多个"),
            ("urgency", "紧急程度 P0 至 P3"),
            ("wish", "错时服务：下班后什么时候方便"),
            ("handled", "当场怎么办的：新建和办结一次完成"),
            ("draft", "先存草稿，不提交"),
        ],
    },
    Help {
        path: "ticket list",
        about: "列出工单：有争议和超期的在前，再按时限",
        args: &[
            (
                "status",
                "只看这个状态，照列表里的写法，如 已受理；可以多个",
            ),
            ("mine", "只看我办理的"),
            ("owed", "只看我还没有答复居民的"),
            ("open", "只看没有办完的"),
            ("contested", "只看有争议的"),
        ],
    },
    Help {
        path: "ticket show",
        about: "查看一张工单和每一步",
        args: &[(
            "reason",
            "事由：上门服务、核对信息、办理业务、居民要求、应急，或四个字以上的说明",
        )],
    },
    Help {
        path: "ticket submit",
        about: "提交草稿，或补充后再提交",
        args: &[],
    },
    Help {
        path: "ticket accept",
        about: "由您这一级接下",
        args: &[],
    },
    Help {
        path: "ticket ask",
        about: "退回提交人补充材料",
        args: &[("text", "缺什么")],
    },
    Help {
        path: "ticket decline",
        about: "不予受理，并说明去哪里办",
        args: &[("text", "原因"), ("whom", "引导居民去哪里：法定途径、部门")],
    },
    Help {
        path: "ticket assign",
        about: "交办给人、部门或区域；再写一次就是改派",
        args: &[
            ("to", "人的姓名或编号、部门，或区域代码"),
            ("with", "协办；可以多个"),
            ("copies", "抄告；可以多个"),
            ("due", "办理时限到哪一天"),
        ],
    },
    Help {
        path: "ticket start",
        about: "开始办理",
        args: &[],
    },
    Help {
        path: "ticket done",
        about: "说明办了什么",
        args: &[
            ("text", "办了什么"),
            ("kind", "实质、阶段、程序"),
            ("review_on", "阶段性办结：哪一天再看"),
        ],
    },
    Help {
        path: "ticket answer",
        about: "答复居民",
        args: &[
            ("text", "怎么答复的"),
            ("how", "方式：当面、电话"),
            ("whom", "答复了谁"),
        ],
    },
    Help {
        path: "ticket verify",
        about: "确已办好（不能由办理人自己核查）",
        args: &[],
    },
    Help {
        path: "ticket send-back",
        about: "没有办好，退回再办",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket return",
        about: "退回给交办的一级",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket escalate",
        about: "上报给上一级",
        args: &[
            ("text", "原因"),
            ("to", "乡镇、县或区域代码；不写就是上一级"),
        ],
    },
    Help {
        path: "ticket suspend",
        about: "挂起：要等到某一天",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket resume",
        about: "等到了，接着办",
        args: &[],
    },
    Help {
        path: "ticket extend",
        about: "申请延期，只有一次",
        args: &[
            ("text", "原因"),
            ("until", "延到哪一天；不写就再给同样长的时间"),
        ],
    },
    Help {
        path: "ticket grant",
        about: "同意延期",
        args: &[("until", "延到哪一天；不写就按申请的")],
    },
    Help {
        path: "ticket refuse",
        about: "不同意延期",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket follow-up",
        about: "回访居民是否满意",
        args: &[
            ("text", "居民怎么说"),
            (
                "grade",
                "5 很满意、4 满意、3 基本满意、2 不满意、1 很不满意",
            ),
        ],
    },
    Help {
        path: "ticket close",
        about: "由受理的一级结束",
        args: &[],
    },
    Help {
        path: "ticket reopen",
        about: "重新办理",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket merge",
        about: "并入另一张工单",
        args: &[("into", "并入哪一张")],
    },
    Help {
        path: "ticket withdraw",
        about: "居民不再要求办理",
        args: &[("text", "原因")],
    },
    Help {
        path: "ticket archive",
        about: "归档，以后不再有",
        args: &[],
    },
    Help {
        path: "ticket remind",
        about: "催一下",
        args: &[],
    },
    Help {
        path: "ticket supervise",
        about: "上级督办，只能加重",
        args: &[("card", "普通、黄牌、红牌")],
    },
    Help {
        path: "ticket comment",
        about: "附一句话，不改变状态",
        args: &[("text", "批注内容")],
    },
    Help {
        path: "ticket settle",
        about: "裁定有争议的两步以哪个为准",
        args: &[("steps", "有争议各步的编号开头，为准的写在最前")],
    },
    Help {
        path: "ticket hand-over",
        about: "以后由另一个人答复居民",
        args: &[("to", "人的姓名或编号")],
    },
    Help {
        path: "ticket retract",
        about: "撤销自己刚才的一步（还没有人接着办）",
        args: &[("step", "那一步的编号开头；不写就是自己的最后一步")],
    },
    Help {
        path: "ticket slip",
        about: "打印交办单，或给居民的回执",
        args: &[("whom", "给谁：办理人（handler）或 居民（resident）")],
    },
    Help {
        path: "ticket custody",
        about: "代管了居民的什么，还了没有",
        args: &[
            ("item", "代管什么：身份证、现金"),
            ("amount", "多少"),
            ("returned", "已还给居民"),
        ],
    },
    Help {
        path: "report comment",
        about: "给一条上报附一句话",
        args: &[("id", "上报编号或其开头"), ("text", "批注内容")],
    },
];
