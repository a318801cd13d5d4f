//! Apple's App Store: which app, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_appstore::AppStoreSettings;
use portcullis_domain::purchase::AppStoreEnvironment;
use secrecy::SecretString;

use super::super::parse;
use super::super::reader::{Reader, Wrong};

/// How long a call of Apple's may take: somebody waits for their purchase.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn app_store(
    reader: &mut Reader,
    is_development: bool,
) -> Result<Option<AppStoreSettings>, Wrong> {
    let environments = [
        ("production", AppStoreEnvironment::Production),
        ("sandbox", AppStoreEnvironment::Sandbox),
    ];
    let path = |text: &str| Ok(PathBuf::from(text));
    let bundle_id = reader.optional("APP_STORE_BUNDLE_ID", parse::one_line);
    let environment = reader.get("APP_STORE_ENVIRONMENT", parse::word(&environments));
    let app_id = reader.optional("APP_STORE_APP_ID", parse::whole_number(1, i64::MAX));
    let issuer_id = reader.optional("APP_STORE_ISSUER_ID", parse::one_line);
    let key_id = reader.optional("APP_STORE_KEY_ID", parse::one_line);
    let private_key = reader.optional("APP_STORE_PRIVATE_KEY", |text| Ok(SecretString::from(text)));
    let private_key_path = reader.optional("APP_STORE_PRIVATE_KEY_PATH", path);
    let base_url = reader.optional("APP_STORE_BASE_URL", parse::base_url);
    let roots = reader.optional("APP_STORE_ROOT_CERTIFICATES", path);
    let Some(bundle_id) = bundle_id? else { return Ok(None) };
    let roots = match roots? {
        Some(_) if !is_development => {
            reader.object(
                "APP_STORE_ROOT_CERTIFICATES",
                "is for development: an embedded database, and HOST a loopback address; whoever \
                 holds its keys can sign purchases",
            );
            Err(Wrong)
        }
        roots => Ok(roots),
    };
    let mut needed = |name, value: Option<String>| {
        value.ok_or_else(|| {
            reader.object(name, "must be set: APP_STORE_BUNDLE_ID names an app");
            Wrong
        })
    };
    let issuer_id = needed("APP_STORE_ISSUER_ID", issuer_id?);
    let key_id = needed("APP_STORE_KEY_ID", key_id?);
    Ok(Some(AppStoreSettings {
        private_key: private_key?,
        private_key_path: private_key_path?,
        app_id: app_id?,
        base_url: base_url?,
        root_certificates_path: roots?,
        deadline: DEADLINE,
        ..AppStoreSettings::new(environment?, bundle_id, issuer_id?, key_id?)
    }))
}
