//! Who receives a ticket and a report: whoever handles it, helps or is told, and whoever recorded it.

use wangge_agent::AgentError;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketFilter, TicketInput};
use wangge_testkit::district::{sync, wait};
use wangge_wire::Role;

use crate::cast::{Cast, ELSEWHERE, GRID_2, answer, assign, done, meet, refused, step, takes};

#[test]
fn who_helps_and_who_is_told_receive_the_ticket_and_nothing_else_does() {
    let mut cast = Cast::new();
    let mut helper = cast.district.home("王芳", Role::Worker, &[GRID_2]);
    let mut told = cast.district.home("赵强", Role::Worker, &[ELSEWHERE]);
    let mut stranger = cast.district.home("孙丽", Role::Worker, &[ELSEWHERE]);
    let (code, other) = (cast.ticket("修路灯"), cast.ticket("修水管"));
    takes(&mut cast.township, &code, &step("accept"), "accepted");
    let given = Step {
        with: vec!["王芳".into()],
        copies: vec!["赵强".into()],
        ..assign("李梅")
    };
    takes(&mut cast.township, &code, &given, "assigned");
    meet(&mut [&mut cast.township, &mut helper, &mut told, &mut stranger]);
    assert_eq!(
        helper.ticket(&code).unwrap().with.first().unwrap().name,
        "王芳"
    );
    assert_eq!(told.ticket(&code).unwrap().status, "assigned");
    assert!(stranger.ticket(&code).is_err());
    assert!(helper.ticket(&other).is_err() && told.ticket(&other).is_err());
    assert_eq!(refused(&mut helper, &code, &step("start")), "not_handler");
    let remark = Step {
        text: Some("梯子在村部".into()),
        ..step("comment")
    };
    takes(&mut helper, &code, &remark, "assigned");
    meet(&mut [&mut helper, &mut cast.li]);
    let seen = cast.li.ticket(&code).unwrap();
    assert_eq!(seen.events.last().unwrap().text, "梯子在村部");
}

#[test]
fn a_worker_who_asks_for_another_village_keeps_the_report_and_its_ticket() {
    let mut cast = Cast::new();
    let mut zhao = cast.district.home("赵强", Role::Worker, &[ELSEWHERE]);
    let mut input = ReportInput {
        area: Some(crate::cast::GRID_1.into()),
        text: "龙台村的桥塌了一角".into(),
        affected: 40,
        ..ReportInput::default()
    };
    let report = zhao.add_report(input.clone()).unwrap();
    assert!(!report.at_relay);
    meet(&mut [&mut zhao, &mut cast.township]);
    let id = report.view.id.to_string();
    assert!(zhao.report(&id).unwrap().at_relay);

    let from_it = TicketInput {
        area: Some(crate::cast::GRID_1.into()),
        subject: "修桥".into(),
        reports: vec![id.clone()],
        ..TicketInput::default()
    };
    let code = cast.township.open_ticket(from_it).unwrap().ticket.code;
    cast.township.comment_report(&id, "已立项").unwrap();
    meet(&mut [&mut cast.township, &mut zhao]);
    let known = zhao.report(&id).unwrap();
    assert_eq!(known.comments.first().unwrap().text, "已立项");
    assert_eq!(known.comments.first().unwrap().by, "周文");
    assert_eq!(known.tickets.first().unwrap().code, code);
    assert_eq!(zhao.ticket(&code).unwrap().status, "submitted");

    input.ticket = Some("求助".into());
    let both = zhao.add_report(input).unwrap();
    let own = both.tickets.first().unwrap().code.clone();
    meet(&mut [&mut zhao, &mut cast.township]);
    takes(&mut cast.township, &own, &step("accept"), "accepted");
    meet(&mut [&mut cast.township, &mut zhao]);
    assert_eq!(zhao.ticket(&own).unwrap().status, "accepted");
}

#[test]
fn a_unit_without_a_device_is_worked_for_from_its_paper_slip() {
    let mut cast = Cast::new();
    let code = cast.ticket("水压低");
    let added = wait(cast.township.add_unit("水务站", crate::cast::TOWNSHIP, ""));
    let unit = format!("unit:{}", added.unwrap().id);
    sync(&mut cast.township).unwrap();
    takes(&mut cast.township, &code, &step("accept"), "accepted");
    let given = takes(&mut cast.township, &code, &assign("水务站"), "assigned");
    assert_eq!(given.handler.unwrap().name, "水务站");
    assert_eq!(refused(&mut cast.township, &code, &done()), "not_handler");
    let typed = |step: Step| Step {
        for_unit: Some(unit.clone()),
        ..step
    };
    takes(
        &mut cast.township,
        &code,
        &typed(step("start")),
        "in_progress",
    );
    let finished = takes(&mut cast.township, &code, &typed(done()), "done");
    let last = finished.events.last().unwrap();
    assert_eq!(last.by, "周文");
    assert_eq!(
        String::from(last.for_unit.as_ref().unwrap().id.clone()),
        unit
    );
    cast.meet();
    takes(&mut cast.li, &code, &step("verify"), "verified");
}

#[test]
fn a_worker_hands_the_answer_over_only_to_somebody_the_ticket_reaches() {
    let mut cast = Cast::new();
    let zhao = cast.district.home("赵强", Role::Worker, &[ELSEWHERE]);
    let code = cast.ticket("修路灯");
    let over = Step {
        to: Some(zhao.person().to_string()),
        ..step("hand_over")
    };
    let refused = cast.li.ticket_step(&code, &over);
    // Somebody of another village is not even in the worker's roster.
    assert!(matches!(refused, Err(AgentError::NotFound { .. })));
    assert_eq!(cast.li.ticket(&code).unwrap().events.len(), 1);
    sync(&mut cast.township).unwrap();
    takes(&mut cast.township, &code, &over, "submitted");
}

#[test]
fn a_list_shows_whose_turn_it_is() {
    let mut cast = Cast::new();
    let (mine, theirs) = (cast.ticket("修路灯"), cast.ticket("修水管"));
    for code in [&mine, &theirs] {
        takes(&mut cast.station, code, &step("accept"), "accepted");
    }
    takes(&mut cast.station, &mine, &assign("李梅"), "assigned");
    takes(
        &mut cast.station,
        &theirs,
        &assign(crate::cast::VILLAGE),
        "assigned",
    );
    cast.meet();
    let list = |replica: &wangge_agent::Replica, filter: TicketFilter| -> Vec<String> {
        let views = replica.ticket_list(&filter, 9).unwrap();
        views.into_iter().map(|view| view.code).collect()
    };
    let mine_only = TicketFilter {
        mine: true,
        ..TicketFilter::default()
    };
    // What a village handles, each of its workers handles.
    let all = list(&cast.li, mine_only.clone());
    assert!(all.contains(&mine) && all.contains(&theirs));
    assert_eq!(
        list(&cast.station, mine_only),
        std::slice::from_ref(&theirs)
    );
    takes(&mut cast.station, &theirs, &done(), "done");
    cast.meet();
    takes(&mut cast.li, &theirs, &answer(), "done");
    let open = TicketFilter {
        open: true,
        ..TicketFilter::default()
    };
    assert_eq!(list(&cast.li, open).len(), 2);
}

#[test]
fn whoever_handles_a_ticket_elsewhere_learns_whom_it_is_for_and_where_they_live() {
    let mut cast = Cast::new();
    let mut zhao = cast.district.home("赵强", Role::Worker, &[ELSEWHERE]);
    cast.li
        .add_household(HouseholdInput {
            door: "3组12号".into(),
            phone: Some("13812345678".into()),
            members: vec![MemberInput {
                name: "曾小红".into(),
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        })
        .unwrap();
    let mut open = |identity: Option<&str>| {
        let input = TicketInput {
            household: Some("zxh".into()),
            subject: "修水管".into(),
            identity: identity.map(str::to_owned),
            ..TicketInput::default()
        };
        cast.li.open_ticket(input).unwrap().ticket.code
    };
    let (named, veiled) = (open(None), open(Some("confidential")));
    meet(&mut [&mut cast.li, &mut cast.township, &mut zhao]);
    for code in [&named, &veiled] {
        takes(&mut cast.township, code, &step("accept"), "accepted");
        assert_eq!(cast.township.ticket(code).unwrap().ticket.requester, "");
        takes(&mut cast.township, code, &assign("赵强"), "assigned");
    }
    meet(&mut [&mut cast.township, &mut zhao]);
    assert_eq!(zhao.store().counts().unwrap().households, 0);
    let seen = zhao.ticket(&named).unwrap().ticket;
    assert_eq!(
        (&*seen.requester, &*seen.contact),
        ("曾小红", "13812345678")
    );
    assert_eq!(seen.door.short(), "3-12");
    let call = zhao.call(&named, "errand").unwrap();
    assert_eq!(call.numbers[0].phone, "13812345678");
    meet(&mut [&mut zhao, &mut cast.township, &mut cast.li]);
    let family = cast.li.name_household("zxh").unwrap();
    let looked = cast.li.accesses(&family).unwrap();
    assert_eq!((looked.len(), &*looked[0].by.name), (1, "赵强"));
    let seen = zhao.ticket(&veiled).unwrap().ticket;
    assert_eq!((&*seen.requester, &*seen.contact), ("", ""));
    assert!(seen.door.number.is_empty());
}
