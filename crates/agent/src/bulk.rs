//! Many records from JSON lines: all or nothing per line, with a report of the lines refused and why.
//!
//! Each line is a transaction of its own, durable before the next is read. **What stops the whole file
//! (a full disk) is told with the lines that are recorded by then**: nobody has to guess which to type
//! again.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::AgentError;
use crate::replica::Replica;

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
pub struct BulkReport {
    /// Lines that wrote something.
    pub recorded: usize,
    /// Lines that said what stood already.
    pub unchanged: usize,
    /// What each recorded line made, in the file's order.
    pub ids: Vec<String>,
    /// Lines that were not taken.
    pub refused: Vec<RefusedLine>,
    /// The line at which the device could not go on; none of those after it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<usize>,
}

/// A line that was not taken.
#[derive(Debug, Serialize)]
pub struct RefusedLine {
    /// Counted from 1.
    pub line: usize,
    /// What kind of fault, a stable word.
    pub reason: &'static str,
    /// The field it is in; empty where the line as a whole is at fault.
    pub field: String,
    /// What the reader says; it names no value of the line.
    pub detail: String,
}

/// What one line did.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) changed: bool,
}

impl Replica {
    /// Runs `work` on every line of `text`.
    pub(crate) fn bulk<T: DeserializeOwned>(
        &mut self,
        text: &str,
        mut work: impl FnMut(&mut Self, T) -> Result<Line, AgentError>,
    ) -> Result<BulkReport, AgentError> {
        let mut report = BulkReport::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let (kept, input) = read_line::<T>(line);
            let done = match input {
                Ok(input) => self.keeping(kept, |replica| work(replica, input)),
                Err(error) => {
                    report.refused.push(RefusedLine {
                        line: number,
                        reason: "json",
                        field: String::new(),
                        detail: describe(&error),
                    });
                    continue;
                }
            };
            match done {
                Ok(line) if line.changed => {
                    report.recorded += 1;
                    report.ids.push(line.id);
                }
                Ok(_) => report.unchanged += 1,
                Err(error @ (AgentError::DiskFull | AgentError::InUse)) if report.recorded > 0 => {
                    let full = matches!(error, AgentError::DiskFull);
                    report.refused.push(RefusedLine {
                        line: number,
                        reason: if full { "disk_full" } else { "in_use" },
                        field: String::new(),
                        detail: String::new(),
                    });
                    report.stopped_at = Some(number);
                    break;
                }
                Err(error) => report.refused.push(refused(number, error)?),
            }
        }
        Ok(report)
    }
}

/// Reads a line; beside its own fields each may have `keep`, which saves what was pointed out.
fn read_line<T: DeserializeOwned>(line: &str) -> (bool, Result<T, serde_json::Error>) {
    if !line.trim_start().starts_with('{') {
        // A list would be read as the fields in their order: names decide here, places never.
        return (
            false,
            Err(serde::de::Error::custom("a line is an object {…}")),
        );
    }
    if !line.contains("\"keep\"") {
        return (false, serde_json::from_str(line));
    }
    let mut value: serde_json::Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(error) => return (false, Err(error)),
    };
    let keep = value.as_object_mut().and_then(|line| line.remove("keep"));
    (keep == Some(true.into()), serde_json::from_value(value))
}

/// Returns the line's fault, or the error if it is not the line's.
fn refused(line: usize, error: AgentError) -> Result<RefusedLine, AgentError> {
    let (reason, field, detail) = match &error {
        AgentError::BadValue {
            field, expected, ..
        } => ("value", (*field).to_owned(), (*expected).to_owned()),
        AgentError::TooLong(long) => ("too_long", long.field.to_owned(), long.limit.to_string()),
        AgentError::LookedAt { field, signs, .. } => {
            let codes: Vec<&str> = signs.iter().map(|sign| sign.code()).collect();
            ("looked_at", (*field).to_owned(), codes.join(","))
        }
        AgentError::NotFound { .. } | AgentError::NoSuchDoor { .. } => {
            ("not_found", String::new(), String::new())
        }
        AgentError::Ambiguous { candidates, .. } => {
            ("ambiguous", String::new(), candidates.len().to_string())
        }
        AgentError::NotYourArea { area } => ("area", "area".to_owned(), area.clone()),
        AgentError::InConflict { field } => ("in_conflict", field.clone(), String::new()),
        AgentError::DocumentFull => ("document_full", String::new(), String::new()),
        AgentError::Ticket(refusal) => ("ticket", String::new(), refusal.code().to_owned()),
        _ => return Err(error),
    };
    Ok(RefusedLine {
        line,
        reason,
        field,
        detail,
    })
}

/// Returns what is wrong with a line without repeating what stands in it.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            // The reader's words name fields and types; a value stands between quotes or backquotes
            // only after "invalid value", which our own types do not raise with contents.
            let text = error.to_string();
            text.split(", expected")
                .next()
                .unwrap_or_default()
                .chars()
                .take(120)
                .collect()
        }
        Category::Syntax | Category::Eof => format!("column {}", error.column()),
        Category::Io => String::new(),
    }
}
