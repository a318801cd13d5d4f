//! Operations on versions of files, and downloads.

use serde_json::{Value, json};

use super::fields::{Fields, bad};
use super::state::{Grant, Version};
use super::{ACCOUNT, B2, Refused};
use crate::request::{Reply, Request};

impl B2 {
    pub(super) fn file_info(&self, mut fields: Fields) -> Result<Value, Refused> {
        let id = fields.text("fileId")?;
        fields.end()?;
        let found = self.versions.iter().find(|version| version.id == id);
        found.map(|version| version.json(ACCOUNT)).ok_or_else(not_found)
    }

    pub(super) fn delete_version(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        let (id, name) = (fields.text("fileId")?, fields.text("fileName")?);
        fields.end()?;
        let is_it = |version: &Version| version.id == id && version.name == name;
        let Some(position) = self.versions.iter().position(is_it) else {
            let message = format!("file_not_present: {name} {id}");
            return Err(Refused::new(400, "file_not_present", &message));
        };
        self.versions.remove(position);
        Ok(json!({"fileId": id, "fileName": name}))
    }

    pub(super) fn list_versions(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        let bucket_id = fields.text("bucketId")?;
        let limit = fields.number("maxFileCount")?.unwrap_or(100);
        let prefix = fields.optional_text("prefix")?.unwrap_or_default();
        let name = fields.optional_text("startFileName")?;
        let id = fields.optional_text("startFileId")?;
        fields.end()?;
        self.bucket(&bucket_id)?;
        if limit > 10_000 {
            return Err(bad("maxFileCount out of range"));
        }
        if id.is_some() && name.is_none() {
            return Err(bad("startFileId without startFileName"));
        }
        let wanted = |version: &&Version| {
            version.bucket_id == bucket_id && version.name.starts_with(&prefix)
        };
        let mut found: Vec<_> = self.versions.iter().filter(wanted).collect();
        found.sort_by_key(|version| (&version.name, std::cmp::Reverse(version.uploaded_millis)));
        let start = match (&name, &id) {
            (Some(name), Some(id)) => {
                found.iter().position(|version| version.name == *name && version.id == *id)
            }
            (Some(name), None) => found.iter().position(|version| version.name >= *name),
            _ => Some(0),
        };
        let found = found.split_off(start.unwrap_or(found.len()));
        let limit = usize::try_from(limit).expect("a small number");
        let next = found.get(limit);
        let files = found.iter().take(limit).map(|version| version.json(ACCOUNT));
        Ok(json!({
            "files": files.collect::<Vec<_>>(),
            "nextFileName": next.map(|version| &version.name),
            "nextFileId": next.map(|version| &version.id),
        }))
    }

    pub(super) fn authorize_download(&mut self, mut fields: Fields) -> Result<Value, Refused> {
        let (bucket_id, prefix) = (fields.text("bucketId")?, fields.text("fileNamePrefix")?);
        let lifetime = fields.number("validDurationInSeconds")?;
        fields.end()?;
        self.bucket(&bucket_id)?;
        if !lifetime.is_some_and(|seconds| (1..=604_800).contains(&seconds)) {
            return Err(bad("validDurationInSeconds must be in the range 1 to 604800"));
        }
        self.number += 1;
        let token = format!("3_{ACCOUNT}_download+/=_{}", self.number);
        let told = json!({
            "bucketId": bucket_id, "fileNamePrefix": prefix, "authorizationToken": token,
        });
        self.grants.push(Grant { bucket_id, prefix, token });
        Ok(told)
    }

    pub(super) fn download_by_name(
        &self,
        request: &Request,
        bucket: &str,
        name: &str,
    ) -> Result<Reply, Refused> {
        let bucket = self.buckets.iter().find(|known| known.name == bucket);
        let bucket = bucket.ok_or_else(not_found)?;
        let token = request.header("authorization").or(request.parameter("Authorization"));
        let is_granted = |token: &str| {
            let is_it = |grant: &Grant| {
                grant.token == token
                    && grant.bucket_id == bucket.id
                    && name.starts_with(&grant.prefix)
            };
            token == self.token() || self.grants.iter().any(is_it)
        };
        if bucket.kind != "allPublic" && !token.is_some_and(is_granted) {
            return Err(Refused::new(401, "unauthorized", "unauthorized"));
        }
        let is_it = |version: &&Version| version.bucket_id == bucket.id && version.name == name;
        let found = self.versions.iter().rev().find(is_it).ok_or_else(not_found)?;
        Ok(file(found))
    }

    pub(super) fn download_by_id(&self, request: &Request) -> Result<Reply, Refused> {
        let id = request.parameter("fileId").ok_or_else(|| bad("required field fileId"))?;
        let found = self.versions.iter().find(|version| version.id == id).ok_or_else(not_found)?;
        let bucket = self.buckets.iter().find(|bucket| bucket.id == found.bucket_id);
        if bucket.is_none_or(|bucket| bucket.kind != "allPublic") {
            // Of a download authorization this takes no notice.
            self.check_token(request)?;
        }
        Ok(file(found))
    }
}

fn not_found() -> Refused {
    Refused::new(404, "not_found", "file or bucket does not exist")
}

fn file(version: &Version) -> Reply {
    let reply = Reply { body: version.content.clone().into(), ..Reply::empty(200) };
    reply.with("content-type", &version.content_type).with("x-bz-file-id", &version.id)
}
