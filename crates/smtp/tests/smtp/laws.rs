//! The laws of a mailer over SMTP, at two servers that share no code.

mod at_a_sink_of_our_own {
    use crate::far_side::sink_route;
    portcullis_conformance::mailer_laws!(sink_route);
}

mod at_aiosmtpd {
    use portcullis_conformance::MailRoute;

    async fn aiosmtpd_route() -> MailRoute {
        crate::far_side::aiosmtpd_route()
    }
    portcullis_conformance::mailer_laws!(aiosmtpd_route);
}
