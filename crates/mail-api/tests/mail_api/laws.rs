//! The laws of a mailer, by Resend, by Brevo, and by Brevo while
//! Resend is away.

mod by_resend {
    use crate::far_side::resend_route;
    portcullis_conformance::mailer_laws!(resend_route);
}

mod by_brevo {
    use crate::far_side::brevo_route;
    portcullis_conformance::mailer_laws!(brevo_route);
}

mod by_failover {
    use crate::far_side::failover_route;
    portcullis_conformance::mailer_laws!(failover_route);
}
