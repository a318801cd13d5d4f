//! Objects, by every adapter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod b2;
mod b2_authorization;
mod buckets;
mod calls;
mod gcs;
mod google;
mod google_uploads;
mod laws;
mod like_backblaze;
mod local;
mod s3;
mod s3_failures;
mod slow;
mod transfer;
