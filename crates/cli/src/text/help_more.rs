//! Chinese help of sync, relay and the rest; and the words clap itself says.

use super::help::Help;
use super::{Lang, messages, words};

pub(super) const MORE: &[Help] = &[
    Help {
        path: "sync",
        about: "送出本机所记，取回新的",
        args: &[
            ("relay", "这一次去同一系统的另一个中继"),
            (
                "ordinary_certificate",
                "中继用的是普通证书，与地址里的域名相符",
            ),
            ("dry_run", "只说要花多少，不做"),
        ],
    },
    Help {
        path: "outbox",
        about: "还没有回执的",
        args: &[],
    },
    Help {
        path: "receipts",
        about: "一条记录到了哪里",
        args: &[(
            "id",
            "走访、上报、工单或住户：编号、编号开头、工单号，或能找到它的字",
        )],
    },
    Help {
        path: "conflict",
        about: "有两个值的字段",
        args: &[
            ("id", "列表中的序号、编号，或能找到这一户的字"),
            ("field", "哪个字段（不止一个时）"),
        ],
    },
    Help {
        path: "conflict list",
        about: "列出冲突",
        args: &[("household", "只看这一户和它名下的")],
    },
    Help {
        path: "conflict show",
        about: "查看一处冲突的各个值",
        args: &[],
    },
    Help {
        path: "conflict settle",
        about: "定下以哪个值为准",
        args: &[("choice", "取第几个值"), ("value", "取一个新值")],
    },
    Help {
        path: "relay",
        about: "运行、邀请、设备、收件箱、暂扣、上级",
        args: &[],
    },
    Help {
        path: "relay serve",
        about: "运行中继，直到收到停止信号",
        args: &[
            ("listen", "地址和端口；端口 0 表示任选一个并显示"),
            ("name", "中继名称；第一次运行时有效"),
            ("level", "中继级别，不写就是 township；第一次运行时有效"),
            ("upstream", "上级中继的地址；要先加入，或同时给登记码"),
            ("code", "上级给的登记码；已经加入就不用"),
            ("lease_worker", "网格员的设备不同步能看几天，1 到 60"),
            ("lease_desk", "工作台的设备不同步能看几天，1 到 60"),
            (
                "tls_cert",
                "不用中继自己的密钥，改用这个证书（PEM，带证书链）",
            ),
            ("tls_key", "证书的私钥（PEM）"),
            (
                "behind_proxy",
                "由本机的反向代理负责加密，并用 X-Forwarded-For 说明替谁转来",
            ),
        ],
    },
    Help {
        path: "relay invite",
        about: "给一台设备发登记码",
        args: &[
            ("name", "姓名，同事看到的"),
            ("role", "岗位"),
            ("area", "能看到的区域；可以多个"),
            ("unit", "部门的人：部门名称或编号"),
            ("url", "设备从哪个地址连这个中继；写进邀请里"),
            ("qr", "不在终端上也显示二维码"),
        ],
    },
    Help {
        path: "relay devices",
        about: "列出设备",
        args: &[],
    },
    Help {
        path: "relay inbox",
        about: "列出等人处理的内容",
        args: &[("settled", "改看已有的决定：谁、何时、为什么")],
    },
    Help {
        path: "demo",
        about: "用虚构人物走一遍全过程",
        args: &[
            ("keep", "数据留在这个文件夹，供查看"),
            ("yes", "不提问（本来就不问）"),
        ],
    },
    Help {
        path: "config",
        about: "这台设备的设置",
        args: &[],
    },
    Help {
        path: "config show",
        about: "显示每项设置和来处",
        args: &[],
    },
    Help {
        path: "help",
        about: "某条命令的帮助，或退出码",
        args: &[("path", "命令，或 退出码")],
    },
];

words! {
    heading_commands { zh: "命令", en: "Commands" }
    heading_arguments { zh: "内容", en: "Arguments" }
    heading_options { zh: "选项", en: "Options" }
    word_command { zh: "命令", en: "COMMAND" }
    word_options { zh: "[选项]", en: "[OPTIONS]" }
    help_flag { zh: "显示帮助", en: "Print help" }
    version_flag { zh: "显示版本", en: "Print the version" }
    missing_command { zh: "后面还要写一条命令", en: "a command is missing" }
    bad_command_line { zh: "命令写得不对", en: "the command line does not read" }
    root_after {
        zh: "例子：\n  wangge 走访 zjg 好            记一次走访：张建国家安好\n  wangge 走访 3-12 无人         三组 12 号没人在家\n  wangge 上报 zjg 水管爆 --source 电话\n  wangge 同步                   送出本机所记，取回新的\n\n退出码：wangge 帮助 退出码",
        en: "Examples:\n  wangge visit zjg fine         Record a visit: all is well\n  wangge visit 3-12 nobody      Nobody home at group 3, door 12\n  wangge report zjg \"burst pipe\" --source phone\n  wangge sync                   Send what is here, fetch what is new\n\nExit codes: wangge help exit-codes"
    }
    nothing_done { zh: "。什么也没有做。", en: ". Nothing was done." }
}

messages! {
    /// A command nobody knows.
    no_command(word: &str) { zh: "没有「{word}」这条命令", en: "there is no command \"{word}\"" }
    /// An argument nobody knows.
    no_argument(word: &str) { zh: "不认识「{word}」", en: "\"{word}\" is not known here" }
    /// Something like it exists.
    did_you_mean(word: &str) { zh: "，是不是「{word}」", en: "; is it \"{word}\"" }
    /// An argument is missing.
    missing(words: &str) { zh: "还缺：{words}", en: "missing: {words}" }
    /// A value is not among those possible.
    bad_choice(arg: &str, value: &str, known: &str) {
        zh: "{arg} 不能是「{value}」，可用：{known}",
        en: "{arg} does not take \"{value}\"; it takes {known}"
    }
    /// A value does not read.
    bad_argument(arg: &str, value: &str) { zh: "{arg} 看不懂「{value}」", en: "{arg} does not read \"{value}\"" }
    /// Two arguments exclude each other.
    exclusive(one: &str, other: &str) { zh: "{one} 和 {other} 不能同时用", en: "{one} and {other} exclude each other" }
    /// A value is missing.
    value_missing(arg: &str) { zh: "{arg} 后面要写一个值", en: "{arg} needs a value" }
    /// What values an argument takes.
    choices(known: &str) { zh: "（可用：{known}）", en: " (one of {known})" }
    /// What an argument is when it is not said.
    usually(value: &str) { zh: "（不写就是 {value}）", en: " (default {value})" }
    /// The variable that says it.
    or_variable(name: &str) { zh: "（或环境变量 {name}）", en: " (or the variable {name})" }
    /// A command's one-line help with its Chinese name.
    about_with_alias(alias: &str, about: &str) { zh: "{alias} · {about}", en: "{about} [{alias}]" }
}

impl Lang {
    /// Returns the shape of a help page.
    pub(crate) fn help_shape(self) -> &'static str {
        self.pick(
            "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}",
            "{about-with-newline}\nUsage: {usage}\n\n{all-args}{after-help}",
        )
    }
}
