//! Where two transcripts part, in one line.

use crate::transcript::HEADING;

/// Characters shown before the place where two lines part, and after it.
const BEFORE: usize = 24;
const AFTER: usize = 96;

/// The first line that is not the same, under the heading of its step; `None`
/// if there is none.
pub(crate) fn first_difference(expected: &str, got: &str) -> Option<String> {
    let (mut wanted, mut found) = (expected.split('\n'), got.split('\n'));
    let mut step = "before the first step";
    loop {
        let pair = (wanted.next(), found.next());
        if pair == (None, None) {
            return None;
        }
        if pair.0 == pair.1 {
            step = pair.0.and_then(|line| line.strip_prefix(HEADING)).unwrap_or(step);
            continue;
        }
        let whole = pair.0.unwrap_or_default().chars();
        let common = whole.zip(pair.1.unwrap_or_default().chars()).take_while(|(a, b)| a == b);
        let start = common.count().saturating_sub(BEFORE);
        let (wanted, found) = (shown(pair.0, start), shown(pair.1, start));
        return Some(format!("{step}: {wanted} → {found}"));
    }
}

/// A line from that character on, as far as it can be taken in.
fn shown(line: Option<&str>, start: usize) -> String {
    let Some(line) = line else { return "(the end)".to_owned() };
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let rest = line.chars().skip(start);
    let is_long = rest.clone().count() > BEFORE + AFTER;
    let rest: String = rest.take(BEFORE + AFTER).collect();
    format!("`{}{rest}{}`", cut(start > 0), cut(is_long))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "## 7. refresh: POST /api/v1/auth/refresh\n200 OK\nretry-after: 1\n\n{}";

    #[test]
    fn equal_transcripts_do_not_differ() {
        assert_eq!(first_difference(ONE, ONE), None);
    }

    #[test]
    fn it_names_the_step_and_the_first_line_that_differs() {
        let other = ONE.replace("retry-after: 1", "retry-after: 2").replace("{}", "[]");
        assert_eq!(
            first_difference(ONE, &other).unwrap(),
            "7. refresh: POST /api/v1/auth/refresh: `retry-after: 1` → `retry-after: 2`"
        );
    }

    #[test]
    fn a_missing_line_and_a_missing_end_are_told() {
        let without = ONE.replace("retry-after: 1\n", "");
        assert_eq!(
            first_difference(ONE, &without).unwrap(),
            "7. refresh: POST /api/v1/auth/refresh: `retry-after: 1` → ``"
        );
        let cut = ONE.replace("\n\n{}", "");
        assert!(first_difference(ONE, &cut).unwrap().ends_with("`` → (the end)"));
        assert!(first_difference(&cut, ONE).unwrap().ends_with("(the end) → ``"));
    }

    #[test]
    fn of_long_lines_it_shows_where_they_part() {
        let line = |differing: &str| format!("{}{differing}{}", "a".repeat(500), "z".repeat(500));
        let told = first_difference(&line("é1"), &line("é2")).unwrap();
        let before = format!("before the first step: `…{}é1", "a".repeat(BEFORE - 1));
        assert!(told.starts_with(&before), "{told}");
        assert!(told.contains("é2"), "{told}");
        assert!(told.lines().count() == 1 && told.chars().count() < 320, "{told}");
    }
}
