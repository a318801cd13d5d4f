//! The object store: which one, and as whom.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_google::ServiceAccount;
use portcullis_storage::{
    GOOGLE_STORAGE, GcsSettings, S3Settings, amazon_endpoint, backblaze_endpoint,
};
use secrecy::SecretString;
use url::Url;

use super::super::reader::{Reader, Wrong};

/// How long a store may take: somebody waits for their picture.
/// One that cannot be kept is deleted again, which may take as long.
const DEADLINE: Duration = Duration::from_secs(5);

/// What `OBJECT_STORE_URL` may say.
const FORMS: &str = "must be file:<folder>, s3://<bucket>?region=<region> (with &endpoint=<url> \
                     for others than Amazon), b2://<bucket>?region=<region>, or gs://<bucket>";

/// An object store.
pub(crate) enum ObjectStoreSettings {
    /// A folder of this machine, for development.
    Folder(PathBuf),
    /// A bucket somewhere else.
    Bucket(BucketSettings),
}

/// A bucket somewhere else.
pub(crate) enum BucketSettings {
    /// Something that speaks like S3.
    S3(Box<S3Settings>),
    /// Google Cloud Storage.
    Google { bucket: String, account: Box<ServiceAccount>, service: GcsSettings },
}

/// `OBJECT_STORE_URL`, taken apart.
enum Place {
    Folder(PathBuf),
    S3 { bucket: String, region: String, endpoint: String },
    Google { bucket: String, endpoint: String },
}

pub(super) fn objects(reader: &mut Reader) -> Result<Option<ObjectStoreSettings>, Wrong> {
    let place = reader.optional("OBJECT_STORE_URL", place);
    let key_id = reader.optional("OBJECT_STORE_KEY_ID", |text| Ok(text.to_owned()));
    let secret = reader.optional("OBJECT_STORE_KEY", |text| Ok(SecretString::from(text)));
    let account = reader.optional("GOOGLE_SERVICE_ACCOUNT_PATH", service_account);
    let Some(place) = place? else { return Ok(None) };
    Ok(Some(match place {
        Place::Folder(folder) => ObjectStoreSettings::Folder(folder),
        Place::S3 { bucket, region, endpoint } => {
            let key_id = needed(reader, "OBJECT_STORE_KEY_ID", key_id?);
            let secret = needed(reader, "OBJECT_STORE_KEY", secret?);
            let (key_id, secret) = (key_id?, secret?);
            let endpoint = endpoint.parse().map_err(|error| {
                reader.object("OBJECT_STORE_URL", &format!("endpoint: {error}"));
                Wrong
            })?;
            let service = S3Settings::new(endpoint, region, bucket, key_id, secret);
            let service = Box::new(S3Settings { deadline: DEADLINE, ..service });
            ObjectStoreSettings::Bucket(BucketSettings::S3(service))
        }
        Place::Google { bucket, endpoint } => {
            let account = needed(reader, "GOOGLE_SERVICE_ACCOUNT_PATH", account?)?;
            let base_url = endpoint.parse().map_err(|error| {
                reader.object("OBJECT_STORE_URL", &format!("endpoint: {error}"));
                Wrong
            })?;
            let service = GcsSettings { deadline: DEADLINE, ..GcsSettings::new(base_url) };
            let account = Box::new(account);
            ObjectStoreSettings::Bucket(BucketSettings::Google { bucket, account, service })
        }
    }))
}

fn needed<T>(reader: &mut Reader, name: &'static str, value: Option<T>) -> Result<T, Wrong> {
    value.ok_or_else(|| {
        reader.object(name, "must be set: OBJECT_STORE_URL names a store that asks for it");
        Wrong
    })
}

fn service_account(path: &str) -> Result<ServiceAccount, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    ServiceAccount::from_json(&text).map_err(|error| error.to_string())
}

fn place(text: &str) -> Result<Place, String> {
    if let Some(folder) = text.strip_prefix("file:") {
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        let folder = Some(folder).filter(|folder| !folder.is_empty()).ok_or(FORMS)?;
        return Ok(Place::Folder(PathBuf::from(folder)));
    }
    let url = Url::parse(text).map_err(|_| FORMS)?;
    let bucket = url.host_str().filter(|_| url.path().is_empty()).ok_or(FORMS)?.to_owned();
    let mut options: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let (region, endpoint) = (options.remove("region"), options.remove("endpoint"));
    let is_bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if !options.is_empty() || !is_bare {
        return Err(FORMS.into());
    }
    match (url.scheme(), region, endpoint) {
        ("s3", Some(region), Some(endpoint)) => Ok(Place::S3 { bucket, region, endpoint }),
        ("s3", Some(region), None) => {
            let endpoint = amazon_endpoint(&region).map_err(|error| error.to_string())?;
            Ok(Place::S3 { bucket, region, endpoint: endpoint.to_string() })
        }
        ("b2", Some(region), None) => {
            let endpoint = backblaze_endpoint(&region).map_err(|error| error.to_string())?;
            Ok(Place::S3 { bucket, region, endpoint: endpoint.to_string() })
        }
        ("gs", None, endpoint) => {
            let endpoint = endpoint.unwrap_or_else(|| GOOGLE_STORAGE.to_owned());
            Ok(Place::Google { bucket, endpoint })
        }
        _ => Err(FORMS.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(text: &str) -> Option<(String, String, String)> {
        match place(text) {
            Ok(Place::S3 { bucket, region, endpoint }) => Some((bucket, region, endpoint)),
            _ => None,
        }
    }

    #[test]
    fn each_store_has_its_form() {
        assert!(matches!(place("file:data/objects"), Ok(Place::Folder(path))
            if path.as_os_str() == "data/objects"));
        assert!(matches!(place("file:///var/objects"), Ok(Place::Folder(path))
            if path.as_os_str() == "/var/objects"));
        let (bucket, region, endpoint) = s3("b2://pictures?region=us-west-004").unwrap();
        assert_eq!((bucket.as_str(), region.as_str()), ("pictures", "us-west-004"));
        assert_eq!(endpoint, "https://s3.us-west-004.backblazeb2.com/");
        let (_, _, endpoint) = s3("s3://pictures?region=eu-central-1").unwrap();
        assert_eq!(endpoint, "https://s3.eu-central-1.amazonaws.com/");
        let own = "s3://pictures?region=us-east-1&endpoint=http://127.0.0.1:9000";
        assert_eq!(s3(own).unwrap().2, "http://127.0.0.1:9000");
        assert!(matches!(place("gs://pictures"), Ok(Place::Google { bucket, endpoint })
            if bucket == "pictures" && endpoint == GOOGLE_STORAGE));
    }

    #[test]
    fn anything_else_is_told_the_forms() {
        for text in [
            "pictures",
            "file:",
            "s3://pictures",
            "s3://pictures/folder?region=eu-central-1",
            "s3://key:secret@pictures?region=eu-central-1",
            "b2://pictures?region=us-west-004&endpoint=http://127.0.0.1",
            "gs://pictures?region=eu",
            "s3://pictures?region=eu-central-1&colour=red",
            "ftp://pictures",
        ] {
            assert!(place(text).is_err_and(|told| told == FORMS), "{text}");
        }
    }
}
