//! Migrations can be run while the version before them serves: they add, and
//! they lock nothing that is big.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");

fn migrations(database: &str) -> Vec<String> {
    let folder = fs::read_dir(Path::new(ROOT).join(database)).unwrap();
    let mut names: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn script(database: &str, migration: &str, direction: &str) -> String {
    let file = Path::new(ROOT).join(database).join(migration).join(direction);
    fs::read_to_string(&file).unwrap_or_else(|_| panic!("{} is missing", file.display()))
}

/// The statements of a script in capitals, without comments.
fn statements(script: &str) -> Vec<String> {
    let code = script.lines().map(|line| line.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ").to_uppercase();
    // What stands between `$$` is a function's own business: it runs when it is called.
    let code: String = code.split("$$").step_by(2).collect();
    code.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// What is wrong with a statement, given the tables that are there already.
fn objection(statement: &str, there: &BTreeSet<String>) -> Option<&'static str> {
    let words: Vec<&str> = statement.split(' ').collect();
    let touches = |table: &str| there.contains(table.trim_end_matches('('));
    let table_after = |keyword: &str| {
        words.iter().position(|word| *word == keyword).and_then(|at| words.get(at + 1)).copied()
    };
    match words.as_slice() {
        ["CREATE", "TABLE", ..] => None,
        ["CREATE", rest @ ..] if rest.contains(&"INDEX") => {
            let is_big = table_after("ON").is_some_and(touches);
            (is_big && !rest.contains(&"CONCURRENTLY")).then_some("locks a big table for writes")
        }
        ["CREATE" | "COMMENT", ..] => None,
        ["ALTER", "TABLE", table, ..] if !touches(table) => None,
        ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
            let is_nullable = !statement.contains("NOT NULL") || statement.contains("DEFAULT");
            (!is_nullable).then_some("the version before does not fill that column")
        }
        ["ALTER", "TABLE", _, "ADD", "CONSTRAINT", ..] => {
            (!statement.ends_with("NOT VALID")).then_some("reads a big table under a lock")
        }
        ["DROP", ..] => Some("the version before may use it"),
        ["ALTER", ..] => Some("the version before may use it as it was"),
        ["UPDATE" | "DELETE", ..] => Some("rewrites a big table in one go"),
        _ => Some("is not known to be harmless"),
    }
}

fn objections(scripts: &[(String, String)]) -> Vec<String> {
    let mut there = BTreeSet::new();
    let mut found = Vec::new();
    for (name, script) in scripts {
        let statements = statements(script);
        for statement in &statements {
            if let Some(why) = objection(statement, &there) {
                found.push(format!("{name}: {why}: {statement}"));
            }
        }
        there.extend(statements.iter().filter_map(|statement| {
            let table = statement.strip_prefix("CREATE TABLE ")?;
            Some(table.split([' ', '(']).next()?.to_owned())
        }));
    }
    found
}

#[test]
fn both_databases_have_the_same_migrations_each_with_a_way_back() {
    assert_eq!(migrations("postgres"), migrations("sqlite"));
    for database in ["postgres", "sqlite"] {
        for migration in migrations(database) {
            assert!(!statements(&script(database, &migration, "down.sql")).is_empty());
        }
    }
}

#[test]
fn no_migration_disturbs_the_version_before_it() {
    for database in ["postgres", "sqlite"] {
        let scripts: Vec<_> = migrations(database)
            .into_iter()
            .map(|name| (name.clone(), script(database, &name, "up.sql")))
            .collect();
        assert_eq!(objections(&scripts), Vec::<String>::new());
    }
}

#[test]
fn what_disturbs_is_found() {
    let first = ("1".to_owned(), "CREATE TABLE users (id UUID);".to_owned());
    for bad in [
        "DROP TABLE users;",
        "ALTER TABLE users DROP COLUMN id;",
        "ALTER TABLE users RENAME COLUMN id TO number;",
        "ALTER TABLE users ALTER COLUMN id TYPE TEXT;",
        "ALTER TABLE users ADD COLUMN name TEXT NOT NULL;",
        "ALTER TABLE users ADD CONSTRAINT known CHECK (id IS NOT NULL);",
        "CREATE INDEX users_id ON users (id);",
        "UPDATE users SET id = NULL;",
        "LOCK TABLE users;",
    ] {
        let second = ("2".to_owned(), bad.to_owned());
        assert_eq!(objections(&[first.clone(), second]).len(), 1, "{bad}");
    }
    for good in [
        "ALTER TABLE users ADD COLUMN name TEXT; -- later NOT NULL",
        "ALTER TABLE users ADD COLUMN is_new BOOLEAN NOT NULL DEFAULT FALSE;",
        "ALTER TABLE users ADD CONSTRAINT known CHECK (id IS NOT NULL) NOT VALID;",
        "CREATE INDEX CONCURRENTLY users_id ON users (id);",
        "CREATE TABLE pets (id UUID); CREATE INDEX pets_id ON pets (id);",
    ] {
        let second = ("2".to_owned(), good.to_owned());
        assert_eq!(objections(&[first.clone(), second]), Vec::<String>::new(), "{good}");
    }
}
