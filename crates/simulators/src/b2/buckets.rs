//! Operations on buckets.

use serde_json::{Value, json};

use super::fields::{Fields, bad};
use super::state::Bucket;
use super::{ACCOUNT, B2, Refused};

impl B2 {
    pub(super) fn bucket(&mut self, id: &str) -> Result<&mut Bucket, Refused> {
        let found = self.buckets.iter_mut().find(|bucket| bucket.id == id);
        found.ok_or_else(|| {
            Refused::new(400, "bad_bucket_id", &format!("Bucket {id} does not exist"))
        })
    }

    pub(super) fn list_buckets(&self, mut fields: Fields) -> Result<Value, Refused> {
        check_account(&mut fields)?;
        let name = fields.optional_text("bucketName")?;
        let id = fields.optional_text("bucketId")?;
        fields.end()?;
        let wanted = |bucket: &&Bucket| {
            name.as_ref().is_none_or(|name| bucket.name.eq_ignore_ascii_case(name))
                && id.as_ref().is_none_or(|id| bucket.id == *id)
        };
        let found = self.buckets.iter().filter(wanted).map(|bucket| bucket.json(ACCOUNT));
        Ok(json!({"buckets": found.collect::<Vec<_>>()}))
    }

    pub(super) fn create_bucket(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        check_account(&mut fields)?;
        let (name, kind) = (fields.text("bucketName")?, fields.text("bucketType")?);
        let info = fields.map("bucketInfo")?.unwrap_or_default();
        fields.end()?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_name = (6..=63).contains(&name.len()) && name.bytes().all(is_allowed);
        if !is_name || name.starts_with("b2-") {
            return Err(bad("Invalid bucketName"));
        }
        check_kind(&kind)?;
        if self.buckets.iter().any(|bucket| bucket.name.eq_ignore_ascii_case(&name)) {
            let message = "Bucket name is already in use.";
            return Err(Refused::new(400, "duplicate_bucket_name", message));
        }
        self.number += 1;
        let id = format!("{:024x}", self.number);
        let bucket = Bucket { id, name, kind, info, revision: 1 };
        let told = bucket.json(ACCOUNT);
        self.buckets.push(bucket);
        Ok(told)
    }

    pub(super) fn update_bucket(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        check_account(&mut fields)?;
        let id = fields.text("bucketId")?;
        let kind = fields.optional_text("bucketType")?;
        let info = fields.map("bucketInfo")?;
        let revision = fields.number("ifRevisionIs")?;
        fields.end()?;
        kind.iter().try_for_each(|kind| check_kind(kind))?;
        let bucket = self.bucket(&id)?;
        if revision.is_some_and(|revision| revision != bucket.revision) {
            return Err(Refused::new(409, "conflict", "revision does not match"));
        }
        bucket.kind = kind.unwrap_or_else(|| bucket.kind.clone());
        bucket.info = info.unwrap_or_else(|| bucket.info.clone());
        bucket.revision += 1;
        Ok(bucket.json(ACCOUNT))
    }

    pub(super) fn delete_bucket(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        check_account(&mut fields)?;
        let id = fields.text("bucketId")?;
        fields.end()?;
        let told = self.bucket(&id)?.json(ACCOUNT);
        if self.versions.iter().any(|version| version.bucket_id == id) {
            let message = "Cannot delete non-empty bucket";
            return Err(Refused::new(400, "cannot_delete_non_empty_bucket", message));
        }
        self.buckets.retain(|bucket| bucket.id != id);
        Ok(told)
    }
}

fn check_account(fields: &mut Fields) -> Result<(), Refused> {
    if fields.text("accountId")? == ACCOUNT {
        return Ok(());
    }
    Err(Refused::new(401, "unauthorized", "account ID does not match authorization token"))
}

fn check_kind(kind: &str) -> Result<(), Refused> {
    // Others are Backblaze's own.
    if ["allPublic", "allPrivate"].contains(&kind) {
        Ok(())
    } else {
        Err(bad("Invalid bucketType"))
    }
}
