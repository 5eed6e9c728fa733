//! What went wrong, whether anything was lost, in both languages.

use super::{Lang, messages, words};

words! {
    error { zh: "错误：", en: "Error: " }
    next_command { zh: "下一步：", en: "Next: " }
    no_folder {
        zh: "不知道把数据放在哪里：没有设置主目录。请用 --home 指定文件夹。",
        en: "There is no folder to keep data in: the environment names no home. Name one with --home."
    }
    init_example {
        zh: "wangge init --offline --name 姓名 --area 网格代码",
        en: "wangge init --offline --name NAME --area CODE"
    }
    in_use {
        zh: "另一个程序正在使用这份数据，这条命令什么也没有做。等它结束后再试。",
        en: "Another program works with this home, so this command did nothing. Try again when it is done."
    }
    too_new {
        zh: "这份数据是更新版本的程序写的，没有打开，也没有改动。请升级本程序。",
        en: "A newer program wrote this data. It was not opened and not changed. Upgrade this program."
    }
    disk_full {
        zh: "磁盘满了，这一次没有记下；以前记的都在。请腾出空间后再输入一次。",
        en: "The disk is full and this was not recorded; everything before it is safe. Make room and type it again."
    }
    name_it_by_id { zh: "请改用上面的编号再输入一次。", en: "Type it again with one of the ids above." }
    document_full {
        zh: "这条记录已经太大，装不下了；您输入的没有保存，原有内容都在。",
        en: "This record is full. What you typed was not saved; what was there is unchanged."
    }
    not_enrolled {
        zh: "这台设备还没有登记到中继，这一步要有中继才能做；记的都在这台设备上，没有丢。",
        en: "This device is not enrolled with a relay, which this needs. Your work is safe on this device."
    }
    wrong_code {
        zh: "登记码不对。请核对后再输入，或向邀请您的人再要一个。这台设备上的数据没有变。",
        en: "The invitation code is wrong. Check it, or ask who invited you for a new one. Nothing on this device changed."
    }
    too_many_tries {
        zh: "登记码输错次数太多，已经作废；请向邀请您的人再要一个。这台设备上的数据没有变。",
        en: "The code was typed wrong too often and is dead; ask who invited you for a new one. Nothing on this device changed."
    }
    code_spent {
        zh: "登记码已经被另一台设备用过；请向邀请您的人再要一个。这台设备上的数据没有变。",
        en: "Another device has used this code; ask who invited you for a new one. Nothing on this device changed."
    }
    code_expired {
        zh: "登记码已经过期（24 小时有效）；请向邀请您的人再要一个。这台设备上的数据没有变。",
        en: "The code has expired (it lives 24 hours); ask who invited you for a new one. Nothing on this device changed."
    }
    wrong_relay {
        zh: "对方不能证明自己是发出登记码的中继，没有登记。请核对地址。",
        en: "The other side could not prove that it made this invitation. Nothing was enrolled. Check the address."
    }
    device_refused {
        zh: "中继不认这台设备（可能已被停用）。记的都在这台设备上，没有丢。请联系管理员。",
        en: "The relay does not accept this device, or no longer does. Your work is safe on this device. Ask the operator."
    }
    no_link {
        zh: "连不上中继。您记的都在这台设备上，没有丢；有信号时再同步。",
        en: "No link to the relay. Your work is safe on this device; sync again when there is a signal."
    }
    not_a_spreadsheet {
        zh: "这不是表格文件（.xlsx .xls .ods .csv），或者已经损坏。什么也没有导入。",
        en: "This is not a spreadsheet (.xlsx .xls .ods .csv), or it is damaged. Nothing was imported."
    }
    roster_no_headings {
        zh: "没有找到表头。要有一行标题，写明每列是什么：户主（或姓名和与户主关系）、门牌号或住址，另可有 组别、联系电话、身份证号、备注 等。什么也没有导入。",
        en: "No headings were found. One row must say what each column is: 户主 (or 姓名 and 与户主关系), 门牌号 or 住址; also 组别, 联系电话, 身份证号, 备注 and others. Nothing was imported."
    }
    roster_protected {
        zh: "这个表格有密码。请另存为没有密码的文件再导入。什么也没有导入。",
        en: "The workbook has a password. Save it without one. Nothing was imported."
    }
    roster_too_large {
        zh: "这个表格太大，请分成几个文件。什么也没有导入。",
        en: "The file is too large; divide it. Nothing was imported."
    }
    relay_full {
        zh: "中继的磁盘满了，没有写进一半的东西；已回执的都在。请腾出空间。",
        en: "The relay's disk is full. Nothing was half-written and all that was receipted is safe. Make room."
    }
    relay_served { zh: "另一个程序正在用这个文件夹提供中继服务。请先停下它，或用 --home 指定别的文件夹。什么也没有改动。", en: "Another program serves this relay folder. Stop it first, or name another folder with --home. Nothing was changed." }
    relay_busy { zh: "中继的数据库正忙，请再试一次。什么也没有丢。", en: "The relay's database is busy; try again. Nothing was lost." }
    unknown_device { zh: "没有这台设备。", en: "There is no such device." }
    nothing_to_change { zh: "没有说要改什么，没有改动。", en: "Nothing was said that should change; nothing was changed." }
    text_needed { zh: "请写明内容。", en: "Say what it is about." }
    household_needed { zh: "请写明是哪一户。", en: "Say which household." }
    visit_words_needed {
        zh: "请写明情况：好、无人、家属，或记一句话；没有记下走访。",
        en: "Say how it was: fine, nobody, family, or a note; no visit was recorded."
    }
    damaged_in_place {
        zh: "数据库里有一处读不出来。什么也没有删除；请再试一次，还是这样就把这个文件夹交给站里的技术人员。",
        en: "Something in the database does not read. Nothing was deleted; try again, and if it stays so hand this folder to whoever helps with computers."
    }
    home_copied {
        zh: "这份本机数据是复制或恢复来的，已换成新的书写身份，记的不会和原来那份混淆。两份不要同时用。",
        en: "This home was copied or put back; it writes as another one from now on, so that nothing is mixed up with the original. Do not use both."
    }
    choice_needed {
        zh: "请说明取哪个值：--use 序号，或 --value 新值。",
        en: "Say which value stands: --use NUMBER, or --value VALUE."
    }
}

messages! {
    /// A damaged database is still beside the home.
    still_set_aside(file: &str) {
        zh: "以前有一份数据损坏，另存在 {file}，里面可能有没送出去的记录。请交给站里的技术人员处理，处理完把它移走。",
        en: "A damaged database is kept at {file}; it may hold records that were never sent. Hand it to whoever helps with computers, and move it away when that is done."
    }
    /// No home in a folder.
    no_home(at: &str) {
        zh: "{at} 里还没有本机数据。",
        en: "There is no home in {at}."
    }
    /// No relay in a folder.
    no_relay(at: &str) { zh: "{at} 里没有中继。", en: "There is no relay in {at}." }
    /// A home is there already.
    home_exists(at: &str) {
        zh: "{at} 里已经有本机数据，没有改动。",
        en: "There is a home in {at} already; it was not changed."
    }
    /// The database was damaged.
    damaged(aside: &str) {
        zh: "数据库损坏了。原文件没有删除，保存在 {aside}，并已另建新库。已同步过的可以从中继取回；没有送出的还在那个文件里，请把它交给管理员。",
        en: "The database was damaged. It was not deleted: it is kept at {aside}, and a new one was begun. What was synced comes back from the relay; what was not sent is still in that file, so hand it to the operator."
    }
    /// One record in the database is damaged.
    record_damaged(id: &str) {
        zh: "编号 {id} 的资料损坏，读不出来。什么也没有删除，其他资料照常能用；请把这个编号告诉站里的技术人员。",
        en: "The record {id} is damaged and does not read. Nothing was deleted, and all others can be used; tell its id to whoever helps with computers."
    }
    /// The database is gone.
    database_gone(at: &str) {
        zh: "{at} 里的数据库不见了，已另建新库。已同步过的可以从中继取回；没有送出的只在原来的文件里，请找回它，交给站里的技术人员。",
        en: "The database in {at} is gone, and a new one was begun. What was synced comes back from the relay; what was not sent is only in the old file, so look for it and hand it to whoever helps with computers."
    }
    /// The database was gone, and nobody has said yet that they saw it.
    was_lost(since: &str) {
        zh: "{since} 原来的数据库不见了；那以前没有送出的记录只在原来的文件里。处理完请运行 wangge status --seen。",
        en: "The database was gone at {since}; what was not sent before that is only in the old file. When that is dealt with, run wangge status --seen."
    }
    /// The relay does not know this device.
    was_refused(since: &str) {
        zh: "{since} 起中继不认这台设备，不能证明所记都在那里；没有送出的都在这台设备上。请站里重新邀请，再运行 wangge enroll。",
        en: "Since {since} the relay does not know this device, and nothing proves that it has what was recorded here; what was not sent is on this device. Ask the station for a new invitation and enrol again."
    }
    /// Nothing in an inbox begins so.
    not_in_inbox(id: &str) { zh: "收件箱里没有编号以「{id}」开头的条目。什么也没有改动。", en: "Nothing in the inbox begins with \"{id}\". Nothing was changed." }
    /// Nothing has this name.
    not_found(name: &str) { zh: "没有找到「{name}」。什么也没有改动。", en: "Nothing is named \"{name}\". Nothing was changed." }
    /// Several have this name.
    ambiguous(name: &str, lines: &str) {
        zh: "「{name}」对应多个，什么也没有记：{lines}",
        en: "\"{name}\" names several; nothing was recorded:{lines}"
    }
    /// Nothing is at a door; what begins so follows.
    nothing_at(door: &str, lines: &str) {
        zh: "没有门牌是「{door}」的住户，什么也没有改动。您是不是要找：{lines}",
        en: "Nothing is at \"{door}\"; nothing was changed. Do you mean:{lines}"
    }
    /// Candidates that are not shown.
    and_more(count: usize) { zh: "\n  ……还有 {count} 户", en: "\n  … {count} more" }
    /// A value is not what its field takes.
    bad_value(field: &str, value: &str, takes: &str) {
        zh: "{field}不能是「{value}」：{takes}。什么也没有保存。",
        en: "{field} does not take \"{value}\": {takes}. Nothing was saved."
    }
    /// An id number says another sex or birth.
    id_number_differs(said: &str) {
        zh: "这个身份证号说的是{said}，和这里记的不一样，可能是别人的号。什么也没有改。核对无误的，请一并写明：",
        en: "This id number says {said}, which is not what is recorded here: it may be somebody else's. Nothing was changed. If it is right, say so too:"
    }
    /// Something is too long.
    too_long(field: &str, limit: usize) {
        zh: "{field}太长或太多，最多 {limit}。什么也没有保存，请改短后再输入。",
        en: "{field} is too long or too many: at most {limit}. Nothing was saved; shorten it and type it again."
    }
    /// An area is not this home's.
    not_your_area(area: &str) {
        zh: "{area} 不在您负责的区域里，什么也没有保存。",
        en: "{area} is not one of your areas. Nothing was saved."
    }
    /// The answer does not read.
    strange_answer(reason: &str) {
        zh: "对方的回答看不懂（{reason}）：地址可能不对，或者中继版本更新。您记的都在这台设备上。",
        en: "The answer does not read ({reason}): the address may be wrong, or the relay newer. Your work is safe on this device."
    }
    /// The address is not safe.
    unsafe_address(url: &str) {
        zh: "{url} 不能用：去别的机器要加密，地址写成 https://…；http:// 不加密，只给本机用。什么也没有送出。",
        en: "{url} cannot be used: another machine is reached encrypted, by https://…; http:// is not encrypted and for this machine only. Nothing was sent."
    }
    /// Somebody else answers.
    other_relay(url: &str) {
        zh: "在 {url} 应答的不是要找的中继：它拿不出那个中继的密钥，或者证书不对。可能有人冒充，也可能地址已经归了别的机器。什么也没有送出，您记的都在这台设备上。请核对地址；地址没错，请告诉管中继的人。",
        en: "Whoever answers at {url} is not the relay that is meant: its key or certificate is another one. Somebody may stand in between, or the address belongs to another machine now. Nothing was sent; your work is safe on this device. Check the address; if it is right, tell the relay's operator."
    }
    /// A file cannot be read.
    unreadable(path: &str, reason: &str) {
        zh: "读不了 {path}（{reason}）。什么也没有改动。",
        en: "{path} cannot be read ({reason}). Nothing was changed."
    }
    /// A roster cannot be read.
    roster_unreadable(reason: &str) {
        zh: "读不了这个文件（{reason}）。什么也没有导入。",
        en: "The file cannot be read ({reason}). Nothing was imported."
    }
    /// A sheet is damaged.
    roster_damaged(sheet: &str) {
        zh: "工作表「{sheet}」损坏，请在表格软件里另存一次。什么也没有导入。",
        en: "The sheet \"{sheet}\" is damaged; save the file anew. Nothing was imported."
    }
    /// Something inside is wrong.
    internal(what: &str) {
        zh: "程序内部出错（{what}）。以前记的都在这台设备上。",
        en: "Something inside went wrong ({what}). What was recorded before is safe on this device."
    }
    /// A relay's file is damaged.
    relay_damaged(path: &str) {
        zh: "{path} 损坏了，没有打开，也没有改动。请把备份恢复到另一个文件夹。各设备上的记录还在。",
        en: "{path} is damaged. It was not opened and not changed. Restore a backup in another folder; the devices still hold their work."
    }
    /// Not loopback.
    not_loopback(address: &str) {
        zh: "{address} 不是本机地址：--behind-proxy 不加密，只能在本机上由反向代理转过来。直接对别的机器开放，请去掉 --behind-proxy，就会加密。",
        en: "{address} is not on this machine only: with --behind-proxy nothing is encrypted here, and a program on this machine must be what comes. Leave --behind-proxy out to serve other machines, encrypted."
    }
    /// The address cannot be listened on.
    cannot_listen(address: &str, reason: &str) {
        zh: "不能在 {address} 上监听（{reason}）。",
        en: "Cannot listen on {address} ({reason})."
    }
    /// Output was not written.
    output_failed(reason: &str) {
        zh: "结果没能全部写出（{reason}）。数据没有丢。",
        en: "The output could not be written in full ({reason}). No data was lost."
    }
    /// A check of the demo failed.
    demo_failed(what: &str) { zh: "演示没有通过：{what}。", en: "The demo did not hold: {what}." }
    /// A word is no day.
    no_day(word: &str) {
        zh: "看不懂日期「{word}」，什么也没有记。写法如 @明天 @周五 @11-30。",
        en: "\"{word}\" is no day; nothing was recorded. Write @tomorrow, @fri or @11-30."
    }
    /// Two words say different things.
    not_both(one: &str, other: &str) {
        zh: "「{one}」和「{other}」只能写一个，什么也没有记。",
        en: "\"{one}\" and \"{other}\" cannot both be; nothing was recorded."
    }
    /// A word is no kind of ticket.
    no_ticket_kind(word: &str) {
        zh: "看不懂「{word}」，什么也没有记。可用：+代办 +求助 +咨询 +投诉 +建议 +表扬。",
        en: "\"{word}\" is no kind of ticket; nothing was recorded. Use +errand +help +inquiry +complaint +suggestion +praise."
    }
    /// A code is no area.
    no_area_code(code: &str) {
        zh: "「{code}」不是区域代码：应为 6、9、12 或 15 位数字。",
        en: "\"{code}\" is no area code: it has 6, 9, 12 or 15 digits."
    }
    /// A word is no command of help.
    no_topic(word: &str) { zh: "没有「{word}」这条命令。", en: "There is no command \"{word}\"." }
}

/// What was expected, in the façade's words, and its Chinese where the field alone does not say it.
const EXPECTED: &[(&str, &str)] = &[
    ("a day after the visit", "应为走访当天或以后的日期"),
    (
        "a day since when the tag is there",
        "应为这个关爱类别开始那天或以后的日期",
    ),
    ("a day not before the first", "应为不早于第一天的日期"),
    (
        "two workers of these areas",
        "应为另一位网格员，移交的人自己也要有网格",
    ),
    (
        "left empty: an anonymous report names nobody",
        "匿名的不记姓名和联系方式，请留空",
    ),
    ("a day within the next two years", "应为两年以内的日期"),
    ("a care tag the member has", "这位成员没有这个关爱类别"),
    ("another household", "应为另一户"),
    ("two households", "应为两户"),
    ("the remark", "请写明批注"),
    ("what was found", "请写明发现了什么"),
    ("what is needed", "请写明需要什么"),
    ("said only of a restricted report", "只有限制知悉的上报才写"),
    ("a member who lives here", "应为住在这一户的成员"),
];

impl Lang {
    /// Returns what a field takes: the façade's own words in English, ours in Chinese.
    pub(crate) fn takes(self, field: &str, expected: &str) -> String {
        if self == Lang::En {
            return expected.to_owned();
        }
        // One field may be wrong in several ways; what was expected then says which.
        let told = EXPECTED.iter().find(|(known, _)| *known == expected);
        if let Some((_, han)) = told {
            return (*han).to_owned();
        }
        let han = match field {
            "area" => "应为您负责的网格的 15 位代码",
            "phone" => "应为 1 开头的 11 位手机号，或带区号的座机号",
            "on" => "应为 2000 年以后、最晚明天的日期，如 2026-11-23",
            "follow_up_on" => "应为 2026-11-23 这样的日期",
            "due" => "应为今天或以后的日期，如 2026-12-23",
            "mode" => "可用：上门 电话 视频 代访",
            "met" => "可用：本人 家属 无人在家 拒访",
            "purposes" => "应为工作事项的代码或名称，如 关爱探访",
            "identity" => "可用：实名 实名保密 匿名",
            "urgency" => "可用：P0 P1 P2 P3",
            "category" => "应为事项代码、小类，或 大类/小类",
            "kind" => "可用：咨询 求助 投诉 建议 表扬 代办",
            "residence" => "可用：常住 整户外出 空房 迁出",
            "id_number" => "应为 18 位、校验码正确的身份证号",
            "relation" => "应为与户主关系，如 配偶 长子 父亲",
            "sex" => "可用：男 女",
            "birth" => "应为已经过去的年月，如 1967-09 或 1967",
            "care" => "应为关爱类别，如 独居老人",
            "done_kind" => "可用：实质 阶段 程序",
            "choice" => "应为所列值的序号",
            "text" => "请写明内容",
            "subject" => "请用一句话写明诉求",
            "household" => "请写明是哪一户",
            _ => {
                let mut topics = super::TOPICS.iter().flat_map(|topic| topic.takes);
                let known = topics.find(|(known, _)| *known == field);
                known.map_or("写法不对，请用 --help 看看该怎么写", |(_, han)| han)
            }
        };
        han.to_owned()
    }

    /// Returns that nothing is at a door, with what begins so and how many more do.
    pub(crate) fn no_such_door(self, door: &str, lines: &str, more: usize) -> String {
        match more {
            0 => self.nothing_at(door, lines),
            more => self.nothing_at(door, lines) + &self.and_more(more),
        }
    }

    /// Returns a refused value as people say it, where what is refused is a code and not what was typed.
    pub(crate) fn value<'a>(self, field: &str, value: &'a str) -> &'a str {
        match field {
            "no_change" => self.code("met", value),
            "care" => self.code("care", value),
            _ => value,
        }
    }

    /// Returns why there can be no such invitation.
    pub(crate) fn bad_invitation(self, what: &str) -> String {
        let zh = match what {
            "name is empty" => "没有写姓名",
            "name is too long" => "姓名太长",
            "areas are missing" => "没有写区域",
            "areas are too many" => "区域太多",
            "areas are grids, and a relay serves villages at the least" => {
                "下级中继管的至少是一个村，不能是网格"
            }
            "areas lie outside what this relay serves" => "区域不在这个中继管的范围里",
            "areas are too large for a relay below this one" => {
                "下级中继管的区域要比这个中继的小一级"
            }
            "codes are all in use" => "登记码都在用，过一会儿再发",
            other => other,
        };
        match self {
            Lang::Zh => format!("邀请不成立：{zh}。"),
            Lang::En => format!("There can be no such invitation: its {what}."),
        }
    }

    /// Returns why a ticket does not allow a step, as a sentence.
    pub(crate) fn ticket_refused(self, code: &str) -> String {
        let why = self.refusal(code);
        match self {
            Lang::Zh => format!("工单不能这样办：{why}。什么也没有改动。"),
            Lang::En => format!("The ticket does not allow this: {why}. Nothing was changed."),
        }
    }

    /// Returns why a ticket does not allow a step, as the part of a sentence.
    pub(crate) fn refusal(self, code: &str) -> &'static str {
        let (zh, en) = super::TOPICS
            .iter()
            .flat_map(|topic| topic.refusals)
            .find(|(known, ..)| *known == code)
            .map_or(
                ("本程序不认识这一步", "this program does not know the step"),
                |(_, zh, en)| (*zh, *en),
            );
        self.pick(zh, en)
    }
}
