//! Postgres.

use std::time::Duration;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Clock;
use portcullis_postgres::{
    Address, ConnectError, Encryption, Inspection, MigrationError, Schema, Unconnected, inspect,
};

use super::finding::Finding;
use super::millis;

const WHAT: &str = "database";
const ENCRYPTION: &str = "database encryption";
const CLOCK: &str = "database clock";
const SCHEMA: &str = "database schema";
const POOLER: &str = "database pooler";

/// A way there and back that takes longer is felt: a request makes several.
const FAR: Duration = Duration::from_millis(20);
/// Clocks that are further apart are worth a word.
const APART: Duration = Duration::from_secs(5);

pub(super) async fn check(address: &Address) -> Vec<Finding> {
    match inspect(address).await {
        Ok(inspection) => vec![
            reached(address, &inspection),
            encryption(address, &inspection),
            clock(&inspection),
            schema(&inspection.schema),
            pooler(&inspection),
        ],
        Err(MigrationError::Connect(error)) => vec![unreached(&error)],
        Err(error) => vec![Finding::wrong(
            WHAT,
            format!("Postgres, {address}: {}", with_causes(&error)),
            "see the server's log for what it did not answer",
        )],
    }
}

fn unreached(error: &ConnectError) -> Finding {
    let advice = match error.reason() {
        Unconnected::Unreachable => {
            "see whether Postgres runs there, whether DATABASE_URL names its host and port, and \
             whether a firewall is in between"
        }
        Unconnected::Login => {
            "see user and password in DATABASE_URL (percent-encoded), and the server's pg_hba.conf"
        }
        Unconnected::NoDatabase => {
            "create the database (createdb), or name another in DATABASE_URL"
        }
        Unconnected::Full => {
            "raise max_connections, lower DATABASE_POOL_SIZE, or put PgBouncer in between"
        }
        Unconnected::Encryption => {
            "see sslmode and sslrootcert in DATABASE_URL, and the server's certificate"
        }
        Unconnected::PoolerOptions => {
            "tell PgBouncer: ignore_startup_parameters = options (README, In production)"
        }
        Unconnected::Other => "see the server's log for why it refuses",
    };
    Finding::wrong(WHAT, format!("Postgres, {}", with_causes(error)), advice)
}

fn reached(address: &Address, inspection: &Inspection) -> Finding {
    let Inspection { version, round_trip, is_standby, .. } = inspection;
    let told = format!("Postgres {version}, {address}, logged in, {}", millis(*round_trip));
    if *is_standby {
        return Finding::wrong(
            WHAT,
            format!("{told}: a standby, which takes no writes"),
            "name the primary in DATABASE_URL",
        );
    }
    if *round_trip > FAR {
        let advice = "move the server nearer to its database: each request asks it once or twice";
        return Finding::warning(WHAT, told, advice);
    }
    Finding::ok(WHAT, told)
}

fn encryption(address: &Address, inspection: &Inspection) -> Finding {
    // What Postgres sees is the way to a pooler, if one stands in between; ours is what
    // was insisted on.
    let is_encrypted = match address.encryption() {
        Encryption::Never => false,
        Encryption::Perhaps => inspection.is_encrypted,
        Encryption::Unproven | Encryption::Proven => true,
    };
    match (is_encrypted, address.encryption(), address.is_local()) {
        (true, Encryption::Proven, _) => Finding::ok(ENCRYPTION, "TLS, its certificate is trusted"),
        (true, _, true) => Finding::ok(ENCRYPTION, "TLS, on this machine"),
        (true, _, false) => Finding::warning(
            ENCRYPTION,
            "TLS, but nobody looks at the certificate",
            "sslmode=verify-full in DATABASE_URL, with sslrootcert= for an authority of your own",
        ),
        (false, _, true) => Finding::ok(ENCRYPTION, "none, on this machine"),
        (false, _, false) => Finding::warning(
            ENCRYPTION,
            "none: password hashes cross the network in the clear",
            "sslmode=verify-full in DATABASE_URL",
        ),
    }
}

fn clock(inspection: &Inspection) -> Finding {
    // What this machine's clock showed when the database's was read.
    let own = SystemClock.now() - inspection.time_at.elapsed();
    let (ahead, behind) = (inspection.time.since(own), own.since(inspection.time));
    let (apart, told) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if apart <= APART {
        return Finding::ok(CLOCK, format!("within {} of this machine's", millis(apart)));
    }
    Finding::warning(
        CLOCK,
        format!("{:.1} s {told} this machine's", apart.as_secs_f64()),
        "synchronise both (NTP): the database's decides here what has expired, and whoever \
         verifies access tokens elsewhere goes by their own",
    )
}

fn schema(schema: &Schema) -> Finding {
    match schema {
        Schema::UpToDate => Finding::ok(SCHEMA, "at this version"),
        Schema::Behind(pending) => Finding::warning(
            SCHEMA,
            format!("migrations pending: {}", pending.len()),
            "the next start runs them, if its role owns the tables; or run `portcullis migrate`",
        ),
        Schema::Newer(version) => Finding::wrong(
            SCHEMA,
            format!("a newer version has been here (it knows {version})"),
            "start that version",
        ),
    }
}

fn pooler(inspection: &Inspection) -> Finding {
    if inspection.loses_statements {
        return Finding::wrong(
            POOLER,
            "a pooler in transaction mode is in between, which loses prepared statements",
            "session mode, or PgBouncer 1.21 or newer with max_prepared_statements",
        );
    }
    Finding::ok(POOLER, "prepared statements stay with their connection")
}
