//! What is hidden, who looked, and what a note must not hold, in words.

use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[
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
    ],
    takes: &[],
    refusals: &[],
};

words! {
    keep_example {
        zh: "去掉后再输入；确需保留的，在原命令后加 --keep-note",
        en: "Type it again without that, or repeat the command with --keep-note"
    }
}

messages! {
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
