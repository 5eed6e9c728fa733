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
            args: &[(
                "checkpoint",
                "某台设备见过的末尾：那里「审计 末尾」印出的一段",
            )],
        },
        Help {
            path: "audit",
            about: "本机见过的中继审计记录",
            args: &[],
        },
        Help {
            path: "audit checkpoint",
            about: "印出本机见过的审计记录末尾，给在中继核对的人",
            args: &[],
        },
    ],
    aliases: &[
        ("relay audit", "审计"),
        ("relay audit list", "列表"),
        ("relay audit verify", "核对"),
        ("audit", "审计"),
        ("audit checkpoint", "末尾"),
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
            "recovery_ordered",
            "更换恢复密钥",
            "ordered a recovery key",
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
    audit_end_open {
        zh: "末尾有没有被截断，要和某台设备见过的比：--checkpoint。",
        en: "Whether the end was cut off shows against what a device saw: --checkpoint."
    }
    audit_doubted {
        zh: "中继的审计记录被截断或改过：和本机见过的不一样。请告诉县里；本机留着见过的末尾（wangge audit checkpoint）。",
        en: "The relay's audit log was cut or changed: it is not what this device saw. Tell the county; what was seen is kept here (wangge audit checkpoint)."
    }
    nothing_witnessed {
        zh: "本机还没有见过审计记录；同步一次就有。",
        en: "Nothing was seen yet; a sync brings it."
    }
    no_checkpoint {
        zh: "这不是设备印出的审计末尾，没有比。",
        en: "That is no checkpoint as a device prints it; nothing was compared."
    }
    checkpoint_not_ours {
        zh: "那段末尾不是这个中继签的，不能作证。",
        en: "This relay did not sign that checkpoint; it proves nothing here."
    }
    nothing_audited { zh: "这段时间没有审计记录。", en: "Nothing was written down in that time." }
}

messages! {
    /// Many rows that are to leave as a file.
    many_rows(rows: usize, most: usize) {
        zh: "这份名单有 {rows} 行，超过 {most} 行。没有写文件；确实要整份导出，加 --yes。",
        en: "The list has {rows} rows, more than {most}. No file was written; if all of it is to leave, add --yes."
    }
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
        zh: "审计记录共 {rows} 条，一条没有被改、被删、被添。",
        en: "All {rows} rows are as they were written, none taken out, none put in."
    }
    /// What a device saw.
    witnessed(relay: &str, n: u64, at: &str) {
        zh: "中继 {relay}：{at} 见到第 {n} 条为止",
        en: "Relay {relay}: seen up to row {n} at {at}"
    }
    /// A checkpoint fits.
    checkpoint_fits(n: u64) {
        zh: "设备见过的第 {n} 条还在，一样。",
        en: "Row {n}, which the device saw, is there as it was."
    }
    /// A checkpoint of a chain before a restore.
    checkpoint_restored(n: u64, by: u64) {
        zh: "设备见过的第 {n} 条在备份以后：第 {by} 条记着中继从备份恢复过。",
        en: "Row {n}, which the device saw, came after the backup that this relay was restored from: row {by} says so."
    }
    /// A chain that ends too early.
    checkpoint_cut(n: u64, end: u64) {
        zh: "设备见过第 {n} 条，现在只到第 {end} 条：末尾被截断了。",
        en: "The device saw row {n}, and the chain ends at {end}: its end was cut off."
    }
    /// A row that is another one.
    checkpoint_changed(n: u64) {
        zh: "第 {n} 条不是设备见过的那一条：审计记录被改写过。",
        en: "Row {n} is not the one that the device saw: the chain was written anew."
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
