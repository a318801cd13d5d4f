//! Laws of pictures.

use std::collections::HashSet;
use std::sync::Arc;

use portcullis_domain::object::{ContentType, ObjectName};
use portcullis_domain::{Avatar, UserId};

use crate::Stores;
use crate::build::{START, TICK, stored_user, user_id};
use crate::race::race;

pub(crate) fn avatar(user: UserId, number: u32) -> Avatar {
    Avatar {
        user,
        object: ObjectName::parse(&format!("avatars/{number}.png")).unwrap(),
        content_type: ContentType::parse("image/png").unwrap(),
        size: u64::from(number) + (1 << 33),
        set_at: START + TICK * number,
    }
}

/// Whatever was written is what is read, for its owner.
pub async fn every_field_of_a_picture_is_read_as_it_was_written(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    assert_eq!(stores.avatars.replace(avatar(ann.id, 1)).await.unwrap(), None);
    assert_eq!(stores.avatars.of_user(ann.id).await.unwrap(), Some(avatar(ann.id, 1)));
    assert_eq!(stores.avatars.of_user(bob.id).await.unwrap(), None);
    assert!(stores.avatars.replace(avatar(user_id(), 1)).await.is_err());
}

/// Whoever removes the old one has to know it.
pub async fn a_replaced_picture_is_told(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    stores.avatars.replace(avatar(ann.id, 1)).await.unwrap();
    let replaced = stores.avatars.replace(avatar(ann.id, 2)).await.unwrap();
    assert_eq!(replaced, Some(avatar(ann.id, 1)));
    assert_eq!(stores.avatars.of_user(ann.id).await.unwrap(), Some(avatar(ann.id, 2)));
}

/// A picture that is taken away is told once, and then gone.
pub async fn a_removed_picture_is_gone(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    for user in [&ann, &bob] {
        stores.avatars.replace(avatar(user.id, 1)).await.unwrap();
    }
    assert_eq!(stores.avatars.remove(ann.id).await.unwrap(), Some(avatar(ann.id, 1)));
    assert_eq!(stores.avatars.remove(ann.id).await.unwrap(), None);
    assert_eq!(stores.avatars.of_user(ann.id).await.unwrap(), None);
    assert_eq!(stores.avatars.of_user(bob.id).await.unwrap(), Some(avatar(bob.id, 1)));
}

/// Of pictures set in parallel all but one are told to be replaced, once each:
/// none is left behind in the object store.
pub async fn of_parallel_pictures_each_but_one_is_replaced_once(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let (store, user) = (&stores.avatars, ann.id);
    let replaced = race(32, |number| {
        let store = Arc::clone(store);
        async move { store.replace(avatar(user, number)).await.unwrap() }
    })
    .await;
    let last = stores.avatars.of_user(user).await.unwrap().unwrap();
    let told: Vec<_> = replaced.into_iter().flatten().chain([last]).collect();
    let objects: HashSet<_> = told.iter().map(|avatar| avatar.object.clone()).collect();
    assert_eq!((told.len(), objects.len()), (32, 32));
}
