//! Pictures of account owners.

use std::time::Duration;

use portcullis_domain::object::{ObjectAttributes, ObjectName, SignedUrl};
use portcullis_domain::ports::{ObjectError, Place, PortraitError};
use portcullis_domain::{Avatar, Timestamp, UserId};

use crate::failure::failures_become;
use crate::{App, Failure, NotOffered, Pictures};

/// How long a picture's URL is good: long enough for a page that stays open,
/// too short to be passed on for ever.
pub const AVATAR_URL_TTL: Duration = Duration::from_hours(1);

/// A picture and where it can be fetched.
#[derive(Debug)]
pub struct ShownAvatar {
    /// The picture.
    pub avatar: Avatar,
    /// Where anybody finds it until then.
    pub url: SignedUrl,
    /// When the URL stops working.
    pub expires_at: Timestamp,
    /// Why the picture that it replaced is still in the store, if it is. Nobody
    /// finds it any more.
    pub left_behind: Option<ObjectError>,
}

/// Why there is no picture, or not the one that was sent.
#[derive(Debug, thiserror::Error)]
pub enum AvatarRefused {
    /// No pictures are kept here.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// The user has none.
    #[error("there is no picture")]
    Absent,
    /// What was sent is not kept.
    #[error(transparent)]
    NotAPortrait(PortraitError),
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(AvatarRefused);

impl From<PortraitError> for AvatarRefused {
    fn from(error: PortraitError) -> Self {
        match error {
            PortraitError::Overloaded => Self::Failure(Failure::Overloaded(error.into())),
            PortraitError::Failed(_) => Self::Failure(Failure::Internal(error.into())),
            error => Self::NotAPortrait(error),
        }
    }
}

impl From<ObjectError> for AvatarRefused {
    fn from(error: ObjectError) -> Self {
        Self::Failure(match error {
            ObjectError::BucketNotFound(_)
            | ObjectError::Denied(_)
            | ObjectError::RateLimited { .. }
            | ObjectError::Unavailable(_)
            | ObjectError::UnexpectedAnswer(_) => Failure::Unavailable(error.into()),
            ObjectError::NotFound { .. }
            | ObjectError::Refused(_)
            | ObjectError::TooLarge { .. }
            | ObjectError::Lifetime
            | ObjectError::Content(_) => Failure::Internal(error.into()),
        })
    }
}

impl App {
    /// Takes a place for a picture that is about to be received.
    ///
    /// # Errors
    /// [`AvatarRefused`]: there are no pictures here, or too many at once.
    pub fn admit_avatar(&self) -> Result<Place, AvatarRefused> {
        Ok(self.pictures()?.portraits.admit()?)
    }

    /// Replaces a user's picture.
    ///
    /// The new one is stored before it counts and the old one is removed after,
    /// so that a picture that counts is always there. A crash in between leaves
    /// an object that nothing names.
    ///
    /// # Errors
    /// [`AvatarRefused`]; then the user has the picture that they had, unless only
    /// the answer was lost that this one counts.
    pub async fn set_avatar(
        &self,
        user: UserId,
        place: Place,
        content: Vec<u8>,
    ) -> Result<ShownAvatar, AvatarRefused> {
        let pictures = self.pictures()?;
        let portrait = pictures.portraits.make(place, content).await?;
        let name = format!("avatars/{}.{}", self.ports.ids.object().simple(), portrait.extension);
        let object = ObjectName::parse(&name).map_err(|error| Failure::Internal(error.into()))?;
        let attributes = ObjectAttributes::from(portrait.content_type.clone());
        let avatar = Avatar {
            user,
            object: object.clone(),
            content_type: portrait.content_type,
            size: portrait.content.len() as u64,
            set_at: self.now(),
        };
        if let Err(error) = pictures.objects.put(&object, portrait.content, attributes).await {
            // It may be there although we were told otherwise.
            drop(pictures.objects.delete(&object).await);
            return Err(error.into());
        }
        let replaced = match self.ports.avatars.replace(avatar.clone()).await {
            Ok(replaced) => replaced,
            Err(error) => {
                // It may count all the same if only the answer was lost; then it stays.
                let counts = self.ports.avatars.of_user(user).await;
                if counts.is_ok_and(|counts| counts.is_none_or(|other| other.object != object)) {
                    drop(pictures.objects.delete(&object).await);
                }
                return Err(error.into());
            }
        };
        let left_behind = match replaced {
            Some(old) => pictures.objects.delete(&old.object).await.err(),
            None => None,
        };
        let shown = self.show(pictures, avatar).await?;
        Ok(ShownAvatar { left_behind, ..shown })
    }

    /// Takes a user's picture away. That there was none is no mistake.
    ///
    /// It leaves the object store first: as long as it is there, it is known
    /// whose it is, and asking again removes it.
    ///
    /// # Errors
    /// [`AvatarRefused`]; then asking again is safe.
    pub async fn remove_avatar(&self, user: UserId) -> Result<(), AvatarRefused> {
        let pictures = self.pictures()?;
        let Some(avatar) = self.ports.avatars.of_user(user).await? else { return Ok(()) };
        pictures.objects.delete(&avatar.object).await?;
        let removed = self.ports.avatars.remove(user).await?;
        // Replaced in between by another one.
        if let Some(other) = removed.filter(|removed| removed.object != avatar.object) {
            pictures.objects.delete(&other.object).await?;
        }
        Ok(())
    }

    /// A user's picture, and where it can be fetched for a while.
    ///
    /// # Errors
    /// [`AvatarRefused::Absent`] when there is none.
    pub async fn avatar(&self, user: UserId) -> Result<ShownAvatar, AvatarRefused> {
        let pictures = self.pictures()?;
        let avatar = self.ports.avatars.of_user(user).await?.ok_or(AvatarRefused::Absent)?;
        self.show(pictures, avatar).await
    }

    fn pictures(&self) -> Result<&Pictures, NotOffered> {
        self.ports.services.pictures.as_ref().ok_or(NotOffered)
    }

    async fn show(
        &self,
        pictures: &Pictures,
        avatar: Avatar,
    ) -> Result<ShownAvatar, AvatarRefused> {
        let url = pictures.objects.sign_download(&avatar.object, AVATAR_URL_TTL).await?;
        let expires_at = self.now() + AVATAR_URL_TTL;
        Ok(ShownAvatar { avatar, url, expires_at, left_behind: None })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portcullis_domain::StoreError;
    use portcullis_domain::object::{ContentType, Listing, NamePrefix};
    use portcullis_domain::ports::{
        MockAvatarStore, MockObjectStore, MockPortraits, ObjectStore, Portrait,
    };
    use portcullis_memory::MemoryObjects;

    use super::*;
    use crate::stage::Stage;

    /// A stage that keeps pictures; whatever is sent is one, but `broken`.
    fn stage() -> (Stage, MemoryObjects) {
        let mut stage = Stage::new();
        let objects = MemoryObjects::new(stage.clock.clone());
        let mut portraits = MockPortraits::new();
        portraits.expect_admit().returning(|| Ok(Place::new(())));
        portraits.expect_make().returning(|_, content| {
            if content == b"broken" {
                return Err(PortraitError::Unsupported);
            }
            let content_type = ContentType::parse("image/png").unwrap();
            Ok(Portrait { content, content_type, extension: "png" })
        });
        stage.app.ports.services.pictures = Some(Pictures {
            objects: Arc::new(objects.clone()),
            portraits: Arc::new(portraits),
            downloads: None,
        });
        (stage, objects)
    }

    async fn set(stage: &Stage, user: UserId, content: &str) -> Result<ShownAvatar, AvatarRefused> {
        let place = stage.app.admit_avatar()?;
        stage.app.set_avatar(user, place, content.as_bytes().to_vec()).await
    }

    async fn kept(objects: &MemoryObjects) -> usize {
        objects.list(Listing::all(NamePrefix::default())).await.unwrap().objects.len()
    }

    #[tokio::test]
    async fn a_new_picture_takes_the_place_of_the_old_one_in_the_store_too() {
        let (stage, objects) = stage();
        let ann = stage.verified("ann@example.com").await;
        let first = set(&stage, ann, "one").await.unwrap();
        let second = set(&stage, ann, "two").await.unwrap();
        assert_ne!(first.avatar.object, second.avatar.object);
        assert_eq!(kept(&objects).await, 1);
        let shown = stage.app.avatar(ann).await.unwrap();
        assert_eq!(shown.avatar, second.avatar);
        assert_eq!(shown.expires_at, stage.app.now() + AVATAR_URL_TTL);
        stage.app.remove_avatar(ann).await.unwrap();
        stage.app.remove_avatar(ann).await.unwrap();
        assert_eq!(kept(&objects).await, 0);
        assert!(matches!(stage.app.avatar(ann).await, Err(AvatarRefused::Absent)));
    }

    #[tokio::test]
    async fn what_is_no_picture_changes_nothing() {
        let (stage, objects) = stage();
        let ann = stage.verified("ann@example.com").await;
        let first = set(&stage, ann, "one").await.unwrap();
        let refused = set(&stage, ann, "broken").await;
        assert!(matches!(refused, Err(AvatarRefused::NotAPortrait(PortraitError::Unsupported))));
        assert_eq!(stage.app.avatar(ann).await.unwrap().avatar, first.avatar);
        assert_eq!(kept(&objects).await, 1);
    }

    #[tokio::test]
    async fn a_picture_that_does_not_count_is_not_left_in_the_store() {
        let (mut stage, objects) = stage();
        let ann = stage.verified("ann@example.com").await;
        let mut avatars = MockAvatarStore::new();
        avatars
            .expect_replace()
            .returning(|_| Err(StoreError::Unavailable("the connection was cut".into())));
        avatars.expect_of_user().returning(|_| Ok(None));
        stage.app.ports.avatars = Arc::new(avatars);
        let refused = set(&stage, ann, "one").await;
        assert!(matches!(refused, Err(AvatarRefused::Failure(Failure::Unavailable(_)))));
        assert_eq!(kept(&objects).await, 0);
    }

    #[tokio::test]
    async fn a_picture_that_may_count_is_left_in_the_store() {
        let (mut stage, objects) = stage();
        let ann = stage.verified("ann@example.com").await;
        let mut avatars = MockAvatarStore::new();
        let away = || StoreError::Unavailable("the connection was cut".into());
        avatars.expect_replace().returning(move |_| Err(away()));
        avatars.expect_of_user().returning(move |_| Err(away()));
        stage.app.ports.avatars = Arc::new(avatars);
        assert!(set(&stage, ann, "one").await.is_err());
        assert_eq!(kept(&objects).await, 1);
    }

    #[tokio::test]
    async fn without_a_store_nothing_is_offered() {
        let stage = Stage::new();
        let ann = stage.verified("ann@example.com").await;
        let refused = set(&stage, ann, "one").await;
        assert!(matches!(refused, Err(AvatarRefused::NotOffered(_))));
    }

    /// A store that takes pictures and keeps them for good.
    fn clinging() -> MockObjectStore {
        let mut objects = MockObjectStore::new();
        objects.expect_delete().returning(|_| Err(ObjectError::Unavailable("no route".into())));
        objects
    }

    #[tokio::test]
    async fn a_picture_that_cannot_be_deleted_is_not_forgotten() {
        let (mut stage, objects) = stage();
        let ann = stage.verified("ann@example.com").await;
        set(&stage, ann, "one").await.unwrap();
        let pictures = stage.app.ports.services.pictures.as_mut().unwrap();
        pictures.objects = Arc::new(clinging());
        let refused = stage.app.remove_avatar(ann).await;
        assert!(matches!(refused, Err(AvatarRefused::Failure(Failure::Unavailable(_)))));
        let pictures = stage.app.ports.services.pictures.as_mut().unwrap();
        pictures.objects = Arc::new(objects.clone());
        assert_eq!(kept(&objects).await, 1);
        stage.app.remove_avatar(ann).await.unwrap();
        assert_eq!(kept(&objects).await, 0);
    }

    #[tokio::test]
    async fn an_upload_whose_answer_was_lost_is_taken_back() {
        let (mut stage, _) = stage();
        let ann = stage.verified("ann@example.com").await;
        let mut objects = MockObjectStore::new();
        objects.expect_put().returning(|_, _, _| Err(ObjectError::Unavailable("cut".into())));
        objects.expect_delete().times(1).returning(|_| Ok(()));
        let pictures = stage.app.ports.services.pictures.as_mut().unwrap();
        pictures.objects = Arc::new(objects);
        assert!(set(&stage, ann, "one").await.is_err());
        assert!(stage.app.ports.avatars.of_user(ann).await.unwrap().is_none());
    }
}
