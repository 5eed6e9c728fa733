//! What JSON may say of a resident: the façade's views with the numbers and names that belong hidden.
//!
//! **Lists never hold a telephone number**; a household shown in a worker's own grid does. At a desk
//! names are masked too. People of the service are colleagues: their names stay.

use serde::Serialize;
use serde_json::{Map, Value};
use wangge_agent::Replica;

use crate::mask;

/// How much of a resident is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everything: a household of a worker's own grid.
    Own,
    /// Numbers masked: a list.
    List,
    /// Numbers and names masked: a desk.
    Desk,
}

/// Returns how much of something in an area is shown here.
pub(crate) fn sight(replica: &Replica, area: &str) -> Sight {
    if replica.role().is_desk() {
        Sight::Desk
    } else if replica
        .areas()
        .iter()
        .any(|own| area.starts_with(own.as_str()))
    {
        Sight::Own
    } else {
        Sight::List
    }
}

/// Returns how much a list shows here.
pub(crate) fn list_sight(replica: &Replica) -> Sight {
    if replica.role().is_desk() {
        Sight::Desk
    } else {
        Sight::List
    }
}

/// Returns the view as JSON with what this sight hides hidden.
pub(crate) fn seen<T: Serialize>(view: &T, sight: Sight) -> Value {
    let mut value = serde_json::to_value(view).unwrap_or_default();
    hide(&mut value, sight);
    value
}

fn hide(value: &mut Value, sight: Sight) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, sight)),
        Value::Object(fields) => hide_fields(fields, sight),
        _ => {}
    }
}

fn hide_fields(fields: &mut Map<String, Value>, sight: Sight) {
    if is_conflict(fields) {
        // A person settles by seeing both values; `conflict show` is the place for that.
        if sight == Sight::Desk {
            mask_text(fields, "title", |title| match title.split_once(' ') {
                Some((door, name)) => format!("{door} {}", mask::name(name)),
                None => title.to_owned(),
            });
            fields.remove("versions");
        }
        return;
    }
    if fields.contains_key("device") && fields.contains_key("here") {
        return;
    }
    if let Some(phone) = fields
        .get("phone")
        .and_then(Value::as_str)
        .map(str::to_owned)
    {
        fields.insert("phone_masked".to_owned(), mask::phone(&phone).into());
        if sight != Sight::Own {
            fields.remove("phone");
        }
    }
    if sight != Sight::Own {
        mask_text(fields, "contact", mask::phone);
    }
    // A value beside the shown one: its name says what it is.
    if let Some(field) = fields.get("field").and_then(Value::as_str) {
        let (is_phone, is_name) = (field.ends_with("phone"), field.ends_with("name"));
        if is_phone && sight != Sight::Own {
            mask_text(fields, "value", mask::phone);
        } else if is_name && sight == Sight::Desk {
            mask_text(fields, "value", mask::name);
        }
    }
    if sight == Sight::Desk {
        for key in ["requester", "head_name", "name"] {
            mask_text(fields, key, mask::name);
        }
        // In a list `head` is a name; in a document it is a member's id.
        if !fields.contains_key("members") {
            mask_text(fields, "head", mask::name);
        }
    }
    for (key, value) in fields.iter_mut() {
        if !matches!(key.as_str(), "by" | "handler" | "to" | "events" | "area") {
            hide(value, sight);
        }
    }
}

fn is_conflict(fields: &Map<String, Value>) -> bool {
    fields.contains_key("versions") && fields.contains_key("field")
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

    fn household() -> Value {
        json!({
            "id": "x", "head": "m1", "phone": "13812345678",
            "members": [{"id": "m1", "name": "王小明", "phone": "13912345678"}],
            "visits": [{"head": "王小明", "by": {"name": "李梅", "device": null, "here": true}}],
            "conflicts": [{"field": "phone", "title": "3-12 王小明", "versions": [{"value": "1"}]}],
        })
    }

    #[test]
    fn the_own_grid_is_clear_and_a_list_has_no_number() {
        let own = seen(&household(), Sight::Own);
        assert_eq!(own["phone"], "13812345678");
        assert_eq!(own["phone_masked"], "138****5678");
        let list = seen(&household(), Sight::List);
        assert!(!list.to_string().contains("13812345678"));
        assert!(!list.to_string().contains("13912345678"));
        assert_eq!(list["members"][0]["name"], "王小明");
    }

    #[test]
    fn a_desk_reads_no_residents_name_and_every_colleagues() {
        let desk = seen(&household(), Sight::Desk).to_string();
        assert!(!desk.contains("王小明"), "{desk}");
        assert!(!desk.contains("13812345678"), "{desk}");
        assert!(desk.contains("李梅"));
    }
}
