//! What is wrong with a home, a line or a code, and the system's own words for it.

use super::{Lang, messages, words};

words! {
    relay_stuck {
        zh: "连上了中继，但它现在收不下东西（可能正忙，也可能磁盘满了）。您记的都在这台设备上，没有丢；过一会儿再同步。一直这样，请告诉管中继的人看一看。",
        en: "The relay was reached and cannot take anything in just now (it may be busy, or its disk full). Your work is safe on this device; sync again later. If it stays so, its operator should look."
    }
    no_certificate {
        zh: "证书文件里没有能用的证书。中继没有启动。",
        en: "There is no certificate in that file that can be shown. The relay was not started."
    }
    no_certificate_key {
        zh: "私钥文件里没有能用的私钥。中继没有启动。",
        en: "There is no private key in that file that can be used. The relay was not started."
    }
    certificate_mismatch {
        zh: "私钥和证书不是一对。中继没有启动。",
        en: "The private key is not the certificate's. The relay was not started."
    }
    code_for_relay {
        zh: "这个登记码是给下级中继用的，不是给设备的，现在已经用掉。这台设备没有登记，数据没有变。请向邀请您的人再要一个给设备的；下级中继用 wangge 中继 加入。",
        en: "This code is for a relay that goes below that one, not for a device, and is used up now. This device was not enrolled and nothing on it changed. Ask who invited you for one for a device; a relay goes below by wangge relay join."
    }
    code_for_device {
        zh: "这个登记码是给人的设备用的，不是给下级中继的，现在已经用掉。这个中继没有变。请上级中继再发一个：wangge 中继 邀请 --role relay。",
        en: "This code is for a person's device, not for a relay below, and is used up now. This relay did not change. Ask the relay above for another: wangge relay invite --role relay."
    }
}

messages! {
    /// No line to enrol over.
    enroll_needs_link(url: &str) {
        zh: "连不上 {url}，没有登记。登记码没有用掉，有网的时候再登记一次。您记的都在这台设备上，没有丢。",
        en: "No link to {url}, so nothing was enrolled. The code is not used up: enrol again when there is a line. Your work is safe on this device."
    }
    /// A folder is a device's home.
    device_home(at: &str) {
        zh: "{at} 是一台设备的数据文件夹，里面没有中继，什么也没有做。登记码由管中继的人在中继的文件夹里发；新中继要有自己的文件夹：--home 文件夹。",
        en: "{at} is a device's home and holds no relay; nothing was done. Codes are made by the relay's operator in the relay's folder; a new relay needs a folder of its own: --home DIR."
    }
    /// A home cannot be written.
    home_unwritable(at: &str, reason: &str) {
        zh: "写不了数据文件夹 {at}（{reason}），这次没有记下；以前记的都在里面，没有动。请检查文件夹的权限和磁盘，什么也不要删；不会弄就把它交给管理员。",
        en: "The home {at} cannot be written ({reason}), so nothing was recorded; what is in it is as it was. Look at its permissions and the disk, delete nothing, or bring it to the administrator."
    }
    /// A file of a home may not be read.
    home_unreadable(path: &str, reason: &str) {
        zh: "读不了 {path}（{reason}），没有打开，也没有改动。请检查文件的权限，什么也不要删；不会弄就把整个文件夹交给管理员。",
        en: "{path} cannot be read ({reason}); nothing was opened and nothing changed. Look at its permissions, delete nothing, or bring the whole folder to the administrator."
    }
    /// A file of a home is damaged.
    home_file_damaged(path: &str) {
        zh: "{path} 损坏了，没有打开，也没有改动；记的都还在同一个文件夹里。什么也不要删，请把整个文件夹交给管理员。",
        en: "{path} is damaged; nothing was opened and nothing changed. Your work is still in the same folder: delete nothing, and bring the whole folder to the administrator."
    }
    /// A file of a home is gone.
    home_file_missing(path: &str) {
        zh: "{path} 不见了，没有打开，也没有改动；记的都还在同一个文件夹里。不会另造一个来代替。什么也不要删，请把整个文件夹交给管理员。",
        en: "{path} is missing; nothing was opened and nothing changed. Your work is still in the same folder, and no other is made in its place: delete nothing, and bring the whole folder to the administrator."
    }
    /// A field does not take what was given, which is not repeated.
    bad_empty(field: &str, takes: &str) { zh: "{field}：{takes}。什么也没有保存。", en: "{field}: {takes}. Nothing was saved." }
}

/// The number of an error as the system counts them, and its Chinese.
const SYSTEM: &[(&str, &str)] = &[
    ("(os error 1)", "系统不允许"),
    ("(os error 2)", "没有这个文件或文件夹"),
    ("(os error 5)", "磁盘读写出错"),
    ("(os error 13)", "没有权限"),
    ("(os error 17)", "已经有了"),
    ("(os error 20)", "路径里有一段不是文件夹"),
    ("(os error 21)", "这是文件夹，不是文件"),
    ("(os error 28)", "磁盘满了"),
    ("(os error 30)", "磁盘是只读的"),
    ("(os error 36)", "文件名太长"),
    ("(os error 98)", "地址已经被占用"),
    ("(os error 99)", "这台机器没有这个地址"),
    ("disk I/O error", "磁盘读写出错"),
    ("unable to open database file", "打不开数据库文件"),
    ("the database file may only be read", "数据库文件是只读的"),
    ("stream did not contain valid UTF-8", "不是 UTF-8 文字"),
];

impl Lang {
    /// Returns the system's word for what went wrong; in Chinese where it is known.
    pub(crate) fn system_word(self, reason: &str) -> &str {
        let known = SYSTEM.iter().find(|(sign, _)| reason.ends_with(sign));
        match (self, known) {
            (Lang::Zh, Some((_, han))) => han,
            _ => reason,
        }
    }

    /// Returns what the reader of a line says is wrong with it.
    pub(crate) fn json_fault(self, detail: &str) -> String {
        let quoted = detail.split('`').nth(1).unwrap_or_default();
        let column = detail.strip_prefix("column ");
        match (self, column) {
            (Lang::En, _) => detail.to_owned(),
            (_, Some(column)) => format!("第 {column} 个字符处读不下去"),
            _ if detail.starts_with("unknown field") => format!("没有「{quoted}」这一项"),
            _ if detail.starts_with("missing field") => format!("缺「{quoted}」这一项"),
            _ if detail.starts_with("duplicate field") => format!("「{quoted}」写了两次"),
            _ if detail.starts_with("a line is an object") => "每行应为一个 {…}".to_owned(),
            _ if detail.starts_with("invalid type") => {
                "有一项的写法不对：该写文字的写了别的，或者反过来".to_owned()
            }
            _ => detail.to_owned(),
        }
    }

    /// Returns what is to be filled in, in Chinese; the same letters are another thing in another command.
    pub(crate) fn placeholder<'a>(self, path: &str, word: &'a str) -> &'a str {
        match (self, path, word) {
            (Lang::En, ..) => word,
            (_, "enroll" | "relay join", "CODE") => "登记码",
            (.., "CODE") => "区域代码",
            (.., "URL") => "地址",
            (.., "NAME") => "姓名",
            (.., "DIR") => "文件夹",
            (.., "FILE") => "文件",
            (.., "FILE.xlsx") => "文件.xlsx",
            (.., "TEXT") => "原因",
            (.., "NUMBER") => "号码",
            (.., "ID") => "编号",
            _ => word,
        }
    }

    /// Returns why a ticket does not allow a step, where it stands, and what can be done instead.
    pub(crate) fn stage(self, why: &str, code: &str, status: &str, steps: &[String]) -> String {
        let possible = match steps {
            [] => self
                .pick("您现在没有能做的步骤", "there is no step for you now")
                .to_owned(),
            steps => {
                let steps = steps.join(self.comma());
                self.pick(
                    format!("您现在能做：{steps}"),
                    format!("what you can do now: {steps}"),
                )
            }
        };
        match self {
            Lang::Zh => format!("{why}工单 {code} 现在是「{status}」；{possible}。"),
            Lang::En => format!("{why} Ticket {code} is at \"{status}\"; {possible}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_chinese_for_a_chinese_reader() {
        let missing = "No such file or directory (os error 2)";
        assert_eq!(Lang::Zh.system_word(missing), "没有这个文件或文件夹");
        assert_eq!(Lang::En.system_word(missing), missing);
        assert_eq!(
            Lang::Zh.system_word("odd (os error 22)"),
            "odd (os error 22)"
        );
        assert_eq!(Lang::Zh.json_fault("unknown field `x`"), "没有「x」这一项");
        assert_eq!(
            Lang::Zh.json_fault("a line is an object {…}"),
            "每行应为一个 {…}"
        );
    }
}
