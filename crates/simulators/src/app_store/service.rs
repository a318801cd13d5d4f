//! The App Store of one app.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::authority::Authority;
use super::bearer::Credentials;
use super::extension::extend;
use super::forgery::Forgery;
use super::now;
use super::paging::page;
use super::payload::{Purchase, Store};
use super::refusal::{answer, of_status, refusal};
use crate::request::{Reply, Request};
use crate::server::Service;

/// Apple's most.
const PAGE_SIZE: usize = 20;

/// Sells to one app in one environment.
pub struct AppStore {
    /// Whom it talks to.
    pub credentials: Credentials,
    /// Who signs.
    pub authority: Authority,
    /// What its payloads say whose they are.
    pub store: Store,
    /// Everything that was sold, oldest first.
    pub sold: Vec<Sold>,
    /// What is wrong with all that it signs.
    pub forgery: Option<Forgery>,
    /// Transactions on a page.
    pub page_size: usize,
    /// How far its clock is ahead of the machine's, in milliseconds.
    pub ahead: i64,
}

/// A purchase and what became of it.
#[derive(Clone, Debug)]
pub struct Sold {
    /// The purchase.
    pub purchase: Purchase,
    /// Of a subscription: 1 active, 2 expired, 3 billing retry, 4 grace period,
    /// 5 revoked.
    pub status: i64,
    /// The requests that moved its renewal date.
    pub extensions: Vec<String>,
}

impl AppStore {
    /// A store that has sold nothing yet.
    #[must_use]
    pub fn new(bundle_id: &str, app_id: i64, environment: &str) -> Self {
        let store =
            Store { bundle_id: bundle_id.to_owned(), app_id, environment: environment.to_owned() };
        Self {
            credentials: Credentials::new(bundle_id),
            authority: Authority::new(),
            store,
            sold: Vec::new(),
            forgery: None,
            page_size: PAGE_SIZE,
            ahead: 0,
        }
    }

    /// Sells something.
    pub fn sell(&mut self, purchase: Purchase) {
        let status = if purchase.revoked_at.is_some() { 5 } else { 1 };
        self.sold.push(Sold { purchase, status, extensions: Vec::new() });
    }

    /// What was sold under that id, to be changed.
    ///
    /// # Panics
    /// When nothing was.
    pub fn sold_as(&mut self, id: &str) -> &mut Sold {
        let sold = self.sold.iter_mut().find(|sold| sold.purchase.id == id);
        sold.expect("something was sold under that id")
    }

    /// A purchase, signed.
    #[must_use]
    pub fn transaction(&self, purchase: &Purchase) -> String {
        self.sign(&purchase.transaction(&self.store))
    }

    /// How a subscription goes on, signed.
    #[must_use]
    pub fn renewal(&self, purchase: &Purchase) -> String {
        self.sign(&purchase.renewal(&self.store))
    }

    /// `responseBodyV2DecodedPayload` about a purchase, or about none.
    #[must_use]
    pub fn notification(&self, kind: &str, about: Option<&Purchase>) -> Value {
        let mut data = json!({
            "appAppleId": self.store.app_id,
            "bundleId": self.store.bundle_id,
            "bundleVersion": "1",
            "environment": self.store.environment,
        });
        if let Some(purchase) = about {
            data["signedTransactionInfo"] = self.transaction(purchase).into();
            if purchase.is_subscription() {
                data["signedRenewalInfo"] = self.renewal(purchase).into();
                data["status"] = 1.into();
            }
        }
        json!({
            "notificationType": kind,
            "notificationUUID": "002e14d5-51f5-4503-b5a8-c3a1af68eb20",
            "version": "2.0",
            "signedDate": now(),
            "data": data,
        })
    }

    /// Signs a payload, or forges it if that is what it does now.
    #[must_use]
    pub fn sign(&self, payload: &Value) -> String {
        match self.forgery {
            None => self.authority.sign(payload),
            Some(forgery) => self.authority.forge(payload, forgery),
        }
    }

    fn transaction_info(&self, id: &str) -> Reply {
        if !is_id(id) {
            return refusal(4_000_006);
        }
        match self.sold.iter().find(|sold| sold.purchase.id == id) {
            Some(sold) => {
                let signed = self.transaction(&sold.purchase);
                answer(200, &json!({"signedTransactionInfo": signed}))
            }
            None => refusal(4_040_010),
        }
    }

    /// All that the customer of a transaction bought.
    fn of_customer(&self, id: &str) -> Option<Vec<&Sold>> {
        let named = |sold: &&Sold| sold.purchase.id == id || sold.purchase.original_id == id;
        let customer = self.sold.iter().find(named)?.purchase.customer;
        Some(self.sold.iter().filter(|sold| sold.purchase.customer == customer).collect())
    }

    fn list(&self, request: &Request, id: &str, is_on_it: fn(&Sold) -> bool) -> Reply {
        if !is_id(id) {
            return refusal(4_000_006);
        }
        let Some(mut list) = self.of_customer(id) else { return refusal(4_040_010) };
        list.retain(|sold| is_on_it(sold));
        page(request, &list, self.page_size, |sold| self.transaction(&sold.purchase))
    }

    fn statuses(&self, id: &str) -> Reply {
        if !is_id(id) {
            return refusal(4_000_006);
        }
        let Some(bought) = self.of_customer(id) else { return refusal(4_040_010) };
        // Of each subscription the last purchase tells.
        let mut subscriptions = BTreeMap::new();
        for sold in bought.into_iter().filter(|sold| sold.purchase.is_subscription()) {
            subscriptions.insert(&sold.purchase.original_id, sold);
        }
        let items = subscriptions.values().map(|sold| {
            json!({
                "originalTransactionId": sold.purchase.original_id,
                "status": sold.status,
                "signedTransactionInfo": self.transaction(&sold.purchase),
                "signedRenewalInfo": self.renewal(&sold.purchase),
            })
        });
        let items: Vec<_> = items.collect();
        let group = json!({"subscriptionGroupIdentifier": "20900000", "lastTransactions": items});
        answer(
            200,
            &json!({
                "environment": self.store.environment,
                "bundleId": self.store.bundle_id,
                "appAppleId": self.store.app_id,
                "data": if items.is_empty() { json!([]) } else { json!([group]) },
            }),
        )
    }

    fn extend(&mut self, id: &str, request: &Request) -> Reply {
        if !is_id(id) {
            return refusal(4_000_008);
        }
        let of_it = |sold: &&mut Sold| sold.purchase.original_id == id;
        match self.sold.iter_mut().rfind(of_it) {
            Some(sold) => extend(sold, &request.json().unwrap_or_default()),
            None => refusal(4_040_005),
        }
    }
}

impl Service for AppStore {
    fn answer(&mut self, request: &Request) -> Reply {
        if !self.credentials.admit(request, now() + self.ahead) {
            return of_status(401);
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["inApps", "v1", "transactions", id]) => self.transaction_info(id),
            ("GET", ["inApps", "v2", "history", id]) => self.list(request, id, |_| true),
            ("GET", ["inApps", "v2", "refund", "lookup", id]) => {
                self.list(request, id, |sold| sold.purchase.revoked_at.is_some())
            }
            ("GET", ["inApps", "v1", "subscriptions", id]) => self.statuses(id),
            ("PUT", ["inApps", "v1", "subscriptions", "extend", id]) => {
                let id = (*id).to_owned();
                self.extend(&id, request)
            }
            // No place of the API.
            _ => Reply::empty(404),
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        of_status(status)
    }
}

/// Apple's ids are digits.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}
