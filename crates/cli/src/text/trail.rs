//! History, undoing and lists as files, in words.

use super::help::Help;
use super::{Lang, Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[Help {
        path: "undo",
        about: "撤销本机最后一次操作；不删除，只记下撤销",
        args: &[("dry_run", "只看会撤销什么，不撤销")],
    }],
    aliases: &[("undo", "撤销")],
    codes: &[
        (
            "refused_line",
            "in_conflict",
            "有两个不同的值，要先处理冲突",
            "two values that somebody settles first",
        ),
        ("record", "visit", "走访", "visit"),
        ("record", "round", "巡查", "round"),
        ("record", "report", "上报", "report"),
        ("record", "household", "住户", "household"),
        ("record", "member", "家庭成员", "member"),
        ("record", "care", "关爱", "care"),
        ("record", "need", "需求", "need"),
        ("record", "comment", "批注", "remark"),
        ("record", "consent", "同意", "consent"),
        ("record", "custody", "代管", "custody"),
        ("record", "entry", "记录", "entry"),
        ("record", "ticket", "工单", "ticket"),
        ("record", "step", "工单的一步", "step"),
        ("record", "field", "修改", "edit"),
        (
            "undo_left",
            "changed_since",
            "后来又改过，保留后来的",
            "it was changed since; the later value stays",
        ),
        (
            "undo_left",
            "moved",
            "调整网格不能这样撤销，请再调整一次",
            "a move is not taken back like this; move it again",
        ),
        (
            "undo_left",
            "leaned_on",
            "别人已有改动，或名下还有走访、上报、工单",
            "others changed it, or it has visits, reports or tickets",
        ),
        (
            "undo_left",
            "settled",
            "它处理了一处冲突，撤销会悄悄选定一个值",
            "it settled a conflict; taking it back would silently choose a value",
        ),
    ],
    fields: &[
        (
            "id_hash",
            "证件核过两次，号码不同",
            "two different numbers were checked",
        ),
        ("void", "已撤销", "taken back"),
        ("id_checked", "证件已核", "the id was checked"),
        ("away", "外出务工", "away for work"),
        ("same", "无变化", "no change"),
        ("next", "回访日期", "the day to come back"),
        ("for", "走访事由", "the purpose"),
        ("tag", "关爱类别", "the care tag"),
        ("collective", "群体性", "whether it is collective"),
        ("handled", "当场处理", "what was done at once"),
        ("code", "工单号", "the number"),
        ("first_asked", "首问", "who was asked first"),
        ("at", "记录时间", "the moment"),
        ("out", "输出文件", "the file"),
    ],
    takes: &[
        ("out", "文件名应以 .csv 或 .xlsx 结尾"),
        ("head", "应为一位家庭成员的姓名"),
        ("value", "这个字段不能这样填"),
    ],
    refusals: &[],
};

words! {
    conflict_list_command { zh: "wangge 冲突 列表", en: "wangge conflict list" }
    nothing { zh: "（空）", en: "(nothing)" }
    nothing_to_undo { zh: "没有可以撤销的。", en: "There is nothing to take back." }
    taken_back { zh: "已撤销", en: "taken back" }
    sheet_households { zh: "住户", en: "households" }
    sheet_visits { zh: "走访", en: "visits" }
    sheet_reports { zh: "上报", en: "reports" }
    sheet_due { zh: "该走访的", en: "due" }
    sheet_tickets { zh: "工单", en: "tickets" }
    col_group { zh: "组", en: "group" }
    col_mode { zh: "方式", en: "mode" }
    col_met { zh: "见到", en: "met" }
    col_purposes { zh: "事由", en: "purpose" }
    col_no_change { zh: "无变化", en: "no change" }
    col_come_back { zh: "回访", en: "come back" }
}

messages! {
    /// A field has more than one value.
    in_conflict(field: &str) {
        zh: "「{field}」有两个不同的值，还没有人处理；这次没有改动，两个值都在。",
        en: "{field} has two values that nobody has settled; nothing was changed, both are kept."
    }
    /// A list was written to a file.
    list_written(rows: usize, file: &str) {
        zh: "✓ {rows} 条已写入 {file}（姓名、电话、门牌已隐去）",
        en: "✓ {rows} rows in {file} (names, numbers and doors are masked)"
    }
    /// A file is there already.
    file_exists(file: &str) {
        zh: "{file} 已经有了，没有改动。要替换它，请加 --force。",
        en: "{file} is there already and was not changed. Add --force to replace it."
    }
    /// A file is there already, and nothing writes over it.
    file_exists_here(file: &str) {
        zh: "{file} 已经有了，没有改动，什么也没有另存。请在 --out 后面换一个文件名。",
        en: "{file} is there already and was not changed; nothing was copied. Name another file after --out."
    }
    /// A file cannot be written.
    unwritable(file: &str, reason: &str) {
        zh: "写不了 {file}（{reason}）。没有留下半个文件，本机的记录没有变。",
        en: "{file} cannot be written ({reason}). Nothing half was left, and nothing on this device changed."
    }
    /// What was taken back.
    undone(when: &str) { zh: "✓ 已撤销 {when} 的操作：", en: "✓ Taken back, as done {when}:" }
    /// What would be taken back.
    would_undo(when: &str) { zh: "将撤销 {when} 的操作：", en: "Would be taken back, as done {when}:" }
    /// Rows that are not shown.
    rows_more(count: usize) { zh: "……还有 {count} 项", en: "… {count} more" }
    /// What was not taken back.
    not_undone(title: &str, field: &str, reason: &str) {
        zh: "! 没有撤销：{title} {field}（{reason}）",
        en: "! Not taken back: {title} {field} ({reason})"
    }
}

impl Lang {
    /// Returns a village group; nothing where it is not known.
    pub(crate) fn group_of(self, group: i64) -> String {
        match group {
            0 => String::new(),
            group => self.pick(format!("{group}组"), format!("group {group}")),
        }
    }
}
