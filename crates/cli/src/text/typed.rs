//! Words people type: what the thirty-second forms understand.

use chrono::Weekday;

/// How long something lasts, in minutes.
pub(crate) const MINUTES: &[(&str, u64)] = &[
    ("h", 60),
    ("小时", 60),
    ("m", 1),
    ("min", 1),
    ("分", 1),
    ("分钟", 1),
];

/// Everything is as it was.
pub(crate) const FINE: &[&str] = &[
    "好",
    "安好",
    "都好",
    "一切都好",
    "正常",
    "平安",
    "无变化",
    "没变化",
    "ok",
    "fine",
    "good",
    "same",
];

/// Who was met: the word and what the façade takes.
pub(crate) const MET: &[(&str, &str)] = &[
    ("本人", "person"),
    ("家属", "family"),
    ("家人", "family"),
    ("无人", "nobody"),
    ("无人在家", "nobody"),
    ("没人", "nobody"),
    ("不在", "nobody"),
    ("不在家", "nobody"),
    ("拒访", "declined"),
    ("不见", "declined"),
    ("nobody", "nobody"),
    ("family", "family"),
    ("declined", "declined"),
];

/// How the household was reached: the word and what the façade takes.
pub(crate) const MODE: &[(&str, &str)] = &[
    ("上门", "door"),
    ("入户", "door"),
    ("电话", "phone"),
    ("视频", "video"),
    ("代访", "deputy"),
    ("phone", "phone"),
    ("video", "video"),
    ("deputy", "deputy"),
];

/// Days by name and how far ahead they are.
pub(crate) const DAYS: &[(&str, u64)] = &[
    ("今天", 0),
    ("明天", 1),
    ("明日", 1),
    ("后天", 2),
    ("大后天", 3),
    ("下周", 7),
    ("today", 0),
    ("tomorrow", 1),
];

/// Days by name and how far back they are.
pub(crate) const PAST_DAYS: &[(&str, u64)] = &[
    ("今天", 0),
    ("昨天", 1),
    ("昨日", 1),
    ("前天", 2),
    ("大前天", 3),
    ("today", 0),
    ("yesterday", 1),
];

/// Signs that may stand between a row's number and what is said of it.
pub(crate) const AFTER_NUMBER: &[char] = &['.', ':', '-', ')', '、', '。', '号'];

/// Signs that end an entry of the sheet.
pub(crate) const ENTRY_ENDS: &[char] = &['\n', ';', '；'];

/// Signs that part two entries; the first of them only with room around it.
pub(crate) const SLASHES: &[char] = &['/', '／'];

/// What ends a village group, all that is left of a masked door.
pub(crate) const GROUP_SIGN: char = '组';

/// What stands before a weekday of the week after this one.
pub(crate) const NEXT_WEEK: &[&str] = &["下周", "下星期", "下礼拜"];

/// What stands before a weekday.
pub(crate) const WEEK: &[&str] = &["本周", "这周", "周", "星期", "礼拜"];

/// The days of the week.
pub(crate) const WEEKDAYS: &[(&str, Weekday)] = &[
    ("一", Weekday::Mon),
    ("二", Weekday::Tue),
    ("三", Weekday::Wed),
    ("四", Weekday::Thu),
    ("五", Weekday::Fri),
    ("六", Weekday::Sat),
    ("日", Weekday::Sun),
    ("天", Weekday::Sun),
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// Signs that end a day and say nothing more.
pub(crate) const DAY_MARKS: &[char] = &['日', '号'];

/// Signs that part year, month and day.
pub(crate) const DATE_MARKS: &[char] = &['年', '月'];

/// Answers of the loop: fine, nobody there, a note.
pub(crate) const ANSWERS: [&str; 3] = ["安好", "无人", "记一笔"];

/// Whom a slip is for: who handles the ticket.
pub(crate) const HANDLER: &[&str] = &["handler", "办理人", "承办", "承办人"];

/// Whom a slip is for: who asked.
pub(crate) const RESIDENT: &[&str] = &["resident", "居民"];

/// Ends the loop.
pub(crate) const QUIT: &[&str] = &["q", "quit", "退出", "完"];

/// Kinds of ticket: the word after `+` and what the façade takes.
pub(crate) const TICKETS: &[(&str, &str)] = &[
    ("代办", "errand"),
    ("帮办", "errand"),
    ("求助", "help"),
    ("咨询", "inquiry"),
    ("投诉", "complaint"),
    ("建议", "suggestion"),
    ("表扬", "praise"),
    ("errand", "errand"),
    ("help", "help"),
    ("inquiry", "inquiry"),
    ("complaint", "complaint"),
    ("suggestion", "suggestion"),
    ("praise", "praise"),
];
