//! Objects, by every way that the port
//! [`ObjectStore`](portcullis_domain::ports::ObjectStore) has.
//!
//! | adapter | keeps objects in | proven against |
//! |---|---|---|
//! | [`Local`] | a directory, for development | the file system |
//! | [`S3`] | S3, and what speaks like it: Backblaze B2 | moto, which checks signatures |
//! | [`GcsBucket`] | Google Cloud Storage, by its JSON API | fake-gcs-server, gcp-storage-emulator, URLs that Google's library has signed |
//!
//! What a service can do beyond the port is said by methods of its own: [`B2`]
//! knows an account's buckets, versions of files and links by Backblaze's native
//! API (proven against a simulator after what Backblaze publishes), [`Gcs`] the
//! buckets of a project, [`GcsBucket`] copies from bucket to bucket. What can be
//! said in terms of any store is a function: [`upload_file`], [`download_file`],
//! [`move_object`], [`list_all`], [`list_folders`].

mod b2;
mod checksums;
mod deletions;
mod downloads;
mod escapes;
mod files;
mod gcs;
mod guess;
mod lists;
mod local;
mod parts;
mod s3;
mod transfer;

pub use b2::{
    B2, B2Bucket, B2Error, B2Settings, BACKBLAZE, BucketInfo, BucketType, FileId, FileVersion,
    InvalidB2Settings, VersionPage,
};
pub use gcs::{GOOGLE_STORAGE, Gcs, GcsBucket, GcsSettings, InvalidGcsSettings};
pub use guess::content_type_of;
pub use lists::{list_all, list_folders};
pub use local::{Local, LocalLinks, ShortKey};
pub use s3::{InvalidS3Settings, S3, S3Settings, amazon_endpoint, backblaze_endpoint};
pub use transfer::{FileError, download_file, move_object, name_of_file, upload_file};
