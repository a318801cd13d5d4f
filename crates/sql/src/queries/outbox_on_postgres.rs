//! Claiming letters on Postgres, where several workers do it at once.

use diesel::dsl::SqlTypeOf;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Lease as ClaimLease, TURNS_AMONG};

use crate::rows::LetterRow;
use crate::types::{At, Instant};

type LetterSelection = <LetterRow as Selectable<Pg>>::SelectExpression;

/// Takes turns as [`take_turns`](portcullis_domain::ports::take_turns) does.
/// The chosen rows are locked one by one, and a row that another worker has
/// locked is passed over, not waited for.
struct ClaimDue {
    now: At,
    lease_end: At,
    among: i64,
    limit: i64,
    selection: LetterSelection,
}

const DUE: &str = "settled_at IS NULL AND buried_at IS NULL AND due_at <= ";

impl QueryFragment<Pg> for ClaimDue {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE outbox SET attempts = attempts + 1, due_at = ");
        out.push_bind_param::<Instant, _>(&self.lease_end)?;
        // An array is made once; a mere subquery might be asked again for more.
        out.push_sql(
            " WHERE id = ANY (ARRAY(SELECT id FROM outbox JOIN (SELECT id, row_number() OVER \
             (PARTITION BY recipient ORDER BY due_at, id) AS turn FROM \
             (SELECT id, recipient, due_at FROM outbox WHERE ",
        );
        out.push_sql(DUE);
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql(" ORDER BY due_at LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.among)?;
        // Looked at again under the lock. As a truth value, which no index holds:
        // the planner must come here by id, however few letters were due when it
        // last counted.
        out.push_sql(") AS oldest) AS turns USING (id) WHERE (");
        out.push_sql(DUE);
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql(") IS TRUE ORDER BY turn, due_at LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(" FOR UPDATE OF outbox SKIP LOCKED)) RETURNING ");
        self.selection.walk_ast(out)
    }
}

impl QueryId for ClaimDue {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for ClaimDue {
    type SqlType = SqlTypeOf<LetterSelection>;
}

pub(crate) async fn claim(
    connection: &mut AsyncPgConnection,
    now: Timestamp,
    lease: ClaimLease,
) -> QueryResult<Vec<LetterRow>> {
    let claim = ClaimDue {
        now: At(now),
        lease_end: At(now + lease.duration),
        among: TURNS_AMONG.into(),
        limit: lease.limit.into(),
        selection: <LetterRow as Selectable<Pg>>::construct_selection(),
    };
    claim.get_results(connection).await
}
