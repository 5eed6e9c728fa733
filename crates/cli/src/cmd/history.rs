//! The history of a record: `--history` on what shows one.

use serde_json::Value;
use wangge_agent::Replica;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::text::Lang;
use crate::ui::{Tone, tone};
use crate::view::{Sight, int, items, seen, text};

/// Shows the history of a record; `sight` is how much of it is read here as JSON.
pub(crate) fn show(
    context: &Context,
    replica: &Replica,
    name: &str,
    sight: Sight<'_>,
) -> Result<Exit, Failure> {
    let history = replica.history(name)?;
    let value = seen(&history, sight);
    let (lang, today) = (context.ui.lang, replica.today());
    context.ui.show(&value, || {
        human(lang, &seen(&history, sight.in_words()), today)
    });
    Ok(Exit::Done)
}

fn human(lang: Lang, history: &Value, today: chrono::NaiveDate) -> String {
    let mut lines = vec![tone(Tone::Strong, &lang.placed(text(history, "title")))];
    for change in items(history, "changes") {
        let by = change.get("by").unwrap_or(&Value::Null);
        let here = crate::view::flag(by, "here");
        let mut parts = vec![
            moment::minute(lang, int(change, "at_ms"), today),
            lang.this_device_or(here, text(by, "name")),
            lang.code("state", text(change, "state")).to_owned(),
        ];
        let doubt = text(change, "clock");
        if !doubt.is_empty() {
            parts.push(tone(Tone::Warn, lang.code("clock", doubt)));
        }
        lines.push(parts.join(" · "));
        lines.extend(
            items(change, "edits")
                .iter()
                .map(|edit| format!("  {}", edit_line(lang, edit))),
        );
    }
    lines.join("\n")
}

/// Returns an edit in a line: whose field, from what, to what; of a ticket's event the step.
pub(crate) fn edit_line(lang: Lang, edit: &Value) -> String {
    let event = edit.get("event").unwrap_or(&Value::Null);
    if event.is_object() {
        let said = [
            lang.code("step", text(event, "kind")),
            text(event, "by"),
            text(event, "text"),
        ];
        let said: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
        return said.join(" · ");
    }
    let field = text(edit, "field");
    let null = Value::Null;
    let value = |key| lang.value_of(field, edit.get(key).unwrap_or(&null));
    let name = format!("{} {}", text(edit, "of"), lang.field(field));
    let (before, after) = (value("before"), value("after"));
    if edit.get("before").is_none_or(Value::is_null) {
        format!("{}: {after}", name.trim())
    } else {
        format!("{}: {before} → {after}", name.trim())
    }
}

impl Lang {
    /// Returns the value of a field in words.
    pub(crate) fn value_of(self, field: &str, value: &Value) -> String {
        let name = field.rsplit('/').next().unwrap_or(field);
        match value {
            Value::Null => self.nothing().to_owned(),
            Value::String(text) if text.is_empty() => self.nothing().to_owned(),
            Value::Bool(true) => self.yes().to_owned(),
            Value::Bool(false) => self.no().to_owned(),
            Value::String(text) => self.coded(name, text),
            Value::Number(number) if name == "sex" => {
                self.code("sex", &number.to_string()).to_owned()
            }
            Value::Number(number) if name == "at" || name.ends_with("_at") => {
                moment::exact(number.as_i64().unwrap_or_default())
            }
            other => other.to_string(),
        }
    }

    fn coded(self, name: &str, text: &str) -> String {
        let group = match name {
            "residence" | "mode" | "met" | "identity" | "left" | "basis" | "every"
            | "done_kind" | "card" => name,
            "for" => "duty",
            "tag" => "care",
            "kind" => "ticket",
            "relation" => return self.relation(text).to_owned(),
            "category" => return self.category(text),
            // How a consent was given; how a resident was told is text.
            "how" => "consent_how",
            "area" => return crate::areas::shown(text),
            name if name.starts_with("id_hash.") => return self.field(text).to_owned(),
            _ => return text.to_owned(),
        };
        let words: Vec<&str> = text.split(',').map(|code| self.code(group, code)).collect();
        words.join(self.comma())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_edit_says_whose_field_went_from_what_to_what() {
        let edit = json!({
            "field": "members/a/relation", "of": "王小明", "before": "02", "after": "10",
        });
        assert_eq!(edit_line(Lang::Zh, &edit), "王小明 与户主关系: 户主 → 配偶");
        let edit = json!({"field": "phone", "before": null, "after": ""});
        assert_eq!(edit_line(Lang::En, &edit), "the phone: (nothing)");
        let event = json!({"kind": "accept", "by": "周敏", "text": "好"});
        let edit = json!({"field": "events/a", "after": "{}", "event": event});
        assert_eq!(edit_line(Lang::Zh, &edit), "受理 · 周敏 · 好");
    }

    #[test]
    fn codes_are_told_in_words() {
        assert_eq!(Lang::Zh.value_of("residence", &json!("away")), "整户外出");
        assert_eq!(Lang::Zh.value_of("visits/a/same", &json!(true)), "是");
        assert_eq!(Lang::Zh.value_of("members/a/sex", &json!(2)), "女");
        assert_eq!(Lang::Zh.value_of("note", &json!("good")), "good");
        let consent = |key: &str| format!("consent/0bd90945/{key}");
        assert_eq!(
            Lang::Zh.value_of(&consent("basis"), &json!("consent")),
            "同意"
        );
        assert_eq!(Lang::Zh.value_of(&consent("how"), &json!("spoken")), "口头");
        assert_eq!(Lang::Zh.value_of("every", &json!("monthly")), "每月");
    }

    #[test]
    fn every_field_of_an_edit_has_a_name() {
        for (field, han) in [
            ("residence_since", "居住情况从哪天起"),
            ("consent/0bd90945/withdrawn", "撤回同意的日期"),
            ("needs/0bd90945/done", "解决的日期"),
            ("phone.0bd90945", "其他电话"),
            ("contacts/phone.0bd90945.whose", "谁的电话"),
        ] {
            assert_eq!(Lang::Zh.field(field), han, "{field}");
        }
    }
}
