//! Laws of devices.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::push::DeviceToken;
use portcullis_domain::{Device, MAX_DEVICES, TokenDigest, UserId};

use crate::Stores;
use crate::build::{START, TICK, stored_user, user_id};
use crate::race::race;

/// The device of that number, registered so many ticks after [`START`].
pub(crate) fn device(user: UserId, number: u32) -> Device {
    let mut digest = [7; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    Device {
        digest: TokenDigest(digest),
        token: DeviceToken::parse(&format!("token-{number}")).unwrap(),
        user,
        registered_at: START + TICK * number,
    }
}

async fn registered(stores: &Stores, device: &Device) {
    stores.devices.register(device.clone()).await.unwrap();
}

async fn of_user(stores: &Stores, user: UserId) -> Vec<Device> {
    stores.devices.of_user(user).await.unwrap()
}

/// Whatever was written is what is read, the newest first; a token may be long.
pub async fn every_field_of_a_device_is_read_as_it_was_written(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let long = DeviceToken::parse(&"x".repeat(DeviceToken::MAX_CHARS)).unwrap();
    let (first, second) = (device(ann.id, 1), Device { token: long, ..device(ann.id, 2) });
    registered(stores, &first).await;
    registered(stores, &second).await;
    assert_eq!(of_user(stores, ann.id).await, [second, first]);
    assert_eq!(of_user(stores, user_id()).await, []);
}

/// Registered again it is there once, and the newest.
pub async fn a_device_is_registered_once(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let (first, second) = (device(ann.id, 1), device(ann.id, 2));
    let again = Device { registered_at: START + Duration::from_secs(1), ..first.clone() };
    for device in [&first, &second, &again] {
        registered(stores, device).await;
    }
    assert_eq!(of_user(stores, ann.id).await, [again, second]);
}

/// Somebody else on the same device: the notices of the one before stop.
pub async fn a_device_is_whose_registered_it_last(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    registered(stores, &device(ann.id, 1)).await;
    registered(stores, &device(bob.id, 1)).await;
    assert_eq!(of_user(stores, ann.id).await, []);
    assert_eq!(of_user(stores, bob.id).await, [device(bob.id, 1)]);
}

/// One more takes the place of the oldest.
pub async fn the_newest_devices_stay(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    registered(stores, &device(bob.id, 0)).await;
    for number in 1..=MAX_DEVICES + 2 {
        registered(stores, &device(ann.id, number)).await;
    }
    let kept: Vec<_> = (3..=MAX_DEVICES + 2).rev().map(|number| device(ann.id, number)).collect();
    assert_eq!(of_user(stores, ann.id).await, kept);
    assert_eq!(of_user(stores, bob.id).await, [device(bob.id, 0)]);
}

/// A token that somebody else names forgets nothing.
pub async fn a_device_is_forgotten_by_its_owner_only(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    let device = device(ann.id, 1);
    registered(stores, &device).await;
    assert!(!stores.devices.forget(bob.id, device.digest).await.unwrap());
    assert_eq!(of_user(stores, ann.id).await, std::slice::from_ref(&device));
    assert!(stores.devices.forget(ann.id, device.digest).await.unwrap());
    assert!(!stores.devices.forget(ann.id, device.digest).await.unwrap());
    assert_eq!(of_user(stores, ann.id).await, []);
}

/// What the push service no longer knows goes, whosever it was, and nothing else.
pub async fn devices_that_are_gone_are_forgotten_together(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    let (first, stays, last) = (device(ann.id, 1), device(ann.id, 2), device(bob.id, 3));
    for device in [&first, &stays, &last] {
        registered(stores, device).await;
    }
    stores.devices.forget_all(Vec::new()).await.unwrap();
    assert_eq!(of_user(stores, ann.id).await.len(), 2);
    stores.devices.forget_all(vec![first.digest, last.digest]).await.unwrap();
    assert_eq!(of_user(stores, ann.id).await, [stays]);
    assert_eq!(of_user(stores, bob.id).await, []);
}

/// Whoever is thrown out hears no more of the account.
pub async fn all_devices_of_a_user_are_forgotten_with_the_unit(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    for device in [device(ann.id, 1), device(ann.id, 2), device(bob.id, 3)] {
        registered(stores, &device).await;
    }
    let mut unit = stores.store.begin().await.unwrap();
    unit.devices().forget_all_of(ann.id).await.unwrap();
    drop(unit);
    assert_eq!(of_user(stores, ann.id).await.len(), 2);
    let mut unit = stores.store.begin().await.unwrap();
    unit.devices().forget_all_of(ann.id).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(of_user(stores, ann.id).await, []);
    assert_eq!(of_user(stores, bob.id).await, [device(bob.id, 3)]);
}

/// However many are registered together, so many stay.
pub async fn of_parallel_registrations_no_more_stay_than_may(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await.id;
    let store = &stores.devices;
    race(MAX_DEVICES + 8, |number| {
        let (store, device) = (Arc::clone(store), device(ann, number));
        async move { store.register(device).await.unwrap() }
    })
    .await;
    assert_eq!(of_user(stores, ann).await.len(), MAX_DEVICES as usize);
}

/// Nobody is notified of an account that is gone.
pub async fn a_removed_user_takes_devices_along(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    registered(stores, &device(ann.id, 1)).await;
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(of_user(stores, ann.id).await, []);
    let bob = stored_user(&*stores.store, "bob").await;
    registered(stores, &device(bob.id, 1)).await;
    assert!(stores.devices.register(device(ann.id, 2)).await.is_err());
}
