//! What is typed is kept as it was typed, and what cannot be meant is said, not taken in silence.

use crate::world::{GRID, World};

const NOTE: &str = "血压高，头晕；已劝就医。（全角）ＡＢＣ１２３";

#[test]
fn a_roster_without_headings_is_refused_and_the_headings_are_named() {
    let world = World::new();
    world.home("d");
    let file = world.write("r.csv", "1,张三丰,3-1\n2,李四,3-2\n");
    let refused = world.at("d", &["household", "import", &file]).ends(1);
    for told in ["户主", "门牌号", "与户主关系"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert!(!refused.stdout.contains('✓'), "{}", refused.stdout);
    let refused = world
        .at(
            "d",
            &["household", "import", &file, "--json", "--lang", "en"],
        )
        .ends(1);
    assert_eq!(refused.error()["kind"], "no_headings");
}
