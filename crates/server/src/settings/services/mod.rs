//! Services that a deployment may do without. All are off by default.

#[cfg(feature = "appstore")]
mod app_store;
#[cfg(feature = "firebase")]
mod firebase;
#[cfg(feature = "storage")]
mod objects;

#[cfg(not(feature = "firebase"))]
use super::parse;
use super::reader::{Reader, Wrong};

#[cfg(feature = "firebase")]
pub(crate) use self::firebase::{DEADLINE as GOOGLE_DEADLINE, FirebaseAccount, FirebaseServices};
#[cfg(feature = "storage")]
pub(crate) use self::objects::{BucketSettings, ObjectStoreSettings};

/// What is set of each service; `None` is off.
pub(crate) struct ServiceSettings {
    #[cfg(feature = "firebase")]
    pub(crate) firebase: Option<FirebaseServices>,
    #[cfg(feature = "storage")]
    pub(crate) objects: Option<ObjectStoreSettings>,
    #[cfg(feature = "appstore")]
    pub(crate) app_store: Option<portcullis_appstore::AppStoreSettings>,
}

/// Reads the settings of all services; `is_development` is an embedded database
/// behind a loopback address.
#[cfg_attr(
    not(any(feature = "firebase", feature = "storage", feature = "appstore")),
    expect(clippy::unnecessary_wraps, reason = "a build without services reads nothing")
)]
pub(super) fn services(
    reader: &mut Reader,
    is_development: bool,
) -> Result<ServiceSettings, Wrong> {
    #[cfg(feature = "firebase")]
    let firebase = firebase::firebase(reader, is_development);
    #[cfg(not(feature = "firebase"))]
    for name in ["FIREBASE_LOGIN", "FIREBASE_MESSAGING"] {
        absent(reader, "firebase", name, parse::switch);
    }
    #[cfg(feature = "storage")]
    let objects = objects::objects(reader);
    #[cfg(not(feature = "storage"))]
    absent(reader, "storage", "OBJECT_STORE_URL", |_| Ok(true));
    #[cfg(feature = "appstore")]
    let app_store = app_store::app_store(reader, is_development);
    #[cfg(not(feature = "appstore"))]
    absent(reader, "appstore", "APP_STORE_BUNDLE_ID", |_| Ok(true));
    let _ = is_development;
    Ok(ServiceSettings {
        #[cfg(feature = "firebase")]
        firebase: firebase?,
        #[cfg(feature = "storage")]
        objects: objects?,
        #[cfg(feature = "appstore")]
        app_store: app_store?,
    })
}

/// What this build cannot do is not silently left out.
#[cfg(not(all(
    feature = "firebase",
    feature = "storage",
    feature = "appstore",
    feature = "otlp"
)))]
pub(super) fn absent(
    reader: &mut Reader,
    feature: &str,
    name: &'static str,
    is_wanted: impl FnOnce(&str) -> Result<bool, String>,
) {
    if let Ok(Some(true)) = reader.optional(name, is_wanted) {
        reader.object(name, &format!("this build was made without the feature `{feature}`"));
    }
}
