//! moto, which stands in for Amazon's services.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Emulator;

/// So many are made before signatures are checked.
const BUCKETS: u32 = 80;

/// S3 as moto's server offers it: `pip install 'moto[server]'`.
pub struct Moto {
    emulator: Emulator,
    key_id: String,
    secret: String,
    next_bucket: AtomicU32,
}

impl Moto {
    /// The region that it is in.
    pub const REGION: &str = "us-east-1";

    /// Starts the program that `MOTO_SERVER` names, or `moto_server` of the path.
    /// It knows one user, who may do everything, and checks every signature.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        let mut moto = Self::start_trusting();
        (moto.key_id, moto.secret) = moto.make_user();
        moto.emulator.request("POST /moto-api/reset-auth", "", "0");
        moto
    }

    /// Starts one that checks no signature, since it cannot those of signed URLs.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start_trusting() -> Self {
        let arguments = ["-H", "127.0.0.1", "-p", "{port}"];
        let emulator = Emulator::start("MOTO_SERVER", "moto_server", "'moto[server]'", &arguments);
        for number in 0..BUCKETS {
            emulator.request(&format!("PUT /{}", bucket_name(number)), "", "");
        }
        let (key_id, secret) = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "any-secret".to_owned());
        Self { emulator, key_id, secret, next_bucket: AtomicU32::new(0) }
    }

    /// Makes the user who may do everything, and a key for it.
    fn make_user(&self) -> (String, String) {
        let iam = |query: &str| {
            let scope = "Credential=any/20260101/us-east-1/iam/aws4_request";
            let headers = format!(
                "authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\
                 content-type: application/x-www-form-urlencoded\r\n"
            );
            self.emulator.request("POST /", &headers, &format!("Version=2010-05-08&{query}"))
        };
        iam("Action=CreateUser&UserName=ann");
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
                      %22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
        iam(&format!("Action=PutUserPolicy&UserName=ann&PolicyName=all&PolicyDocument={policy}"));
        let key = iam("Action=CreateAccessKey&UserName=ann");
        let of = |tag: &str| {
            let (_, rest) = key.split_once(&format!("<{tag}>")).expect("a key");
            rest.split('<').next().unwrap().to_owned()
        };
        (of("AccessKeyId"), of("SecretAccessKey"))
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.emulator.url()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.emulator.address().port()
    }

    /// The user's access key: its id and its secret.
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        (&self.key_id, &self.secret)
    }

    /// The name of a bucket that nobody else was given.
    ///
    /// # Panics
    /// When more are wanted than were made.
    #[must_use]
    pub fn bucket(&self) -> String {
        let number = self.next_bucket.fetch_add(1, Ordering::Relaxed);
        assert!(number < BUCKETS, "moto made {BUCKETS} buckets and no more");
        bucket_name(number)
    }
}

fn bucket_name(number: u32) -> String {
    format!("bucket-{number}")
}
