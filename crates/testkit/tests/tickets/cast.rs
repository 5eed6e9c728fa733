//! Three people with a relay between them, and the steps they take.

use wangge_agent::tickets::{Step, TicketDetail, TicketInput};
use wangge_agent::{AgentError, Replica};
use wangge_testkit::district::{District, sync};
use wangge_wire::Role;

pub(crate) const COUNTY: &str = "511724";
pub(crate) const TOWNSHIP: &str = "511724103";
pub(crate) const VILLAGE: &str = "511724103202";
pub(crate) const GRID_1: &str = "511724103202001";
pub(crate) const GRID_2: &str = "511724103202002";
/// A grid of another village.
pub(crate) const ELSEWHERE: &str = "511724103203001";

/// A worker, the village's station and the township, all with what the relay has.
pub(crate) struct Cast {
    pub(crate) district: District,
    pub(crate) li: Replica,
    pub(crate) station: Replica,
    pub(crate) township: Replica,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let district = District::new();
        let township = district.home("周文", Role::Township, &[TOWNSHIP]);
        let station = district.home("陈站长", Role::Station, &[VILLAGE]);
        let li = district.home("李梅", Role::Worker, &[GRID_1]);
        Self {
            district,
            li,
            station,
            township,
        }
    }

    /// Syncs everybody until all have what all made.
    pub(crate) fn meet(&mut self) {
        meet(&mut [&mut self.li, &mut self.station, &mut self.township]);
    }

    /// Opens a ticket at the worker's and brings it to everybody.
    pub(crate) fn ticket(&mut self, subject: &str) -> String {
        let code = open(&mut self.li, subject);
        self.meet();
        code
    }
}

pub(crate) fn meet(replicas: &mut [&mut Replica]) {
    for _ in 0..2 {
        for replica in replicas.iter_mut() {
            let report = sync(replica).unwrap();
            assert_eq!((report.inbox, report.held), (0, 0));
        }
    }
}

pub(crate) fn open(replica: &mut Replica, subject: &str) -> String {
    let input = TicketInput {
        subject: subject.into(),
        ..TicketInput::default()
    };
    replica.open_ticket(input).unwrap().ticket.code
}

/// A step that is only its kind.
pub(crate) fn step(kind: &str) -> Step {
    Step {
        kind: kind.into(),
        ..Step::default()
    }
}

/// A step with a reason.
pub(crate) fn because(kind: &str, reason: &str) -> Step {
    Step {
        reason: Some(reason.into()),
        ..step(kind)
    }
}

pub(crate) fn assign(to: &str) -> Step {
    Step {
        to: Some(to.into()),
        ..step("assign")
    }
}

pub(crate) fn done() -> Step {
    Step {
        done_kind: Some("实质".into()),
        text: Some("已修好".into()),
        ..step("done")
    }
}

pub(crate) fn answer() -> Step {
    Step {
        how: Some("电话".into()),
        whom: Some("本人".into()),
        text: Some("已修好".into()),
        ..step("answer")
    }
}

pub(crate) fn grade(grade: &str) -> Step {
    Step {
        grade: Some(grade.into()),
        ..step("follow_up")
    }
}

/// Takes a step and checks where it leads.
#[track_caller]
pub(crate) fn takes(replica: &mut Replica, code: &str, step: &Step, status: &str) -> TicketDetail {
    match replica.ticket_step(code, step) {
        Ok(detail) => {
            assert_eq!(detail.status, status, "{}", step.kind);
            let last = detail.events.last().unwrap();
            assert_eq!(last.parked, None, "{}", step.kind);
            detail
        }
        Err(error) => panic!("{}: {error:?}", step.kind),
    }
}

/// Takes a step that is not allowed, and returns why.
#[track_caller]
pub(crate) fn refused(replica: &mut Replica, code: &str, step: &Step) -> &'static str {
    let before = replica.ticket(code).unwrap().events.len();
    let refusal = match replica.ticket_step(code, step) {
        Err(AgentError::Ticket(refusal)) => refusal.code(),
        other => panic!("{}: {other:?}", step.kind),
    };
    assert_eq!(replica.ticket(code).unwrap().events.len(), before);
    refusal
}
