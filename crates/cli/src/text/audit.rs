//! The audit chain, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "relay audit",
            about: "中继上做过的事、谁做的：列出、核对",
            args: &[],
        },
        Help {
            path: "relay audit list",
            about: "列出做过的事，最后的在末尾",
            args: &[("since", "从哪天起")],
        },
        Help {
            path: "relay audit verify",
            about: "核对审计记录没有被改、被删、被添",
            args: &[],
        },
    ],
    aliases: &[
        ("relay audit", "审计"),
        ("relay audit list", "列表"),
        ("relay audit verify", "核对"),
    ],
    codes: &[
        ("audit", "began", "中继建立", "began"),
        ("audit", "invited", "发出邀请", "invited"),
        (
            "audit",
            "invitation_used",
            "用了登记码",
            "used an invitation",
        ),
        ("audit", "granted", "授权", "granted"),
        ("audit", "revoked", "停用", "revoked"),
        ("audit", "covered", "请假或顶替", "leave or cover"),
        ("audit", "unit_ordered", "部门", "unit"),
        ("audit", "relay_below", "下级中继", "relay below"),
        ("audit", "relay_above", "上级中继", "relay above"),
        ("audit", "lease_code", "给了续租码", "made a lease code"),
        (
            "audit",
            "accepted",
            "收件箱：接收",
            "accepted from the inbox",
        ),
        (
            "audit",
            "rehomed",
            "收件箱：换区接收",
            "accepted into another area",
        ),
        (
            "audit",
            "discarded",
            "收件箱：弃用",
            "discarded from the inbox",
        ),
        ("audit", "held", "暂扣", "held"),
        (
            "audit",
            "released",
            "放行重试",
            "released to be tried again",
        ),
        ("audit", "backup_begun", "开始备份", "began a backup"),
        ("audit", "restored", "从备份恢复", "restored from a backup"),
        ("audit", "purge_told", "发出清空令", "told to purge"),
        (
            "audit",
            "incident_reported",
            "查丢失设备的资料",
            "reported on a lost device",
        ),
        (
            "audit",
            "looked",
            "查看隐藏内容",
            "looked at what is hidden",
        ),
        (
            "audit",
            "unknown",
            "（新版程序所记）",
            "(a newer program's)",
        ),
    ],
    fields: &[],
    takes: &[],
    refusals: &[],
};

words! {
    col_who { zh: "谁", en: "who" }
    col_about { zh: "对什么", en: "to what" }
    operator { zh: "中继管理员", en: "the operator" }
    nothing_audited { zh: "这段时间没有审计记录。", en: "Nothing was written down in that time." }
}

messages! {
    /// A day that cannot be read.
    no_such_audit_day(typed: &str) {
        zh: "看不懂日期「{typed}」。可以写 11-30、2026-11-30、昨天。",
        en: "\"{typed}\" is no day. Write 11-30, 2026-11-30, yesterday."
    }
    /// A relay that did something by itself.
    relay_itself(id: &str) {
        zh: "中继 {id}",
        en: "relay {id}"
    }
    /// The chain is whole.
    audit_whole(rows: u64) {
        zh: "审计记录共 {rows} 条，一条没有被改、被删、被添。末尾有没有被截断，要和设备见过的比。",
        en: "All {rows} rows are as they were written, none taken out, none put in. Whether the end was cut off only a device that saw it can say."
    }
    /// A row was changed.
    audit_changed(n: u64) {
        zh: "第 {n} 条审计记录被改过。它前面的都没有动过；从它起都不能再作证。",
        en: "Row {n} is not as it was written. Those before it are; from it on nothing is proven."
    }
    /// A row is gone.
    audit_missing(n: u64) {
        zh: "第 {n} 条审计记录不见了。它前面的都没有动过；从它起都不能再作证。",
        en: "Row {n} is gone. Those before it are as they were written; from it on nothing is proven."
    }
    /// A row was put in.
    audit_inserted(n: u64) {
        zh: "第 {n} 条审计记录是后来添的。它前面的都没有动过；从它起都不能再作证。",
        en: "Row {n} was put in later. Those before it are as they were written; from it on nothing is proven."
    }
}
