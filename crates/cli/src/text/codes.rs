//! Codes and columns in words: what documents and JSON name in English, people read in theirs.

use super::{Lang, words};

words! {
    today { zh: "今天", en: "today" }
    yesterday { zh: "昨天", en: "yesterday" }
    never { zh: "从未", en: "never" }
    yes { zh: "是", en: "yes" }
    no { zh: "否", en: "no" }
    comma { zh: "、", en: ", " }
    saved { zh: "✓ 已保存到本机", en: "✓ Saved on this device" }
    fine { zh: "安好", en: "fine" }
    handled { zh: "当场办结", en: "handled" }
    contested { zh: "有争议", en: "contested" }
    own_area { zh: "您的区域", en: "yours" }
    revoked { zh: "已停用", en: "revoked" }
    away_for_work { zh: "外出务工", en: "away for work" }
    shown_now { zh: "（现在显示）", en: " (shown now)" }
    col_code { zh: "代码", en: "code" }
    col_name { zh: "姓名", en: "name" }
    col_title { zh: "名称", en: "name" }
    col_level { zh: "级别", en: "level" }
    col_when { zh: "时间", en: "when" }
    col_kind { zh: "类型", en: "kind" }
    col_what { zh: "内容", en: "what" }
    col_state { zh: "状态", en: "state" }
    col_reason { zh: "原因", en: "reason" }
    col_setting { zh: "设置", en: "setting" }
    col_value { zh: "值", en: "value" }
    col_origin { zh: "来自", en: "from" }
    col_door { zh: "门牌", en: "door" }
    col_head { zh: "户主", en: "head" }
    col_people { zh: "人数", en: "people" }
    col_phone { zh: "电话", en: "phone" }
    col_residence { zh: "居住", en: "residence" }
    col_care { zh: "关爱", en: "care" }
    col_last_visit { zh: "上次走访", en: "last visit" }
    col_id { zh: "编号", en: "id" }
    col_area { zh: "区域", en: "area" }
    col_number { zh: "号码", en: "number" }
    col_arrangement { zh: "上门约定", en: "before you knock" }
    col_note { zh: "备注", en: "note" }
    col_relation { zh: "关系", en: "relation" }
    col_sex { zh: "性别", en: "sex" }
    col_birth { zh: "出生", en: "birth" }
    col_sheet { zh: "工作表", en: "sheet" }
    col_cell { zh: "单元格", en: "cell" }
    col_urgency { zh: "紧急", en: "urgency" }
    col_category { zh: "事项", en: "category" }
    col_by { zh: "记录人", en: "by" }
    col_household { zh: "住户", en: "household" }
    col_place { zh: "地点", en: "place" }
    col_requester { zh: "诉求人", en: "requester" }
    col_contact { zh: "联系方式", en: "contact" }
    col_identity { zh: "身份", en: "identity" }
    col_collective { zh: "群体性", en: "collective" }
    col_source { zh: "来源", en: "source" }
    col_handled { zh: "当场处理", en: "done at once" }
    col_first_asked { zh: "首问", en: "first asked" }
    col_handler { zh: "办理", en: "handler" }
    col_answered { zh: "已答复", en: "answered" }
    col_detail { zh: "详情", en: "detail" }
    col_field { zh: "字段", en: "field" }
    col_role { zh: "岗位", en: "role" }
    col_last_seen { zh: "上次同步", en: "last seen" }
    col_device { zh: "设备", en: "device" }
}

/// Group, code, Chinese, English.
const CODES: &[(&str, &str, &str, &str)] = &[
    ("role", "worker", "网格员", "worker"),
    ("role", "station", "网格站", "station"),
    ("role", "township", "乡镇", "township"),
    ("role", "county", "县", "county"),
    ("role", "unit", "部门", "unit"),
    ("role", "auditor", "审计", "auditor"),
    ("level", "county", "县", "county"),
    ("level", "township", "乡镇街道", "township"),
    ("level", "village", "村/社区", "village"),
    ("level", "grid", "网格", "grid"),
    ("kind", "household", "住户", "household"),
    ("kind", "visit_book", "走访", "visits"),
    ("kind", "report", "上报", "report"),
    ("kind", "ticket", "工单", "ticket"),
    ("kind", "place", "归属", "place"),
    ("state", "unsent", "未送出", "unsent"),
    ("state", "on_device", "在本机，未送出", "on this device"),
    ("state", "at_relay", "已到中继", "at the relay"),
    (
        "state",
        "waiting",
        "已到中继，等前面的内容",
        "at the relay, waiting for earlier ones",
    ),
    (
        "state",
        "inbox",
        "在收件箱，等人处理",
        "in the inbox, for a person",
    ),
    ("state", "refused", "中继没有收", "refused by the relay"),
    (
        "reason",
        "out_of_scope",
        "不在负责区域内",
        "outside your areas",
    ),
    ("reason", "over_limit", "超过大小限制", "over a limit"),
    (
        "reason",
        "forged_actor",
        "不是本人设备所写",
        "written by another device",
    ),
    ("reason", "wrong_hash", "传输中损坏", "damaged on the way"),
    ("reason", "malformed", "读不懂", "does not read"),
    ("reason", "unplaced", "不知道属于哪里", "no place is known"),
    (
        "reason",
        "place_not_allowed",
        "无权改变归属",
        "may not be placed by you",
    ),
    (
        "reason",
        "equivocation",
        "同一序号有两份",
        "two with one number",
    ),
    (
        "reason",
        "rests_on_discarded",
        "接在一条已作废的更改后面",
        "rests on one that was discarded",
    ),
    ("residence", "resident", "常住", "resident"),
    ("residence", "away", "整户外出", "away"),
    ("residence", "empty", "空房", "empty"),
    ("residence", "moved_out", "迁出", "moved out"),
    ("sex", "1", "男", "male"),
    ("sex", "2", "女", "female"),
    ("sex", "0", "", ""),
    ("sex", "9", "", ""),
    ("mode", "door", "上门", "at the door"),
    ("mode", "phone", "电话", "by phone"),
    ("mode", "video", "视频", "by video"),
    ("mode", "deputy", "代访", "by deputy"),
    ("met", "person", "本人", "met in person"),
    ("met", "family", "家属", "met family"),
    ("met", "nobody", "无人在家", "nobody home"),
    ("met", "declined", "拒访", "declined"),
    ("duty", "collect", "民情信息采集", "collecting information"),
    ("duty", "opinion", "社情民意收集", "opinions"),
    ("duty", "service", "民生服务代办", "service"),
    ("duty", "mediate", "矛盾纠纷劝解", "mediation"),
    ("duty", "hazard", "安全隐患排查", "hazards"),
    ("duty", "publicity", "政策法规宣传", "policies"),
    ("duty", "care", "关爱探访", "care"),
    ("duty", "emergency", "突发事件报告", "emergency"),
    ("identity", "named", "实名", "named"),
    ("identity", "confidential", "实名保密", "confidential"),
    ("identity", "anonymous", "匿名", "anonymous"),
    ("ticket", "inquiry", "咨询", "inquiry"),
    ("ticket", "help", "求助", "help"),
    ("ticket", "complaint", "投诉", "complaint"),
    ("ticket", "suggestion", "建议", "suggestion"),
    ("ticket", "praise", "表扬", "praise"),
    ("ticket", "errand", "代办", "errand"),
    ("origin", "default", "默认", "default"),
    ("origin", "flag", "命令行", "command line"),
    ("origin", "environment", "环境变量", "environment"),
    (
        "origin",
        "flag_or_environment",
        "命令行或环境变量",
        "command line or environment",
    ),
    ("origin", "locale", "系统语言", "locale"),
    ("origin", "home", "本机数据", "this home"),
    ("layout", "person_rows", "一行一人", "one row a person"),
    (
        "layout",
        "household_rows",
        "一行一户",
        "one row a household",
    ),
    (
        "refused_line",
        "json",
        "不是合格的 JSON",
        "not the JSON it takes",
    ),
    ("refused_line", "value", "值不对", "value"),
    ("refused_line", "too_long", "太长", "too long"),
    ("refused_line", "not_found", "没有找到", "not found"),
    ("refused_line", "ambiguous", "对应多个", "names several"),
    ("refused_line", "area", "不在负责区域内", "not your area"),
    (
        "refused_line",
        "document_full",
        "记录已满",
        "the record is full",
    ),
    (
        "refused_line",
        "ticket",
        "工单不能这样办",
        "the ticket does not allow it",
    ),
    (
        "refused",
        "id_checksum",
        "身份证校验码不对",
        "wrong check digit",
    ),
    (
        "refused",
        "id_length",
        "身份证不是 18 位",
        "id number has not 18 digits",
    ),
    (
        "refused",
        "id_fifteen_digits",
        "15 位旧身份证",
        "id number of fifteen digits",
    ),
    (
        "refused",
        "id_characters",
        "身份证里有别的字符",
        "id number holds other signs",
    ),
    (
        "refused",
        "id_date",
        "身份证里的生日不存在",
        "no such birth date",
    ),
    (
        "refused",
        "id_rounded",
        "表格吃掉了末几位",
        "the sheet dropped the last digits",
    ),
    ("refused", "phone", "不是电话号码", "not a phone number"),
    (
        "refused",
        "phone_second",
        "一格两个号码，只留一个",
        "a second number in one cell",
    ),
    ("refused", "relation", "不认识的关系", "unknown relation"),
    ("refused", "care", "不认识的关爱类别", "unknown care word"),
    (
        "refused",
        "care_nobody",
        "户内无人符合",
        "fits nobody in the household",
    ),
    (
        "refused",
        "residence",
        "不认识的居住情况",
        "unknown residence",
    ),
    ("refused", "name_missing", "没有姓名", "name missing"),
    ("refused", "name", "不像姓名", "not a name"),
    ("refused", "birth", "不是出生年月", "not a birth month"),
    (
        "refused",
        "birth_differs",
        "与身份证不一致，以身份证为准",
        "differs from the id number, which is taken",
    ),
    ("refused", "sex", "不是性别", "not a sex"),
    (
        "refused",
        "sex_differs",
        "与身份证不一致，以身份证为准",
        "differs from the id number, which is taken",
    ),
    ("refused", "group", "不是组别", "not a group"),
    (
        "refused",
        "group_differs",
        "与前面的组别不一致",
        "differs from the group above",
    ),
    (
        "refused",
        "address_date",
        "门牌被表格变成了日期",
        "the sheet made a date of the door",
    ),
    (
        "refused",
        "address_differs",
        "与前面的门牌不一致",
        "differs from the door above",
    ),
    (
        "refused",
        "member_part",
        "看不懂的一段",
        "a part that does not read",
    ),
    ("refused", "cell_error", "公式出错", "a formula that failed"),
    ("meaning", "number", "户编号", "number"),
    ("meaning", "serial", "序号", "serial"),
    ("meaning", "group", "组别", "group"),
    ("meaning", "address", "门牌", "address"),
    ("meaning", "name", "姓名", "name"),
    ("meaning", "head_name", "户主姓名", "head's name"),
    ("meaning", "relation", "关系", "relation"),
    ("meaning", "sex", "性别", "sex"),
    ("meaning", "birth", "出生年月", "birth"),
    ("meaning", "id_number", "身份证号", "id number"),
    (
        "meaning",
        "head_id_number",
        "户主身份证号",
        "head's id number",
    ),
    ("meaning", "phone", "电话", "phone"),
    ("meaning", "head_phone", "户主电话", "head's phone"),
    ("meaning", "care", "关爱类别", "care"),
    ("meaning", "remark", "备注", "remark"),
    ("meaning", "residence", "居住情况", "residence"),
    ("meaning", "away", "外出务工", "away for work"),
    ("meaning", "members", "家庭成员", "members"),
    ("meaning", "size", "人数", "size"),
];

/// Care tags in English.
const CARE_ENGLISH: &[(&str, &str)] = &[
    ("living_alone_elder", "elder living alone"),
    ("empty_nest_elder", "elder without children at home"),
    ("left_behind_elder", "left-behind elder"),
    ("incapacitated", "incapacitated"),
    ("severe_disability", "severe disability"),
    ("disability", "disability"),
    ("bereaved_parents", "bereaved parents"),
    ("left_behind_child", "left-behind child"),
    ("child_in_hardship", "child in hardship"),
    ("uncared_child", "child nobody cares for"),
    ("grave_illness", "grave illness"),
    ("subsistence_allowance", "subsistence allowance"),
    ("extreme_hardship", "extreme hardship"),
    ("poverty_watch", "watched for poverty"),
    ("maternity", "maternity"),
    ("housebound", "housebound for a time"),
];

/// Care tags in Chinese.
const CARE: &[(&str, &str)] = &[
    ("living_alone_elder", "独居老人"),
    ("empty_nest_elder", "空巢老人"),
    ("left_behind_elder", "留守老人"),
    ("incapacitated", "失能"),
    ("severe_disability", "重度残疾"),
    ("disability", "残疾人"),
    ("bereaved_parents", "计划生育特殊家庭"),
    ("left_behind_child", "留守儿童"),
    ("child_in_hardship", "困境儿童"),
    ("uncared_child", "事实无人抚养儿童"),
    ("grave_illness", "重病"),
    ("subsistence_allowance", "低保"),
    ("extreme_hardship", "特困人员"),
    ("poverty_watch", "监测对象"),
    ("maternity", "孕产妇"),
    ("housebound", "临时居家不便"),
];

/// Fields as JSON names them: Chinese, English.
const FIELDS: &[(&str, &str, &str)] = &[
    ("area", "区域", "the area"),
    ("phone", "电话", "the phone"),
    ("door", "门牌", "the door"),
    ("group", "组别", "the group"),
    ("number", "户编号", "the number"),
    ("residence", "居住情况", "the residence"),
    ("note", "备注", "the note"),
    ("arrangement", "上门约定", "the arrangement"),
    ("name", "姓名", "the name"),
    ("head", "户主", "the head"),
    ("on", "日期", "the day"),
    ("follow_up_on", "回访日期", "the day to come back"),
    ("mode", "走访方式", "the mode"),
    ("met", "见到谁", "who was met"),
    ("purposes", "走访事由", "the purpose"),
    ("text", "内容", "the text"),
    ("subject", "诉求", "the subject"),
    ("detail", "详情", "the detail"),
    ("category", "事项", "the category"),
    ("place", "地点", "the place"),
    ("requester", "诉求人", "the requester"),
    ("contact", "联系方式", "the contact"),
    ("identity", "身份", "the identity"),
    ("urgency", "紧急程度", "the urgency"),
    ("kind", "类型", "the kind"),
    ("source", "来源", "the source"),
    ("handled_on_spot", "当场处理", "what was done at once"),
    ("done_kind", "办结类型", "the kind of finish"),
    ("to", "交给谁", "whom it goes to"),
    ("choice", "序号", "the number"),
    ("value", "值", "the value"),
    ("members", "家庭成员", "the members"),
    ("relation", "与户主关系", "the relation"),
    ("sex", "性别", "the sex"),
    ("birth", "出生年月", "the birth"),
    ("id_number", "身份证号", "the id number"),
    ("care", "关爱类别", "the care tag"),
    ("household", "住户", "the household"),
    (
        "residence_since",
        "居住情况从哪天起",
        "since when they live so",
    ),
    ("withdrawn", "撤回同意的日期", "the day it was withdrawn"),
    ("done", "解决的日期", "the day it was met"),
];

impl Lang {
    /// Returns a code in words; what is not in the table stays as it is.
    pub(crate) fn code<'a>(self, group: &str, code: &'a str) -> &'a str {
        if group == "care" || group == "meaning" {
            return self.care(code);
        }
        let topics = super::TOPICS.iter().flat_map(|topic| topic.codes);
        CODES
            .iter()
            .chain(topics)
            .find(|(known, name, ..)| *known == group && *name == code)
            .map_or(code, |(.., zh, en)| self.pick(zh, en))
    }

    fn care(self, code: &str) -> &str {
        let known = CODES
            .iter()
            .find(|(group, name, ..)| *group == "meaning" && *name == code);
        if let Some((.., zh, en)) = known {
            return self.pick(zh, en);
        }
        match self {
            Lang::Zh => CARE
                .iter()
                .find(|(name, _)| *name == code)
                .map_or(code, |(_, zh)| zh),
            Lang::En => CARE_ENGLISH
                .iter()
                .find(|(name, _)| *name == code)
                .map_or(code, |(_, english)| english),
        }
    }

    /// Returns a field in words; of a collection's field the last part.
    pub(crate) fn field(self, field: &str) -> &str {
        let name = field.rsplit('/').next().unwrap_or(field);
        // The hash of an id's number is named by its key, which says nothing to people.
        let name = match name.split_once('.') {
            Some(("id_hash", _)) => "id_hash",
            // A further telephone is named by its id, and what is said of it stands behind that.
            Some(("phone", rest)) => rest.split_once('.').map_or("contacts", |(_, said)| said),
            _ => name,
        };
        let topics = super::TOPICS.iter().flat_map(|topic| topic.fields);
        FIELDS
            .iter()
            .chain(topics)
            .find(|(known, ..)| *known == name)
            .map_or(name, |(_, zh, en)| self.pick(zh, en))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_nobody_knows_is_shown_as_it_is() {
        assert_eq!(Lang::Zh.code("met", "nobody"), "无人在家");
        assert_eq!(Lang::En.code("met", "ghost"), "ghost");
        assert_eq!(Lang::Zh.field("members/abc/phone"), "电话");
        assert_eq!(Lang::Zh.field("future"), "future");
        let twice = "two different numbers were checked";
        assert_eq!(Lang::En.field("members/abc/id_hash.k1"), twice);
    }
}
