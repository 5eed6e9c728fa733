//! What leads aside: asking back, declining, raising, waiting, merging, taking back, watching.

use wangge_agent::tickets::{Step, TicketFilter};
use wangge_wire::Role;

use crate::cast::{
    COUNTY, Cast, TOWNSHIP, answer, assign, because, done, meet, refused, step, takes,
};

#[test]
fn what_is_missing_is_asked_for_and_brought() {
    let mut cast = Cast::new();
    let code = cast.ticket("低保申请");
    let asked = because("ask_back", "缺身份证复印件");
    takes(&mut cast.station, &code, &asked, "asked_back");
    cast.meet();
    let brought = Step {
        text: Some("已补身份证复印件".into()),
        ..step("submit")
    };
    takes(&mut cast.li, &code, &brought, "submitted");
    cast.meet();
    takes(&mut cast.station, &code, &step("accept"), "accepted");
}

#[test]
fn a_declined_ticket_says_where_to_go_and_can_be_taken_up_again() {
    let mut cast = Cast::new();
    let code = cast.ticket("邻里债务");
    let without_where = because("decline", "不归这里管");
    assert_eq!(refused(&mut cast.station, &code, &without_where), "missing");
    let declined = Step {
        whom: Some("县法院立案庭".into()),
        ..because("decline", "应走诉讼")
    };
    let detail = takes(&mut cast.station, &code, &declined, "declined");
    let last = detail.events.last().unwrap();
    assert_eq!(last.whom.as_deref(), Some("县法院立案庭"));
    assert!(!detail.open);
    let again = because("reopen", "居民补了材料");
    takes(&mut cast.station, &code, &again, "submitted");
}

#[test]
fn a_ticket_is_raised_to_the_township_and_then_to_the_county() {
    let mut cast = Cast::new();
    let mut county = cast.district.home("县中心", Role::County, &[COUNTY]);
    let code = cast.ticket("修桥");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    let up = because("escalate", "村里没有资金");
    let raised = takes(&mut cast.station, &code, &up, "escalated");
    assert_eq!(raised.escalated_to.unwrap().as_str(), TOWNSHIP);
    let late = refused(&mut cast.station, &code, &step("accept"));
    assert_eq!(late, "other_desk");
    cast.meet();
    takes(&mut cast.township, &code, &step("accept"), "accepted");
    let raised = takes(&mut cast.township, &code, &up, "escalated");
    assert_eq!(raised.escalated_to.unwrap().as_str(), COUNTY);
    meet(&mut [&mut cast.township, &mut county]);
    takes(&mut county, &code, &step("accept"), "accepted");
    let end = refused(&mut county, &code, &up);
    assert_eq!(end, "not_above");
}

#[test]
fn a_suspended_ticket_waits_and_goes_on_where_it_was() {
    let mut cast = Cast::new();
    let code = cast.ticket("修水管");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    takes(&mut cast.station, &code, &assign("李梅"), "assigned");
    cast.meet();
    takes(&mut cast.li, &code, &step("start"), "in_progress");
    let wait = Step {
        on: Some("2027-03-01".into()),
        ..because("suspend", "等雨停")
    };
    let waiting = takes(&mut cast.li, &code, &wait, "in_progress");
    assert_eq!(waiting.suspended_until.as_deref(), Some("2027-03-01"));
    assert_eq!(refused(&mut cast.li, &code, &done()), "suspended");
    let on = takes(&mut cast.li, &code, &step("resume"), "in_progress");
    assert_eq!(on.suspended_until, None);
    takes(&mut cast.li, &code, &done(), "done");
}

#[test]
fn a_merged_ticket_names_the_one_that_goes_on() {
    let mut cast = Cast::new();
    let (first, second) = (cast.ticket("路灯坏了"), cast.ticket("村口没灯"));
    let merge = Step {
        into: Some(first.clone()),
        ..step("merge")
    };
    let merged = takes(&mut cast.station, &second, &merge, "merged");
    assert_eq!(merged.merged_into.as_deref(), Some(first.as_str()));
    let itself = Step {
        into: Some(first.clone()),
        ..step("merge")
    };
    assert!(cast.station.ticket_step(&first, &itself).is_err());
    takes(&mut cast.station, &second, &step("archive"), "archived");
}

#[test]
fn a_ticket_is_merged_only_into_one_that_is_open_and_never_in_a_ring() {
    let mut cast = Cast::new();
    let (one, other, gone) = (
        cast.ticket("路灯"),
        cast.ticket("路灯不亮"),
        cast.ticket("路灯坏"),
    );
    takes(
        &mut cast.station,
        &gone,
        &because("withdraw", "居民撤回"),
        "withdrawn",
    );
    let into = |code: &str| Step {
        into: Some(code.to_owned()),
        ..step("merge")
    };
    takes(&mut cast.station, &one, &into(&other), "merged");
    for (from, to) in [(&other, &one), (&other, &gone)] {
        let refused = cast.station.ticket_step(from, &into(to));
        assert!(matches!(
            refused,
            Err(wangge_agent::AgentError::BadValue { field: "into", .. })
        ));
    }
    let open = TicketFilter {
        open: true,
        ..TicketFilter::default()
    };
    assert_eq!(cast.station.ticket_list(&open, 10).unwrap().len(), 1);
}

#[test]
fn more_time_is_asked_for_at_most_as_long_again_as_the_first() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    takes(&mut cast.station, &code, &assign("李梅"), "assigned");
    cast.meet();
    let asked = Step {
        due: Some("2099-01-01".into()),
        ..because("extend", "等材料")
    };
    let refused = cast.li.ticket_step(&code, &asked);
    assert!(matches!(
        refused,
        Err(wangge_agent::AgentError::BadValue { field: "due", .. })
    ));
}

#[test]
fn a_resident_who_no_longer_asks_ends_the_ticket() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    cast.meet();
    let gone = because("withdraw", "自己修好了");
    takes(&mut cast.li, &code, &gone, "withdrawn");
    assert_eq!(refused(&mut cast.li, &code, &gone), "wrong_status");
}

#[test]
fn a_step_nobody_built_on_is_taken_back_by_its_author_only() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    let detail = takes(&mut cast.station, &code, &step("retract"), "submitted");
    let parked: Vec<_> = detail
        .events
        .iter()
        .filter_map(|event| event.parked.as_deref())
        .collect();
    assert_eq!(parked, ["retracted"]);
    cast.meet();
    let accept = detail.events.get(1).unwrap().id.to_string();
    let theirs = Step {
        names: vec![accept],
        ..step("retract")
    };
    let why = refused(&mut cast.township, &code, &theirs);
    assert_eq!(why, "nothing_to_retract");
}

#[test]
fn a_level_above_watches_ever_more_strongly() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    cast.meet();
    let card = |card: &str| Step {
        card: Some(card.into()),
        ..step("supervise")
    };
    let reminded = takes(&mut cast.township, &code, &step("remind"), "accepted");
    assert_eq!(reminded.reminders, 1);
    takes(&mut cast.township, &code, &card("黄牌"), "accepted");
    let down = refused(&mut cast.township, &code, &card("普通"));
    assert_eq!(down, "not_higher");
    let red = takes(&mut cast.township, &code, &card("红牌"), "accepted");
    assert_eq!(serde_json::json!(red.card), "red");
    assert_eq!(
        refused(&mut cast.station, &code, &card("红牌")),
        "not_above"
    );
}

#[test]
fn the_answer_is_owed_by_whoever_it_was_handed_to() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    let owed = TicketFilter {
        owed: true,
        ..TicketFilter::default()
    };
    assert_eq!(cast.li.ticket_list(&owed, 9).unwrap().len(), 1);
    let over = Step {
        to: Some("陈站长".into()),
        ..step("hand_over")
    };
    takes(&mut cast.li, &code, &over, "submitted");
    cast.meet();
    assert_eq!(cast.li.ticket_list(&owed, 9).unwrap().len(), 0);
    assert_eq!(cast.station.ticket_list(&owed, 9).unwrap().len(), 1);
    let told = takes(&mut cast.station, &code, &answer(), "submitted");
    assert_eq!(
        (told.first_asked.as_str(), told.answer_owner.as_str()),
        ("李梅", "陈站长")
    );
    assert_eq!(cast.station.ticket_list(&owed, 9).unwrap().len(), 0);
}

#[test]
fn two_levels_that_accepted_at_one_time_stand_beside_each_other_until_one_is_chosen() {
    let mut cast = Cast::new();
    let code = cast.ticket("修路灯");
    takes(&mut cast.station, &code, &step("accept"), "accepted");
    takes(&mut cast.township, &code, &step("accept"), "accepted");
    cast.meet();
    let seen = cast.li.ticket(&code).unwrap();
    let (one, other) = *seen.contested.first().unwrap();
    let asked = TicketFilter {
        contested: true,
        ..TicketFilter::default()
    };
    assert_eq!(cast.township.ticket_list(&asked, 9).unwrap().len(), 1);
    let settle = Step {
        names: vec![one.to_string(), other.to_string()],
        ..because("settle", "村里办")
    };
    let settled = takes(&mut cast.township, &code, &settle, "accepted");
    assert!(settled.contested.is_empty());
    let parked: Vec<_> = settled
        .events
        .iter()
        .filter_map(|event| event.parked.as_deref())
        .collect();
    assert_eq!(parked, ["settled"]);
    cast.meet();
    assert_eq!(cast.li.ticket_list(&asked, 9).unwrap().len(), 0);
}
