//! Tokens and keys that somebody else's software makes (oauth2-mock-server).

use std::time::Duration;

use portcullis_domain::ports::IdentityError;
use portcullis_firebase::FirebaseSettings;
use portcullis_testkit::TokenIssuer;
use serde_json::json;

use crate::cloud::{Cloud, NOW, claims, claims_but};
use crate::id_tokens::verify;

#[tokio::test]
async fn its_tokens_are_verified_by_the_keys_that_it_publishes() {
    let issuer = TokenIssuer::start();
    let cloud = Cloud::new();
    issuer.add_key("RS256", "one");
    let keys_url = Some(issuer.keys_url());
    let settings = FirebaseSettings { keys_url, ..cloud.settings() };
    let authentication = cloud.authentication_with(&settings);

    let ann = verify(&authentication, &issuer.mint("one", &claims())).await.unwrap();
    assert_eq!((ann.subject.as_str(), ann.email_verified), ("ann", true));

    let expired = issuer.mint("one", &claims_but(json!({"exp": NOW})));
    assert!(matches!(verify(&authentication, &expired).await, Err(IdentityError::Expired)));
    let foreign = issuer.mint("one", &claims_but(json!({"aud": "other"})));
    let refused = verify(&authentication, &foreign).await;
    assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");

    // Keys of other kinds stand beside the new one; they sign no ID tokens.
    for (algorithm, id) in [("ES256", "curve"), ("EdDSA", "edwards"), ("PS256", "salted")] {
        issuer.add_key(algorithm, id);
    }
    issuer.add_key("RS256", "two");
    cloud.clock.advance(Duration::from_secs(10));
    verify(&authentication, &issuer.mint("two", &claims())).await.unwrap();
    verify(&authentication, &issuer.mint("one", &claims())).await.unwrap();
    for id in ["curve", "edwards", "salted"] {
        let refused = verify(&authentication, &issuer.mint(id, &claims())).await;
        assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{id}: {refused:?}");
    }
}
