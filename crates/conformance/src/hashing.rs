//! Laws of a password hasher.

use std::sync::Arc;

use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};

const MATCH: Verification = Verification::Match { outdated: false };

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

fn turn(hasher: &Arc<dyn PasswordHasher>) -> Turn {
    hasher.admit(Cancellation::default()).unwrap()
}

async fn check(hasher: &Arc<dyn PasswordHasher>, typed: &str, hash: &PasswordHash) -> Verification {
    hasher.verify(turn(hasher), password(typed), Some(hash.clone())).await.unwrap()
}

/// Also when it differs by case or a blank only.
pub async fn the_right_password_matches_and_no_other(hasher: &Arc<dyn PasswordHasher>) {
    let hash = hasher.hash(turn(hasher), password("SecurePass123!")).await.unwrap();
    assert!(!hash.expose().contains("SecurePass123!"));
    assert_eq!(check(hasher, "SecurePass123!", &hash).await, MATCH);
    for wrong in ["", "securepass123!", "SecurePass123! ", "SecurePass123"] {
        assert_eq!(check(hasher, wrong, &hash).await, Verification::Mismatch, "{wrong}");
    }
}

/// bcrypt alone would stop at 72 bytes.
pub async fn every_byte_of_a_long_password_counts(hasher: &Arc<dyn PasswordHasher>) {
    for common in ["A".repeat(72), "é".repeat(36), "a".repeat(1000)] {
        let hash = hasher.hash(turn(hasher), password(&format!("{common}right1"))).await.unwrap();
        assert_eq!(check(hasher, &format!("{common}right1"), &hash).await, MATCH);
        for wrong in [format!("{common}wrong1"), common] {
            assert_eq!(check(hasher, &wrong, &hash).await, Verification::Mismatch);
        }
    }
}

/// Nor does it hide what follows.
pub async fn a_nul_does_not_end_a_password(hasher: &Arc<dyn PasswordHasher>) {
    let hash = hasher.hash(turn(hasher), password("before\0after")).await.unwrap();
    assert_eq!(check(hasher, "before\0after", &hash).await, MATCH);
    for wrong in ["before", "before\0", "before\0other"] {
        assert_eq!(check(hasher, wrong, &hash).await, Verification::Mismatch);
    }
}

/// Salts are fresh.
pub async fn two_hashes_of_one_password_differ(hasher: &Arc<dyn PasswordHasher>) {
    let first = hasher.hash(turn(hasher), password("SecurePass123!")).await.unwrap();
    let second = hasher.hash(turn(hasher), password("SecurePass123!")).await.unwrap();
    assert!(first != second);
}

/// And it is not an error.
pub async fn without_an_account_nothing_matches(hasher: &Arc<dyn PasswordHasher>) {
    for typed in ["", "SecurePass123!", "password"] {
        let found = hasher.verify(turn(hasher), password(typed), None).await.unwrap();
        assert_eq!(found, Verification::Mismatch);
    }
}

/// A failed login, not a panic and not a failure.
pub async fn a_damaged_hash_matches_nothing(hasher: &Arc<dyn PasswordHasher>) {
    let good = hasher.hash(turn(hasher), password("SecurePass123!")).await.unwrap();
    let cut = good.expose()[..good.expose().len() - 5].to_owned();
    for damaged in [
        "",
        "$",
        "$2b$",
        "$2b$12$",
        "$2b$99$aaaaaaaaaaaaaaaaaaaaaa",
        "$argon2id$",
        "plain",
        "$argon2id$v=19$m=99999999999,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
        "$bcrypt-sha256$v=2,t=2b,r=12$",
        "$bcrypt-sha256$v=2,t=2b,r=99$aaaaaaaaaaaaaaaaaaaaaa$b",
        "é$é$é",
        &cut,
    ] {
        let hash = PasswordHash::new(damaged.to_owned());
        let found = check(hasher, "SecurePass123!", &hash).await;
        assert_eq!(found, Verification::Mismatch, "{damaged}");
    }
}

/// Neither a new password nor one that is checked.
pub async fn who_left_before_their_turn_is_not_hashed_for(hasher: &Arc<dyn PasswordHasher>) {
    let hash = hasher.hash(turn(hasher), password("SecurePass123!")).await.unwrap();
    let gone = || {
        let cancellation = Cancellation::default();
        let turn = hasher.admit(cancellation.clone()).unwrap();
        cancellation.cancel();
        turn
    };
    let made = hasher.hash(gone(), password("SecurePass123!")).await;
    assert!(matches!(made, Err(HasherError::Cancelled)));
    let checked = hasher.verify(gone(), password("SecurePass123!"), Some(hash)).await;
    assert!(matches!(checked, Err(HasherError::Cancelled)));
}
