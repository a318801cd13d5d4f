//! The fields of a body, read one by one; all that are wrong are told at once.

use std::borrow::Cow;

use portcullis_domain::purchase::{InvalidProductId, InvalidSignedPayload, InvalidTransactionId};
use portcullis_domain::{InvalidEmail, InvalidName, InvalidPassword, InvalidUsername};
use secrecy::zeroize::{Zeroize, Zeroizing};
use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};

/// A body's fields, and what was found wrong with them so far. Texts are wiped
/// when they are read or dropped: one may be a password or a token.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

/// Why a text is not a field's value, in words for people and for programs.
pub(crate) trait Invalid {
    fn kind(&self) -> &'static str;
    fn message(&self) -> Cow<'static, str>;
}

impl Fields {
    pub(crate) fn new(values: Map<String, Value>) -> Self {
        Self { values, errors: Vec::new() }
    }

    /// A field that has to be there.
    pub(crate) fn required<T, E: Invalid>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.values.remove(name) {
            None => self.wrong(name, "value_error.missing", "field required".into()),
            Some(Value::Null) => {
                let text = "none is not an allowed value";
                self.wrong(name, "type_error.none.not_allowed", text.into())
            }
            Some(value) => self.parsed(name, value, parse),
        }
    }

    /// A field that may be absent or null.
    pub(crate) fn optional<T, E: Invalid>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.values.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.parsed(name, value, parse),
        }
    }

    fn parsed<T, E: Invalid>(
        &mut self,
        name: &'static str,
        value: Value,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            return self.wrong(name, "type_error.str", "str type expected".into());
        };
        match parse(&Zeroizing::new(text)) {
            Ok(value) => Some(value),
            Err(invalid) => self.wrong(name, invalid.kind(), invalid.message()),
        }
    }

    fn wrong<T>(
        &mut self,
        name: &'static str,
        kind: &'static str,
        msg: Cow<'static, str>,
    ) -> Option<T> {
        self.errors.push(FieldError { loc: vec![name.to_owned()], msg, kind });
        None
    }

    /// Whether nothing was found wrong so far.
    pub(crate) fn check(&mut self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    /// Everything that was found wrong.
    pub(crate) fn refusal(&mut self) -> Problem {
        Problem::invalid_fields(std::mem::take(&mut self.errors))
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        for value in self.values.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// A text that is taken as it is: a token, which is either known or not.
#[expect(clippy::unnecessary_wraps, reason = "it stands where parsers stand")]
pub(crate) fn text(text: &str) -> Result<String, Never> {
    Ok(text.to_owned())
}

/// The error of what cannot fail.
pub(crate) enum Never {}

impl Invalid for Never {
    fn kind(&self) -> &'static str {
        match *self {}
    }

    fn message(&self) -> Cow<'static, str> {
        match *self {}
    }
}

/// The `OAuth2` password form's `grant_type`, where it is sent (RFC 6749 §4.3.2).
pub(crate) struct NotPassword;

impl Invalid for NotPassword {
    fn kind(&self) -> &'static str {
        "value_error.str.regex"
    }

    fn message(&self) -> Cow<'static, str> {
        "string does not match regex \"password\"".into()
    }
}

/// Errors that tell all in their text, under this name.
macro_rules! told_as {
    ($($error:ty = $kind:literal,)+) => {
        $(
            impl Invalid for $error {
                fn kind(&self) -> &'static str {
                    $kind
                }

                fn message(&self) -> Cow<'static, str> {
                    self.to_string().into()
                }
            }
        )+
    };
}

told_as! {
    InvalidEmail = "value_error.email",
    InvalidUsername = "value_error.username",
    InvalidTransactionId = "value_error.transaction_id",
    InvalidProductId = "value_error.product_id",
    InvalidSignedPayload = "value_error.signed_payload",
}

impl Invalid for InvalidName {
    fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "value_error.any_str.min_length",
            Self::TooLong(_) => "value_error.any_str.max_length",
            Self::Control => "value_error.control_character",
        }
    }

    fn message(&self) -> Cow<'static, str> {
        self.to_string().into()
    }
}

impl Invalid for InvalidPassword {
    fn kind(&self) -> &'static str {
        match self {
            Self::TooLong => "value_error.any_str.max_length",
        }
    }

    fn message(&self) -> Cow<'static, str> {
        self.to_string().into()
    }
}
