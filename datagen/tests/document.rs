//! The document about the data: each property that it claims is held by a test that exists.

use std::path::{Path, PathBuf};

/// The rows of the table, cell by cell, without its head.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let table = document.lines().skip_while(|line| !line.starts_with("| property |"));
    table
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// The tests that a cell names, each in backticks: `datagen::population::tests::a_sentence`.
fn tests(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The file that a test stands in, and its name.
fn place(folder: &Path, test: &str) -> (PathBuf, String) {
    let mut path: Vec<&str> = test.split("::").collect();
    assert_eq!(path.remove(0), "datagen", "{test}");
    let name = path.pop().expect("a name");
    if path.first() == Some(&"postgres") {
        return (folder.join("tests").join(path.join("/")).with_extension("rs"), name.to_owned());
    }
    assert_eq!(path.pop(), Some("tests"), "{test}");
    let file = folder.join("src").join(path.join("/"));
    let alone = file.with_extension("rs");
    (if alone.exists() { alone } else { file.join("mod.rs") }, name.to_owned())
}

#[test]
fn every_property_of_the_data_has_a_source_and_a_test_that_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(folder.join("../docs/data.md")).unwrap();
    let rows = rows(&document);
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in rows {
        assert_eq!(row.len(), 4, "property, how, source, tests: {row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(tests(row[3]).count() > 0, "no test holds {row:?}");
        for test in tests(row[3]) {
            let (file, name) = place(folder, test);
            let source = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{test}: {error}"));
            let function = source
                .split(&format!("fn {name}("))
                .next()
                .filter(|before| before.len() < source.len())
                .unwrap_or_else(|| panic!("{test} is not in {}", file.display()));
            // The attribute stands right above, or above the `proptest!` function.
            let above: Vec<&str> = function.lines().rev().take(3).collect();
            assert!(above.iter().any(|line| line.contains("test]")), "{test} is no test: {above:?}");
        }
    }
}

#[test]
fn the_profile_of_the_document_can_be_used() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data.md");
    let document = std::fs::read_to_string(file).unwrap();
    let (_, example) = document.split_once("```toml").unwrap();
    let profile = datagen::Profile::from_toml(example.split("```").next().unwrap()).unwrap();
    assert_eq!(profile.calls.median_talk_seconds, 20);
}
