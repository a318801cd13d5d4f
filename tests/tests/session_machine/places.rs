//! The adapters, and one that is broken.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_conformance::Stores;
use portcullis_domain::ports::{Caller, Callers};
use portcullis_domain::{SessionId, StoreError, UserId};
use portcullis_memory::MemoryStore;
use portcullis_redis::{
    CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache, Redis,
};
use portcullis_testkit::{Postgres, Redis as RedisServer};
use tokio::runtime::Runtime;

/// A place in which the machine runs.
pub(super) trait Place {
    fn stores() -> impl Future<Output = Stores> + Send;
}

pub(super) struct Memory;

impl Place for Memory {
    async fn stores() -> Stores {
        Stores::of(MemoryStore::new(), ())
    }
}

/// Callers are kept in Redis; the store behind it is memory.
pub(super) struct KeptInRedis;

impl Place for KeptInRedis {
    async fn stores() -> Stores {
        let redis = Redis::open(&RedisServer::shared().url().parse().unwrap()).unwrap();
        let cache = CallerCache::new(redis, &CacheKey([7; 32]));
        let store = MemoryStore::new();
        let inner = Arc::new(store.clone());
        Stores {
            store: Arc::new(CachedStore::new(inner.clone(), cache.clone())),
            sessions: Arc::new(CachedSessions::new(inner.clone(), cache.clone())),
            callers: Arc::new(CachedCallers::new(inner.clone(), cache.clone())),
            logins: Arc::new(CachedLogins::new(inner, cache)),
            ..Stores::of(store, ())
        }
    }
}

pub(super) struct Sqlite;

impl Place for Sqlite {
    async fn stores() -> Stores {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.db");
        portcullis_sqlite::migrate(&file).unwrap();
        Stores::of(portcullis_sqlite::open(&file, 2).unwrap(), folder)
    }
}

/// A database that is gone with the value: thousands of cases have one each.
struct Dropped(String);

impl Drop for Dropped {
    fn drop(&mut self) {
        let (server, name) = self.0.rsplit_once('/').unwrap();
        // Its last connections may be on their way out.
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        Postgres::shared().sql(&format!("{server}/postgres"), &drop);
    }
}

pub(super) struct OnPostgres;

impl Place for OnPostgres {
    async fn stores() -> Stores {
        let url = Postgres::shared().database_like("sessions", |template| {
            let address: portcullis_postgres::Address = template.parse().unwrap();
            // A thread of its own, since a runtime cannot wait for another.
            std::thread::spawn(move || {
                let runtime = Runtime::new().unwrap();
                runtime.block_on(portcullis_postgres::migrate(&address)).unwrap();
            })
            .join()
            .unwrap();
        });
        let stores = portcullis_postgres::open(&url.parse().unwrap(), 2).unwrap();
        Stores::of(stores, Dropped(url))
    }
}

/// A cache that has not heard of the end of a session.
pub(super) struct Forgetful;

struct HearsOfNoEnd(MemoryStore);

#[async_trait]
impl Callers for HearsOfNoEnd {
    async fn bearer(
        &self,
        session: SessionId,
        user: UserId,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let mut found = self.0.bearer(session, user).await?;
        if let Some(caller) = &mut found {
            Arc::make_mut(caller).session.end = None;
        }
        Ok(found)
    }
}

impl Place for Forgetful {
    async fn stores() -> Stores {
        let store = MemoryStore::new();
        Stores { callers: Arc::new(HearsOfNoEnd(store.clone())), ..Stores::of(store, ()) }
    }
}
