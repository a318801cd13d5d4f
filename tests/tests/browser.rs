//! The pages in a real browser.

use portcullis_tests::{PASSWORD, Page, Server, in_a_browser};

#[tokio::test]
async fn swagger_ui_logs_in_and_shows_the_profile() {
    let server = Server::start_with(&[("PUBLIC_URL", "http://127.0.0.1:{port}")]).await;
    server.verified("ann@example.com").await;
    let docs = format!("{}/docs/", server.url());
    in_a_browser(|page| async move {
        page.open(&docs).await;
        authorize(&page).await;
        let operation = "//div[contains(@class, 'opblock-get')]\
                         [.//*[@data-path='/api/v1/auth/me']]";
        page.click(&format!("{operation}//button[contains(@class, 'opblock-summary-control')]"))
            .await;
        page.click(&format!("{operation}//button[contains(@class, 'try-out__btn')]")).await;
        page.click(&format!("{operation}//button[contains(@class, 'execute')]")).await;
        let live = format!("{operation}//table[contains(@class, 'live-responses-table')]");
        page.shows(&format!("{live}/tbody//td[contains(@class, 'response-col_status')]"), "200")
            .await;
        page.shows(&live, "ann@example.com").await;
    })
    .await;
}

/// Logs in with the Authorize box of the `OAuth2` password form.
async fn authorize(page: &Page) {
    let form = "//div[contains(@class, 'auth-container')][.//input[@id='oauth_username']]";
    page.click(".auth-wrapper button.authorize").await;
    page.type_into("#oauth_username", "ann@example.com").await;
    page.type_into("#oauth_password", PASSWORD).await;
    page.click(&format!("{form}//button[contains(@class, 'authorize')]")).await;
    let signed_in = "//div[contains(@class, 'auth-container')]//button[text()='Logout']";
    page.element(signed_in).await;
    page.click("button.btn-done").await;
}

#[tokio::test]
async fn the_mailbox_leads_to_a_verified_address_and_is_emptied() {
    let server = Server::start_with(&[("PUBLIC_URL", "http://127.0.0.1:{port}")]).await;
    let token = server.registered("ann@example.com").await;
    let mailbox = format!("{}/dev/mailbox", server.url());
    in_a_browser(|page| async move {
        page.open(&mailbox).await;
        page.shows("body", "ann@example.com").await;
        page.shows("body", "Verify your email address").await;
        page.follow(&format!("//a[contains(@href, '/verify-email/{token}')]")).await;
        page.click("#verify").await;
        page.shows("#outcome", "verified").await;
        page.open(&mailbox).await;
        page.shows("body", "Welcome").await;
        page.click("#empty").await;
        page.no_longer_shows("ann@example.com").await;
    })
    .await;
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
    assert!(server.mailbox().all("ann@example.com").await.is_empty());
}

#[tokio::test]
async fn the_reset_page_replaces_the_password() {
    let server = Server::start_with(&[("PUBLIC_URL", "http://127.0.0.1:{port}")]).await;
    server.verified("ann@example.com").await;
    server.anonymous().request_reset("ann@example.com").await.is(200);
    let mail = server.mailbox().mail("ann@example.com", "Reset your password").await;
    in_a_browser(|page| async move {
        page.open(mail.link()).await;
        page.type_into("input[name=password]", "password1").await;
        page.click("[type=submit]").await;
        page.shows("#outcome", "Password").await;
        page.clear("input[name=password]").await;
        page.type_into("input[name=password]", "NewSecurePass456!").await;
        page.click("[type=submit]").await;
        page.shows("#outcome", "Password reset successfully").await;
    })
    .await;
    server.anonymous().log_in("ann@example.com", "NewSecurePass456!").await.is(200);
}
