//! Laws of accounts.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::{
    LoginIdentifier, NamePart, NewUser, PasswordHash, PersonName, Purpose, StoreError, Taken,
    TokenDigest, User,
};

use crate::Stores;
use crate::build::{
    START, TICK, email, name, new_user, session, stored_session, stored_user, username,
};
use crate::race::race;

async fn found(stores: &Stores, user: &User) -> User {
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().by_id(user.id).await.unwrap().expect("the user is there")
}

/// Whatever was written is what is read, with and without the optional fields.
pub async fn every_field_of_a_user_is_read_as_it_was_written(stores: &Stores) {
    let parts = |text| NamePart::parse(text).unwrap();
    let full = NewUser {
        username: Some(username("AnnLee")),
        name: PersonName::in_parts(parts("Ann Mary"), parts("Lée 🦀")),
        created_at: START + TICK,
        ..new_user("ann")
    };
    for user in [full, new_user("bob")] {
        let mut unit = stores.store.begin().await.unwrap();
        let added = unit.users().add(user.clone()).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(added, user.numbered(added.number));
        let read = found(stores, &added).await;
        assert_eq!(read, added);
        let spelled = |user: &User| user.username.as_ref().map(|name| name.as_str().to_owned());
        assert_eq!(spelled(&read), spelled(&added), "the spelling of a username is kept");
    }
}

/// Address and username name the account, however they are spelled.
pub async fn a_user_is_found_by_each_identifier_in_any_case(stores: &Stores) {
    let user = NewUser { username: Some(username("AnnLee")), ..new_user("ann") };
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().add(user.clone()).await.unwrap();
    for text in ["ANN@example.com", "annlee", "ANNLEE"] {
        let identifier = LoginIdentifier::parse(text).unwrap();
        let found = unit.users().by_identifier(&identifier).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(user.id), "{text}");
    }
    for text in ["ann2@example.com", "annlee2"] {
        let identifier = LoginIdentifier::parse(text).unwrap();
        assert_eq!(unit.users().by_identifier(&identifier).await.unwrap(), None, "{text}");
    }
}

/// A second account with the same address is a conflict that says so.
pub async fn an_address_belongs_to_one_user(stores: &Stores) {
    stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    let refused = unit.users().add(new_user("ann")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Taken::Email)), "{refused:?}");
}

/// A second account with the same username is a conflict that says so.
pub async fn a_username_belongs_to_one_user_in_any_case(stores: &Stores) {
    let mut unit = stores.store.begin().await.unwrap();
    let first = NewUser { username: Some(username("AnnLee")), ..new_user("ann") };
    unit.users().add(first).await.unwrap();
    let second = NewUser { username: Some(username("annlee")), ..new_user("bob") };
    let refused = unit.users().add(second).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Taken::Username)), "{refused:?}");
}

/// Having no username is nothing that two accounts could share.
pub async fn users_without_a_username_do_not_collide(stores: &Stores) {
    stored_user(&*stores.store, "ann").await;
    stored_user(&*stores.store, "bob").await;
}

/// After a conflict the unit still works and commits.
pub async fn a_conflict_does_not_end_the_unit(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    assert!(unit.users().add(new_user("ann")).await.is_err());
    let bob = unit.users().add(new_user("bob")).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(found(stores, &bob).await.email, email("bob"));
    assert_eq!(found(stores, &ann).await, ann);
}

/// Each account's number is greater than those before it.
pub async fn numbers_count_up(stores: &Stores) {
    let mut last = 0;
    for local in ["ann", "bob", "eve"] {
        let number = stored_user(&*stores.store, local).await.number.get();
        assert!(number > last, "{number} after {last}");
        last = number;
    }
}

/// Registering what is taken over and over leaves no gaps between the numbers.
pub async fn a_refused_account_uses_up_no_number(stores: &Stores) {
    let named = |local| NewUser { username: Some(username("named")), ..new_user(local) };
    let mut unit = stores.store.begin().await.unwrap();
    let first = unit.users().add(named("ann")).await.unwrap();
    unit.commit().await.unwrap();
    for refused in [new_user("ann"), named("bob")] {
        let mut unit = stores.store.begin().await.unwrap();
        assert!(unit.users().add(refused).await.is_err());
    }
    let next = stored_user(&*stores.store, "bob").await;
    assert_eq!(next.number.get(), first.number.get() + 1);
}

/// Where nobody may notice a conflict, it is not to be seen in the numbers either.
pub async fn a_discreet_refusal_uses_up_a_number_like_an_account(stores: &Stores) {
    let mut last = stored_user(&*stores.store, "ann").await.number.get();
    for (discreet, next, is_taken) in [("bob", "eve", false), ("ann", "ida", true)] {
        let mut unit = stores.store.begin().await.unwrap();
        let added = unit.users().add_discreetly(new_user(discreet)).await;
        assert_eq!(matches!(added, Err(StoreError::Conflict(Taken::Email))), is_taken, "{added:?}");
        unit.commit().await.unwrap();
        let number = stored_user(&*stores.store, next).await.number.get();
        assert_eq!(number, last + 2, "{discreet}");
        last = number;
    }
}

/// The database decides who was first, not a look beforehand.
pub async fn of_64_parallel_registrations_one_wins(stores: &Stores) {
    let results = race(64, |_| {
        let store = Arc::clone(&stores.store);
        async move {
            let mut unit = store.begin().await.unwrap();
            match unit.users().add(new_user("ann")).await {
                Ok(_) => {
                    unit.commit().await.unwrap();
                    true
                }
                Err(StoreError::Conflict(Taken::Email)) => false,
                Err(error) => panic!("{error:?}"),
            }
        }
    })
    .await;
    assert_eq!(results.into_iter().filter(|won| *won).count(), 1);
}

/// Verifying again does not move the moment of the first verification.
pub async fn the_first_verification_counts(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().mark_email_verified(user.id, START + TICK).await.unwrap();
    unit.users().mark_email_verified(user.id, START + 2 * TICK).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(found(stores, &user).await.email_verified_at, Some(START + TICK));
}

/// A name given whole leaves no parts of the old one.
pub async fn a_new_name_replaces_the_old_one_and_its_parts(stores: &Stores) {
    let part = |text| NamePart::parse(text).unwrap();
    let user = NewUser { name: PersonName::in_parts(part("Ann"), part("Lee")), ..new_user("ann") };
    let mut unit = stores.store.begin().await.unwrap();
    let user = unit.users().add(user).await.unwrap();
    unit.users().rename(user.id, &name("Anna Kay"), START + TICK).await.unwrap();
    unit.commit().await.unwrap();
    let renamed = found(stores, &user).await;
    assert_eq!(renamed, User { name: name("Anna Kay"), updated_at: Some(START + TICK), ..user });
}

/// A password that changed meanwhile is not overwritten by a better hash of the old one.
pub async fn a_hash_is_upgraded_only_from_the_one_that_was_checked(stores: &Stores) {
    let hash = |text: &str| PasswordHash::new(text.to_owned());
    let user = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().change_password(user.id, &hash("new"), START + TICK).await.unwrap();
    let old = user.password_hash.clone();
    assert!(!unit.users().upgrade_hash(user.id, &old, &hash("better")).await.unwrap());
    assert!(unit.users().upgrade_hash(user.id, &hash("new"), &hash("better")).await.unwrap());
    unit.commit().await.unwrap();
    let read = found(stores, &user).await;
    assert_eq!(read.password_hash, hash("better"));
    assert_eq!(read.password_changed_at, START + TICK, "it is still the same password");
}

/// Accounts that somebody can log in to, or might still verify, stay.
pub async fn only_stale_unverified_accounts_are_removed(stores: &Stores) {
    let stale = stored_user(&*stores.store, "stale").await;
    let verified = stored_user(&*stores.store, "verified").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().mark_email_verified(verified.id, START).await.unwrap();
    let named = NewUser { username: Some(username("named")), ..new_user("named") };
    let named = unit.users().add(named).await.unwrap();
    let fresh = NewUser { created_at: START + TICK, ..new_user("fresh") };
    let fresh = unit.users().add(fresh).await.unwrap();
    assert_eq!(unit.users().remove_unverified(START, 10).await.unwrap(), 0);
    assert_eq!(unit.users().remove_unverified(START + TICK, 0).await.unwrap(), 0);
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    assert_eq!(unit.users().by_id(stale.id).await.unwrap(), None);
    for user in [verified, named, fresh] {
        assert!(unit.users().by_id(user.id).await.unwrap().is_some());
    }
}

/// Nothing of a removed account can be presented any more.
pub async fn a_removed_user_takes_sessions_and_tokens_along(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let session = session(user.id);
    stored_session(&*stores.store, &session).await;
    let token = portcullis_domain::OneTimeToken {
        digest: TokenDigest([1; 32]),
        purpose: Purpose::PasswordReset,
        user_id: user.id,
        created_at: START,
        expires_at: START + Duration::from_mins(1),
        used_at: None,
    };
    let mut unit = stores.store.begin().await.unwrap();
    unit.one_time_tokens().add(token.clone()).await.unwrap();
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    let left = unit.one_time_tokens().find(token.digest, token.purpose).await.unwrap();
    assert_eq!(left, None);
    unit.commit().await.unwrap();
    assert_eq!(stores.sessions.caller(session.id).await.unwrap(), None);
    assert!(!stores.sessions.user_exists(user.id).await.unwrap());
}

/// What ends up in a log holds no hash, no address and no name.
pub async fn debug_and_errors_tell_no_secret(stores: &Stores) {
    let user = NewUser { password_hash: PasswordHash::new("c4n4ry".into()), ..new_user("ann") };
    let mut unit = stores.store.begin().await.unwrap();
    let added = unit.users().add(user.clone()).await.unwrap();
    let refused = unit.users().add(user).await.unwrap_err();
    let text = format!("{added:?} {refused:?} {refused}");
    for secret in ["c4n4ry", "ann@example.com", "Ann Lee"] {
        assert!(!text.contains(secret), "{text}");
    }
}
