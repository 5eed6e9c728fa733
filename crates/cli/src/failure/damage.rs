//! A database of which something did not read: whether its pages are damaged, and where it is then.

use wangge_agent::{AgentError, Machine, Replica};

use super::Failure;
use crate::context::Context;

impl Failure {
    /// Has the whole database looked at where something of it did not read.
    pub(crate) fn looked_into(self, context: &Context) -> Self {
        match (&self, context.home()) {
            (Failure::Agent(AgentError::Damaged { aside }), Ok(home))
                if aside.as_os_str().is_empty() =>
            {
                match Replica::check(&home, &Machine::default()) {
                    Ok(Some(aside)) => AgentError::Damaged { aside }.into(),
                    _ => self,
                }
            }
            _ => self,
        }
    }
}
