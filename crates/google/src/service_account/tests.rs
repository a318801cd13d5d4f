use secrecy::SecretString;
use serde_json::{Value, json};

use super::{AccountField, InvalidServiceAccount, ServiceAccount, ServiceAccountParts};
use crate::private_key::InvalidPrivateKey;
use crate::private_key::tests::pem_of_a_new_key;

fn account_json() -> Value {
    json!({
        "type": "service_account",
        "project_id": "demo-project",
        "private_key_id": "0123abcd",
        "private_key": pem_of_a_new_key(),
        "client_email": "server@demo-project.iam.gserviceaccount.com",
        "client_id": "123456789012345678901",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com"
    })
}

fn parts() -> ServiceAccountParts {
    ServiceAccountParts {
        project_id: Some("demo-project".into()),
        private_key_id: Some("0123abcd".into()),
        private_key: Some(pem_of_a_new_key().into()),
        client_email: Some("server@demo-project.iam.gserviceaccount.com".into()),
        client_id: Some("123456789012345678901".into()),
        ..ServiceAccountParts::default()
    }
}

#[track_caller]
fn assert_refused(parts: ServiceAccountParts, text: &str) {
    let refusal = parts.assemble().map(|_| "it passes".to_owned());
    assert_eq!(refusal.unwrap_or_else(|error| error.to_string()), text);
}

#[test]
fn the_console_s_json_is_an_account() {
    let account = ServiceAccount::from_json(&account_json().to_string()).unwrap();
    assert_eq!(account.project_id(), "demo-project");
    assert_eq!(account.client_email(), "server@demo-project.iam.gserviceaccount.com");
    assert_eq!(account.private_key_id(), Some("0123abcd"));
    assert_eq!(account.token_uri.as_str(), "https://oauth2.googleapis.com/token/");
}

#[test]
fn json_without_a_field_is_refused_by_its_name() {
    for field in ["type", "project_id", "private_key", "client_email"] {
        let mut json = account_json();
        json.as_object_mut().unwrap().remove(field);
        let error = ServiceAccount::from_json(&json.to_string()).unwrap_err();
        assert_eq!(error.to_string(), format!("the service account's {field} is missing"));
    }
    for text in ["", "[]", "{", "\"secret\"", "/etc/account.json"] {
        let error = ServiceAccount::from_json(text).unwrap_err();
        assert!(matches!(error, InvalidServiceAccount::NotJson), "{error}");
    }
    let mut user = account_json();
    user["type"] = "authorized_user".into();
    let error = ServiceAccount::from_json(&user.to_string()).unwrap_err();
    assert!(matches!(error, InvalidServiceAccount::Malformed(AccountField::Type)));
}

#[test]
fn parts_are_an_account_and_google_s_address_is_the_default() {
    let account = parts().assemble().unwrap();
    assert_eq!(account.token_uri.as_str(), "https://oauth2.googleapis.com/token/");
    let few = ServiceAccountParts { private_key_id: None, client_id: Some(" ".into()), ..parts() };
    assert_eq!(few.assemble().unwrap().private_key_id(), None);
}

#[test]
fn each_part_that_is_wrong_is_named() {
    let text = |text: &str| Some(text.to_owned());
    let missing = |field: &str| format!("the service account's {field} is missing");
    let malformed = |field: &str| format!("the service account's {field} is malformed");
    for blank in [None, text(""), text(" \n")] {
        let project_id = blank.clone();
        assert_refused(ServiceAccountParts { project_id, ..parts() }, &missing("project_id"));
        let client_email = blank.clone();
        assert_refused(ServiceAccountParts { client_email, ..parts() }, &missing("client_email"));
        let private_key = blank.map(SecretString::from);
        assert_refused(ServiceAccountParts { private_key, ..parts() }, &missing("private_key"));
    }
    for id in ["../other", "..", "a/b", "a b", "a?b"] {
        let project_id = text(id);
        assert_refused(ServiceAccountParts { project_id, ..parts() }, &malformed("project_id"));
    }
    let client_email = text("server");
    assert_refused(ServiceAccountParts { client_email, ..parts() }, &malformed("client_email"));
    let client_id = text("12a");
    assert_refused(ServiceAccountParts { client_id, ..parts() }, &malformed("client_id"));
    let private_key_id = text("a b");
    assert_refused(ServiceAccountParts { private_key_id, ..parts() }, &malformed("private_key_id"));
    let token_uri = text("http://oauth2.example/token");
    assert_refused(ServiceAccountParts { token_uri, ..parts() }, &malformed("token_uri"));
    let private_key = Some("s3cret".into());
    let broken = ServiceAccountParts { private_key, ..parts() };
    let error = broken.assemble().unwrap_err();
    assert!(matches!(error, InvalidServiceAccount::PrivateKey(InvalidPrivateKey::NotPem)));
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_key_s_file_wins_if_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let with_file = || ServiceAccountParts { private_key_file: Some(file.clone()), ..parts() };
    with_file().assemble().unwrap();
    std::fs::write(&file, "no key").unwrap();
    assert!(matches!(with_file().assemble(), Err(InvalidServiceAccount::PrivateKey(_))));
    std::fs::write(&file, pem_of_a_new_key()).unwrap();
    ServiceAccountParts { private_key: None, ..with_file() }.assemble().unwrap();
    let is_folder = Some(folder.path().to_owned());
    let unreadable = ServiceAccountParts { private_key_file: is_folder, ..parts() };
    assert!(matches!(unreadable.assemble(), Err(InvalidServiceAccount::KeyFile(_))));
}

#[test]
fn debug_tells_no_key() {
    let parts = parts();
    let told = format!("{parts:?} {:?}", parts.clone().assemble().unwrap());
    assert!(!told.contains("BEGIN") && !told.contains("MII"), "{told}");
}
