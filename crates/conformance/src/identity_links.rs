//! Laws of who users are elsewhere.

use std::sync::Arc;

use portcullis_domain::identity::Subject;
use portcullis_domain::ports::Store;
use portcullis_domain::{IdentityLink, IdentitySource, StoreError, User, UserId};

use crate::Stores;
use crate::build::{START, TICK, stored_user};
use crate::race::race;

const SOURCE: IdentitySource = IdentitySource::Firebase;

fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

async fn link(store: &dyn Store, text: &str, user: UserId) -> Result<bool, StoreError> {
    let link = IdentityLink { source: SOURCE, subject: subject(text), user, linked_at: START };
    let mut unit = store.begin().await?;
    let is_linked = unit.identity_links().link(&link).await?;
    unit.commit().await?;
    Ok(is_linked)
}

async fn user_of(store: &dyn Store, text: &str) -> Option<User> {
    let mut unit = store.begin().await.unwrap();
    unit.identity_links().user_of(SOURCE, &subject(text)).await.unwrap()
}

/// The provider's ids are told apart to the letter.
pub async fn a_link_names_its_user_and_nobody_else(stores: &Stores) {
    let (ann, bob) =
        (stored_user(&*stores.store, "ann").await, stored_user(&*stores.store, "bob").await);
    assert!(link(&*stores.store, "a1", ann.id).await.unwrap());
    assert!(link(&*stores.store, "a2", ann.id).await.unwrap());
    assert!(link(&*stores.store, "A1", bob.id).await.unwrap());
    assert_eq!(user_of(&*stores.store, "a1").await, Some(ann.clone()));
    assert_eq!(user_of(&*stores.store, "a2").await, Some(ann));
    assert_eq!(user_of(&*stores.store, "A1").await, Some(bob));
    assert_eq!(user_of(&*stores.store, "a3").await, None);
}

/// Who is linked stays linked.
pub async fn a_link_is_for_good(stores: &Stores) {
    let (ann, bob) =
        (stored_user(&*stores.store, "ann").await, stored_user(&*stores.store, "bob").await);
    assert!(link(&*stores.store, "a", ann.id).await.unwrap());
    assert!(!link(&*stores.store, "a", bob.id).await.unwrap());
    assert!(!link(&*stores.store, "a", ann.id).await.unwrap());
    assert_eq!(user_of(&*stores.store, "a").await, Some(ann));
}

/// However many try, one account gets them.
pub async fn of_parallel_links_of_one_subject_one_wins(stores: &Stores) {
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(stored_user(&*stores.store, &format!("user{number}")).await);
    }
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    let store = &stores.store;
    let linked = race(32, |number| {
        let (store, user) = (Arc::clone(store), ids[number as usize % ids.len()]);
        async move { (user, link(&*store, "a", user).await.unwrap()) }
    })
    .await;
    let winners: Vec<_> = linked.iter().filter(|(_, won)| *won).map(|(user, _)| *user).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(user_of(&*stores.store, "a").await.map(|user| user.id), Some(winners[0]));
}

/// A dropped unit links nobody.
pub async fn a_link_of_a_dropped_unit_is_none(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    let pending =
        IdentityLink { source: SOURCE, subject: subject("a"), user: ann.id, linked_at: START };
    assert!(unit.identity_links().link(&pending).await.unwrap());
    drop(unit);
    assert_eq!(user_of(&*stores.store, "a").await, None);
}

/// Whoever is gone is known nowhere.
pub async fn a_removed_user_takes_links_along(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    assert!(link(&*stores.store, "a", ann.id).await.unwrap());
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(user_of(&*stores.store, "a").await, None);
    let bob = stored_user(&*stores.store, "bob").await;
    assert!(link(&*stores.store, "a", bob.id).await.unwrap());
}
