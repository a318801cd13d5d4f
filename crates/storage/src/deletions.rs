//! Many deletions, a few side by side.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use portcullis_domain::ObjectName;
use portcullis_domain::ports::ObjectError;

/// How many are under way at once.
const SIDE_BY_SIDE: usize = 8;

/// Deletes objects one by one, and says what became of each, in their order. When
/// one finds the store away, those that were not begun are not tried: each would
/// take its time to find the same.
pub(crate) async fn one_by_one<F>(
    names: Vec<ObjectName>,
    delete: impl Fn(ObjectName) -> F,
) -> Vec<Result<(), ObjectError>>
where
    F: Future<Output = Result<(), ObjectError>>,
{
    let is_away = AtomicBool::new(false);
    let deletions = stream::iter(names).map(|name| {
        let (deletion, is_away) = (delete(name), &is_away);
        async move {
            if is_away.load(Ordering::Relaxed) {
                let told = "it was not tried: the store was found away";
                return Err(ObjectError::Unavailable(told.into()));
            }
            let deleted = deletion.await;
            if let Err(ObjectError::Unavailable(_)) = deleted {
                is_away.store(true, Ordering::Relaxed);
            }
            deleted
        }
    });
    deletions.buffered(SIDE_BY_SIDE).collect().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn names(count: usize) -> Vec<ObjectName> {
        (0..count).map(|number| ObjectName::parse(&format!("n/{number}")).unwrap()).collect()
    }

    #[tokio::test]
    async fn each_is_told_in_its_place() {
        let results = one_by_one(names(20), |name| async move {
            tokio::task::yield_now().await;
            if name.base_name() == "7" {
                return Err(ObjectError::Denied("locked".into()));
            }
            Ok(())
        })
        .await;
        let failed = results.iter().enumerate().filter(|(_, result)| result.is_err());
        assert_eq!(failed.map(|(number, _)| number).collect::<Vec<_>>(), [7]);
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_not_asked_a_thousand_times() {
        let asked = AtomicUsize::new(0);
        let results = one_by_one(names(1_000), |_| async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(ObjectError::Unavailable("no".into()))
        })
        .await;
        assert_eq!(results.len(), 1_000);
        assert!(results.iter().all(|result| matches!(result, Err(ObjectError::Unavailable(_)))));
        assert!(asked.into_inner() <= SIDE_BY_SIDE);
    }
}
