//! Laws of the machine's time, ids and randomness.

#![expect(clippy::unused_async, reason = "laws are async alike, so that one macro runs them all")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Clock, IdGenerator, Randomness};
use uuid::{Uuid, Variant};

use crate::race::race;

/// What only the machine can give, and what nobody may foresee.
pub struct System {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// 2020-01-01: this server did not exist before.
const PAST: Timestamp = Timestamp::from_seconds(1_577_836_800);
/// 2120-01-01: a clock that counts too finely is far beyond.
const FUTURE: Timestamp = Timestamp::from_seconds(4_733_510_400);

/// Draws enough that a bit which never changes is no accident.
const MANY: usize = 256;

fn unguessable(ids: &dyn IdGenerator) -> [Uuid; 3] {
    [ids.session().as_uuid(), ids.access_token().as_uuid(), ids.letter().as_uuid()]
}

/// The places at which all values have the same bit.
fn fixed_bits(values: &[[u8; 16]]) -> u128 {
    let values = || values.iter().map(|value| u128::from_be_bytes(*value));
    let (always, ever) = values().fold((u128::MAX, 0), |(and, or), bits| (and & bits, or | bits));
    always | !ever
}

/// The year is about right, so the unit is.
pub async fn the_clock_tells_a_plausible_time(system: &System) {
    let now = system.clock.now();
    assert!(PAST < now && now < FUTURE, "it is {now}");
}

/// A twentieth of a second takes a twentieth of a second: the clock is neither
/// still, nor of whole seconds, nor in another unit.
pub async fn the_clock_counts_in_microseconds(system: &System) {
    let step = Duration::from_millis(50);
    for _ in 0..3 {
        let (started, first) = (Instant::now(), system.clock.now());
        while system.clock.now().since(first) < step {
            assert!(started.elapsed() < Duration::from_millis(800), "it hardly moves");
            tokio::task::yield_now().await;
        }
        assert!(started.elapsed() > step / 2, "it runs ahead");
    }
}

/// No id of any kind is given twice, to whoever asks at once.
pub async fn of_parallel_askers_each_gets_ids_of_its_own(system: &System) {
    let given = race(64, |_| {
        let ids = Arc::clone(&system.ids);
        async move {
            let all = |_| {
                let ([session, token, letter], user) = (unguessable(&*ids), ids.user().as_uuid());
                [session, token, letter, user, ids.job().as_uuid(), ids.object(), ids.request()]
            };
            (0..MANY).flat_map(all).collect::<Vec<_>>()
        }
    })
    .await;
    let (count, mut seen) = (given.iter().map(Vec::len).sum::<usize>(), HashSet::new());
    seen.extend(given.into_iter().flatten());
    assert_eq!(seen.len(), count, "an id was given twice");
}

/// New rows sit together in an index: version 7, RFC 9562 §5.7.
pub async fn a_users_id_sorts_behind_earlier_ones(system: &System) {
    let mut last = system.ids.user();
    for _ in 0..20 {
        let started = Instant::now();
        // The time in such an id is in milliseconds.
        while started.elapsed() < Duration::from_millis(2) {
            tokio::task::yield_now().await;
        }
        let next = system.ids.user();
        assert_eq!(next.as_uuid().get_version_num(), 7);
        assert_eq!(next.as_uuid().get_variant(), Variant::RFC4122);
        assert!(last < next, "{last} came before {next}");
        last = next;
    }
}

/// Sessions, tokens and letters have ids of version 4, RFC 9562 §5.4: all but
/// six bits are random.
pub async fn what_is_not_to_be_guessed_varies_in_every_bit(system: &System) {
    let drawn: Vec<[Uuid; 3]> = (0..MANY).map(|_| unguessable(&*system.ids)).collect();
    for kind in 0..3 {
        let of_kind = || drawn.iter().map(|three| three[kind]);
        assert!(of_kind().all(|id| id.get_version_num() == 4));
        assert!(of_kind().all(|id| id.get_variant() == Variant::RFC4122));
        let fixed = fixed_bits(&of_kind().map(Uuid::into_bytes).collect::<Vec<_>>());
        assert_eq!(fixed.count_ones(), 6, "fixed: {fixed:032x}");
    }
}

/// Whoever asks at once gets another one.
pub async fn of_parallel_askers_each_gets_a_seed_of_its_own(system: &System) {
    let given = race(64, |_| {
        let randomness = Arc::clone(&system.randomness);
        async move { (0..MANY).map(|_| randomness.seed().0).collect::<Vec<_>>() }
    })
    .await;
    let seen: HashSet<_> = given.into_iter().flatten().collect();
    assert_eq!(seen.len(), 64 * MANY, "a seed was given twice");
}

/// All of its 128 bits are random.
pub async fn a_seed_varies_in_every_bit(system: &System) {
    let drawn: Vec<_> = (0..MANY).map(|_| system.randomness.seed().0).collect();
    let fixed = fixed_bits(&drawn);
    assert_eq!(fixed, 0, "fixed: {fixed:032x}");
}
