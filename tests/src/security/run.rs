//! What a run of the tests printed.

use super::Id;

/// A test that ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// The program it belongs to, such as `tests/attacks` or `portcullis-crypto`.
    pub program: String,
    /// Its name, with the modules around it.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
}

impl Test {
    /// The rows that it shows.
    #[must_use]
    pub fn shows(&self) -> Vec<Id> {
        self.name.split("::").flat_map(Id::leading).collect()
    }
}

/// The tests that show something, from the output of `cargo test`.
#[must_use]
pub fn tests_of(output: &str) -> Vec<Test> {
    let mut program = String::new();
    let mut tests = Vec::new();
    for line in output.lines() {
        if let Some(started) = line.trim_start().strip_prefix("Running ") {
            program = program_of(started);
            continue;
        }
        let Some((name, result)) =
            line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        // libtest says `name - should panic`, and a result may be followed by a time.
        let name = name.split(' ').next().unwrap_or_default().to_owned();
        let test = Test { program: program.clone(), name, passed: result.starts_with("ok") };
        if !test.shows().is_empty() {
            tests.push(test);
        }
    }
    // One that is run again by itself: what it says last counts.
    tests.reverse();
    tests.sort_by(|one, other| (&one.program, &one.name).cmp(&(&other.program, &other.name)));
    tests.dedup_by(|next, kept| (&next.program, &next.name) == (&kept.program, &kept.name));
    tests
}

/// `tests/attacks/main.rs (target/debug/deps/attacks-0123456789abcdef)` and
/// `unittests src/lib.rs (target/debug/deps/portcullis_http-0123456789abcdef)`.
fn program_of(started: &str) -> String {
    let file = started.rsplit('/').next().unwrap_or_default();
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    name.replace('_', "-").trim_start_matches("portcullis-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_show_something_are_found_with_their_results() {
        let output = "
     Running unittests src/lib.rs (target/debug/deps/portcullis_crypto-c9d18f5437ff0435)

running 3 tests
test hashing::pool::tests::do_01_pw_11_a_pool ... ok
test hashing::a_thing_without_an_id ... ok
test hashing::pool::tests::do_01_a_pool has been running for over 60 seconds
     Running tests/attacks/main.rs (target/debug/deps/attacks-825932b37951ef08)
test login::lg_04_guesses ... FAILED
test login::lg_05_counts ... ignored
test login::lg_06_elsewhere ... FAILED
     Running tests/attacks/main.rs (target/debug/deps/attacks-825932b37951ef08)
test login::lg_06_elsewhere ... ok
";
        let tests = tests_of(output);
        let found: Vec<_> = tests
            .iter()
            .map(|test| (test.program.as_str(), test.name.as_str(), test.passed))
            .collect();
        assert_eq!(
            found,
            [
                ("attacks", "login::lg_04_guesses", false),
                ("attacks", "login::lg_05_counts", false),
                ("attacks", "login::lg_06_elsewhere", true),
                ("crypto", "hashing::pool::tests::do_01_pw_11_a_pool", true),
            ]
        );
        assert_eq!(tests[3].shows().len(), 2);
    }
}
