//! Members, care, splits and moves of households, in words.

use super::help::Help;
use super::{Topic, messages, words};

const WHICH: (&str, &str) = ("household", "哪一户：编号、首字母、姓名、门牌、电话尾号");
const MEMBER: (&str, &str) = ("member", "哪一位：姓名、编号，或列表里的序号");
const MEMBERS: &str = "哪几位：姓名、编号或列表里的序号，用逗号分开";
const ON: (&str, &str) = ("on", "日期；不写就是今天");
const TAGS: (&str, &str) = ("tags", "关爱类别，如 独居老人；可以多个");
const CONTACT: (&str, &str) = ("contact", "哪个电话：编号、序号或尾号");

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "household split",
            about: "分户：几位成员另立一户，走访留在原户",
            args: &[
                WHICH,
                ("members", MEMBERS),
                ("head", "新户的户主；不写就是第一位"),
                ("door", "新户的门牌，可带组"),
                ("phone", "新户的电话"),
                ON,
            ],
        },
        Help {
            path: "household depart",
            about: "整户外出，或几位成员外出务工",
            args: &[WHICH, ("members", MEMBERS), ON],
        },
        Help {
            path: "household return",
            about: "整户回来，或几位成员回来",
            args: &[WHICH, ("members", MEMBERS), ON],
        },
        Help {
            path: "household contact",
            about: "其他电话：子女、邻居的",
            args: &[WHICH, CONTACT, ("whose", "谁的电话")],
        },
        Help {
            path: "household contact add",
            about: "加一个电话",
            args: &[("number", "电话号码")],
        },
        Help {
            path: "household contact edit",
            about: "改一个电话，或改是谁的",
            args: &[("phone", "电话号码")],
        },
        Help {
            path: "household contact remove",
            about: "去掉一个电话，别的不动",
            args: &[],
        },
        Help {
            path: "household need",
            about: "这一户的需求",
            args: &[WHICH],
        },
        Help {
            path: "household need add",
            about: "记一项需求",
            args: &[
                ("text", "需要什么"),
                ("kind", "归类用的词"),
                ("since", "从哪天起；不写就是今天"),
            ],
        },
        Help {
            path: "household need done",
            about: "需求已解决",
            args: &[("need", "哪一项：编号或序号"), ON],
        },
        Help {
            path: "household consent",
            about: "登记信息的依据：同意、法定职责、紧急情况",
            args: &[WHICH],
        },
        Help {
            path: "household consent add",
            about: "记一项同意或其他依据；14 岁以下要监护人",
            args: &[
                ("purpose", "用来做什么"),
                ("basis", "同意、法定职责、紧急情况"),
                ("text_version", "念的或签的是哪一版文字"),
                ("how", "口头、书面、电话"),
                ("member", "谁的；不写就是整户"),
                ("guardian", "14 岁以下由谁同意：成员或姓名"),
                ON,
            ],
        },
        Help {
            path: "household consent withdraw",
            about: "撤回同意",
            args: &[("consent", "哪一项：编号或序号"), ON],
        },
        Help {
            path: "member",
            about: "家庭成员的增加、修改、离开、搬家",
            args: &[WHICH, MEMBER, ON],
        },
        Help {
            path: "member add",
            about: "加一位成员",
            args: &[
                ("name", "姓名"),
                ("unnamed", "新生儿，还没有取名"),
                ("another", "另一位，说法相同：双胞胎"),
                ("relation", "与户主关系，如 配偶 长子"),
                ("sex", "男、女"),
                ("birth", "出生年月 1967-09，或 1967"),
                ("phone", "本人电话"),
                (
                    "id_number",
                    "存着 18 位身份证号的文件，- 是标准输入；核对后只留散列",
                ),
                ("away", "外出务工"),
            ],
        },
        Help {
            path: "member edit",
            about: "修改一位成员；写空就是去掉",
            args: &[
                ("name", "姓名"),
                ("relation", "与户主关系，如 配偶 长子"),
                ("sex", "男、女"),
                ("birth", "出生年月 1967-09，或 1967"),
                ("phone", "本人电话"),
                (
                    "id_number",
                    "存着 18 位身份证号的文件，- 是标准输入；核对后只留散列",
                ),
                ("away", "外出务工"),
                ("present", "在家，不再外出"),
            ],
        },
        Help {
            path: "member leave",
            about: "成员离开：去世、迁出、婚嫁、分户、误录",
            args: &[("reason", "去世、迁出、婚嫁、分户、误录")],
        },
        Help {
            path: "member return",
            about: "成员回到这一户",
            args: &[],
        },
        Help {
            path: "member move",
            about: "成员搬到另一户；再说一次就把原户后来的改动带过去",
            args: &[
                ("to", "搬到哪一户"),
                ("reason", "迁出、婚嫁；不写就是迁出"),
                ("relation", "与新户户主的关系"),
            ],
        },
        Help {
            path: "care",
            about: "为什么探访、多久一次",
            args: &[WHICH, MEMBER, TAGS],
        },
        Help {
            path: "care set",
            about: "设定成员的关爱类别",
            args: &[
                ("since", "从哪天起；新类别不写就是今天"),
                ("every", "每周、每月、每季、不定期；不写按类别的惯例"),
            ],
        },
        Help {
            path: "care end",
            about: "结束成员的关爱类别",
            args: &[ON],
        },
    ],
    aliases: &[
        ("household split", "分户"),
        ("household depart", "外出"),
        ("household return", "返回"),
        ("household contact", "电话"),
        ("household contact add", "新增"),
        ("household contact edit", "修改"),
        ("household contact remove", "去掉"),
        ("household need", "需求"),
        ("household need add", "新增"),
        ("household need done", "已解决"),
        ("household consent", "同意"),
        ("household consent add", "新增"),
        ("household consent withdraw", "撤回"),
        ("member", "成员"),
        ("member add", "新增"),
        ("member edit", "修改"),
        ("member leave", "离开"),
        ("member return", "回来"),
        ("member move", "搬到"),
        ("care", "关爱"),
        ("care set", "设定"),
        ("care end", "结束"),
    ],
    codes: &[
        ("left", "died", "去世", "died"),
        ("left", "moved_out", "迁出", "moved out"),
        ("left", "married", "婚嫁", "married"),
        ("left", "split", "分户", "split off"),
        ("left", "mistake", "误录", "recorded by mistake"),
        ("basis", "consent", "同意", "consent"),
        ("basis", "duty", "法定职责", "legal duty"),
        ("basis", "emergency", "紧急情况", "emergency"),
        ("consent_how", "spoken", "口头", "spoken"),
        ("consent_how", "written", "书面", "in writing"),
        ("consent_how", "phone", "电话", "by phone"),
        (
            "visit_flag",
            "met_after_death",
            "! 记的是见到本人，但这一户已无成年人在世在家，请核对",
            "! met in person, but no grown-up was left there: check it",
        ),
    ],
    fields: &[
        ("left", "离开原因", "the reason"),
        ("left_on", "离开日期", "the day they left"),
        ("moved_to", "搬到哪一户", "where they moved to"),
        ("away", "外出务工", "working away"),
        ("since", "起始日期", "the first day"),
        ("until", "结束日期", "the day it ended"),
        ("every", "多久一次", "how often"),
        ("tag", "关爱类别", "the care tag"),
        ("contacts", "其他电话", "further telephones"),
        ("whose", "谁的电话", "whose it is"),
        ("guardian", "监护人", "the guardian"),
        ("purpose", "用途", "the purpose"),
        ("basis", "依据", "the basis"),
        ("version", "文字版本", "the text's version"),
        ("how", "方式", "the way"),
    ],
    takes: &[
        ("name", "应有户主姓名或门牌，不然以后找不到这一户"),
        ("left", "可用：去世 迁出 婚嫁 分户 误录"),
        ("head", "应为住在这一户（分户时为其中一位）的成员"),
        ("group", "应为组号，如 3 或 三组"),
        ("members", "应为住在这里的几位，不能是全部"),
        ("since", "应为 2026-11-23 这样的日期，不能在今天以后"),
        ("every", "可用：每周 每月 每季 不定期"),
        ("guardian", "应为成年人：孩子不满 14 岁，要由监护人同意"),
        ("purpose", "请写明用来做什么"),
        ("basis", "可用：同意 法定职责 紧急情况"),
        ("how", "可用：口头 书面 电话"),
        ("to", "应为另一户"),
    ],
    refusals: &[],
};

words! {
    col_contacts { zh: "其他电话", en: "more phones" }
    col_row { zh: "序", en: "no." }
    unnamed { zh: "未取名", en: "(no name yet)" }
    id_number_as_argument {
        zh: "身份证号不要写在命令里（会留在历史记录里）：写 --id-number - 再输入，或写文件名。什么也没有保存。",
        en: "An id number does not belong in a command, where the history keeps it: write --id-number - and type it, or name a file. Nothing was saved."
    }
}

messages! {
    /// A household was split.
    was_split(count: usize, id: &str) {
        zh: "✓ {count} 位成员已另立一户，已保存到本机 · {id}",
        en: "✓ {count} members are a household of their own, saved on this device · {id}"
    }
    /// A need.
    need_line(row: usize, said: &str) { zh: "需求 {row}：{said}\n", en: "need {row}: {said}\n" }
    /// When a need was met.
    need_met(day: &str) { zh: "（{day} 已解决）", en: "(met {day})" }
    /// A ground.
    consent_line(row: usize, said: &str) { zh: "依据 {row}：{said}\n", en: "ground {row}: {said}\n" }
    /// When a consent was withdrawn.
    consent_over(day: &str) { zh: "（{day} 已撤回）", en: "(withdrawn {day})" }
    /// The head no longer lives there.
    head_left(name: &str, why: &str, id: &str) {
        zh: "! 户主{name}已{why}，请选户主：wangge 住户 修改 {id} --head 成员",
        en: "! The head, {name}, has left ({why}); choose one: wangge household edit {id} --head MEMBER"
    }
    /// Somebody lives in two households.
    in_two_households(name: &str, place: &str, id: &str, member: &str) {
        zh: "! {name}同时在两户（{place}）。不在这里就写：wangge 成员 离开 {id} {member} --reason 误录",
        en: "! {name} is in two households ({place}). If not in this one: wangge member leave {id} {member} --reason mistake"
    }
    /// Somebody who moved was edited where they had lived.
    edited_after_move(name: &str, fields: &str, from: &str, to: &str, member: &str) {
        zh: "! {name}搬走以后，原户里又改了{fields}。要带过去：wangge 成员 搬到 {from} {member} --to {to}",
        en: "! After {name} moved, {fields} was changed at the old place. To bring it over: wangge member move {from} {member} --to {to}"
    }
}
