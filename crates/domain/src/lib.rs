//! Users, sessions, tokens, the rules between them, and the ports they need.
//!
//! This crate decides; it does nothing. It knows no web framework, no
//! database, no clock and no source of randomness: whatever it needs from
//! outside is a trait in [`ports`], implemented by adapter crates that depend
//! on this one and on nothing above it.
//!
//! Text from outside becomes a value object once, at the edge ([`Email`],
//! [`Username`], [`Password`], [`FullName`]); from then on an invalid value
//! does not type-check.

pub mod access;
pub mod audit;
pub mod avatar;
pub mod device;
pub mod document;
pub mod email;
pub mod entitlement;
pub mod error;
pub mod holders;
pub mod identifier;
pub mod identity;
pub mod identity_link;
pub mod ids;
pub mod imported_user;
pub mod job;
pub mod letter;
pub mod lockout;
pub mod mail;
pub mod object;
pub mod one_time_token;
pub mod password;
pub mod password_policy;
pub mod person_name;
pub mod phone_number;
pub mod ports;
pub mod purchase;
pub mod push;
pub mod refresh_token;
pub mod session;
pub mod source;
pub mod time;
pub mod user;
pub mod username;

pub use access::AccessClaims;
pub use audit::{AuditEvent, AuditKind};
pub use avatar::Avatar;
pub use device::{Device, MAX_DEVICES};
pub use email::{Email, InvalidEmail};
pub use entitlement::{Entitlement, PurchaseState};
pub use error::{Cause, StoreError, Taken};
pub use holders::Holders;
pub use identifier::LoginIdentifier;
pub use identity::{
    Claim, Claims, Identity, IdentityKey, IdentityPage, InvalidSubject, NewIdentity, Subject,
    VerifiedIdentity,
};
pub use identity_link::{IdentityLink, IdentitySource};
pub use ids::{AccessTokenId, JobId, LetterId, SessionId, UserId, UserNumber};
pub use imported_user::{ImportOutcome, ImportedId, ImportedUser, UniqueValue};
pub use job::{DemoUsers, Job, MAX_DEMO_USERS, NewJob, UnknownJob};
pub use letter::{Letter, LetterKind};
pub use lockout::{Failures, LockoutPolicy, Standing};
pub use mail::Mail;
pub use object::{ContentType, FolderName, ObjectMeta, ObjectName};
pub use one_time_token::{OneTimeToken, Purpose, TokenDigest};
pub use password::{InvalidPassword, Password, PasswordHash};
pub use password_policy::{PasswordPolicy, WeakPassword};
pub use person_name::{FullName, InvalidName, NamePart, PersonName};
pub use phone_number::{InvalidPhoneNumber, PhoneNumber};
pub use push::{DeviceToken, InvalidDeviceToken, Notification};
pub use refresh_token::{RefreshToken, Seed, SeedDigest};
pub use session::{Contract, EndReason, MAX_LIVE_SESSIONS, Presentation, Session, SessionEnd};
pub use source::{Client, SourceAddress, UserAgent};
pub use time::{InvalidTimestamp, Timestamp};
pub use user::{AccountStatus, NewUser, User};
pub use username::{InvalidUsername, Username};
