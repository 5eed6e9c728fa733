//! What is hidden, who looked, and what a note must not hold, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[Help {
        path: "call",
        about: "显示要打的电话；谁查的、为什么，先记下来",
        args: &[
            ("name", "哪一户、哪条上报或哪张工单"),
            (
                "reason",
                "事由：上门服务、核对信息、办理业务、居民要求、应急，或四个字以上的说明",
            ),
        ],
    }],
    aliases: &[("call", "致电")],
    codes: &[
        ("access_what", "reveal", "查看", "shown"),
        ("access_what", "call", "致电", "called"),
        ("access_what", "export", "导出", "written to a file"),
        ("access_why", "visit", "上门服务", "visit"),
        ("access_why", "check", "核对信息", "check"),
        ("access_why", "errand", "办理业务", "errand"),
        ("access_why", "request", "居民要求", "request"),
        ("access_why", "emergency", "应急", "emergency"),
        ("kind", "access_book", "查看记录", "access book"),
        (
            "sign",
            "restricted",
            "家庭暴力或伤害儿童（请用「上报 --restricted」，只到乡镇；紧急请拨 110）",
            "family violence or harm to a child (record it with report --restricted; call 110 when urgent)",
        ),
        ("sign", "id_number", "身份证号", "an identity number"),
        (
            "sign",
            "id_part",
            "身份证号的一部分",
            "a part of an identity number",
        ),
        ("sign", "bank_card", "银行卡号", "a bank card's number"),
        ("sign", "phone", "电话号码", "a telephone number"),
        (
            "sign",
            "word",
            "与服务无关的敏感词",
            "a word that has nothing to do with service",
        ),
        (
            "sign",
            "complaint",
            "对工作人员的投诉（请打网格站电话或 12345，不在此登记）",
            "a complaint about somebody who works here (call the station or 12345)",
        ),
        (
            "sign",
            "crime",
            "违法犯罪线索（请拨 110，不在此登记）",
            "evidence of a crime (call 110)",
        ),
        (
            "refused_line",
            "looked_at",
            "有不该保存的内容",
            "holds what is not saved",
        ),
        (
            "refused",
            "note_id_number",
            "备注里有身份证号，这一段没有导入",
            "an identity number in a remark; that part was left out",
        ),
        (
            "refused",
            "note_bank_card",
            "备注里有银行卡号，这一段没有导入",
            "a bank card in a remark; that part was left out",
        ),
        (
            "refused",
            "note_word",
            "备注里有不该保存的词，这一段没有导入",
            "a word that is not kept, in a remark; that part was left out",
        ),
    ],
    fields: &[
        ("text", "内容", "the text"),
        ("reason", "理由", "the reason"),
        ("comment", "批注", "the comment"),
        ("detail", "详情", "the detail"),
        ("subject", "诉求", "the subject"),
        ("how", "方式", "the way"),
        ("whom", "对谁", "whom"),
        ("to", "给谁", "to whom"),
        ("about", "涉及的人", "whom it is about"),
    ],
    takes: &[
        (
            "reason",
            "可用：上门服务 核对信息 办理业务 居民要求 应急，或写四个字以上",
        ),
        ("requester", "匿名的不写姓名"),
        ("contact", "匿名的不写联系方式"),
        ("about", "只有 --restricted 时才写"),
    ],
    refusals: &[],
};

words! {
    no_access { zh: "没有人查看过。", en: "Nobody asked to see it." }
    no_phone_known { zh: "没有可打的电话；没有记查看。", en: "No number is known, so no access was written down." }
    about_author { zh: "涉及的就是记录人", en: "it is about whoever records it" }
    about_named { zh: "会送到它涉及的人手里", en: "it would come to whom it is about" }
    reaches_all { zh: "涉及的人看得到全县", en: "whom it is about receives all of the county" }
    keep_example {
        zh: "去掉后再输入；确需保留的，在原命令后加 --keep-note",
        en: "Type it again without that, or repeat the command with --keep-note"
    }
}

messages! {
    /// Something hidden was asked for without saying why.
    reason_needed(ready: &str) {
        zh: "要看隐藏的内容或电话，请写明事由：{ready}，或四个字以上的说明。什么也没有显示，也没有记。",
        en: "Say why you need what is hidden: {ready}, or four characters or more. Nothing was shown and nothing written down."
    }
    /// A restricted record has no place here.
    not_taken_here(why: &str) {
        zh: "这里不能登记：{why}。什么也没有记。请拨 12345；紧急的请拨 110。",
        en: "This cannot be recorded here: {why}. Nothing was recorded. Call 12345, or 110 when it is urgent."
    }
    /// A text holds what is never saved.
    never_saved(field: &str, words: &str, masked: &str) {
        zh: "{field}里有{words}，任何地方都不保存，所以这一次没有记下。请去掉星号处再输入：{masked}",
        en: "There is {words} in {field}. That is saved nowhere, so nothing was recorded. Type it again without the stars: {masked}"
    }
    /// A text holds what is pointed out once.
    pointed_out(field: &str, words: &str, masked: &str) {
        zh: "{field}里有{words}，先提醒一次，还没有记下：{masked}",
        en: "There is {words} in {field}; this is pointed out once and nothing was recorded yet: {masked}"
    }
}
