//! What the outbox and the queue of jobs do alike.

/// The steps of a queue, as queries of the module it stands in: for a table with
/// the columns `id`, `created_at`, `attempts`, `due_at`, `settled_at`,
/// `buried_at` and `reason`.
macro_rules! queue_steps {
    ($table:ident, $id:ty) => {
        /// Whether anything is due: a look that locks nothing.
        pub(crate) async fn is_any_due(
            lease: &mut Lease,
            now: Timestamp,
        ) -> Result<bool, StoreError> {
            run!(lease, connection => async {
                diesel::select(diesel::dsl::exists(due(now))).get_result(connection).await
            })
        }

        #[diesel::dsl::auto_type(no_type_alias)]
        fn due(now: Timestamp) -> _ {
            let now: At = At(now);
            $table::table
                .filter($table::settled_at.is_null())
                .filter($table::buried_at.is_null())
                .filter($table::due_at.le(now))
        }

        /// The one of that name, while that attempt holds it.
        #[diesel::dsl::auto_type(no_type_alias)]
        fn held(id: $id, attempt: i64) -> _ {
            let id: Id = Id(id.as_uuid());
            $table::table.filter($table::id.eq(id)).filter($table::attempts.eq(attempt))
        }

        pub(crate) async fn settle(
            lease: &mut Lease,
            id: $id,
            at: Timestamp,
        ) -> Result<(), StoreError> {
            run!(lease, connection => async {
                diesel::update($table::table.find(Id(id.as_uuid())))
                    .set($table::settled_at.eq(At(at)))
                    .execute(connection)
                    .await
            })?;
            Ok(())
        }

        pub(crate) async fn postpone(
            lease: &mut Lease,
            id: $id,
            attempt: i64,
            due: Timestamp,
            reason: &str,
        ) -> Result<(), StoreError> {
            run!(lease, connection => async {
                diesel::update(held(id, attempt))
                    .set(($table::due_at.eq(At(due)), $table::reason.eq(reason)))
                    .execute(connection)
                    .await
            })?;
            Ok(())
        }

        pub(crate) async fn bury(
            lease: &mut Lease,
            id: $id,
            attempt: i64,
            at: Timestamp,
            reason: &str,
        ) -> Result<(), StoreError> {
            run!(lease, connection => async {
                diesel::update(held(id, attempt))
                    .set(($table::buried_at.eq(At(at)), $table::reason.eq(reason)))
                    .execute(connection)
                    .await
            })?;
            Ok(())
        }

        pub(crate) async fn release(
            lease: &mut Lease,
            id: $id,
            attempt: i64,
        ) -> Result<(), StoreError> {
            run!(lease, connection => async {
                diesel::update(held(id, attempt))
                    .set((
                        $table::attempts.eq($table::attempts - 1),
                        $table::due_at.eq($table::created_at),
                    ))
                    .execute(connection)
                    .await
            })?;
            Ok(())
        }

        pub(crate) async fn revive(
            lease: &mut Lease,
            id: $id,
            at: Timestamp,
        ) -> Result<bool, StoreError> {
            let revived = run!(lease, connection => async {
                diesel::update($table::table.find(Id(id.as_uuid())))
                    .filter($table::buried_at.is_not_null())
                    .set(($table::buried_at.eq(None::<At>), $table::due_at.eq(At(at))))
                    .execute(connection)
                    .await
            })?;
            Ok(revived == 1)
        }

        pub(crate) async fn remove_settled(
            lease: &mut Lease,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError> {
            let old: Vec<Id> = run!(lease, connection => async {
                $table::table
                    .filter($table::settled_at.lt(At(before)))
                    .select($table::id)
                    .limit(i64::from(limit))
                    .load(connection)
                    .await
            })?;
            let removed = run!(lease, connection => async {
                diesel::delete($table::table.filter($table::id.eq_any(&old)))
                    .execute(connection)
                    .await
            })?;
            Ok(removed as u64)
        }
    };
}
pub(crate) use queue_steps;
