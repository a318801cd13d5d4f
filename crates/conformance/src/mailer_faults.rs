//! Laws of a mailer whose far side refuses, is busy or is away.

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::MailerError;

use crate::mail_route::{BUSY, MailRoute, QUOTED, REFUSED};
use crate::mailer::mail;

async fn failure(route: &MailRoute, to: &str, text: &str) -> MailerError {
    route.mailer.send(mail(to, text)).await.expect_err("nobody took it")
}

fn assert_temporary(error: &MailerError) {
    assert!(matches!(error, MailerError::Temporary(_)), "{}", with_causes(error));
}

/// It is not tried again, and the next mail goes out.
pub async fn a_refused_recipient_is_refused_for_good(route: &MailRoute) {
    let error = failure(route, REFUSED, "text").await;
    assert!(matches!(error, MailerError::Permanent(_)), "{}", with_causes(&error));
    route.mailer.send(mail("ann", "text")).await.unwrap();
    assert_eq!(route.far_side.arrived().await.len(), 1);
}

/// It is tried again, and meanwhile the next mail goes out.
pub async fn a_far_side_that_is_busy_is_tried_again(route: &MailRoute) {
    assert_temporary(&failure(route, BUSY, "text").await);
    route.mailer.send(mail("ann", "text")).await.unwrap();
    assert_eq!(route.far_side.arrived().await.len(), 1);
}

/// Also where it was there a moment ago and its connection is still kept.
pub async fn a_far_side_that_is_away_is_tried_again(route: &MailRoute) {
    route.mailer.send(mail("ann", "text")).await.unwrap();
    route.far_side.vanish().await;
    for _ in 0..2 {
        assert_temporary(&failure(route, "ann", "text").await);
    }
}

/// Errors end up in logs and in the outbox: neither a password nor a link that
/// logs in may stand there, whatever the far side answers.
pub async fn debug_and_errors_tell_no_secret(route: &MailRoute) {
    let token = "Zm9yZ2VkLXRva2VuLXdpdGgtMzItYnl0ZXMtb2YtaXQ";
    let text = format!("Hello\nhttps://portcullis.example/reset#token={token}\n{token}\n");
    let mut told = vec![route.debug.clone()];
    for to in [REFUSED, BUSY, QUOTED] {
        let error = failure(route, to, &text).await;
        told.extend([with_causes(&error), format!("{error:?}"), format!("{error:#?}")]);
    }
    route.far_side.vanish().await;
    let error = failure(route, "ann", &text).await;
    told.extend([with_causes(&error), format!("{error:?}")]);
    for told in told {
        for secret in [token, &token[..16], &route.secret, "portcullis.example/reset"] {
            assert!(!told.contains(secret), "{secret:?} is told by {told:?}");
        }
    }
}
