//! Telling an account's devices that somebody signed in.

use std::collections::BTreeMap;

use portcullis_domain::ports::{JobClaim, PushError};
use portcullis_domain::push::Notification;
use portcullis_domain::{Device, Job, Session, SessionId, SourceAddress, UserId};

use crate::run_jobs::JobOutcome;
use crate::{App, Failure};

impl App {
    /// Queues a notice of a session that was just opened, if there is a device to
    /// be told. The session stands whatever becomes of its notice.
    ///
    /// # Errors
    /// [`Failure`] when it could not be queued.
    pub(crate) async fn announce_sign_in(&self, session: &Session) -> Result<(), Failure> {
        if self.ports.services.notifier.is_none() {
            return Ok(());
        }
        let (user, id) = (session.user_id, session.id);
        if self.ports.devices.of_user(user).await?.is_empty() {
            return Ok(());
        }
        self.enqueue_job(Job::SignInNotice { user, session: id }, None).await?;
        Ok(())
    }

    /// Sends a notice to all devices of a user, and forgets those that are gone.
    /// It is tried again only if it reached none: nobody is told twice.
    pub(crate) async fn send_sign_in_notice(
        &self,
        claim: &JobClaim,
        user: UserId,
        session: SessionId,
    ) -> Result<JobOutcome, Failure> {
        let Some(notifier) = self.ports.services.notifier.as_ref() else {
            return self.settle_job(claim, JobOutcome::Dropped).await;
        };
        let devices = self.ports.devices.of_user(user).await?;
        let caller = self.ports.sessions.caller(session).await?;
        let (Some(caller), false) = (caller, devices.is_empty()) else {
            return self.settle_job(claim, JobOutcome::Dropped).await;
        };
        let notice = notice(caller.session.client.source);
        let tokens = devices.iter().map(|device| device.token.clone()).collect();
        let deliveries = notifier.notify_many(tokens, notice).await;

        let (mut gone, mut delivered, mut failure) = (Vec::new(), 0, None);
        for delivery in deliveries {
            let device = devices.iter().find(|device| device.token == delivery.device);
            match (delivery.outcome, device) {
                (Ok(_), _) => delivered += 1,
                (Err(PushError::Unregistered(_)), Some(Device { digest, .. })) => {
                    gone.push(*digest);
                }
                // What is refused for good is not tried again.
                (Err(PushError::Refused(_) | PushError::Malformed(_)), _) => {}
                (Err(error), _) => failure = Some(error),
            }
        }
        if !gone.is_empty() {
            self.ports.devices.forget_all(gone).await?;
        }
        match failure {
            Some(error) if delivered == 0 => self.put_off_job(claim, &error).await,
            _ => self.settle_job(claim, JobOutcome::Done).await,
        }
    }
}

fn notice(source: SourceAddress) -> Notification {
    Notification {
        title: "New sign-in".to_owned(),
        body: format!(
            "Somebody signed in to your account from {source}. If it was not you, change your \
             password."
        ),
        data: BTreeMap::from([("event".to_owned(), "sign_in".to_owned())]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portcullis_domain::StoreError;
    use portcullis_domain::ports::{
        Cancellation, Delivery, DeviceStore, MockDeviceStore, MockNotifier, PushId,
    };
    use portcullis_domain::push::DeviceToken;

    use super::*;
    use crate::stage::{Stage, password};

    /// What a push service says of one device, by its token.
    fn outcome(token: &DeviceToken) -> Result<PushId, PushError> {
        match token.expose() {
            "gone" => Err(PushError::Unregistered("UNREGISTERED".into())),
            "refused" => Err(PushError::Refused("INVALID_ARGUMENT".into())),
            "away" => Err(PushError::Unavailable("no route".into())),
            _ => Ok(PushId("1".to_owned())),
        }
    }

    /// Somebody with these devices on a stage with a push service.
    async fn with_devices(tokens: &[&str]) -> (Stage, UserId) {
        let mut stage = Stage::new();
        let mut notifier = MockNotifier::new();
        notifier.expect_notify_many().returning(|devices, notice| {
            assert!(notice.body.contains("192.0.2.1"), "{}", notice.body);
            let deliver = |device| Delivery { outcome: outcome(&device), device };
            devices.into_iter().map(deliver).collect()
        });
        stage.app.ports.services.notifier = Some(Arc::new(notifier));
        let ann = stage.verified("ann@example.com").await;
        for token in tokens {
            let token = DeviceToken::parse(token).unwrap();
            stage.app.register_device(ann, token).await.unwrap();
        }
        (stage, ann)
    }

    /// Logs in and carries out the job that follows, if one does.
    async fn told(stage: &Stage) -> Option<JobOutcome> {
        let logged_in = stage.log_in("ann@example.com", password()).await.unwrap();
        assert!(logged_in.unannounced.is_none());
        let claim = stage.app.claim_due_jobs(1).await.unwrap().pop()?;
        Some(stage.app.carry_out(&claim, &Cancellation::default()).await.unwrap())
    }

    #[tokio::test]
    async fn without_a_device_nothing_is_queued() {
        let (stage, _) = with_devices(&[]).await;
        assert_eq!(told(&stage).await, None);
    }

    #[tokio::test]
    async fn devices_that_are_gone_are_forgotten_and_no_others() {
        let (stage, ann) = with_devices(&["good", "gone", "refused", "away"]).await;
        assert_eq!(told(&stage).await, Some(JobOutcome::Done));
        let left = DeviceStore::of_user(&stage.store, ann).await.unwrap();
        let mut left: Vec<_> = left.iter().map(|device| device.token.expose()).collect();
        left.sort_unstable();
        assert_eq!(left, ["away", "good", "refused"]);
    }

    #[tokio::test]
    async fn a_notice_that_reached_nobody_is_tried_again_if_that_may_help() {
        let (stage, _) = with_devices(&["away"]).await;
        assert_eq!(told(&stage).await, Some(JobOutcome::Postponed));
        let (stage, _) = with_devices(&["refused"]).await;
        assert_eq!(told(&stage).await, Some(JobOutcome::Done));
    }

    #[tokio::test]
    async fn a_login_stands_though_its_notice_cannot_be_queued() {
        let (mut stage, _) = with_devices(&["good"]).await;
        let mut devices = MockDeviceStore::new();
        devices.expect_of_user().returning(|_| Err(StoreError::Unavailable("no route".into())));
        stage.app.ports.devices = Arc::new(devices);
        let logged_in = stage.log_in("ann@example.com", password()).await.unwrap();
        assert!(matches!(logged_in.unannounced, Some(Failure::Unavailable(_))));
    }
}
