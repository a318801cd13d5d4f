//! The users, by Identity Toolkit:
//! <https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts>.

use portcullis_api_client::{Method, Repeat};
use portcullis_domain::ports::{IdentityError, MalformedIdentity};
use portcullis_domain::{
    Claims, Email, Identity, IdentityKey, IdentityPage, NewIdentity, PhoneNumber, Subject,
};
use portcullis_google::{Failure, GoogleApi};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claims;
use super::failure::identity_error;
use super::record::UserInfo;

/// Most users of one page.
const MAX_PAGE: u16 = 1_000;

/// The users of a project.
pub(super) struct Accounts {
    api: GoogleApi,
    project: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Users {
    #[serde(default)]
    users: Vec<UserInfo>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    local_id: String,
}

/// What `accounts` takes to make a user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignUp<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    local_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    disabled: bool,
}

impl Accounts {
    pub(super) fn new(api: GoogleApi, project: String) -> Self {
        Self { api, project }
    }

    async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        resource: &str,
        repeat: Repeat,
        body: &(impl Serialize + Sync),
    ) -> Result<T, IdentityError> {
        let path = ["v1", "projects", &self.project, resource];
        let answer = self.api.send(repeat, |api| api.call(Method::POST, &path).json(body)).await;
        let read = answer.and_then(|answer| answer.json().map_err(Failure::from));
        read.map_err(identity_error)
    }

    pub(super) async fn find(&self, key: IdentityKey) -> Result<Option<Identity>, IdentityError> {
        let query = match &key {
            IdentityKey::Subject(subject) => json!({"localId": [subject.as_str()]}),
            IdentityKey::Email(email) => json!({"email": [email.as_str()]}),
            IdentityKey::Phone(number) => json!({"phoneNumber": [number.as_str()]}),
        };
        let found: Users = self.post("accounts:lookup", Repeat::Safe, &query).await?;
        let Some(found) = found.users.into_iter().next() else { return Ok(None) };
        found.into_identity().map(Some).ok_or_else(no_id)
    }

    pub(super) async fn create(&self, user: NewIdentity) -> Result<Identity, IdentityError> {
        let body = SignUp {
            local_id: user.subject.as_ref().map(Subject::as_str),
            email: user.email.as_ref().map(Email::as_str),
            email_verified: user.email_verified,
            display_name: user.name.as_deref(),
            photo_url: user.picture.as_deref(),
            phone_number: user.phone.as_ref().map(PhoneNumber::as_str),
            password: user.password.as_ref().map(ExposeSecret::expose_secret),
            disabled: user.disabled,
        };
        let created: Created = self.post("accounts", Repeat::IfNotDone, &body).await?;
        let subject = Subject::parse(&created.local_id).map_err(|_| no_id())?;
        // The user is there now, also if nobody can tell what else is known of it.
        let found = self.find(IdentityKey::Subject(subject.clone())).await;
        Ok(found.ok().flatten().unwrap_or_else(|| as_asked_for(subject, user)))
    }

    pub(super) async fn list(
        &self,
        size: u16,
        after: Option<String>,
    ) -> Result<IdentityPage, IdentityError> {
        if !(1..=MAX_PAGE).contains(&size) {
            return Err(IdentityError::Malformed(MalformedIdentity::PageSize));
        }
        let size = size.to_string();
        let mut query = vec![("maxResults", size.as_str())];
        query.extend(after.as_deref().map(|after| ("nextPageToken", after)));
        let path = ["v1", "projects", &self.project, "accounts:batchGet"];
        let answer = self
            .api
            .send(Repeat::Safe, |api| api.call(Method::GET, &path).query(&query))
            .await
            .and_then(|answer| answer.json().map_err(Failure::from));
        let Users { users, next_page_token } = answer.map_err(identity_error)?;
        let identities: Option<Vec<_>> = users.into_iter().map(UserInfo::into_identity).collect();
        let identities = identities.ok_or_else(no_id)?;
        // The emulator names a next page after the last one, and it is empty.
        let next = next_page_token.filter(|next| !next.is_empty() && !identities.is_empty());
        Ok(IdentityPage { identities, next })
    }

    pub(super) async fn set_custom_claims(
        &self,
        subject: Subject,
        claims: &Claims,
    ) -> Result<(), IdentityError> {
        let attributes = Value::Object(claims::checked(claims)?).to_string();
        let body = json!({"localId": subject.as_str(), "customAttributes": attributes});
        let _: Value = self.post("accounts:update", Repeat::Safe, &body).await?;
        Ok(())
    }
}

fn no_id() -> IdentityError {
    IdentityError::Unexpected("a user has no id".into())
}

fn as_asked_for(subject: Subject, user: NewIdentity) -> Identity {
    Identity {
        subject,
        email_verified: user.email.is_some() && user.email_verified,
        sign_in_providers: user.password.iter().map(|_| "password".to_owned()).collect(),
        email: user.email,
        name: user.name,
        picture: user.picture,
        phone: user.phone,
        disabled: user.disabled,
        created_at: None,
        signed_in_at: None,
        tokens_valid_from: None,
        claims: Claims::new(),
    }
}
