//! The laws of every port over memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_conformance::mail_route::SENDER;
use portcullis_conformance::{Arrived, Bucket, FarSide, MailRoute, Stores};
use portcullis_domain::ports::{MAILBOX_CAPACITY, Mailbox, MailboxMessage, RateLimiter};
use portcullis_memory::{MailboxMailer, MemoryLimiter, MemoryObjects, MemoryStore};

async fn store() -> Stores {
    Stores::of(MemoryStore::new(), ())
}

async fn limiter() -> Arc<dyn RateLimiter> {
    Arc::new(MemoryLimiter::new())
}

struct DevelopmentMailbox(MemoryStore);

#[async_trait]
impl FarSide for DevelopmentMailbox {
    async fn arrived(&self) -> Vec<Arrived> {
        let mut messages = self.0.list(None, MAILBOX_CAPACITY).await.unwrap();
        messages.reverse();
        messages.into_iter().map(arrived).collect()
    }

    async fn vanish(&self) {
        unreachable!("no law of delivery asks for it")
    }
}

fn arrived(message: MailboxMessage) -> Arrived {
    Arrived {
        key: message.id.to_string(),
        from: message.from,
        to: vec![message.to],
        subject: message.subject,
        text: message.text,
        html: message.html,
        headers: Vec::new(),
    }
}

async fn mail_route() -> MailRoute {
    let store = MemoryStore::new();
    let clock = Arc::new(ManualClock::at(START));
    MailRoute {
        mailer: Arc::new(MailboxMailer::new(Arc::new(store.clone()), clock, SENDER.into())),
        debug: String::new(),
        far_side: Arc::new(DevelopmentMailbox(store)),
        secret: String::new(),
    }
}

async fn bucket() -> Bucket {
    Bucket::of(MemoryObjects::new(Arc::new(ManualClock::at(START))), ())
}

portcullis_conformance::object_laws!(bucket);
portcullis_conformance::delivery_laws!(mail_route);
portcullis_conformance::store_laws!(store);
portcullis_conformance::limiter_laws!(limiter);
