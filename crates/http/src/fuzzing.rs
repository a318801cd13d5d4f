//! Doors for the fuzzer. No release has them.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, test};
use ipnet::IpNet;
use portcullis_domain::{Email, Password};
use secrecy::zeroize::Zeroizing;

use crate::extract::bearer::Bearer;
use crate::extract::body::Body;
use crate::extract::client::client_address;
use crate::extract::fields::text;
use crate::problem::Problem;

/// The token of an `Authorization` header, if it holds one.
#[must_use]
pub fn bearer(value: &[u8]) -> Option<String> {
    let value = HeaderValue::from_bytes(value).ok()?;
    let request = test::TestRequest::get().insert_header((header::AUTHORIZATION, value));
    let request = request.to_http_request();
    let extracted = Bearer::from_request(&request, &mut Payload::None).into_inner();
    match extracted {
        Ok(Bearer::Token(token)) => Some(token),
        _ => None,
    }
}

/// The address of a client whose peer sent these lines of `X-Forwarded-For`.
#[must_use]
pub fn forwarded(peer: IpAddr, lines: &[&[u8]], trusted: &[IpNet]) -> IpAddr {
    let mut headers = HeaderMap::new();
    for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(HeaderName::from_static("x-forwarded-for"), value);
    }
    client_address(peer, &headers, trusted)
}

/// Reads the JSON body of a login; gives the address, or the status of the
/// refusal and what it says.
///
/// # Errors
/// The refusal.
pub fn json(body: &[u8]) -> Result<String, (u16, String)> {
    let mut fields = body_of("application/json", body).json().map_err(told)?;
    let email = fields.required("email", Email::parse);
    let password = fields.required("password", Password::parse);
    match (email, password) {
        (Some(email), Some(_)) => Ok(email.as_str().to_owned()),
        _ => Err(told(fields.refusal())),
    }
}

/// Reads a form of either kind; gives its `username`.
///
/// # Errors
/// The refusal.
pub async fn form(media_type: &str, body: &[u8]) -> Result<String, (u16, String)> {
    let mut fields = body_of(media_type, body).form().await.map_err(told)?;
    let username = fields.required("username", text);
    username.ok_or_else(|| told(fields.refusal()))
}

fn told(problem: Problem) -> (u16, String) {
    (problem.status.as_u16(), format!("{:?}", problem.detail))
}

fn body_of(content_type: &str, bytes: &[u8]) -> Body {
    Body::new(content_type.to_owned(), Zeroizing::new(bytes.to_vec()))
}
