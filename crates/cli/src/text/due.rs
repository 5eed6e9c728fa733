//! Clocks and who is due, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "visit due",
            about: "该走访谁：逾期的在前，并说明原因",
            args: &[("area", "只看这个区域"), ("on", "看哪一天；不写就是今天")],
        },
        Help {
            path: "config set",
            about: "改一项设置；不写值就恢复默认",
            args: &[("name", "「设置 查看」里列出的名称"), ("value", "改成什么")],
        },
    ],
    aliases: &[("visit due", "到期"), ("config set", "修改")],
    codes: &[
        ("every", "weekly", "每周", "weekly"),
        ("every", "monthly", "每月", "monthly"),
        ("every", "quarterly", "每季度", "quarterly"),
        ("every", "off", "不定期", "when asked"),
        ("due_reason", "follow_up", "约好回访", "said to come back"),
        ("due_reason", "round", "季度普访", "quarterly round"),
        ("clock", "unset", "时钟没有设过", "the clock was never set"),
        ("clock", "ahead", "时钟快了", "the clock was ahead"),
        ("clock", "back", "时钟倒退过", "the clock went back"),
        ("light", "green", "正常", "in time"),
        ("light", "warn", "预警", "soon due"),
        ("light", "yellow", "超时", "overdue"),
        ("light", "red", "严重超时", "long overdue"),
    ],
    fields: &[
        ("setting", "设置名称", "the name of the setting"),
        ("limit", "时限", "the limit"),
        ("interval", "走访间隔", "the interval"),
        ("warn_percent", "预警百分比", "the percentage to warn at"),
        ("weekly_age", "每周走访的年龄", "the age of weekly visits"),
        ("round_of_all", "季度普访", "the round of all"),
        ("pauses", "暂停计时", "the pause of clocks"),
        ("station_phone", "网格站电话", "the station's telephone"),
        ("complaint_line", "投诉电话", "the complaint line"),
    ],
    takes: &[
        ("setting", "应为「wangge 设置 查看」里列出的名称"),
        ("limit", "写法如 4h（小时）或 5d（工作日）"),
        ("interval", "可用：weekly monthly quarterly off"),
        ("warn_percent", "应为 1 至 99"),
        ("weekly_age", "应为 50 至 120"),
        ("round_of_all", "可用：on off"),
        (
            "pauses",
            "应为两个日期和原因，如 2026-08-01..2026-08-05 防汛应急",
        ),
        ("station_phone", "最多 60 个字"),
        ("complaint_line", "最多 60 个字"),
    ],
    refusals: &[],
};

words! {
    col_why_due { zh: "原因", en: "why" }
    col_last_met { zh: "上次见到", en: "last met" }
    col_due_on { zh: "到期", en: "due" }
    col_confirmed { zh: "上次无变化", en: "confirmed" }
    due_now { zh: "今天", en: "today" }
}

messages! {
    /// Nobody is due.
    nobody_due(day: &str) { zh: "{day}没有到期要走访的。", en: "Nobody is due {day}." }
    /// How many are due.
    due_count(total: i64, overdue: usize) {
        zh: "共 {total} 户，逾期 {overdue} 户",
        en: "{total} households, {overdue} overdue"
    }
    /// Since when it is overdue.
    overdue(day: &str, days: i64) { zh: "{day} 逾期 {days} 天", en: "{day}, {days} days over" }
    /// Somebody came and met nobody.
    tried(day: &str) { zh: "（{day} 去过没见到）", en: " (tried {day})" }
    /// Nothing is computed from an area that is not complete here.
    area_not_ready(area: &str) {
        zh: "{area}还没有取全，先不算。下一步：wangge 同步",
        en: "{area} is not complete on this device, so nothing is said of it. Next: wangge sync"
    }
    /// Something was saved under a clock that cannot be right.
    clock_wrong(what: &str, now: &str) {
        zh: "! 已保存到本机，但这台设备的时间看来不对：{what}（现在显示 {now}）。请校准时间；要说明是哪一天，用 --on 日期。",
        en: "! Saved on this device, but its clock looks wrong: {what} (it says {now}). Set the clock; say the day with --on DAY."
    }
    /// The settings do not read.
    bad_settings(at: &str, line: usize) {
        zh: "设置文件 {at} 读不懂（第 {line} 行），没有动它；所记都在，没有丢。请改正或移走这个文件。",
        en: "The settings in {at} do not read (line {line}); the file was left as it is and no record is lost. Mend it or move it away."
    }
    /// A setting was set.
    setting_set(name: &str, value: &str) { zh: "✓ {name} = {value}", en: "✓ {name} = {value}" }
}
