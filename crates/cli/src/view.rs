//! What is shown of a resident, as JSON and in words: the façade's views with what this device does not
//! read hidden.
//!
//! **Everything a command shows passes here.** Lists never hold a telephone number; a household shown
//! in a worker's own grid does; elsewhere names, doors, births and numbers are masked. Who decides is
//! [`Replica::sight`]. People of the service are colleagues: their names stay.

use chrono::Datelike as _;
use serde::Serialize;
use serde_json::{Map, Value};
use wangge_agent::conflicts::ConflictView;
use wangge_agent::{Replica, mask};

use crate::cmd::export;

/// Texts of which only the numbers are hidden: their words are what the service works with.
const NOTES: [&str; 14] = [
    "note",
    "text",
    "subject",
    "detail",
    "arrangement",
    "handled_on_spot",
    "place",
    "title",
    "wish",
    "item",
    "amount",
    "kind",
    "reference",
    "number",
];
/// Keys under which colleagues stand, never residents.
const COLLEAGUES: [&str; 7] = ["by", "handler", "to", "with", "copies", "whom", "area"];

/// How much of a resident is shown.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    replica: &'a Replica,
    extent: Extent,
    is_list: bool,
}

/// How much of one record is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Everything: it was asked for with a reason.
    Revealed,
    /// Everything: the worker's own grid.
    Own,
    /// Masked.
    Masked,
    /// Masked, also of the worker's own grid.
    Paper,
}

/// Returns how much of something in an area is shown here.
pub(crate) fn sight<'a>(replica: &'a Replica, area: &str) -> Sight<'a> {
    Sight {
        replica,
        extent: extent(replica, area),
        is_list: false,
    }
}

/// Returns how much a list shows here; rows that name their area are shown by that.
pub(crate) fn list_sight(replica: &Replica) -> Sight<'_> {
    Sight {
        replica,
        extent: if replica.role().is_desk() {
            Extent::Masked
        } else {
            Extent::Own
        },
        is_list: true,
    }
}

/// Returns the sight of somebody who asked with a reason that is written down.
pub(crate) fn revealed(replica: &Replica) -> Sight<'_> {
    Sight {
        replica,
        extent: Extent::Revealed,
        is_list: false,
    }
}

/// Returns the sight of whoever finds a paper or a file: masked, whoever made it.
pub(crate) fn paper(replica: &Replica) -> Sight<'_> {
    Sight {
        replica,
        extent: Extent::Paper,
        is_list: true,
    }
}

/// Returns the view as JSON with what this sight hides hidden.
pub(crate) fn seen<T: Serialize>(view: &T, sight: Sight<'_>) -> Value {
    let mut value = serde_json::to_value(view).unwrap_or_default();
    hide(&mut value, sight);
    value
}

/// Hides the values of a conflict that this sight does not show.
pub(crate) fn hide_conflict(conflict: &mut ConflictView, sight: Sight<'_>) {
    for version in &mut conflict.versions {
        hide_value(&conflict.field, &mut version.value, sight);
    }
    if is_of_member(&conflict.field) && sight.extent.is_masked() {
        conflict.of = mask::name(&conflict.of);
    }
}

/// Returns a view as words are made of it: its household by door and head, masked where it is masked,
/// and not by an id that nobody reads. One that is not on this device keeps its id.
pub(crate) fn with_household(replica: &Replica, mut value: Value) -> Value {
    let id = text(&value, "household").parse().ok();
    let title = id.and_then(|id| replica.title(&id).ok());
    if let (Some(title), Some(fields)) = (title, value.as_object_mut())
        && !title.trim().is_empty()
    {
        fields.insert("household".to_owned(), title.into());
    }
    value
}

/// Returns a revealed view as words are made of it: numbers in full.
pub(crate) fn in_full(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            for item in items {
                *item = in_full(item.take());
            }
        }
        Value::Object(fields) => {
            if let Some(phone) = fields.get("phone").filter(|phone| phone.is_string()) {
                fields.insert("phone_masked".to_owned(), phone.clone());
            }
            for value in fields.values_mut() {
                *value = in_full(value.take());
            }
        }
        _ => {}
    }
    value
}

impl Sight<'_> {
    /// Returns the same sight for words on a screen: numbers over the shoulder are masked.
    pub(crate) fn in_words(self) -> Self {
        Self {
            is_list: true,
            ..self
        }
    }
}

impl Extent {
    fn is_masked(self) -> bool {
        matches!(self, Extent::Masked | Extent::Paper)
    }
}

fn extent(replica: &Replica, area: &str) -> Extent {
    if replica.sight(area).is_masked() {
        Extent::Masked
    } else {
        Extent::Own
    }
}

fn hide(value: &mut Value, sight: Sight<'_>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, sight)),
        Value::Object(fields) => hide_fields(fields, sight),
        _ => {}
    }
}

fn hide_fields(fields: &mut Map<String, Value>, mut sight: Sight<'_>) {
    if is_colleague(fields) {
        return;
    }
    if hide_edit(fields, sight) {
        return;
    }
    if let Some(field) = conflict_field(fields) {
        for version in fields
            .get_mut("versions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(value) = version.get_mut("value") {
                hide_value(&field, value, sight);
            }
        }
        if is_of_member(&field) && sight.extent.is_masked() {
            mask_text(fields, "of", mask::name);
        }
        return;
    }
    // A value beside the shown one: its field says what it is.
    if let Some(field) = fields
        .get("field")
        .and_then(Value::as_str)
        .map(str::to_owned)
        && let Some(value) = fields.get_mut("value")
    {
        hide_value(&field, value, sight);
        return;
    }
    let area = fields.get("area").and_then(Value::as_str);
    if let Some(area) = area.filter(|area| !area.is_empty())
        && matches!(sight.extent, Extent::Own | Extent::Masked)
    {
        sight.extent = extent(sight.replica, area);
    }
    hide_phone(fields, sight);
    if sight.extent.is_masked() {
        mask_fields(fields, sight);
    }
    for (key, value) in fields.iter_mut() {
        if !COLLEAGUES.contains(&key.as_str()) {
            hide(value, sight);
        }
    }
}

fn hide_phone(fields: &mut Map<String, Value>, sight: Sight<'_>) {
    let hides = sight.extent.is_masked() || (sight.is_list && sight.extent == Extent::Own);
    if let Some(phone) = fields
        .get("phone")
        .and_then(Value::as_str)
        .map(str::to_owned)
    {
        fields.insert("phone_masked".to_owned(), mask::phone(&phone).into());
        if hides {
            fields.remove("phone");
        }
    }
    if hides {
        mask_text(fields, "contact", mask::contact);
    }
}

fn mask_fields(fields: &mut Map<String, Value>, sight: Sight<'_>) {
    for key in ["requester", "head_name", "name", "whose"] {
        mask_text(fields, key, mask::name);
    }
    // In a list `head` is a name; in a document it is a member's id.
    if !fields.contains_key("members") {
        mask_text(fields, "head", mask::name);
    }
    for key in NOTES {
        mask_text(fields, key, mask::note);
    }
    if let Some(Value::Object(phoned)) = fields.get_mut("phoned") {
        mask_text(phoned, "to", mask::note);
    }
    // Who was told is a resident; where one is guided to is an office.
    if fields.get("kind").and_then(Value::as_str) == Some("answer") {
        mask_text(fields, "whom", mask::name);
    }
    mask_door(fields);
    if let Some(Value::String(birth)) = fields.remove("birth") {
        fields.insert("age_band".to_owned(), age_band(&birth, sight));
    }
}

/// Leaves the village group of a door; a row of a list has group and door side by side.
fn mask_door(fields: &mut Map<String, Value>) {
    let group_of = |value: &Value| value.as_u64().and_then(|group| u16::try_from(group).ok());
    let beside = fields.get("group").and_then(group_of);
    let inside = fields
        .get("door")
        .and_then(|door| door.get("group"))
        .and_then(group_of);
    let Some(group) = beside.or(inside) else {
        match fields.get_mut("door") {
            Some(Value::Object(_)) => {
                fields.insert("door_short".to_owned(), "".into());
                fields.insert("door".to_owned(), Value::Null);
            }
            // A row that has its door in one text: the group is all that is left of it.
            Some(Value::String(door)) => {
                let group = export::group_in(door);
                *door = mask::address(u16::try_from(group).unwrap_or_default());
            }
            _ => {}
        }
        return;
    };
    match fields.get_mut("door") {
        Some(Value::Object(door)) => {
            door.insert("number".to_owned(), "".into());
        }
        Some(door) => *door = "".into(),
        None => {}
    }
    if fields.contains_key("door_short") {
        fields.insert("door_short".to_owned(), mask::address(group).into());
    }
}

/// Hides what an edit of a field found and left, as the field itself is hidden; false for what is no
/// edit. A list and words hide numbers in the own grid too.
fn hide_edit(fields: &mut Map<String, Value>, sight: Sight<'_>) -> bool {
    if !fields.contains_key("before") || !fields.contains_key("after") {
        return false;
    }
    let field = fields.get("field").and_then(Value::as_str);
    let field = field.unwrap_or_default().to_owned();
    let is_number = is_number(&field);
    for key in ["before", "after"] {
        if is_number && sight.is_list && sight.extent == Extent::Own {
            mask_text(fields, key, mask::phone);
        } else if let Some(value) = fields.get_mut(key) {
            hide_value(&field, value, sight);
        }
    }
    if is_of_member(&field) && sight.extent.is_masked() {
        mask_text(fields, "of", mask::name);
    }
    true
}

/// Says whether a field belongs to a member: whose it is, is a name.
fn is_of_member(field: &str) -> bool {
    ["members/", "care/", "needs/"]
        .iter()
        .any(|container| field.starts_with(container))
}

/// Says whether a field holds a number somebody is reached at; a further one is `phone.<id>`.
fn is_number(field: &str) -> bool {
    let last = field.rsplit('/').next().unwrap_or_default();
    let further = last.starts_with("phone.") && !last.ends_with(".whose");
    further || ["phone", "contact"].contains(&last)
}

/// Says whether a text is the id of a record: it names nobody, and its digits are no telephone.
fn is_id(text: &str) -> bool {
    let is_hex = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 32 && text.bytes().all(is_hex)
}

/// Hides one value of a field in conflict.
fn hide_value(field: &str, value: &mut Value, sight: Sight<'_>) {
    if !sight.extent.is_masked() {
        return;
    }
    let Value::String(text) = value else {
        return;
    };
    *value = match field.rsplit('/').next().unwrap_or_default() {
        // Where a record lives is what a desk decides about.
        "area" => return,
        _ if is_id(text) => return,
        "name" | "requester" | "head" => mask::name(text).into(),
        _ if is_number(field) => mask::phone(text).into(),
        last if last.ends_with(".whose") => mask::name(text).into(),
        "door" => "*".repeat(text.chars().count()).into(),
        "birth" => age_band(text, sight),
        _ => mask::note(text).into(),
    };
}

fn age_band(birth: &str, sight: Sight<'_>) -> Value {
    let today = sight.replica.today();
    mask::age_band(birth, today.year(), today.month())
        .unwrap_or_default()
        .into()
}

fn is_colleague(fields: &Map<String, Value>) -> bool {
    let handles = |id: &Value| {
        let id = id.as_str().unwrap_or_default();
        ["person:", "area:", "unit:"]
            .iter()
            .any(|kind| id.starts_with(kind))
    };
    let wrote = fields.contains_key("device") && fields.contains_key("here");
    wrote || fields.get("id").is_some_and(handles)
}

fn conflict_field(fields: &Map<String, Value>) -> Option<String> {
    fields.get("versions")?;
    fields
        .get("field")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn mask_text(fields: &mut Map<String, Value>, key: &str, mask: impl Fn(&str) -> String) {
    if let Some(Value::String(text)) = fields.get_mut(key) {
        *text = mask(text);
    }
}

/// Returns a text field; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a whole number; 0 where there is none.
pub(crate) fn int(value: &Value, key: &str) -> i64 {
    value.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// Returns whether a field is true.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// Returns the texts of a list.
pub(crate) fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    items(value, key).iter().filter_map(Value::as_str).collect()
}

/// Returns the elements of a list.
pub(crate) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wangge_agent::Machine;

    const GRID: &str = "511724103202001";
    const OTHER: &str = "511724103202002";

    fn household(area: &str) -> Value {
        json!({
            "id": "x", "head": "m1", "phone": "13812345678", "area": area,
            "door": {"group": 3, "number": "12"}, "door_short": "3-12", "note": "找13700000000",
            "members": [{"id": "m1", "name": "王小明", "phone": "13912345678", "birth": "1948-03"}],
            "visits": [{"head": "王小明", "by": {"name": "李梅", "device": null, "here": true}}],
            "conflicts": [{"field": "phone", "title": "", "versions": [{"value": "13800000001"}]}],
        })
    }

    fn worker() -> (tempfile::TempDir, Replica) {
        let dir = tempfile::tempdir().unwrap();
        let areas = vec![wangge_relay::AreaCode::parse(GRID).unwrap()];
        let home = dir.path().join("home");
        let replica = Replica::init(&home, "李梅", areas, Machine::default()).unwrap();
        (dir, replica)
    }

    #[test]
    fn the_own_grid_is_clear_and_a_list_has_no_number() {
        let (_dir, replica) = worker();
        let own = seen(&household(GRID), sight(&replica, GRID));
        assert_eq!(own["phone"], "13812345678");
        assert_eq!(own["phone_masked"], "138****5678");
        assert_eq!(own["door_short"], "3-12");
        let list = seen(&household(GRID), list_sight(&replica));
        assert!(!list.to_string().contains("13812345678"));
        assert!(!list.to_string().contains("13912345678"));
        assert_eq!(list["members"][0]["name"], "王小明");
    }

    #[test]
    fn away_from_the_own_grid_a_resident_is_masked_and_a_colleague_is_not() {
        let (_dir, replica) = worker();
        for sight in [sight(&replica, OTHER), list_sight(&replica)] {
            let away = seen(&household(OTHER), sight);
            let shown = away.to_string();
            for hidden in [
                "王小明",
                "13812345678",
                "13912345678",
                "13700000000",
                "13800000001",
                "1948-03",
                "3-12",
                "\"12\"",
            ] {
                assert!(!shown.contains(hidden), "{hidden} in {shown}");
            }
            assert!(shown.contains("李梅"));
            assert_eq!(away["door_short"], "3组");
            assert_eq!(away["members"][0]["age_band"], "70-79");
        }
    }

    #[test]
    fn whose_field_is_in_conflict_is_masked_as_the_value_is() {
        let (_dir, replica) = worker();
        let mut conflict = ConflictView {
            number: 1,
            id: serde_json::from_value(json!("01".repeat(16))).unwrap(),
            kind: "household",
            title: String::new(),
            field: "members/m/birth".to_owned(),
            of: "王小明".to_owned(),
            versions: Vec::new(),
            late: Vec::new(),
        };
        hide_conflict(&mut conflict, sight(&replica, GRID));
        assert_eq!(conflict.of, "王小明");
        let shown = seen(&conflict, sight(&replica, OTHER)).to_string();
        assert!(!shown.contains("小明"), "{shown}");
        hide_conflict(&mut conflict, sight(&replica, OTHER));
        assert!(!conflict.of.contains("小明"), "{}", conflict.of);
    }

    #[test]
    fn a_number_is_hidden_in_every_text_and_whose_a_telephone_is_is_masked() {
        let (_dir, replica) = worker();
        let typed = json!({
            "number": "户主13700000001", "wish": "下班后打13700000002", "reference": "13700000003",
            "phoned": {"to": "周文13700000004", "at_ms": 1},
            "contacts": [{"id": "c", "phone": "13700000005", "whose": "王小明"}],
            "needs": [{"kind": "找13700000006", "text": "轮椅"}],
            "custody": [{"item": "存折13700000007", "amount": "卡13700000008", "taken": "2026-11-23"}],
        });
        let away = seen(&typed, sight(&replica, OTHER));
        let shown = away.to_string();
        for hidden in ["1370000000", "小明"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
        for kept in ["下班后打", "周文", "轮椅", "存折", "王**"] {
            assert!(shown.contains(kept), "{kept} not in {shown}");
        }
        assert_eq!(seen(&typed, sight(&replica, GRID))["wish"], typed["wish"]);
    }

    #[test]
    fn a_door_in_one_text_leaves_its_group() {
        let (_dir, replica) = worker();
        let row = |door: &str| json!({"area": OTHER, "door": door, "head": "甲"});
        for (door, left) in [("1-39", "1组"), ("39", ""), ("1组", "1组"), ("", "")] {
            let away = seen(&row(door), list_sight(&replica));
            assert_eq!((&away["door"], &away["head"]), (&json!(left), &json!("*")));
        }
    }

    #[test]
    fn a_further_telephone_is_masked_in_a_history_and_areas_and_ids_are_not() {
        let (_dir, replica) = worker();
        let edit =
            |field: &str, after: &str| json!({"field": field, "before": null, "after": after});
        let seen = |field, after, area| {
            let value = seen(&edit(field, after), sight(&replica, area).in_words());
            value["after"].as_str().unwrap_or_default().to_owned()
        };
        for area in [GRID, OTHER] {
            assert_eq!(seen("phone.0bd90945", "13700002222", area), "137****2222");
            assert_eq!(seen("area", GRID, area), GRID);
            let id = "12345678a36f15a1b2c3d4e5f6071829";
            for field in ["household", "head", "members/a/moved_to"] {
                assert_eq!(seen(field, id, area), id);
            }
        }
        assert_eq!(seen("phone.0bd90945.whose", "王小明", OTHER), "王**");
        assert_eq!(seen("note", "找13700002222", OTHER), "找***********");
    }

    #[test]
    fn what_was_asked_for_with_a_reason_is_clear() {
        let (_dir, replica) = worker();
        let clear = seen(&household(OTHER), revealed(&replica));
        assert_eq!(clear["members"][0]["name"], "王小明");
        assert_eq!(in_full(clear)["phone_masked"], "13812345678");
    }
}
