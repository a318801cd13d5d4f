//! What is signed, before it is signed.

use serde_json::{Map, Value, json};

use super::now;

/// The app and the environment that a store sells for.
#[derive(Clone, Debug)]
pub struct Store {
    /// The app's bundle id.
    pub bundle_id: String,
    /// The app's number.
    pub app_id: i64,
    /// `Sandbox` or `Production`.
    pub environment: String,
}

/// A purchase or a renewal. Times are in milliseconds since the epoch.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Its id: digits.
    pub id: String,
    /// The purchase that it goes back to.
    pub original_id: String,
    /// What was bought.
    pub product_id: String,
    /// `Auto-Renewable Subscription`, `Consumable`, …
    pub product_type: String,
    /// Whose it is: customers are numbered.
    pub customer: u32,
    /// When it was paid.
    pub purchased_at: i64,
    /// When a subscription runs out.
    pub expires_at: Option<i64>,
    /// When it was refunded.
    pub revoked_at: Option<i64>,
    /// `PURCHASED` or `FAMILY_SHARED`.
    pub ownership: String,
    /// When it is signed; now, if `None`.
    pub signed_at: Option<i64>,
    /// Fields that are added or put in place of others; `null` takes one away.
    pub fields: Map<String, Value>,
}

impl Purchase {
    /// The first month of a subscription, bought an hour ago.
    #[must_use]
    pub fn subscription(id: &str, product_id: &str) -> Self {
        const HOUR: i64 = 3_600_000;
        Self {
            expires_at: Some(now() + 30 * 24 * HOUR),
            product_type: "Auto-Renewable Subscription".to_owned(),
            purchased_at: now() - HOUR,
            ..Self::consumable(id, product_id)
        }
    }

    /// Something that is used up, bought now.
    #[must_use]
    pub fn consumable(id: &str, product_id: &str) -> Self {
        Self {
            id: id.to_owned(),
            original_id: id.to_owned(),
            product_id: product_id.to_owned(),
            product_type: "Consumable".to_owned(),
            customer: 1,
            purchased_at: now(),
            expires_at: None,
            revoked_at: None,
            ownership: "PURCHASED".to_owned(),
            signed_at: None,
            fields: Map::new(),
        }
    }

    /// The same with another field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// Whether it renews.
    pub(super) fn is_subscription(&self) -> bool {
        self.product_type == "Auto-Renewable Subscription"
    }

    /// `JWSTransactionDecodedPayload`.
    #[must_use]
    pub fn transaction(&self, store: &Store) -> Value {
        let mut payload = json!({
            "transactionId": self.id,
            "originalTransactionId": self.original_id,
            "webOrderLineItemId": format!("9{}", self.id),
            "bundleId": store.bundle_id,
            "productId": self.product_id,
            "purchaseDate": self.purchased_at,
            "originalPurchaseDate": self.purchased_at,
            "quantity": 1,
            "type": self.product_type,
            "inAppOwnershipType": self.ownership,
            "signedDate": self.signed_at.unwrap_or_else(now),
            "environment": store.environment,
            "transactionReason": "PURCHASE",
            "storefront": "FRA",
            "storefrontId": "143442",
            "price": 9_990,
            "currency": "EUR",
        });
        if self.is_subscription() {
            payload["subscriptionGroupIdentifier"] = "20900000".into();
        }
        if let Some(end) = self.expires_at {
            payload["expiresDate"] = end.into();
        }
        if let Some(end) = self.revoked_at {
            payload["revocationDate"] = end.into();
            payload["revocationReason"] = 1.into();
        }
        self.amended(payload)
    }

    /// `JWSRenewalInfoDecodedPayload`.
    #[must_use]
    pub fn renewal(&self, store: &Store) -> Value {
        json!({
            "originalTransactionId": self.original_id,
            "autoRenewProductId": self.product_id,
            "productId": self.product_id,
            "autoRenewStatus": 1,
            "renewalPrice": 9_990,
            "currency": "EUR",
            "signedDate": self.signed_at.unwrap_or_else(now),
            "environment": store.environment,
            "recentSubscriptionStartDate": self.purchased_at,
            "renewalDate": self.expires_at,
        })
    }

    fn amended(&self, mut payload: Value) -> Value {
        let fields = payload.as_object_mut().expect("an object");
        for (name, value) in &self.fields {
            if value.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
        payload
    }
}
