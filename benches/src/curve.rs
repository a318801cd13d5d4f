//! What a request costs as there are more accounts, sessions or clients.

use crate::load::{Figures, Load, Scenario};
use crate::site::Site;
use std::time::Duration;

/// How many there are of what grows.
const SIZES: [u32; 3] = [10_000, 100_000, 1_000_000];

/// Events of the audit log, for the size of their rows.
const EVENTS: u32 = 100_000;

/// A request's cost as something grows.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// What grows.
    pub(crate) grows: &'static str,
    /// What was measured, in microseconds.
    pub(crate) cost: &'static str,
    pub(crate) points: Vec<Point>,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// How many there are.
    pub(crate) count: u32,
    /// What it took within Postgres or Redis, in microseconds.
    pub(crate) micros: f64,
    /// What a client waited.
    pub(crate) median: Duration,
}

/// What a row of a table takes on disk, on average, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct RowSize {
    pub(crate) table: String,
    pub(crate) rows: u64,
    pub(crate) of_table: u64,
    pub(crate) of_indexes: u64,
}

/// Of every table with enough rows to tell.
pub(crate) fn row_sizes(site: &Site) -> Vec<RowSize> {
    site.sql("ANALYZE");
    let rows = site.sql(
        "SELECT relname, n_live_tup, pg_table_size(relid) / n_live_tup,
             pg_indexes_size(relid) / n_live_tup
         FROM pg_stat_user_tables WHERE n_live_tup >= 500 ORDER BY relname",
    );
    let row = |line: &str| {
        let mut fields = line.split('|').map(str::trim);
        Some(RowSize {
            table: fields.next()?.to_owned(),
            rows: fields.next()?.parse().ok()?,
            of_table: fields.next()?.parse().ok()?,
            of_indexes: fields.next()?.parse().ok()?,
        })
    };
    rows.lines().filter_map(row).collect()
}

/// Logins over accounts, refreshes over sessions, limits over clients.
pub(crate) async fn measure(site: &mut Site) -> Vec<Curve> {
    let logins = SIZES.map(|accounts| logins(&*site, accounts)).to_vec();
    let mut refreshes = Vec::new();
    for sessions in SIZES {
        // What was refreshed before has moved on.
        site.log_everybody_in().await;
        refreshes.push(refreshed(site, sessions));
    }
    site.log_everybody_in().await;
    let limits = SIZES.map(|clients| limits(&*site, clients)).to_vec();
    site.sql(&format!(
        "INSERT INTO audit_events (kind, at, user_id, session_id, source)
         SELECT 'email_verified', now(), id, gen_random_uuid(), '192.0.2.1'
         FROM users LIMIT {EVENTS}"
    ));
    vec![
        Curve { grows: "accounts", cost: "the statements of a login", points: logins },
        Curve { grows: "sessions", cost: "the statement of a refresh", points: refreshes },
        Curve {
            grows: "clients within their limits",
            cost: "a call of the script of reads in Redis",
            points: limits,
        },
    ]
}

/// Some seconds of requests, none of which may be refused.
fn load(site: &Site, scenario: Scenario, connections: usize, seconds: u64) -> Figures {
    let url = site.server.url();
    let duration = Duration::from_secs(seconds);
    let people = site.people.path();
    let figures = Load { scenario, connections, duration, url: &url, people }.run();
    assert_eq!(figures.wrong, 0, "{}: refused", scenario.name());
    figures
}

/// What Postgres took for all statements that fit a pattern, for each that fits the other.
fn micros_in_postgres(site: &Site, statements: &str, each: &str) -> f64 {
    let micros = site.sql(&format!(
        "SELECT sum(total_exec_time) FILTER (WHERE query ~ '{statements}') * 1000
             / sum(calls) FILTER (WHERE query ~ '{each}')
         FROM pg_stat_statements WHERE query !~ 'pg_stat_statements'"
    ));
    micros.parse().unwrap()
}

fn logins(site: &Site, accounts: u32) -> Point {
    site.sql(&format!(
        "INSERT INTO users (id, email, email_verified_at, name, password_hash,
             password_changed_at, created_at)
         SELECT gen_random_uuid(), 'somebody-' || n || '@example.com', now(), 'Ann Lee',
             (SELECT password_hash FROM users LIMIT 1), now(), now()
         FROM generate_series((SELECT count(*) FROM users) + 1, {accounts}) AS n"
    ));
    site.sql("VACUUM ANALYZE users");
    site.sql("SELECT pg_stat_statements_reset()");
    let figures = load(site, Scenario::Login, 8, 8);
    let micros = micros_in_postgres(site, "^WITH (standing|noted)", "^WITH noted");
    Point { count: accounts, micros, median: figures.median }
}

fn refreshed(site: &Site, sessions: u32) -> Point {
    // Sessions of ten thousand accounts in turn, like the ones that are there.
    site.sql(&format!(
        "INSERT INTO sessions (id, user_id, contract, rotates, seed_digest, counter, opened_at,
             rotated_at, last_used_at, expires_at, source)
         SELECT gen_random_uuid(), users.id, 'json', true, sha256(n::text::bytea), 0, now(), now(),
             now(), now() + interval '30 days', '192.0.2.1'
         FROM generate_series((SELECT count(*) FROM sessions) + 1, {sessions}) AS n
         JOIN (SELECT id, row_number() OVER () AS row FROM users) AS users
             ON users.row = n % 10000 + 1"
    ));
    site.sql("VACUUM ANALYZE sessions");
    site.sql("SELECT pg_stat_statements_reset()");
    let figures = load(site, Scenario::Refresh, 1, 3);
    let statement = "UPDATE.*sessions";
    let micros = micros_in_postgres(site, statement, statement);
    Point { count: sessions, micros, median: figures.median }
}

fn limits(site: &Site, clients: u32) -> Point {
    // Entries like those of the server's own buckets, of clients that stay for long.
    for begin in (0..clients).step_by(10_000) {
        let end = clients.min(begin + 10_000);
        let script = "local now = redis.call('TIME')
            local stamp = now[1] .. string.format('%06d', now[2])
            for n = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
              local key = 'portcullis:limit:user:somebody-' .. string.format('%027d', n)
              redis.call('ZADD', key, stamp, stamp .. '-0123456789abcdef-0')
              redis.call('PEXPIRE', key, 3600000)
            end";
        site.redis(&["EVAL", script, "0", &begin.to_string(), &end.to_string()]);
    }
    // A session's first read within two seconds asks more than once.
    load(site, Scenario::Read, 32, 1);
    site.redis(&["CONFIG", "RESETSTAT"]);
    let figures = load(site, Scenario::Read, 32, 3);
    let stats = site.redis(&["INFO", "commandstats"]);
    let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:"));
    let micros = line.and_then(|line| line.split_once("usec_per_call=")?.1.split(',').next());
    Point { count: clients, micros: micros.unwrap().parse().unwrap(), median: figures.median }
}
