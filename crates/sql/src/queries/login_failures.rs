//! Failure counters. A counter over all sources has the empty network.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::{Attempt, IdentifierDigest};
use portcullis_domain::{Failures, StoreError, Timestamp};

use crate::connection::{Lease, run};
use crate::rows::FailuresRow;
use crate::schema::login_failures::{self, dsl};
use crate::types::At;

const ALL_SOURCES: &str = "";

/// The two counters that an attempt is held against.
pub(crate) struct Counters {
    pub(crate) from_source: Failures,
    pub(crate) from_all: Failures,
}

fn network(attempt: &Attempt) -> String {
    attempt.source.network().to_string()
}

/// The two counters as they are; on Postgres they are locked, the source's
/// first, as everywhere: two that lock them in turn never wait for each other.
pub(crate) async fn load(lease: &mut Lease, attempt: &Attempt) -> Result<Counters, StoreError> {
    let from_source = load_one(lease, attempt, &network(attempt)).await?;
    let from_all = load_one(lease, attempt, ALL_SOURCES).await?;
    Ok(Counters { from_source, from_all })
}

async fn load_one(
    lease: &mut Lease,
    attempt: &Attempt,
    network: &str,
) -> Result<Failures, StoreError> {
    let counter = || {
        login_failures::table
            .filter(dsl::identifier.eq(attempt.digest.0.as_slice()))
            .filter(dsl::network.eq(network))
    };
    let row: Option<FailuresRow> = run!(lease,
        sqlite connection => async {
            counter().select(FailuresRow::as_select()).get_result(connection).await.optional()
        },
        postgres connection => async {
            let counter = counter().select(FailuresRow::as_select()).for_update();
            counter.get_result(connection).await.optional()
        }
    )?;
    row.map_or(Ok(Failures::NONE), Failures::try_from)
}

pub(crate) async fn save(
    lease: &mut Lease,
    attempt: &Attempt,
    counters: &Counters,
) -> Result<(), StoreError> {
    let identifier = attempt.digest.0.as_slice();
    let rows = [
        FailuresRow::new(identifier, &network(attempt), counters.from_source),
        FailuresRow::new(identifier, ALL_SOURCES, counters.from_all),
    ];
    for row in &rows {
        run!(lease, connection => async {
            diesel::insert_into(login_failures::table)
                .values(row)
                .on_conflict((dsl::identifier, dsl::network))
                .do_update()
                .set(row)
                .execute(connection)
                .await
        })?;
    }
    Ok(())
}

pub(crate) async fn forgive(lease: &mut Lease, attempt: &Attempt) -> Result<(), StoreError> {
    for network in [network(attempt).as_str(), ALL_SOURCES] {
        run!(lease, connection => async {
            let counter = login_failures::table
                .filter(dsl::identifier.eq(attempt.digest.0.as_slice()))
                .filter(dsl::network.eq(network));
            diesel::delete(counter).execute(connection).await
        })?;
    }
    Ok(())
}

/// Forgives all of an identifier's failures, sources before their sum.
pub(crate) async fn clear(
    lease: &mut Lease,
    identifier: IdentifierDigest,
) -> Result<(), StoreError> {
    let counters = || login_failures::table.filter(dsl::identifier.eq(identifier.0.as_slice()));
    run!(lease, connection => async {
        diesel::delete(counters().filter(dsl::network.ne(ALL_SOURCES))).execute(connection).await
    })?;
    run!(lease, connection => async {
        diesel::delete(counters()).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn remove_stale(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let stale: Vec<(Vec<u8>, String)> = run!(lease, connection => async {
        login_failures::table
            .filter(dsl::last_at.lt(At(before)))
            // A source's before the one of all sources, as everywhere.
            .order((dsl::identifier, dsl::network.desc()))
            .select((dsl::identifier, dsl::network))
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    let mut removed = 0;
    for (identifier, network) in &stale {
        removed += run!(lease, connection => async {
            let counter = login_failures::table
                .find((identifier, network))
                // Asked again: it may have counted since.
                .filter(dsl::last_at.lt(At(before)));
            diesel::delete(counter).execute(connection).await
        })?;
    }
    Ok(removed as u64)
}
