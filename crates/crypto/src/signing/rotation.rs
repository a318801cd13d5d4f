//! When which key signs: told by their names alone.
//!
//! Keys stand in the order of their files' names. A name may end in
//! `-from-2026-01-31T120000Z`: its key verifies at once, and signs from then on. Any
//! other key signs from the beginning. Of those that may sign, the last does.
//!
//! So whoever reads the folder knows the whole plan, and several who read it at
//! different moments agree on who signs now: a new key has long been known to all
//! when its time comes. There is no side file that could be lost or lag behind.

use portcullis_domain::Timestamp;

/// Stands before the time from which on a key signs.
const FROM: &str = "-from-";
/// `2026-01-31T120000Z`: no colons, which some volumes do not allow in names.
const TIME_LEN: usize = 18;

/// From when on the key of that name signs; `None` is from the beginning.
#[must_use]
pub fn signs_from(kid: &str) -> Option<Timestamp> {
    read(kid.rsplit_once(FROM)?.1)
}

/// Which key signs at a moment, of keys in the order of their names: the last one
/// that may. If none may yet, the one whose time comes first: somebody has to.
#[must_use]
pub fn signer_at<T>(
    keys: &[T],
    signs_from: impl Fn(&T) -> Option<Timestamp>,
    at: Timestamp,
) -> Option<&T> {
    let may = |key: &&T| signs_from(key).is_none_or(|from| from <= at);
    keys.iter().rev().find(may).or_else(|| keys.iter().min_by_key(|key| signs_from(key)))
}

/// A name for a key that is made at a moment, signs from another on, and sorts behind
/// all that are there, in their order.
#[must_use]
pub fn next_kid(kids: &[String], made: Timestamp, from: Timestamp) -> String {
    let dated = format!("{}{FROM}{}", written(made), written(from));
    let Some(last) = kids.last() else { return dated };
    // Names are compared as files' names, whose `.` sorts before `_`.
    let sorts_behind = |kid: &String| format!("{kid}.pem") > format!("{last}.pem");
    let cut_back = format!("{}_{dated}", stem(last));
    let mut names = [dated.clone(), cut_back].into_iter();
    names.find(sorts_behind).unwrap_or_else(|| format!("{last}_{dated}"))
}

/// The name to go on from: that of a key that was made like this is cut back, or each
/// would be longer than the one before.
fn stem(last: &str) -> &str {
    let Some((head, _)) = last.rsplit_once(FROM).filter(|(_, time)| read(time).is_some()) else {
        return last;
    };
    match head.rsplit_once('_') {
        Some((stem, made)) if read(made).is_some() && !stem.is_empty() => stem,
        _ => last,
    }
}

fn written(at: Timestamp) -> String {
    let text: String = at.floor_to_second().to_string().chars().take(19).collect();
    format!("{}Z", text.replace(':', ""))
}

fn read(text: &str) -> Option<Timestamp> {
    if text.len() != TIME_LEN || !text.is_ascii() {
        return None;
    }
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (hours, rest) = clock.split_at_checked(2)?;
    let (minutes, seconds) = rest.split_at_checked(2)?;
    Timestamp::parse(&format!("{date}T{hours}:{minutes}:{seconds}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn names(kids: &[&str]) -> Vec<String> {
        kids.iter().map(|&kid| kid.to_owned()).collect()
    }

    fn signer<'a>(kids: &'a [String], when: &str) -> &'a str {
        signer_at(kids, |kid| signs_from(kid), at(when)).unwrap()
    }

    #[test]
    fn a_key_signs_from_the_time_in_its_name_on() {
        let kids = names(&["2026-01-01", "2026-05-01T100000Z-from-2026-05-01T120000Z"]);
        assert_eq!(signer(&kids, "2026-05-01T11:59:59Z"), kids[0]);
        assert_eq!(signer(&kids, "2026-05-01T12:00:00Z"), kids[1]);
    }

    #[test]
    fn of_keys_made_by_hand_the_name_that_sorts_last_signs() {
        for kids in [names(&["a", "b"]), names(&["x-from-nowhere", "z-from-2026-13-01T000000Z"])] {
            assert_eq!(signer(&kids, "2026-05-01T12:00:00Z"), kids[1]);
        }
    }

    #[test]
    fn somebody_signs_even_if_all_are_for_later() {
        let kids = names(&["a-from-2026-05-02T000000Z", "b-from-2026-05-01T000000Z"]);
        assert_eq!(signer(&kids, "2026-01-01T00:00:00Z"), kids[1]);
        assert!(
            signer_at(&[] as &[String], |kid| signs_from(kid), at("2026-01-01T00:00:00Z"))
                .is_none()
        );
    }

    #[test]
    fn a_new_name_sorts_behind_whatever_is_there_and_does_not_grow() {
        let made = at("2026-05-01T10:00:00.123456Z");
        let from = at("2026-05-01T12:00:00Z");
        let dated = "2026-05-01T100000Z-from-2026-05-01T120000Z";
        assert_eq!(next_kid(&[], made, from), dated);
        assert_eq!(next_kid(&names(&["2026-05-01"]), made, from), dated);
        let mut kids = names(&["main"]);
        for _ in 0..4 {
            let next =
                next_kid(&kids, made + std::time::Duration::from_secs(kids.len() as u64), from);
            assert_eq!(signs_from(&next), Some(from));
            assert!(format!("{next}.pem") > format!("{}.pem", kids.last().unwrap()), "{next}");
            assert!(next.len() <= "main_".len() + dated.len(), "{next}");
            kids.push(next);
        }
        // A clock that was set back.
        let kids = names(&["2031-05-01T100000Z-from-2031-05-01T120000Z"]);
        let next = next_kid(&kids, made, from);
        assert!(format!("{next}.pem") > format!("{}.pem", kids[0]), "{next}");
    }
}
