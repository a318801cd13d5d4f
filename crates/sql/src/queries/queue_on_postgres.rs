//! Claiming what is due on Postgres, where several workers do it at once.

use diesel::dsl::SqlTypeOf;
use diesel::expression::Expression;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Lease as ClaimLease, TURNS_AMONG};

use crate::types::{At, Instant};

/// A table with something that is due.
#[derive(Clone, Copy)]
pub(crate) struct Queue {
    /// Its name.
    pub(crate) table: &'static str,
    /// The column whose values take turns.
    pub(crate) turns_of: &'static str,
}

/// Takes turns as [`take_turns`](portcullis_domain::ports::take_turns) does.
/// The chosen rows are locked one by one, and a row that another worker has
/// locked is passed over, not waited for.
pub(crate) struct ClaimDue<Selection> {
    queue: Queue,
    now: At,
    lease_end: At,
    among: i64,
    limit: i64,
    selection: Selection,
}

impl<Selection> ClaimDue<Selection> {
    /// Claims of that queue what is due at `now`, and gives that selection of it.
    pub(crate) fn of(
        queue: Queue,
        now: Timestamp,
        lease: ClaimLease,
        selection: Selection,
    ) -> Self {
        Self {
            queue,
            now: At(now),
            lease_end: At(now + lease.duration),
            among: TURNS_AMONG.into(),
            limit: lease.limit.into(),
            selection,
        }
    }
}

const DUE: &str = "settled_at IS NULL AND buried_at IS NULL AND due_at <= ";

impl<Selection: QueryFragment<Pg>> QueryFragment<Pg> for ClaimDue<Selection> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Queue { table, turns_of } = self.queue;
        out.push_sql("UPDATE ");
        out.push_sql(table);
        out.push_sql(" SET attempts = attempts + 1, due_at = ");
        out.push_bind_param::<Instant, _>(&self.lease_end)?;
        // An array is made once; a mere subquery might be asked again for more.
        out.push_sql(" WHERE id = ANY (ARRAY(SELECT id FROM ");
        out.push_sql(table);
        out.push_sql(" JOIN (SELECT id, row_number() OVER (PARTITION BY ");
        out.push_sql(turns_of);
        out.push_sql(" ORDER BY due_at, id) AS turn FROM (SELECT id, ");
        out.push_sql(turns_of);
        out.push_sql(", due_at FROM ");
        out.push_sql(table);
        out.push_sql(" WHERE ");
        out.push_sql(DUE);
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql(" ORDER BY due_at LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.among)?;
        // Looked at again under the lock. As a truth value, which no index holds:
        // the planner must come here by id, however few rows were due when it last
        // counted.
        out.push_sql(") AS oldest) AS turns USING (id) WHERE (");
        out.push_sql(DUE);
        out.push_bind_param::<Instant, _>(&self.now)?;
        out.push_sql(") IS TRUE ORDER BY turn, due_at LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(" FOR UPDATE OF ");
        out.push_sql(table);
        out.push_sql(" SKIP LOCKED)) RETURNING ");
        self.selection.walk_ast(out)
    }
}

impl<Selection> QueryId for ClaimDue<Selection> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Selection: Expression> Query for ClaimDue<Selection> {
    type SqlType = SqlTypeOf<Selection>;
}
