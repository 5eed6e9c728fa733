//! The day, its sheet, rounds and slips, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "today",
            about: "今天谁该走访、哪些没送达、哪些等您；或录入今日表",
            args: &[
                (
                    "words",
                    "今日表上的编号和结果：3 好 / 7 无人 / 12 血压高 @周五",
                ),
                ("on", "哪一天的表（默认今天）"),
            ],
        },
        Help {
            path: "today print",
            about: "打印今日表：到期的各户编上号，晚上按号录入",
            args: &[
                ("households", "另外加到表上的住户；可以多个"),
                ("on", "哪一天的表（默认今天）"),
            ],
        },
        Help {
            path: "today enter",
            about: "录入今日表：每行或用 / 隔开，编号加结果",
            args: &[
                (
                    "words",
                    "编号和结果：3 好 / 7 无人 / 12 血压高 @周五；不写就从标准输入读",
                ),
                ("on", "哪一天的表（默认今天）"),
            ],
        },
        Help {
            path: "round",
            about: "巡查：开始、记下发现的问题、结束",
            args: &[],
        },
        Help {
            path: "round open",
            about: "开始一次巡查",
            args: &[
                ("area", "哪个网格（负责几个时）"),
                ("on", "哪一天"),
                ("purposes", "巡查什么，工作事项代码；可以多个"),
                ("source", "来自哪里（不是当时记的时候）"),
            ],
        },
        Help {
            path: "round mark",
            about: "记下发现的问题；加 --report 同时上报",
            args: &[
                ("words", "发现了什么"),
                ("place", "在哪里"),
                ("report", "同时作为一条上报"),
                ("category", "上报的类别"),
                ("urgency", "上报的紧急程度 P0 至 P3"),
            ],
        },
        Help {
            path: "round close",
            about: "结束这次巡查",
            args: &[("words", "附一句话")],
        },
        Help {
            path: "round list",
            about: "列出巡查，最近的在前",
            args: &[],
        },
        Help {
            path: "round show",
            about: "查看一次巡查和发现的问题",
            args: &[("id", "巡查编号或其开头")],
        },
    ],
    aliases: &[
        ("today", "今天"),
        ("today print", "打印"),
        ("today enter", "录入"),
        ("round", "巡查"),
        ("round open", "开始"),
        ("round mark", "记下"),
        ("round close", "结束"),
        ("round list", "列表"),
        ("round show", "查看"),
    ],
    codes: &[
        ("kind", "round_book", "巡查", "rounds"),
        ("kind", "access_book", "查看记录", "access records"),
    ],
    fields: &[
        ("reference", "来源编号", "reference"),
        ("ended", "已结束", "ended"),
        ("no_change", "无变化", "all as before"),
    ],
    takes: &[("no_change", "没见到人就不能记「好」；见到谁请写明")],
    refusals: &[],
};

words! {
    round_next {
        zh: "发现问题：wangge 巡查 记下 路灯不亮 --place 村口 --report；完了：wangge 巡查 结束",
        en: "Found something: wangge round mark \"lamp is out\" --place \"village gate\" --report; at the end: wangge round close"
    }
    round_open { zh: "进行中", en: "open" }
    no_rounds { zh: "没有巡查。", en: "No rounds." }
    no_round_here {
        zh: "本机没有进行中的巡查，什么也没有记下。",
        en: "No round is open on this device; nothing was written."
    }
    round_open_command { zh: "wangge 巡查 开始", en: "wangge round open" }
    sheet_boxes { zh: "□好 □无人 ____________", en: "□fine □nobody ____________" }
    sheet_foot {
        zh: "晚上录入：wangge 今天 3 好 / 7 无人 / 12 血压高 @周五",
        en: "In the evening: wangge today 3 fine / 7 nobody / 12 \"blood pressure\" @fri"
    }
    sheet_empty {
        zh: "今天没有到期的。要加住户：wangge 今天 打印 zjg 3-12",
        en: "Nobody is due. To add households: wangge today print zjg 3-12"
    }
    sheet_entered { zh: "已录", en: "entered" }
    sheet_print_command { zh: "wangge 今天 打印", en: "wangge today print" }
    by_hand { zh: "另加", en: "added" }
    today_due { zh: "今天该走访", en: "Due today" }
}

messages! {
    /// Who visited, and who typed it.
    visited_by(visitor: &str, typist: &str) { zh: "{visitor}走访，{typist}录入", en: "visited by {visitor}, typed by {typist}" }
    /// How much was found on a round.
    round_marks(count: usize) { zh: "{count} 处", en: "{count} found" }
    /// A report was made of a mark.
    round_reported(id: &str) { zh: "已同时上报：{id}", en: "Reported as well: {id}" }
    /// No sheet was printed for a day.
    no_sheet(day: &str) {
        zh: "{day} 没有打印过今日表，编号对不上住户，什么也没有记下。",
        en: "No sheet was printed for {day}, so its numbers name nobody; nothing was recorded."
    }
    /// No sheet was printed for a day, but for another.
    no_sheet_but(day: &str, last: &str) {
        zh: "{day} 没有打印过今日表，编号对不上住户，什么也没有记下。最近打印的是 {last} 的：录入时加 --on {last}。",
        en: "No sheet was printed for {day}, so its numbers name nobody; nothing was recorded. The last one is of {last}: enter it with --on {last}."
    }
    /// A number that is not on the sheet.
    not_on_sheet(number: u32) {
        zh: "今日表上没有 {number} 号，这一条没有记下。",
        en: "The sheet has no number {number}; this entry was not recorded."
    }
    /// A number that was entered before.
    entered_before(number: u32, visit: &str) {
        zh: "{number} 号已经录过（走访 {visit}），没有再记一次。",
        en: "Number {number} was entered before (visit {visit}); it was not recorded again."
    }
    /// A part of an entry that does not begin with a number.
    no_number(part: &str) {
        zh: "「{part}」前面没有编号，这一条没有记下。",
        en: "\"{part}\" does not begin with a number; this entry was not recorded."
    }
    /// An entry in which another row's number may stand.
    unclear_entry(part: &str) {
        zh: "「{part}」里好像有两户，这一条没有记下；各户之间请用 / 隔开。",
        en: "\"{part}\" seems to be two rows; it was not recorded. Put / between rows."
    }
    /// A number without a result.
    no_result(number: u32) {
        zh: "{number} 号后面没有写结果，这一条没有记下。",
        en: "Number {number} has no result behind it; this entry was not recorded."
    }
    /// How many were entered.
    sheet_done(recorded: usize, refused: usize) {
        zh: "已记 {recorded} 条，{refused} 条没有记。",
        en: "{recorded} recorded, {refused} not."
    }
    /// A sheet's heading.
    sheet_head(day: &str, name: &str) { zh: "今日表 {day} {name}", en: "Sheet of {day}, {name}" }
    /// What whoever knocks must know.
    sheet_arrangement(text: &str) { zh: "约定：{text}", en: "agreed: {text}" }
    /// How many more are due.
    today_more(count: usize) { zh: "……还有 {count} 户：wangge 走访 到期", en: "… {count} more: wangge visit due" }
}
