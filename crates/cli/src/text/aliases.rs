//! The Chinese name of each command.

/// Words of `help` for the table of exit codes.
pub(crate) const EXIT_CODES: &[&str] = &["exit-codes", "退出码"];

/// Command path and Chinese name of its last part.
const ALIASES: &[(&str, &str)] = &[
    ("init", "初始化"),
    ("enroll", "登记"),
    ("status", "状态"),
    ("area", "区域"),
    ("area list", "列表"),
    ("household", "住户"),
    ("household add", "新增"),
    ("household list", "列表"),
    ("household show", "查看"),
    ("household find", "查找"),
    ("household edit", "修改"),
    ("household import", "导入"),
    ("visit", "走访"),
    ("visit add", "新增"),
    ("visit list", "列表"),
    ("visit show", "查看"),
    ("report", "上报"),
    ("report add", "新增"),
    ("report list", "列表"),
    ("report show", "查看"),
    ("sync", "同步"),
    ("outbox", "发件箱"),
    ("receipts", "回执"),
    ("conflict", "冲突"),
    ("conflict list", "列表"),
    ("conflict show", "查看"),
    ("conflict settle", "处理"),
    ("relay", "中继"),
    ("relay serve", "运行"),
    ("relay invite", "邀请"),
    ("relay devices", "设备"),
    ("relay inbox", "收件箱"),
    ("demo", "演示"),
    ("config", "设置"),
    ("config show", "查看"),
    ("help", "帮助"),
];

/// Returns every command path with the Chinese name of its last part.
pub(crate) fn all() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let topics = super::TOPICS.iter().flat_map(|topic| topic.aliases);
    ALIASES.iter().chain(topics)
}

/// Returns the Chinese name of a command.
pub(crate) fn of(path: &str) -> Option<&'static str> {
    all().find(|(known, _)| *known == path).map(|(_, han)| *han)
}
