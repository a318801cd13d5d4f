//! The services that the settings name.

use std::error::Error;
use std::sync::Arc;

use portcullis_app::Services;
use portcullis_crypto::ServerSecret;
use portcullis_domain::ports::Clock;

use crate::settings::Settings;

/// Opens the services. Nothing is connected yet: one that is away does not keep
/// the server from starting. An error names the setting.
#[cfg_attr(
    not(feature = "storage"),
    expect(unused, reason = "a build without services needs nothing of this")
)]
pub(crate) async fn services(
    settings: &Settings,
    secret: &ServerSecret,
    clock: &Arc<dyn Clock>,
) -> Result<Services, Box<dyn Error>> {
    let mut services = Services::default();
    #[cfg(feature = "firebase")]
    if let Some(firebase) = &settings.services.firebase {
        firebase::open(firebase, clock, &mut services)?;
    }
    #[cfg(feature = "storage")]
    if let Some(objects) = &settings.services.objects {
        services.pictures = Some(objects::open(objects, settings, secret, clock).await?);
    }
    #[cfg(feature = "appstore")]
    if let Some(app_store) = &settings.services.app_store {
        let opened = portcullis_appstore::AppStore::new(app_store, Arc::clone(clock));
        services.purchases = Some(Arc::new(opened.map_err(|error| app_store_told(&error))?));
    }
    Ok(services)
}

#[cfg(feature = "appstore")]
fn app_store_told(error: &portcullis_appstore::InvalidAppStoreSettings) -> String {
    use portcullis_appstore::InvalidAppStoreSettings as Invalid;
    let setting = match error {
        Invalid::MissingPrivateKey | Invalid::PrivateKey => "APP_STORE_PRIVATE_KEY",
        Invalid::PrivateKeyFile { .. } => "APP_STORE_PRIVATE_KEY_PATH",
        Invalid::KeyId => "APP_STORE_KEY_ID",
        Invalid::IssuerId => "APP_STORE_ISSUER_ID",
        Invalid::BundleId(_) => "APP_STORE_BUNDLE_ID",
        Invalid::MissingAppId => "APP_STORE_APP_ID",
        Invalid::BaseUrl(_) | Invalid::Client(_) | Invalid::AppleRoot(_) => "APP_STORE_BASE_URL",
        Invalid::RootCertificates { .. } => "APP_STORE_ROOT_CERTIFICATES",
    };
    format!("{setting}: {}", portcullis_domain::error::with_causes(error))
}

#[cfg(feature = "storage")]
pub(crate) use self::objects::bucket;

/// Whether the Firebase that is set can be used, as far as that shows without a call.
#[cfg(feature = "firebase")]
pub(crate) fn check_firebase(
    settings: &crate::settings::FirebaseServices,
    clock: &Arc<dyn Clock>,
) -> Result<(), Box<dyn Error>> {
    firebase::open(settings, clock, &mut Services::default())
}

/// The same of the App Store.
#[cfg(feature = "appstore")]
pub(crate) fn check_app_store(
    settings: &portcullis_appstore::AppStoreSettings,
    clock: &Arc<dyn Clock>,
) -> Result<(), String> {
    let opened = portcullis_appstore::AppStore::new(settings, Arc::clone(clock));
    opened.map(drop).map_err(|error| app_store_told(&error))
}

#[cfg(feature = "firebase")]
mod firebase {
    use std::error::Error;
    use std::sync::Arc;

    use portcullis_app::Services;
    use portcullis_domain::error::with_causes;
    use portcullis_domain::ports::Clock;
    use portcullis_firebase::{Authentication, Messaging};
    use portcullis_google::AccessTokens;
    use tracing::warn;

    use crate::settings::{FirebaseAccount, FirebaseServices, GOOGLE_DEADLINE};

    pub(super) fn open(
        settings: &FirebaseServices,
        clock: &Arc<dyn Clock>,
        services: &mut Services,
    ) -> Result<(), Box<dyn Error>> {
        let told = |error: &dyn Error| format!("Firebase: {}", with_causes(error));
        let addresses = &settings.addresses;
        match &settings.account {
            FirebaseAccount::Emulator { host, project } => {
                let clock = Arc::clone(clock);
                let emulator = Authentication::with_emulator(host, project, addresses, clock);
                let emulator =
                    emulator.map_err(|error| format!("FIREBASE_AUTH_EMULATOR_HOST: {error}"))?;
                warn!(%host, "people log in by tokens of Firebase's emulator, which nobody signs");
                services.identity = Some(Arc::new(emulator));
            }
            FirebaseAccount::Service(account) => {
                let account = account.as_ref().clone();
                let tokens = AccessTokens::new(account, Arc::clone(clock), GOOGLE_DEADLINE);
                let tokens = tokens.map_err(|error| told(&error))?;
                let tokens = Arc::new(tokens);
                if settings.login {
                    let users =
                        Authentication::new(Arc::clone(&tokens), addresses, Arc::clone(clock));
                    let users = users.map_err(|error| told(&error))?;
                    services.identity = Some(Arc::new(users));
                }
                if settings.messaging {
                    let messaging = Messaging::new(tokens, addresses);
                    let messaging = messaging.map_err(|error| told(&error))?;
                    services.notifier = Some(Arc::new(messaging));
                }
            }
        }
        Ok(())
    }
}

#[cfg(feature = "storage")]
mod objects {
    use std::error::Error;
    use std::sync::Arc;
    use std::time::Duration;

    use portcullis_app::Pictures;
    use portcullis_crypto::ServerSecret;
    use portcullis_domain::error::with_causes;
    use portcullis_domain::ports::{Clock, ObjectStore, SignedDownloads};
    use portcullis_google::AccessTokens;
    use portcullis_images::PortraitMaker;
    use portcullis_storage::{Gcs, Local, LocalLinks, S3};

    use crate::settings::{BucketSettings, ObjectStoreSettings, Settings};

    /// How long Google may take to give out an access token.
    const TOKEN_DEADLINE: Duration = Duration::from_secs(5);
    /// Pictures that are decoded at a time: each may take 320 MiB.
    const PORTRAITS_AT_ONCE: usize = 2;

    pub(super) async fn open(
        store: &ObjectStoreSettings,
        settings: &Settings,
        secret: &ServerSecret,
        clock: &Arc<dyn Clock>,
    ) -> Result<Pictures, Box<dyn Error>> {
        let told = |error: &dyn Error| format!("OBJECT_STORE_URL: {}", with_causes(error));
        let mut downloads: Option<Arc<dyn SignedDownloads>> = None;
        let objects: Arc<dyn ObjectStore> = match store {
            ObjectStoreSettings::Folder(folder) => {
                let base = format!("{}/objects", settings.server.public_url);
                let base = base.parse().map_err(|error| told(&error))?;
                let key = secret.link_key().to_vec().into();
                let links = LocalLinks::new(&key, base, Arc::clone(clock));
                let links = links.map_err(|error| told(&error))?;
                let local = Local::open(folder.clone(), links).await;
                let local = Arc::new(local.map_err(|error| told(&error))?);
                downloads = Some(Arc::clone(&local) as Arc<dyn SignedDownloads>);
                local
            }
            ObjectStoreSettings::Bucket(bucket) => self::bucket(bucket, clock)?,
        };
        let portraits = Arc::new(PortraitMaker::new(PORTRAITS_AT_ONCE));
        Ok(Pictures { objects, portraits, downloads })
    }

    /// A bucket somewhere else. Nothing is connected yet.
    pub(crate) fn bucket(
        bucket: &BucketSettings,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
        let told = |error: &dyn Error| format!("OBJECT_STORE_URL: {}", with_causes(error));
        Ok(match bucket {
            BucketSettings::S3(bucket) => Arc::new(S3::new(bucket).map_err(|error| told(&error))?),
            BucketSettings::Google { bucket, account, service } => {
                let account = account.as_ref().clone();
                let tokens = AccessTokens::new(account, Arc::clone(clock), TOKEN_DEADLINE);
                let tokens = Arc::new(tokens.map_err(|error| told(&error))?);
                let gcs = Gcs::new(service.clone(), tokens, Arc::clone(clock));
                let bucket = gcs.and_then(|gcs| gcs.bucket(bucket));
                Arc::new(bucket.map_err(|error| told(&error))?)
            }
        })
    }
}
