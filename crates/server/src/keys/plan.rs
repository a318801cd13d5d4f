//! Which key is at which point of its way.

use std::time::Duration;

use portcullis_crypto::{KeyFile, signer_at, signs_from};
use portcullis_domain::Timestamp;

/// What is waited beyond the last token's end: clocks differ, and an instance finds a
/// key that was made by hand a little later.
pub(crate) const SPARE: Duration = Duration::from_secs(30);

/// Where a key is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is published, and does not sign yet.
    Next { from: Timestamp },
    /// It signs.
    Signing,
    /// It signs no more; tokens that it signed may be alive.
    Retiring { until: Timestamp },
    /// No token that it signed is alive.
    Spent,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Next { .. } => "next",
            Self::Signing => "signing",
            Self::Retiring { .. } => "retiring",
            Self::Spent => "spent",
        }
    }
}

/// A key, and where it is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) file: KeyFile,
    pub(crate) phase: Phase,
}

/// Where keys are at a moment, in the order of their names, if tokens live that long
/// at most.
pub(crate) fn plan(files: Vec<KeyFile>, now: Timestamp, longest: Duration) -> Vec<Planned> {
    let signer = signer_at(&files, |file| signs_from(&file.kid), now).map(|file| file.kid.clone());
    let phases: Vec<_> = (0..files.len())
        .map(|index| {
            let (this, later) = (files.get(index), files.get(index + 1..).unwrap_or_default());
            phase(this, later, signer.as_deref(), now, longest)
        })
        .collect();
    files.into_iter().zip(phases).map(|(file, phase)| Planned { file, phase }).collect()
}

fn phase(
    file: Option<&KeyFile>,
    later: &[KeyFile],
    signer: Option<&str>,
    now: Timestamp,
    longest: Duration,
) -> Phase {
    let kid = file.map(|file| file.kid.as_str());
    if kid == signer {
        return Phase::Signing;
    }
    if let Some(from) = kid.and_then(signs_from).filter(|from| *from > now) {
        return Phase::Next { from };
    }
    // A key took over when it came there, or when its name says, if that was later.
    let took_over =
        |file: &KeyFile| signs_from(&file.kid).map_or(file.since, |from| from.max(file.since));
    let stopped = later.iter().map(took_over).min().unwrap_or(now);
    let until = stopped + longest + SPARE;
    if until <= now { Phase::Spent } else { Phase::Retiring { until } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn file(kid: &str, since: &str) -> KeyFile {
        KeyFile {
            kid: kid.into(),
            path: format!("{kid}.pem").into(),
            mode: 0o600,
            since: at(since),
        }
    }

    fn phases(files: &[KeyFile], now: &str) -> Vec<&'static str> {
        let planned = plan(files.to_vec(), at(now), HOUR);
        planned.iter().map(|key| key.phase.name()).collect()
    }

    #[test]
    fn a_key_goes_from_next_to_spent() {
        let files = [
            file("2026-01-01", "2026-01-01T00:00:00Z"),
            file("2026-05-01T100000Z-from-2026-05-01T120000Z", "2026-05-01T10:00:00Z"),
        ];
        assert_eq!(phases(&files, "2026-05-01T10:00:00Z"), ["signing", "next"]);
        assert_eq!(phases(&files, "2026-05-01T11:59:59Z"), ["signing", "next"]);
        assert_eq!(phases(&files, "2026-05-01T12:00:00Z"), ["retiring", "signing"]);
        assert_eq!(phases(&files, "2026-05-01T13:00:29Z"), ["retiring", "signing"]);
        assert_eq!(phases(&files, "2026-05-01T13:00:30Z"), ["spent", "signing"]);
    }

    /// Until then the key before it signed.
    #[test]
    fn a_key_that_came_after_its_time_took_over_when_it_came() {
        let files = [
            file("2026-01-01", "2026-01-01T00:00:00Z"),
            file("2026-05-01T100000Z-from-2026-05-01T120000Z", "2026-05-01T20:00:00Z"),
        ];
        assert_eq!(phases(&files, "2026-05-01T20:30:00Z"), ["retiring", "signing"]);
        assert_eq!(phases(&files, "2026-05-01T21:00:30Z"), ["spent", "signing"]);
    }

    #[test]
    fn keys_made_by_hand_took_over_when_they_came() {
        let files = [file("a", "2026-01-01T00:00:00Z"), file("b", "2026-05-01T10:00:00Z")];
        assert_eq!(phases(&files, "2026-05-01T10:30:00Z"), ["retiring", "signing"]);
        assert_eq!(phases(&files, "2026-05-01T12:00:00Z"), ["spent", "signing"]);
    }
}
