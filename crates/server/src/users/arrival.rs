//! A line of JSON as an account that moves in. `docs/moving-in.md` describes it.

use portcullis_app::{Arrival, MailboxProof};
use portcullis_crypto::check_hash;
use portcullis_domain::{
    AccountStatus, Email, FullName, NamePart, PasswordHash, PersonName, Timestamp, UserId,
    UserNumber, Username,
};
use uuid::Uuid;

use super::fields::Fields;
use super::object::Object;

/// Greatest number that every reader of JSON keeps exactly (RFC 8259 §6).
const MAX_NUMBER: i64 = (1 << 53) - 1;

/// Reads a line, or says everything that is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Arrival, String> {
    let object = Object::parse(line).map_err(|error| error.to_string())?;
    let mut fields = Fields::of(object);
    let email = fields.required("email", Email::parse);
    let password_hash = fields.required("password_hash", |text| {
        let hash = PasswordHash::new(text.to_owned());
        check_hash(&hash).map(|()| hash)
    });
    let name = name(&mut fields);
    let id = fields.parsed("id", id);
    let number = fields.count("number", MAX_NUMBER).map(UserNumber::new);
    let username = fields.parsed("username", Username::parse);
    let status = fields.parsed("status", status).unwrap_or(AccountStatus::Active);
    let mailbox_proof = mailbox_proof(&mut fields);
    let mut time = |name| fields.parsed(name, Timestamp::parse);
    let created_at = time("created_at");
    let updated_at = time("updated_at");
    let last_login_at = time("last_login_at");
    let password_changed_at = time("password_changed_at");
    fields.finish()?;
    let (Some(email), Some(password_hash), Some(name)) = (email, password_hash, name) else {
        // Each of them is there or was refused.
        return Err("is not whole".into());
    };
    Ok(Arrival {
        id,
        number,
        email,
        mailbox_proof,
        username,
        name,
        password_hash,
        password_changed_at,
        status,
        created_at,
        updated_at,
        last_login_at,
    })
}

fn id(text: &str) -> Result<UserId, &'static str> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
    id.map(UserId::new).ok_or("must be a UUID; leave it out to have one made")
}

fn status(text: &str) -> Result<AccountStatus, &'static str> {
    match text {
        "active" => Ok(AccountStatus::Active),
        "disabled" => Ok(AccountStatus::Disabled),
        _ => Err("must be active or disabled"),
    }
}

/// A name is given whole, in two parts, or both ways.
fn name(fields: &mut Fields) -> Option<PersonName> {
    let faults = fields.faults();
    let full = fields.parsed("name", FullName::parse);
    let first = fields.parsed("first_name", NamePart::parse);
    let last = fields.parsed("last_name", NamePart::parse);
    if fields.faults() > faults {
        return None;
    }
    match (full, first, last) {
        (Some(full), Some(first), Some(last)) => {
            return Some(PersonName::restore(full, Some((first, last))));
        }
        (None, Some(first), Some(last)) => return Some(PersonName::in_parts(first, last)),
        (Some(full), None, None) => return Some(PersonName::whole(full)),
        (_, Some(_), None) => fields.refuse("last_name", "is missing beside first_name"),
        (_, None, Some(_)) => fields.refuse("first_name", "is missing beside last_name"),
        (None, None, None) => fields.refuse("name", "is missing; so are first_name and last_name"),
    }
    None
}

fn mailbox_proof(fields: &mut Fields) -> MailboxProof {
    let at = fields.parsed("email_verified_at", Timestamp::parse);
    let is_verified = fields.switch("email_verified");
    match (at, is_verified) {
        (Some(at), None | Some(true)) => MailboxProof::At(at),
        (None, Some(true)) => MailboxProof::SinceRegistration,
        (None, None | Some(false)) => MailboxProof::None,
        (Some(_), Some(false)) => {
            fields.refuse("email_verified", "contradicts email_verified_at");
            MailboxProof::None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HASH: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    fn with(fields: &Value) -> Result<Arrival, String> {
        let mut object = json!({"email": "ann@example.com", "name": "Ann", "password_hash": HASH});
        for (name, value) in fields.as_object().unwrap() {
            object[name] = value.clone();
        }
        read(object.to_string().as_bytes())
    }

    #[test]
    fn an_address_a_name_and_a_hash_are_enough() {
        let arrival = with(&json!({})).unwrap();
        assert_eq!(arrival.email.as_str(), "ann@example.com");
        assert_eq!(arrival.password_hash.expose(), HASH);
        assert_eq!(arrival.mailbox_proof, MailboxProof::None);
        assert_eq!(arrival.status, AccountStatus::Active);
        assert_eq!(arrival.created_at, None);
        assert_eq!(with(&json!({"id": null, "number": null, "username": null})).unwrap(), arrival);
    }

    #[test]
    fn a_mailbox_is_proven_by_a_time_or_by_a_word() {
        let proof = |fields: &Value| with(fields).map(|arrival| arrival.mailbox_proof);
        let at = "2026-01-01T00:00:00Z";
        let then = MailboxProof::At(Timestamp::parse(at).unwrap());
        assert_eq!(proof(&json!({"email_verified_at": at})), Ok(then));
        assert_eq!(proof(&json!({"email_verified_at": at, "email_verified": true})), Ok(then));
        assert_eq!(proof(&json!({"email_verified": true})), Ok(MailboxProof::SinceRegistration));
        assert_eq!(proof(&json!({"email_verified": false})), Ok(MailboxProof::None));
        let odd = proof(&json!({"email_verified_at": at, "email_verified": false}));
        assert_eq!(odd, Err("email_verified: contradicts email_verified_at".into()));
    }

    #[test]
    fn a_name_is_given_whole_or_in_parts() {
        let parts = json!({"name": null, "first_name": "Ann", "last_name": "Lee"});
        assert_eq!(with(&parts).unwrap().name.full().as_str(), "Ann Lee");
        let all = json!({"name": "Lee, Ann", "first_name": "Ann", "last_name": "Lee"});
        let all = with(&all).unwrap().name;
        assert_eq!((all.full().as_str(), all.first(), all.last()), ("Lee, Ann", "Ann", "Lee"));
    }

    #[test]
    fn every_fault_of_a_line_is_told_at_once_and_no_value() {
        let said = with(&json!({
            "email": "hunter2", "password_hash": "hunter2", "name": 7, "id": "hunter2",
            "number": 0, "username": "no blanks", "status": "hunter2", "created_at": "hunter2",
            "email_verified": "hunter2", "pasword": "hunter2", "$2b$12$hunter2": true,
        }));
        let said = said.unwrap_err();
        for fault in [
            "email: value is not a valid email address",
            "password_hash: the hash is of an unknown scheme",
            "name: must be a text",
            "id: must be a UUID",
            "number: must be a whole number from 1 to 9007199254740991",
            "username: username must be 3 to 50",
            "status: must be active or disabled",
            "created_at: must be a point in time like",
            "email_verified: must be true or false",
            "pasword: is no field of an account",
            "a name that is not repeated here: is no field of an account",
        ] {
            assert!(said.contains(fault), "{fault}: {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn what_must_be_there_is_missed() {
        assert_eq!(
            read(b"{}").unwrap_err(),
            "email: is missing; password_hash: is missing; \
             name: is missing; so are first_name and last_name"
        );
        let half = with(&json!({"name": null, "first_name": "Ann"})).unwrap_err();
        assert_eq!(half, "last_name: is missing beside first_name");
    }

    #[test]
    fn a_fields_name_reaches_no_terminal_as_it_is() {
        let said = with(&json!({"\u{1b}[2J\r\n": 1, "x".repeat(5000): 1})).unwrap_err();
        assert!(said.len() < 200 && !said.chars().any(char::is_control), "{said:?}");
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for name in ["email", "username", "name", "password_hash", "id", "created_at"] {
            let text = format!("{HASH}\0");
            assert!(with(&json!({name: text})).is_err(), "{name}");
        }
    }
}
