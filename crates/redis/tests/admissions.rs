//! One step in place of three: it answers as they would one after the other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use portcullis_conformance::build::{START, session, stored_session, stored_user, user_id};
use portcullis_domain::ports::{
    Admission, Admissions, Bucket, Entrant, Quota, RateLimiter, SessionStore,
};
use portcullis_domain::{EndReason, Session, SessionEnd};
use portcullis_memory::MemoryStore;
use portcullis_redis::{
    CacheKey, CachedCallers, CachedSessions, CallerCache, Redis, RedisAdmissions, RedisLimiter,
};
use portcullis_testkit::{Redis as Server, RedisCluster};

const END: SessionEnd = SessionEnd { at: START, reason: EndReason::Logout };

/// An instance of the service, as far as admissions go.
struct Instance {
    admissions: RedisAdmissions,
    limiter: RedisLimiter,
    sessions: CachedSessions,
}

impl Instance {
    /// With buckets that nobody else knows.
    fn of(store: &MemoryStore, url: &str, prefix: &str) -> Self {
        let redis = Redis::open(&url.parse().unwrap()).unwrap();
        let cache = CallerCache::new(redis.clone(), &CacheKey([7; 32]));
        let inner: Arc<dyn SessionStore> = Arc::new(store.clone());
        let limiter = RedisLimiter::new(redis, prefix);
        let callers = CachedCallers::new(Arc::clone(&inner), cache.clone());
        Self {
            admissions: RedisAdmissions::new(limiter.clone(), callers),
            limiter,
            sessions: CachedSessions::new(inner, cache),
        }
    }

    /// How many more the bucket would allow, having taken one.
    async fn left(&self, bucket: Bucket, quota: Quota) -> u32 {
        self.limiter.take(bucket, quota, START).await.unwrap().remaining
    }
}

async fn logged_in(store: &MemoryStore) -> Session {
    let name = user_id().as_uuid().simple().to_string();
    let user = stored_user(store, &name).await;
    let session = session(user.id);
    stored_session(store, &session).await;
    session
}

fn quota(limit: u32) -> Quota {
    Quota { limit, window: Duration::from_mins(1) }
}

fn client() -> Bucket {
    Bucket::General(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))
}

fn prefix() -> String {
    format!("admissions{}", user_id().as_uuid().simple())
}

fn entrant(session: &Session, client_limit: u32, own_limit: u32) -> Entrant {
    Entrant {
        client: (client(), quota(client_limit)),
        own: quota(own_limit),
        session: session.id,
        user: session.user_id,
    }
}

#[tokio::test]
async fn both_limits_count_and_the_caller_is_found_first_in_the_store_then_in_redis() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let instance = Instance::of(&store, &Server::shared().url(), &prefix);
    let session = logged_in(&store).await;
    for remaining in (0..3).rev() {
        let entrant = entrant(&session, 5, 3);
        let admission = instance.admissions.admit(&entrant, START).await.unwrap();
        let Admission::Allowed(client, own, found) = admission else { panic!("{admission:?}") };
        assert_eq!((client.limit, client.remaining), (5, remaining + 2));
        assert_eq!((own.limit, own.remaining), (3, remaining));
        assert_eq!(own.reset_at, START + Duration::from_mins(1));
        let caller = found.unwrap().unwrap();
        assert_eq!((caller.session.id, caller.user.id), (session.id, session.user_id));
        assert_eq!(caller.session.expires_at, session.expires_at);
    }
}

#[tokio::test]
async fn a_refusal_takes_nothing_and_asks_nothing_further() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let instance = Instance::of(&store, &Server::shared().url(), &prefix);
    let session = logged_in(&store).await;
    let admit = async |client, own| {
        let entrant = entrant(&session, client, own);
        instance.admissions.admit(&entrant, START).await.unwrap()
    };
    assert!(matches!(admit(4, 1).await, Admission::Allowed(..)));
    // The user's own limit refuses: the client's has taken one all the same, as it
    // does when they are asked one after the other.
    let Admission::UserLimited(client, own) = admit(4, 1).await else { panic!("it is allowed") };
    assert_eq!((client.allowed, client.remaining), (true, 2));
    assert_eq!((own.allowed, own.remaining), (false, 0));
    // The client's limit refuses: neither takes.
    let Admission::ClientLimited(client) = admit(2, 9).await else { panic!("it is allowed") };
    assert_eq!((client.allowed, client.remaining), (false, 0));
    assert_eq!(instance.left(self::client(), quota(4)).await, 1);
    assert_eq!(instance.left(Bucket::User(session.user_id), quota(9)).await, 7);
}

#[tokio::test]
async fn buckets_are_those_of_the_limiter() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let instance = Instance::of(&store, &Server::shared().url(), &prefix);
    let session = logged_in(&store).await;
    assert_eq!(instance.left(client(), quota(3)).await, 2);
    assert_eq!(instance.left(Bucket::User(session.user_id), quota(3)).await, 2);
    let admission = instance.admissions.admit(&entrant(&session, 3, 3), START).await.unwrap();
    let Admission::Allowed(client, own, _) = admission else { panic!("{admission:?}") };
    assert_eq!((client.remaining, own.remaining), (1, 1));
}

#[tokio::test]
async fn who_was_shown_out_by_another_instance_is_out() {
    let (store, prefix, url) = (MemoryStore::new(), prefix(), Server::shared().url());
    let [one, other] = [0; 2].map(|_| Instance::of(&store, &url, &prefix));
    let session = logged_in(&store).await;
    let is_live = async |instance: &Instance| {
        let entrant = entrant(&session, 100, 100);
        match instance.admissions.admit(&entrant, START).await.unwrap() {
            Admission::Allowed(.., found) => {
                found.unwrap().is_some_and(|caller| caller.session.is_live(START))
            }
            limited => panic!("{limited:?}"),
        }
    };
    for _ in 0..2 {
        assert!(is_live(&one).await && is_live(&other).await);
    }
    assert!(one.sessions.end(session.id, session.user_id, END).await.unwrap());
    assert!(!is_live(&other).await && !is_live(&one).await);
}

/// How often a script was called.
fn calls(server: &Server) -> u64 {
    let said = server.command(&["info", "commandstats"]);
    let calls = said.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    calls.unwrap().split(',').next().unwrap().parse().unwrap()
}

/// What became of those who asked in one go, in their order.
async fn all_at_once(instance: &Instance, entrants: &[Entrant]) -> Vec<Admission> {
    let asking = entrants.iter().map(|entrant| instance.admissions.admit(entrant, START));
    join_all(asking).await.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn who_asks_with_others_gets_the_answer_of_nobody_else() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let server = Server::start();
    let instance = Instance::of(&store, &server.url(), &prefix);
    let mut sessions = Vec::new();
    for _ in 0..100 {
        sessions.push(logged_in(&store).await);
    }
    let entrants: Vec<_> = sessions.iter().map(|session| entrant(session, 1_000, 2)).collect();
    // From the store, then from Redis, then not at all.
    for remaining in [1, 0] {
        let admissions = all_at_once(&instance, &entrants).await;
        for (session, admission) in sessions.iter().zip(admissions) {
            let Admission::Allowed(_, own, found) = admission else { panic!("{admission:?}") };
            assert_eq!(own.remaining, remaining);
            let caller = found.unwrap().unwrap();
            assert_eq!((caller.session.id, caller.user.id), (session.id, session.user_id));
        }
    }
    let before = calls(&server);
    let admissions = all_at_once(&instance, &entrants).await;
    assert_eq!(calls(&server) - before, 4, "at most 32 ask in one call");
    for admission in admissions {
        assert!(matches!(admission, Admission::UserLimited(..)), "{admission:?}");
    }
    assert_eq!(instance.left(client(), quota(1_000)).await, 699);
}

#[tokio::test]
async fn of_those_who_ask_together_as_many_are_let_in_as_the_limit_says() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let instance = Instance::of(&store, &Server::shared().url(), &prefix);
    let session = logged_in(&store).await;
    let admissions = all_at_once(&instance, &[entrant(&session, 50, 20); 70]).await;
    let count = |is_one: fn(&Admission) -> bool| admissions.iter().filter(|it| is_one(it)).count();
    assert_eq!(count(|it| matches!(it, Admission::Allowed(..))), 20);
    assert_eq!(count(|it| matches!(it, Admission::UserLimited(..))), 30);
    assert_eq!(count(|it| matches!(it, Admission::ClientLimited(..))), 20);
}

#[tokio::test]
async fn whoever_came_first_may_leave_and_the_others_are_answered() {
    let (store, prefix) = (MemoryStore::new(), prefix());
    let instance = Instance::of(&store, &Server::shared().url(), &prefix);
    let session = logged_in(&store).await;
    let entrant = entrant(&session, 9, 9);
    tokio::select! {
        biased;
        first = instance.admissions.admit(&entrant, START) => panic!("{first:?}"),
        () = std::future::ready(()) => {}
    }
    let second = instance.admissions.admit(&entrant, START).await.unwrap();
    // Who left before the call was made has taken nothing.
    let Admission::Allowed(client, ..) = second else { panic!("{second:?}") };
    assert_eq!(client.remaining, 8);
}

#[tokio::test]
async fn without_a_redis_that_keeps_callers_it_is_done_step_by_step() {
    let store = MemoryStore::new();
    let session = logged_in(&store).await;
    let cluster = RedisCluster::start();
    let gone = {
        let server = Server::start();
        server.url()
    };
    for url in [cluster.url(), gone] {
        let instance = Instance::of(&store, &url, &prefix());
        let admission = instance.admissions.admit(&entrant(&session, 9, 9), START).await;
        assert!(admission.is_none(), "{admission:?}");
    }
}
