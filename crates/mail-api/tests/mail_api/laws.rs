//! The laws of a mailer, by Resend and by Brevo.

mod by_resend {
    use crate::far_side::resend_route;
    portcullis_conformance::mailer_laws!(resend_route);
}

mod by_brevo {
    use crate::far_side::brevo_route;
    portcullis_conformance::mailer_laws!(brevo_route);
}
