//! What is hidden, who looked, and what a note must not hold, in words.

use super::Topic;

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};
