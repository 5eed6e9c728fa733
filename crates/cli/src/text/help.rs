//! Chinese help, by command path; the English is the commands' own doc comments.
//!
//! An argument is looked up at its command, then at the group above it, then among those that mean
//! the same everywhere. A test walks the whole tree and names what is missing.

use super::help_more::MORE;

/// One command's Chinese help.
pub(crate) struct Help {
    /// `household add`; empty for the program.
    pub(crate) path: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// Arguments by name.
    pub(crate) args: &'static [(&'static str, &'static str)],
}

/// Arguments that mean the same everywhere.
const EVERYWHERE: &[(&str, &str)] = &[
    ("home", "本机（或中继）数据所在文件夹"),
    ("lang", "语言：zh 中文，en 英文"),
    ("json", "以 JSON 输出：整篇，或每行一条（--json=lines）"),
    ("reveal", "显示隐藏的内容；谁看的、为什么，先记下来"),
    (
        "reason",
        "事由：上门服务、核对信息、办理业务、居民要求、应急，或四个字以上的说明",
    ),
    ("profile", "用哪一份档案（一台设备几个人用时）"),
    ("pin_file", "口令所在的文件，- 为标准输入"),
    ("keep_note", "提示过的电话或词语，照样保存"),
    ("help", "显示帮助"),
    ("version", "显示版本"),
    ("limit", "最多显示几条"),
    ("history", "谁在何时何处把哪个字段从什么改成什么"),
    ("out", "写到文件（.csv 或 .xlsx），姓名电话门牌隐去"),
    ("force", "文件已有时替换它"),
    ("yes", "不再问，直接做"),
    ("from", "从文件读 JSON 行，每行一条；- 表示标准输入"),
    ("note", "备注"),
];

const TOP: &[Help] = &[
    Help {
        path: "",
        about: "村网格员的离线优先记录：走访、上报、工单、住户。",
        args: &[],
    },
    Help {
        path: "init",
        about: "在这台设备上建立本机数据",
        args: &[
            ("name", "您的姓名"),
            ("area", "负责的区域代码，6 至 15 位；可以多个"),
            ("offline", "不连中继也能记；以后再「登记」"),
        ],
    },
    Help {
        path: "enroll",
        about: "把这台设备登记到中继",
        args: &[
            ("code", "登记码，或扫码得到的整段文字"),
            ("relay", "中继地址；文字里有就不用写"),
            ("name", "您的姓名；不写就用邀请时的姓名"),
            (
                "ordinary_certificate",
                "中继用的是普通证书，与地址里的域名相符",
            ),
        ],
    },
    Help {
        path: "status",
        about: "我是谁、管哪里、哪些没送达、哪些要您看",
        args: &[
            ("check", "有未送、未取全或要人处理的，以 10 结束"),
            ("seen", "知道数据库丢失过了，不再提醒"),
        ],
    },
    Help {
        path: "area",
        about: "代码和名称",
        args: &[],
    },
    Help {
        path: "area list",
        about: "列出区域，自己的在前",
        args: &[("under", "只看这个代码之下的")],
    },
    Help {
        path: "household",
        about: "新增、查找、修改、导入",
        args: &[("number", "户编号"), ("group", "组别：3、三组")],
    },
    Help {
        path: "household add",
        about: "新增一户，或从 JSON 行新增多户",
        args: &[
            ("head", "户主姓名"),
            ("grid", "网格代码 15 位；只有一个网格时可不写"),
            ("door", "门牌，可带组：3-12"),
            ("phone", "电话"),
            ("residence", "常住、整户外出、空房、迁出"),
            ("arrangement", "上门约定：敲门前先要知道的"),
        ],
    },
    Help {
        path: "household list",
        about: "按组和门牌列出住户",
        args: &[
            ("area", "只看这个区域"),
            ("group", "只看这一组"),
            ("care", "只看有人属于这个关爱类别的"),
            ("residence", "只看这样居住的：常住、整户外出、空房、迁出"),
            ("page", "只看第几页；一页是 --limit 户，不写是 50 户"),
            ("offset", "先跳过几户"),
        ],
    },
    Help {
        path: "household show",
        about: "查看一户和最近的走访",
        args: &[
            ("id", "哪一户：编号、首字母、姓名、门牌、电话尾号"),
            ("access", "谁查看过隐藏的内容、何时、为何"),
        ],
    },
    Help {
        path: "household find",
        about: "按首字母、姓名、门牌或电话尾号查找",
        args: &[("words", "首字母、拼音、姓名、门牌、电话尾号")],
    },
    Help {
        path: "household edit",
        about: "修改一户",
        args: &[
            ("id", "哪一户：编号、首字母、姓名、门牌、电话尾号"),
            ("phone", "电话；写空就是去掉"),
            ("head", "户主：成员的姓名、编号或序号"),
            ("door", "门牌，可带组"),
            ("residence", "常住、整户外出、空房、迁出"),
            ("arrangement", "上门约定：敲门前先要知道的"),
        ],
    },
    Help {
        path: "household import",
        about: "导入花名册：村里现有的表格原样就行",
        args: &[
            ("file", "工作簿（.xlsx .xls .ods）或表格（.csv）"),
            ("grid", "导入到哪个网格，15 位；只有一个网格时可不写"),
            ("dry_run", "只看看懂了什么，不写入"),
        ],
    },
    Help {
        path: "visit",
        about: "后面写字就记一次，不写就逐户问",
        args: &[
            (
                "words",
                "先写哪一户，再写：好、无人、家属、电话、要记的话、@周五、+代办",
            ),
            ("on", "走访日期"),
            ("mode", "方式：上门、电话、视频、代访"),
            ("met", "见到：本人、家属、无人在家、拒访"),
            ("purposes", "事由，工作事项代码；可以多个"),
            ("note", "要记的话"),
            ("no_change", "无变化：已核对原有信息"),
            ("follow_up", "回访日期：周五、11-30、明天"),
            ("source", "来源（不是当场记的）：纸质补录……"),
            ("reference", "来源的编号：表格号、12345 单号"),
            ("by", "谁去走访的（由别人录入时）"),
        ],
    },
    Help {
        path: "visit add",
        about: "记一次走访，或从 JSON 行记多次",
        args: &[],
    },
    Help {
        path: "visit list",
        about: "列出走访，最近的在前",
        args: &[("household", "只看这一户")],
    },
    Help {
        path: "visit show",
        about: "查看一次走访",
        args: &[("id", "走访编号或其开头")],
    },
    Help {
        path: "report",
        about: "民情；后面写字就记一条",
        args: &[
            ("words", "先写哪一户，再写内容；只有一项就是内容"),
            ("area", "关于哪个区域（没有写哪一户时）"),
            ("category", "事项代码、小类，或 大类/小类"),
            ("place", "地点"),
            ("requester", "谁反映的（不是这里的住户时）"),
            ("contact", "联系方式"),
            ("identity", "实名、实名保密、匿名"),
            ("collective", "群体性：不止一户"),
            ("urgency", "紧急程度 P0 至 P3"),
            (
                "source",
                "来源：走访 来访 电话 12345 上级交办 巡查 纸质补录",
            ),
            ("on", "反映的日期"),
            ("handled", "当场怎么处理的"),
            ("phoned", "先打电话告诉了谁"),
            ("affected", "涉及多少人"),
            ("ticket", "同时新建工单；不写类型就是求助：--ticket=咨询"),
            ("restricted", "家庭暴力、伤害儿童：不送到涉及的人，只到乡镇"),
            ("about", "涉及谁（名册里的姓名或编号）"),
            ("named", "除乡镇外还给谁看；可以多个"),
        ],
    },
    Help {
        path: "report add",
        about: "记一条上报，或从 JSON 行记多条",
        args: &[],
    },
    Help {
        path: "report list",
        about: "列出上报，最近的在前",
        args: &[],
    },
    Help {
        path: "report show",
        about: "查看一条上报",
        args: &[("id", "上报编号或其开头")],
    },
];

/// Returns a command's Chinese help.
pub(crate) fn command(path: &str) -> Option<&'static Help> {
    let topics = super::TOPICS.iter().flat_map(|topic| topic.help);
    TOP.iter()
        .chain(MORE)
        .chain(topics)
        .find(|help| help.path == path)
}

impl Help {
    /// Returns an argument's Chinese help.
    pub(crate) fn arg(path: &str, name: &str) -> Option<&'static str> {
        let group = path.rsplit_once(' ').map(|(group, _)| group);
        let own = [Some(path), group]
            .into_iter()
            .flatten()
            .filter_map(command);
        let rows = own.flat_map(|help| help.args).chain(EVERYWHERE);
        rows.into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
    }
}
