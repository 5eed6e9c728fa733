//! `docs/cli.md` holds the commands as they are; `UPDATE=1` rewrites the generated part.

use std::path::Path;

use crate::world::World;

const BEGIN: &str = "<!-- commands: generated from the program, `UPDATE=1` rewrites them -->\n";
const END: &str = "<!-- commands: end -->";

#[test]
fn the_documented_commands_are_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (documented, after) = rest.split_once(END).unwrap();
    let reference = format!("\n{}", World::new().run(&["reference"]).ok().stdout);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{reference}\n{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        documented.trim(),
        reference.trim(),
        "run the test with UPDATE=1"
    );
}
