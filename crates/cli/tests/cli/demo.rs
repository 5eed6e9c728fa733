//! The demo plays the whole day, from any folder, and proves it from the replicas.

use serde_json::Value;

use crate::world::World;

#[test]
fn the_demo_ends_with_equal_replicas_and_everything_safe() {
    let world = World::new();
    let keep = world.path("kept");
    let mut command = world.command();
    command
        .current_dir(world.path(""))
        .args(["demo", "--yes", "--json", "--keep"])
        .arg(&keep);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (summary, steps) = lines.split_last().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step["type"] == "step" && step["text"].is_string())
    );
    let mut keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "all_safe",
            "conflicts_found",
            "conflicts_settled",
            "households",
            "replicas_equal",
            "reports",
            "syncs",
            "tickets",
            "type",
            "visits",
        ]
    );
    assert_eq!(summary["type"], "summary");
    assert_eq!(
        (&summary["replicas_equal"], &summary["all_safe"]),
        (&true.into(), &true.into())
    );
    assert!(summary["households"].as_u64().unwrap() > 100);
    assert_eq!(
        [&summary["visits"], &summary["reports"], &summary["tickets"]],
        [60, 10, 6].map(Value::from).each_ref()
    );
    assert_eq!(
        (&summary["conflicts_found"], &summary["conflicts_settled"]),
        (&1.into(), &1.into())
    );
    for sync in summary["syncs"].as_array().unwrap() {
        for key in ["round_trips", "bytes_up", "bytes_down", "ms"] {
            assert!(sync[key].is_u64(), "{sync}");
        }
        assert!(sync["device"].is_string());
    }
    // What was kept is a home like any other.
    let status = world.at("kept/李梅", &["status", "--json"]).ok().json();
    assert_eq!(status["counts"]["visits"], 60);
}

#[test]
fn the_demo_says_each_step_in_the_persons_language_and_leaves_nothing_behind() {
    let world = World::new();
    let mut command = world.command();
    command
        .env("TMPDIR", world.path(""))
        .args(["demo", "--lang", "en"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("no link") && text.contains("All three replicas are equal"),
        "{text}"
    );
    assert_eq!(std::fs::read_dir(world.path("")).unwrap().count(), 0);
}
