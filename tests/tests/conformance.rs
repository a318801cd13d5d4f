//! What is written about adapters and their laws is true.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use portcullis_tests::conformance::{file, listed, packages, root, table};

#[test]
fn the_table_lists_the_laws_that_are_there() {
    let written = std::fs::read_to_string(file()).unwrap();
    let meant = table(&listed());
    let differs = |(written, meant): &(&str, &str)| written != meant;
    let first = written.lines().zip(meant.lines()).find(differs);
    assert_eq!(first, None, "`just conformance` writes docs/conformance.md anew");
    assert_eq!(written.lines().count(), meant.lines().count(), "`just conformance`");
}

#[test]
fn every_package_that_runs_laws_is_in_the_table() {
    for folder in ["crates", "examples"] {
        for package in root().join(folder).read_dir().unwrap() {
            let package = package.unwrap().path();
            let tests = files_below(&package.join("tests"));
            let runs_laws = tests.iter().any(|test| read(test).contains("_laws!("));
            let name = name_of(&package);
            assert_eq!(
                runs_laws,
                packages().any(|other| other == name && other != "portcullis-conformance"),
                "{name}: see PROGRAMS in tests/src/conformance.rs"
            );
        }
    }
}

/// Each block of the guide is told after `<!-- from: file -->` and is there to
/// the letter; of a change, the lines that it starts from are.
#[test]
fn the_guide_shows_code_that_is_there() {
    let guide = read(&root().join("docs/adapters.md"));
    let mut blocks = 0;
    let mut from = None;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(named) = line.strip_prefix("<!-- from: ") {
            from = Some(named.trim_end_matches(" -->").to_owned());
        }
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty())
        else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if !["rust", "toml", "diff"].contains(&language) {
            continue;
        }
        let file = from.take().unwrap_or_else(|| panic!("from which file is {block:?}?"));
        let code = read(&root().join(&file));
        if language == "diff" {
            for line in block.iter().filter(|line| !line.starts_with('+')) {
                assert!(code.contains(&line[1..]), "{file} has no {line:?}");
            }
        } else {
            assert!(code.contains(&block.join("\n")), "{file} is not like\n{}", block.join("\n"));
        }
        blocks += 1;
    }
    assert!(blocks >= 6, "{blocks} blocks");
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn name_of(package: &Path) -> String {
    let manifest = read(&package.join("Cargo.toml"));
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
    name.trim_matches('"').to_owned()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
