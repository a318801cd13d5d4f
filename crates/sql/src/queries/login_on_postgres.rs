//! Logging in on Postgres: one statement before the password is checked, one
//! after. Other databases take a transaction of several for each, which costs
//! nothing where no network lies between.

use diesel::dsl::SqlTypeOf;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use portcullis_domain::lockout::FAILURE_MEMORY;
use portcullis_domain::ports::{Attempt, IdentifierDigest, Opening};
use portcullis_domain::{LockoutPolicy, LoginIdentifier, MAX_LIVE_SESSIONS};

use crate::connection::only;
use crate::rows::{SessionRow, UserRow};
use crate::types::{At, Id, Instant, Uid};

type UserSelection = <UserRow as Selectable<Pg>>::SelectExpression;
type UserColumns = SqlTypeOf<UserSelection>;

/// What an attempt met.
#[derive(Queryable)]
pub(crate) struct AttemptedRow {
    /// The longest lock that held when the statement began.
    pub(crate) locked_until: Option<At>,
    /// Whether the counter of this source locks now; `None` if it did not count.
    pub(crate) locks_source: Option<bool>,
    /// The same of the counter of all sources.
    pub(crate) locks_all: Option<bool>,
    /// The account.
    pub(crate) user: Option<UserRow>,
}

/// Counts an attempt and reads its account. The rule is
/// [`count_attempt`](portcullis_domain::lockout::count_attempt)'s, written in
/// SQL; the laws of logins and a test beside them hold the two together.
///
/// Each counter is one row, which the statement changes as it is at that
/// moment, so parallel attempts get no extra try. The source's comes first and
/// the other only after it counted: nobody can fill the counter of all sources
/// from one. An attempt that meets a lock which began while the statement ran
/// counts for its source all the same; the two locks then end together.
struct Count {
    digest: IdentifierDigest,
    network: String,
    identifier: LoginIdentifier,
    canonical: String,
    now: At,
    until: At,
    forgotten: At,
    per_source: i64,
    per_identifier: i64,
    selection: UserSelection,
}

impl Count {
    /// Adds one counter's step; `origin` is the step that must have happened.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a bound value is borrowed")]
    fn walk_counter<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
        origin: &'static str,
        network: &'b String,
        threshold: &'b i64,
    ) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO login_failures AS f (identifier, network, count, last_at, locked_until) \
             SELECT ",
        );
        out.push_bind_param::<Binary, _>(&self.digest.0)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(network)?;
        out.push_sql(", 1, ");
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql(", CASE WHEN ");
        out.push_bind_param::<BigInt, _>(threshold)?;
        out.push_sql(" <= 1 THEN ");
        out.push_bind_param::<Instant, _>(&self.until)?;
        out.push_sql(" END FROM ");
        out.push_sql(origin);
        // A lock that is over, or a long silence, starts the count afresh.
        out.push_sql(
            " ON CONFLICT (identifier, network) DO UPDATE SET \
             (count, last_at, locked_until) = (SELECT next, EXCLUDED.last_at, CASE WHEN next >= ",
        );
        out.push_bind_param::<BigInt, _>(threshold)?;
        out.push_sql(" THEN ");
        out.push_bind_param::<Instant, _>(&self.until)?;
        out.push_sql(" END FROM (SELECT CASE WHEN f.locked_until IS NULL AND f.last_at > ");
        out.push_bind_param::<Instant, _>(&self.forgotten)?;
        out.push_sql(
            " THEN f.count + 1 ELSE 1 END AS next) AS counted) \
             WHERE f.locked_until IS NULL OR f.locked_until <= EXCLUDED.last_at \
             RETURNING locked_until IS NOT NULL AS locks",
        );
        Ok(())
    }
}

static ALL_SOURCES: String = String::new();

impl QueryFragment<Pg> for Count {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH standing AS (SELECT max(locked_until) AS until FROM login_failures \
             WHERE identifier = ",
        );
        out.push_bind_param::<Binary, _>(&self.digest.0)?;
        out.push_sql(" AND network IN (");
        out.push_bind_param::<Text, _>(&self.network)?;
        out.push_sql(", '') AND locked_until > ");
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql("), from_source AS (");
        let open = "standing WHERE until IS NULL";
        self.walk_counter(&mut out, open, &self.network, &self.per_source)?;
        out.push_sql("), from_all AS (");
        self.walk_counter(&mut out, "from_source", &ALL_SOURCES, &self.per_identifier)?;
        out.push_sql(
            ") SELECT standing.until, (SELECT locks FROM from_source), \
             (SELECT locks FROM from_all), ",
        );
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM standing LEFT JOIN users ON ");
        out.push_sql(match self.identifier {
            LoginIdentifier::Email(_) => "users.email = ",
            LoginIdentifier::Username(_) => "users.username_canonical = ",
        });
        out.push_bind_param::<Text, _>(&self.canonical)
    }
}

impl QueryId for Count {
    type QueryId = ();
    // Told apart, and cached, by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Count {
    type SqlType = (Nullable<Instant>, Nullable<Bool>, Nullable<Bool>, Nullable<UserColumns>);
}

pub(crate) async fn attempt(
    connection: &mut AsyncPgConnection,
    attempt: &Attempt,
    policy: &LockoutPolicy,
) -> QueryResult<AttemptedRow> {
    let count = Count {
        digest: attempt.digest,
        network: attempt.source.network().to_string(),
        identifier: attempt.identifier.clone(),
        canonical: attempt.identifier.canonical(),
        now: At(attempt.at),
        until: At(attempt.at + policy.duration),
        forgotten: At(attempt.at - FAILURE_MEMORY),
        per_source: policy.per_source.into(),
        per_identifier: policy.per_identifier.into(),
        selection: <UserRow as Selectable<Pg>>::construct_selection(),
    };
    only(count.get_results(connection).await?).ok_or(diesel::NotFound)
}

/// What an opening did.
#[derive(Queryable)]
pub(crate) struct OpenedRow {
    pub(crate) user: UserRow,
    /// How many older sessions ended.
    pub(crate) displaced: i64,
}

/// Notes the login, opens the session, ends those that are too many and
/// forgives the failures, all if the user is active and has the password that
/// was checked.
///
/// Logins of one user follow each other, since each changes the user's row. A
/// statement sees what was there when it began, though, and so not the session
/// of a login that it waited for: the sessions are counted by a function of the
/// database, which looks anew.
struct Open {
    session: SessionRow,
    user: Id,
    password_changed_at: At,
    at: At,
    /// Absent, it is equal to nobody's.
    digest: Option<[u8; 32]>,
    network: Option<String>,
    others: i64,
    selection: UserSelection,
}

/// In the order in which [`Open::walk_session`] gives their values.
const SESSION_COLUMNS: &str = "id, user_id, contract, rotates, seed_digest, counter, opened_at, \
     rotated_at, last_used_at, expires_at, ended_at, end_reason, source, user_agent";

impl Open {
    fn walk_session<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        macro_rules! values {
            ($first_type:ty = $first:ident, $($type:ty = $field:ident),+) => {
                out.push_bind_param::<$first_type, _>(&self.session.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$type, _>(&self.session.$field)?;
                )+
            };
        }
        values!(
            Uid = id,
            Uid = user_id,
            Text = contract,
            Bool = rotates,
            Binary = seed_digest,
            BigInt = counter,
            Instant = opened_at,
            Instant = rotated_at,
            Instant = last_used_at,
            Instant = expires_at,
            Nullable<Instant> = ended_at,
            Nullable<Text> = end_reason,
            Text = source,
            Nullable<Text> = user_agent
        );
        Ok(())
    }
}

impl QueryFragment<Pg> for Open {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH noted AS (UPDATE users SET last_login_at = ");
        out.push_bind_param::<Instant, _>(&self.at)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Uid, _>(&self.user)?;
        out.push_sql(" AND is_active AND password_changed_at = ");
        out.push_bind_param::<Instant, _>(&self.password_changed_at)?;
        out.push_sql(" RETURNING *), opened AS (INSERT INTO sessions (");
        out.push_sql(SESSION_COLUMNS);
        out.push_sql(") SELECT ");
        self.walk_session(&mut out)?;
        // The counters go in the order in which attempts take them, or two of
        // them could wait for each other.
        out.push_sql(
            " FROM noted), from_source AS (DELETE FROM login_failures USING noted \
             WHERE identifier = ",
        );
        out.push_bind_param::<Nullable<Binary>, _>(&self.digest)?;
        out.push_sql(" AND network = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.network)?;
        out.push_sql(
            " RETURNING 1), from_all AS (DELETE FROM login_failures USING noted \
             WHERE identifier = ",
        );
        out.push_bind_param::<Nullable<Binary>, _>(&self.digest)?;
        out.push_sql(" AND network = '' AND (SELECT count(*) FROM from_source) >= 0) SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(", displace_sessions(users.id, ");
        out.push_bind_param::<Uid, _>(&self.session.id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.others)?;
        out.push_sql(", ");
        out.push_bind_param::<Instant, _>(&self.at)?;
        out.push_sql(") FROM noted AS users");
        Ok(())
    }
}

impl QueryId for Open {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Open {
    type SqlType = (UserColumns, BigInt);
}

pub(crate) async fn open(
    connection: &mut AsyncPgConnection,
    opening: &Opening,
) -> QueryResult<Option<OpenedRow>> {
    let attempt = opening.attempt.as_ref();
    let open = Open {
        session: SessionRow::from(&opening.session),
        user: Id(opening.session.user_id.as_uuid()),
        password_changed_at: At(opening.password_changed_at),
        at: At(opening.session.opened_at),
        digest: attempt.map(|attempt| attempt.digest.0),
        network: attempt.map(|attempt| attempt.source.network().to_string()),
        others: i64::try_from(MAX_LIVE_SESSIONS - 1).unwrap_or(i64::MAX),
        selection: <UserRow as Selectable<Pg>>::construct_selection(),
    };
    Ok(only(open.get_results(connection).await?))
}
