//! What an account's state costs: nothing, or the time of an answer would tell it.

use portcullis_conformance::build::name;
use portcullis_domain::{AccountStatus, PasswordHash};

use crate::stage::{Stage, client, email, password};
use crate::{Arrival, Disclosure, LoginRefused, MailboxProof, MoveIn};

const WRONG: &str = "wrong password";

/// An address of each state that an account can be in; the first is nobody's.
const STATES: [&str; 6] = [
    "absent@example.com",
    "active@example.com",
    "unverified@example.com",
    "disabled@example.com",
    "damaged@example.com",
    "unset@example.com",
];

/// A stage with an account in each state.
async fn stage() -> Stage {
    let stage = Stage::with_rules(|rules| rules.disclosure = Disclosure::Hide);
    stage.verified("active@example.com").await;
    stage.register("unverified@example.com").await.unwrap();
    stage.mails().await;
    let good = format!("0:{}", password());
    let arrival = |address: &str, hash: &str, status| Arrival {
        id: None,
        number: None,
        email: email(address),
        mailbox_proof: MailboxProof::SinceRegistration,
        username: None,
        name: name("Ann Lee"),
        password_hash: PasswordHash::new(hash.to_owned()),
        password_changed_at: None,
        status,
        created_at: None,
        updated_at: None,
        last_login_at: None,
    };
    let arrivals = vec![
        arrival("disabled@example.com", &good, AccountStatus::Disabled),
        arrival("damaged@example.com", "$bcrypt-sha256$v=2,t=2b,r=12$", AccountStatus::Active),
        arrival("unset@example.com", "!", AccountStatus::Active),
    ];
    let store = std::sync::Arc::new(stage.store.clone());
    let ports = &stage.app.ports;
    let mut move_in = MoveIn::new(store, ports.clock.clone(), ports.ids.clone());
    assert_eq!(move_in.import(arrivals).await.unwrap().len(), 3);
    stage
}

/// How many hashes were made and how many checked so far.
fn computed(stage: &Stage) -> (u32, u32) {
    (stage.hasher.hashed(), stage.hasher.verified())
}

#[tokio::test]
async fn en_02_en_03_every_state_costs_one_check_of_a_password_and_none_once_it_is_locked() {
    let stage = stage().await;
    for address in STATES {
        for attempt in 1..=12 {
            let (made, checked) = computed(&stage);
            let refused = stage.log_in(address, WRONG).await.unwrap_err();
            let is_locked = matches!(refused, LoginRefused::Locked { .. });
            assert_eq!(is_locked, attempt > 10, "{address} {attempt}: {refused}");
            let costs = u32::from(!is_locked);
            assert_eq!(computed(&stage), (made, checked + costs), "{address} {attempt}");
        }
    }
}

#[tokio::test]
async fn en_03_the_right_password_of_a_disabled_account_costs_what_a_wrong_one_costs() {
    let stage = stage().await;
    for address in ["disabled@example.com", "absent@example.com"] {
        let (made, checked) = computed(&stage);
        let refused = stage.log_in(address, password()).await.unwrap_err();
        let LoginRefused::InvalidCredentials { is_inactive, .. } = refused else {
            panic!("{address}: {refused}")
        };
        assert_eq!(is_inactive, address.starts_with("disabled"), "{address}");
        assert_eq!(computed(&stage), (made, checked + 1), "{address}");
    }
}

#[tokio::test]
async fn en_04_a_request_for_a_mail_costs_no_hash_in_any_state() {
    let stage = stage().await;
    let before = computed(&stage);
    for address in STATES {
        stage.app.request_password_reset(email(address), &client()).await.unwrap();
        stage.app.resend_verification(email(address), &client()).await.unwrap();
    }
    assert_eq!(computed(&stage), before);
}

#[tokio::test]
async fn en_07_a_hidden_refusal_costs_the_one_hash_of_a_registration() {
    let stage = stage().await;
    for address in STATES {
        let (made, checked) = computed(&stage);
        stage.register(address).await.unwrap();
        assert_eq!(computed(&stage), (made + 1, checked), "{address}");
    }
}
