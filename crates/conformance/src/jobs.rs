//! Laws of the queue of jobs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::{JobClaim, Lease, OwedJob};
use portcullis_domain::{DemoUsers, Job, NewJob, PasswordHash, Timestamp};

use crate::Stores;
use crate::build::{START, TICK, job, notice};
use crate::race::race;

const LEASE: Lease = Lease { duration: Duration::from_mins(1), limit: 100 };

/// Long after everything in these laws.
const LATE: Timestamp = Timestamp::from_seconds(START.as_seconds() + 10_000_000);

async fn claim(stores: &Stores, at: Timestamp) -> Vec<JobClaim> {
    stores.jobs.claim(at, LEASE).await.unwrap()
}

async fn enqueue(stores: &Stores, job: &NewJob) {
    assert!(stores.jobs.enqueue(job.clone()).await.unwrap(), "it was not queued");
}

fn claim_of(new: &NewJob, attempt: u32) -> JobClaim {
    JobClaim { id: new.id, job: Ok(new.job.clone()), created_at: new.created_at, attempt }
}

async fn claimed(stores: &Stores) -> NewJob {
    let new = job(notice());
    enqueue(stores, &new).await;
    assert_eq!(claim(stores, START).await, [claim_of(&new, 1)]);
    new
}

fn demo_users() -> DemoUsers {
    let password_hash = PasswordHash::new("$fake$with a blank$hash".into());
    DemoUsers { first: u64::MAX - 1_000, count: 1_000, password_hash }
}

/// Every kind, with its extremes.
pub async fn every_field_of_a_job_is_read_as_it_was_written(stores: &Stores) {
    for work in [notice(), Job::SeedUsers(demo_users())] {
        let new = NewJob { created_at: START + TICK, ..job(work) };
        enqueue(stores, &new).await;
        assert_eq!(claim(stores, START + TICK).await, [claim_of(&new, 1)]);
    }
}

/// The first of a key stays, done or not; jobs without a key never collide.
pub async fn a_key_is_queued_once(stores: &Stores) {
    let keyed = |key: &str| NewJob { key: Some(key.into()), ..job(notice()) };
    let first = keyed("hourly");
    enqueue(stores, &first).await;
    assert!(!stores.jobs.enqueue(keyed("hourly")).await.unwrap());
    enqueue(stores, &keyed("Hourly")).await;
    enqueue(stores, &job(notice())).await;
    enqueue(stores, &job(notice())).await;
    let claims = claim(stores, START).await;
    assert_eq!(claims.len(), 4);
    assert!(claims.contains(&claim_of(&first, 1)), "the first was replaced");
    stores.jobs.settle(first.id, START).await.unwrap();
    assert!(!stores.jobs.enqueue(keyed("hourly")).await.unwrap(), "it is done, and kept");
    assert_eq!(stores.jobs.remove_settled(LATE, 10).await.unwrap(), 1);
    enqueue(stores, &keyed("hourly")).await;
}

/// However many instances keep one schedule.
pub async fn of_64_who_queue_one_key_one_does(stores: &Stores) {
    let queued = race(64, |_| {
        let jobs = Arc::clone(&stores.jobs);
        async move { jobs.enqueue(NewJob { key: Some("k".into()), ..job(notice()) }).await.unwrap() }
    })
    .await;
    assert_eq!(queued.into_iter().filter(|queued| *queued).count(), 1);
    assert_eq!(claim(stores, START).await.len(), 1);
}

/// Nobody else gets it before the lease ends; then a second attempt begins.
pub async fn a_claimed_job_is_held_until_its_lease_ends(stores: &Stores) {
    let new = claimed(stores).await;
    let end = START + LEASE.duration;
    assert_eq!(claim(stores, end - TICK).await, []);
    assert_eq!(claim(stores, end).await, [claim_of(&new, 2)]);
}

/// No job is done twice for want of a lock.
pub async fn of_parallel_workers_each_job_is_held_by_one(stores: &Stores) {
    for _ in 0..40 {
        enqueue(stores, &job(notice())).await;
    }
    let claims = race(8, |_| {
        let jobs = Arc::clone(&stores.jobs);
        async move {
            let mut own = Vec::new();
            for _ in 0..8 {
                own.extend(jobs.claim(START, Lease { limit: 3, ..LEASE }).await.unwrap());
            }
            own
        }
    })
    .await;
    let claims: Vec<JobClaim> = claims.into_iter().flatten().collect();
    let distinct: HashSet<_> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!((claims.len(), distinct.len()), (40, 40));
}

/// What waits longest goes first.
pub async fn jobs_are_claimed_oldest_first_and_a_few_at_a_time(stores: &Stores) {
    let queued: Vec<NewJob> =
        (0..3).map(|n| NewJob { created_at: START + TICK * (2 - n), ..job(notice()) }).collect();
    for new in &queued {
        enqueue(stores, new).await;
    }
    let lease = Lease { limit: 2, ..LEASE };
    assert_eq!(stores.jobs.claim(START - TICK, lease).await.unwrap(), [], "none is due yet");
    let first = stores.jobs.claim(START + 2 * TICK, lease).await.unwrap();
    let ids: HashSet<_> = first.iter().map(|claim| claim.id).collect();
    assert_eq!(ids, HashSet::from([queued[1].id, queued[2].id]));
    assert_eq!(stores.jobs.claim(START + 2 * TICK, lease).await.unwrap().len(), 1);
}

/// Many jobs of one kind do not keep another kind waiting.
pub async fn kinds_take_turns(stores: &Stores) {
    for number in 0..5 {
        let new = NewJob { created_at: START + TICK * number, ..job(notice()) };
        enqueue(stores, &new).await;
    }
    let last = NewJob { created_at: START + TICK * 9, ..job(Job::SeedUsers(demo_users())) };
    enqueue(stores, &last).await;
    let lease = Lease { limit: 2, ..LEASE };
    let claims = stores.jobs.claim(START + TICK * 9, lease).await.unwrap();
    assert!(claims.iter().any(|claim| claim.id == last.id), "{claims:?}");
    assert_eq!(claims.len(), 2);
}

/// Whoever takes over goes on where the last one was.
pub async fn what_is_left_of_a_job_is_kept_and_its_lease_begins_anew(stores: &Stores) {
    let new = claimed(stores).await;
    let rest = Job::SeedUsers(demo_users());
    let until = START + 2 * LEASE.duration;
    assert!(stores.jobs.keep(new.id, 1, rest.clone(), until).await.unwrap());
    assert_eq!(claim(stores, until - TICK).await, []);
    let left = NewJob { job: rest, ..new };
    assert_eq!(claim(stores, until).await, [claim_of(&left, 2)]);
}

/// A worker that was too slow learns of it, and changes nothing.
pub async fn only_the_attempt_that_holds_a_job_keeps_it(stores: &Stores) {
    let new = claimed(stores).await;
    let rest = || Job::SeedUsers(demo_users());
    let end = START + LEASE.duration;
    assert_eq!(claim(stores, end).await, [claim_of(&new, 2)]);
    let far = end + LEASE.duration * 10;
    assert!(!stores.jobs.keep(new.id, 1, rest(), far).await.unwrap(), "another one has it");
    assert!(!stores.jobs.keep(new.id, 3, rest(), far).await.unwrap(), "nobody has it yet");
    assert!(!stores.jobs.keep(job(notice()).id, 1, rest(), far).await.unwrap(), "it is not there");
    assert_eq!(claim(stores, end + LEASE.duration).await, [claim_of(&new, 3)]);

    stores.jobs.bury(new.id, 3, START, "it was refused".into()).await.unwrap();
    assert!(!stores.jobs.keep(new.id, 3, rest(), far).await.unwrap(), "it was given up");
    let done = job(notice());
    enqueue(stores, &done).await;
    assert_eq!(claim(stores, START).await, [claim_of(&done, 1)]);
    stores.jobs.settle(done.id, START).await.unwrap();
    assert!(!stores.jobs.keep(done.id, 1, rest(), far).await.unwrap(), "it is done");
}

/// What is still to be done, what was given up, and why.
pub async fn an_operator_sees_which_jobs_are_owed(stores: &Stores) {
    let buried = claimed(stores).await;
    let waiting = NewJob { created_at: START - TICK, ..job(Job::SeedUsers(demo_users())) };
    enqueue(stores, &waiting).await;
    let due = START + Duration::from_secs(5);
    stores.jobs.postpone(waiting.id, 0, due, "it is away".into()).await.unwrap();
    stores.jobs.bury(buried.id, 1, START, "it was refused".into()).await.unwrap();
    let settled = job(notice());
    enqueue(stores, &settled).await;
    stores.jobs.settle(settled.id, START).await.unwrap();

    let pending = stores.jobs.list(false, 10).await.unwrap();
    let expected = OwedJob {
        id: waiting.id,
        job: Ok(waiting.job),
        created_at: waiting.created_at,
        attempts: 0,
        due_at: due,
        buried_at: None,
        reason: Some("it is away".into()),
    };
    assert_eq!(pending, [expected]);
    let given_up = stores.jobs.list(true, 10).await.unwrap();
    let expected = OwedJob {
        id: buried.id,
        job: Ok(buried.job),
        created_at: buried.created_at,
        attempts: 1,
        due_at: START + LEASE.duration,
        buried_at: Some(START),
        reason: Some("it was refused".into()),
    };
    assert_eq!(given_up, [expected]);
    assert_eq!(stores.jobs.list(true, 0).await.unwrap(), []);
}

/// A job that was given up gets another chance, once; no other does.
pub async fn a_revived_job_is_due_again(stores: &Stores) {
    let new = claimed(stores).await;
    assert!(!stores.jobs.revive(new.id, START).await.unwrap(), "it was not given up");
    stores.jobs.bury(new.id, 1, START, "it was refused".into()).await.unwrap();
    let again = START + Duration::from_mins(2);
    assert!(stores.jobs.revive(new.id, again).await.unwrap());
    assert!(!stores.jobs.revive(new.id, again).await.unwrap());
    assert_eq!(claim(stores, again - TICK).await, []);
    assert_eq!(claim(stores, again).await, [claim_of(&new, 2)]);
}

/// It is never due again.
pub async fn a_settled_job_is_done(stores: &Stores) {
    let new = claimed(stores).await;
    stores.jobs.settle(new.id, START).await.unwrap();
    assert_eq!(claim(stores, LATE).await, []);
}

/// Not before, and then as its next attempt.
pub async fn a_postponed_job_is_due_at_its_time(stores: &Stores) {
    let new = claimed(stores).await;
    let due = START + Duration::from_secs(5);
    stores.jobs.postpone(new.id, 1, due, "try again later".into()).await.unwrap();
    assert_eq!(claim(stores, due - TICK).await, []);
    assert_eq!(claim(stores, due).await, [claim_of(&new, 2)]);
}

/// It is never due again, and purging leaves it to the operator.
pub async fn a_buried_job_stays_buried(stores: &Stores) {
    let new = claimed(stores).await;
    stores.jobs.bury(new.id, 1, START, "there is no such thing".into()).await.unwrap();
    assert_eq!(claim(stores, LATE).await, []);
    assert_eq!(stores.jobs.remove_settled(LATE, 10).await.unwrap(), 0);
    assert_eq!(stores.jobs.list(true, 10).await.unwrap().len(), 1);
}

/// A worker that stops hands back what it did not finish.
pub async fn a_released_job_is_due_at_once_and_was_not_tried(stores: &Stores) {
    let new = claimed(stores).await;
    stores.jobs.release(new.id, 1).await.unwrap();
    assert_eq!(claim(stores, START).await, [claim_of(&new, 1)]);
}

/// A worker that was too slow cannot take the job away from whoever has it now.
pub async fn only_the_attempt_that_holds_a_job_moves_it(stores: &Stores) {
    let new = claimed(stores).await;
    let again = START + LEASE.duration;
    assert_eq!(claim(stores, again).await, [claim_of(&new, 2)]);
    stores.jobs.postpone(new.id, 1, START, "it is away".into()).await.unwrap();
    stores.jobs.release(new.id, 1).await.unwrap();
    stores.jobs.bury(new.id, 1, START, "it was refused".into()).await.unwrap();
    assert_eq!(claim(stores, again).await, [], "it was taken from its holder");
    assert_eq!(stores.jobs.list(true, 10).await.unwrap(), []);
    stores.jobs.release(new.id, 2).await.unwrap();
    assert_eq!(claim(stores, again).await, [claim_of(&new, 2)]);
    // What is done is done, whoever did it.
    stores.jobs.settle(new.id, START).await.unwrap();
    assert_eq!(claim(stores, LATE).await, []);
}

/// Jobs that are still owed stay.
pub async fn only_settled_jobs_are_removed(stores: &Stores) {
    let done = claimed(stores).await;
    stores.jobs.settle(done.id, START).await.unwrap();
    let owed = job(notice());
    enqueue(stores, &owed).await;
    let remove = async |before, limit| stores.jobs.remove_settled(before, limit).await.unwrap();
    assert_eq!(remove(START, 10).await, 0);
    assert_eq!(remove(START + TICK, 0).await, 0);
    assert_eq!(remove(START + TICK, 10).await, 1);
    assert_eq!(remove(START + TICK, 10).await, 0);
    assert_eq!(claim(stores, START).await, [claim_of(&owed, 1)]);
}
