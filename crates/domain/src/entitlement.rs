//! What somebody may use since they paid for it.

use crate::purchase::{
    AppStoreEnvironment, OriginalTransactionId, ProductId, Renewal, Transaction,
};
use crate::{Timestamp, UserId};

/// How a purchase stands, as Apple told it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseState {
    /// The store it was bought in.
    pub environment: AppStoreEnvironment,
    /// The purchase that all its renewals go back to.
    pub purchase: OriginalTransactionId,
    /// What was bought.
    pub product: ProductId,
    /// When it was paid or renewed.
    pub purchased_at: Timestamp,
    /// When it runs out, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When Apple said so.
    pub signed_at: Timestamp,
}

/// A purchase and whose it is: the first account that claimed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// Whose it is.
    pub user: UserId,
    /// How it stands.
    pub state: PurchaseState,
}

impl PurchaseState {
    /// Whether what was bought may be used at that moment.
    #[must_use]
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none_or(|revoked| now < revoked)
            && self.expires_at.is_none_or(|expires| now < expires)
    }

    /// Takes note of news of the same purchase, and says whether it was news.
    ///
    /// A renewal follows what was bought before it, whatever is said later of
    /// that: the refund of an earlier month takes nothing away from this one. Of
    /// one renewal, what Apple said last stands; only its end is never brought
    /// forward, since whoever tells it may not know of a period of grace.
    #[must_use]
    pub fn learn(&mut self, news: Self) -> bool {
        if (news.purchased_at, news.signed_at) <= (self.purchased_at, self.signed_at) {
            return false;
        }
        let known = std::mem::replace(self, news);
        if known.purchased_at == self.purchased_at {
            self.expires_at = later_end(known.expires_at, self.expires_at);
        }
        true
    }

    /// The same, good for as long as Apple goes on trying to be paid, where the
    /// app grants such a period of grace.
    #[must_use]
    pub fn with_grace(mut self, renewal: &Renewal) -> Self {
        if renewal.grace_period_ends_at.is_some() {
            self.expires_at = later_end(self.expires_at, renewal.grace_period_ends_at);
        }
        self
    }
}

/// What has no end ends last.
fn later_end(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// What gave way to a purchase of a higher level ends when that was said; the
/// other purchase follows under the same original transaction.
impl From<Transaction> for PurchaseState {
    fn from(transaction: Transaction) -> Self {
        let upgraded_at = transaction.is_upgraded.then_some(transaction.signed_at);
        Self {
            environment: transaction.environment,
            purchase: transaction.original_id,
            product: transaction.product,
            purchased_at: transaction.purchased_at,
            expires_at: transaction.expires_at,
            revoked_at: transaction.revocation.map(|revocation| revocation.at).or(upgraded_at),
            signed_at: transaction.signed_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const TICK: Duration = Duration::from_micros(1);

    fn state(expires_at: Option<Timestamp>, revoked_at: Option<Timestamp>) -> PurchaseState {
        PurchaseState {
            environment: AppStoreEnvironment::Production,
            purchase: OriginalTransactionId::parse("1").unwrap(),
            product: ProductId::parse("pro").unwrap(),
            purchased_at: NOW,
            expires_at,
            revoked_at,
            signed_at: NOW,
        }
    }

    fn told(purchased_at: u32, signed_at: u32, expires_at: Option<u32>) -> PurchaseState {
        PurchaseState {
            purchased_at: NOW + TICK * purchased_at,
            signed_at: NOW + TICK * signed_at,
            ..state(expires_at.map(|ticks| NOW + TICK * ticks), None)
        }
    }

    /// What is known after that news, or `None` if it was none.
    fn learned(known: &PurchaseState, news: &PurchaseState) -> Option<PurchaseState> {
        let mut state = known.clone();
        if state.learn(news.clone()) {
            return Some(state);
        }
        assert_eq!(state, *known);
        None
    }

    #[test]
    fn a_renewal_stands_whatever_is_said_later_of_the_month_before() {
        let (month, renewal) = (told(0, 5, Some(30)), told(30, 3, Some(60)));
        assert_eq!(learned(&month, &renewal), Some(renewal.clone()));
        let refunded = PurchaseState { revoked_at: Some(NOW), ..told(0, 9, Some(30)) };
        assert_eq!(learned(&renewal, &refunded), None);
    }

    #[test]
    fn of_one_renewal_what_was_said_last_stands() {
        let month = told(0, 5, Some(30));
        let refunded = PurchaseState { revoked_at: Some(NOW), ..told(0, 6, Some(30)) };
        assert_eq!(learned(&month, &refunded), Some(refunded.clone()));
        assert_eq!(learned(&refunded, &month), None);
        assert_eq!(learned(&refunded, &refunded), None);
        assert_eq!(learned(&refunded, &told(0, 7, Some(30))), Some(told(0, 7, Some(30))));
    }

    #[test]
    fn an_end_is_put_off_and_never_brought_forward() {
        for (known, said, ends) in [
            (Some(30), Some(46), Some(46)),
            (Some(46), Some(30), Some(46)),
            (Some(30), None, None),
            (None, Some(30), None),
        ] {
            let learned = learned(&told(0, 1, known), &told(0, 2, said));
            assert_eq!(learned, Some(told(0, 2, ends)), "{known:?}, {said:?}");
        }
        // The next renewal has its own end.
        let renewal = told(1, 2, Some(31));
        assert_eq!(learned(&told(0, 1, Some(46)), &renewal), Some(renewal.clone()));
    }

    #[test]
    fn a_purchase_is_good_until_it_ends() {
        assert!(state(None, None).is_good_at(NOW));
        for ends in [state(Some(NOW), None), state(None, Some(NOW)), state(Some(NOW), Some(NOW))] {
            assert!(ends.is_good_at(NOW - TICK) && !ends.is_good_at(NOW));
        }
    }
}
