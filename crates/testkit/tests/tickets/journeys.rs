//! From open to archived, offline where people are offline.

use wangge_agent::link::SyncReport;
use wangge_agent::tickets::{SlipFor, Step, TicketFilter, TicketInput};
use wangge_testkit::district::{District, sync};
use wangge_wire::Role;

use crate::cast::{
    COUNTY, Cast, GRID_1, TOWNSHIP, answer, assign, because, done, grade, meet, open, refused,
    step, takes,
};

#[test]
fn a_ticket_opened_offline_goes_through_every_hand_to_the_archive() {
    let mut cast = Cast::new();
    cast.district.stop();
    let code = open(&mut cast.li, "修路灯");
    assert_eq!(cast.li.ticket(&code).unwrap().status, "submitted");
    cast.district.start();
    cast.meet();

    let accepted = takes(&mut cast.station, &code, &step("accept"), "accepted");
    assert_eq!(accepted.desk.unwrap().role, "station");
    let mut wang = cast.district.home("王芳", Role::Worker, &[GRID_1]);
    sync(&mut cast.station).unwrap();
    sync(&mut wang).unwrap();
    let given = Step {
        with: vec!["李梅".into()],
        copies: vec![TOWNSHIP.into()],
        ..assign("王芳")
    };
    let assigned = takes(&mut cast.station, &code, &given, "assigned");
    assert_eq!(assigned.handler.unwrap().name, "王芳");
    assert_eq!(assigned.with.first().unwrap().name, "李梅");
    assert_eq!(assigned.copies.first().unwrap().name, TOWNSHIP);
    sync(&mut cast.station).unwrap();
    sync(&mut wang).unwrap();

    takes(&mut wang, &code, &step("start"), "in_progress");
    takes(
        &mut wang,
        &code,
        &because("extend", "等配件"),
        "in_progress",
    );
    meet(&mut [&mut wang, &mut cast.station]);
    let granted = takes(&mut cast.station, &code, &step("grant"), "in_progress");
    assert_eq!(granted.extension.unwrap().answer, "granted");
    meet(&mut [&mut wang, &mut cast.station]);
    let again = because("extend", "还要等");
    assert_eq!(refused(&mut wang, &code, &again), "already_extended");
    takes(&mut wang, &code, &done(), "done");
    meet(&mut [&mut wang, &mut cast.station, &mut cast.li]);

    assert_eq!(refused(&mut wang, &code, &step("verify")), "own_work");
    let told = takes(&mut cast.li, &code, &answer(), "done");
    assert!(told.answered);
    takes(&mut cast.li, &code, &step("verify"), "verified");
    cast.meet();
    let content = takes(&mut cast.station, &code, &grade("满意"), "verified");
    let said = content.followed_up.unwrap();
    assert_eq!((said.grade, said.self_recorded), (4, false));
    takes(&mut cast.station, &code, &step("close"), "closed");
    takes(&mut cast.station, &code, &step("archive"), "archived");
    meet(&mut [
        &mut cast.station,
        &mut cast.li,
        &mut cast.township,
        &mut wang,
    ]);
    for replica in [&cast.li, &cast.township, &wang] {
        let seen = replica.ticket(&code).unwrap();
        assert_eq!(seen.status, "archived");
        assert!(seen.events.iter().all(|event| event.parked.is_none()));
    }
}

#[test]
fn a_village_of_one_worker_and_a_county_finishes_a_ticket() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut county = district.home("县中心", Role::County, &[COUNTY]);
    let code = open(&mut li, "办证");
    meet(&mut [&mut li, &mut county]);
    takes(&mut county, &code, &step("accept"), "accepted");
    takes(&mut county, &code, &assign("李梅"), "assigned");
    meet(&mut [&mut county, &mut li]);
    takes(&mut li, &code, &step("start"), "in_progress");
    takes(&mut li, &code, &done(), "done");
    assert_eq!(refused(&mut li, &code, &step("verify")), "own_work");
    takes(&mut li, &code, &answer(), "done");
    meet(&mut [&mut li, &mut county]);
    takes(&mut county, &code, &step("verify"), "verified");
    takes(&mut county, &code, &step("close"), "closed");
}

#[test]
fn what_was_handled_on_the_spot_is_sampled_by_somebody_else() {
    let mut cast = Cast::new();
    let input = TicketInput {
        subject: "钥匙丢了".into(),
        handled_on_spot: Some("帮着开了门".into()),
        ..TicketInput::default()
    };
    let opened = cast.li.open_ticket(input).unwrap();
    let code = opened.ticket.code;
    assert_eq!((opened.status.as_str(), opened.events.len()), ("done", 1));
    cast.meet();
    assert_eq!(refused(&mut cast.li, &code, &step("verify")), "own_work");
    takes(&mut cast.station, &code, &step("verify"), "verified");
    takes(&mut cast.station, &code, &step("close"), "closed");
}

#[test]
fn the_worst_grade_takes_the_ticket_up_again() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    takes(&mut cast.township, &code, &step("accept"), "accepted");
    takes(&mut cast.township, &code, &assign("陈站长"), "assigned");
    cast.meet();
    takes(&mut cast.station, &code, &done(), "done");
    cast.meet();
    takes(&mut cast.li, &code, &step("verify"), "verified");
    cast.meet();
    takes(&mut cast.township, &code, &step("close"), "closed");
    let bad = takes(&mut cast.township, &code, &grade("很不满意"), "accepted");
    assert!(bad.handler.is_none());
    let clock = bad.clock.unwrap();
    assert!(
        clock.level.is_some() && clock.promise.unwrap().stopped_ms.is_none(),
        "whoever is least content is not without a clock"
    );
    takes(&mut cast.township, &code, &assign("李梅"), "assigned");
    cast.meet();
    assert_eq!(cast.li.ticket(&code).unwrap().handler.unwrap().name, "李梅");
}

#[test]
fn a_ticket_from_before_the_home_was_enrolled_is_still_its_owners() {
    let district = District::new();
    let mut county = district.home("县中心", Role::County, &[COUNTY]);
    let folder = district.path().join("li");
    let areas = vec![wangge_wire::AreaCode::parse(GRID_1).unwrap()];
    let machine = wangge_agent::Machine::default;
    let mut li = wangge_agent::Replica::init(&folder, "李梅", areas, machine()).unwrap();
    let code = open(&mut li, "修路灯");
    let invitation = district.invite("李梅", Role::Worker, &[GRID_1]);
    let url = format!("http://{}", district.address());
    wangge_testkit::district::wait(li.enroll(&invitation, &url, "李梅", None)).unwrap();
    let _: SyncReport = sync(&mut li).unwrap();
    meet(&mut [&mut li, &mut county]);

    let owed = TicketFilter {
        owed: true,
        ..TicketFilter::default()
    };
    assert_eq!(li.ticket_list(&owed, 9).unwrap().len(), 1);
    takes(&mut county, &code, &step("accept"), "accepted");
    takes(&mut county, &code, &assign(COUNTY), "assigned");
    takes(&mut county, &code, &done(), "done");
    meet(&mut [&mut county, &mut li]);
    takes(&mut li, &code, &answer(), "done");
    takes(&mut li, &code, &step("verify"), "verified");
    assert_eq!(li.ticket_list(&owed, 9).unwrap().len(), 0);
}

#[test]
fn a_promise_runs_from_when_the_worker_saved_it_and_stands_on_the_residents_slip() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    let promise = |replica: &wangge_agent::Replica| {
        let clock = replica.ticket(&code).unwrap().clock.unwrap();
        clock.promise.unwrap()
    };
    let opened = cast.li.ticket(&code).unwrap();
    let saved = promise(&cast.li);
    assert_eq!(saved.from_ms, opened.events.first().unwrap().at_ms);
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    cast.meet();
    assert_eq!(promise(&cast.township).due_ms, saved.due_ms);
    let slip = cast.li.ticket_slip(&code, SlipFor::Resident).unwrap();
    assert_eq!(slip.promised, Some(saved.due_ms));
    assert_eq!(slip.complaint_line, "12345");
    assert_eq!(slip.first_asked, "李梅");
}
