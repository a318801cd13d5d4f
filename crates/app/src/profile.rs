//! A user's own profile.

use portcullis_domain::{FullName, PersonName, User, UserId};

use crate::{AccessDenied, App};

impl App {
    /// Gives the user another name; a name that they have already changes nothing.
    ///
    /// # Errors
    /// [`AccessDenied::UserNotFound`] if they were removed meanwhile, or a failure.
    pub async fn rename(&self, id: UserId, name: FullName) -> Result<User, AccessDenied> {
        let mut unit = self.ports.store.begin().await?;
        let mut user = unit.users().by_id(id).await?.ok_or(AccessDenied::UserNotFound)?;
        if *user.name.full() == name {
            return Ok(user);
        }
        let now = self.now();
        user.name = PersonName::whole(name);
        user.updated_at = Some(now);
        unit.users().rename(id, &user.name, now).await?;
        unit.commit().await?;
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, password};

    #[tokio::test]
    async fn only_a_change_counts_as_an_update() {
        let stage = Stage::new();
        let id = stage.verified("ann@example.com").await;
        let same = stage.app.rename(id, FullName::parse("Ann Lee").unwrap()).await.unwrap();
        assert_eq!(same.updated_at, None);
        let other = stage.app.rename(id, FullName::parse("Ann Kay").unwrap()).await.unwrap();
        assert_eq!(other.updated_at, Some(stage.app.now()));
        let tokens = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let caller = stage.authenticate(&tokens).await.unwrap();
        assert_eq!(caller.user.name.last(), "Kay");
    }

    #[tokio::test]
    async fn a_new_whole_name_replaces_the_parts_too() {
        let stage = Stage::new();
        let tokens = stage.sign_up("johndoe", "john@example.com").await.unwrap();
        let id = stage.authenticate(&tokens).await.unwrap().user.id;
        stage.app.rename(id, FullName::parse("Johnny B Goode").unwrap()).await.unwrap();
        let caller = stage.authenticate(&tokens).await.unwrap();
        let name = &caller.user.name;
        assert_eq!((name.first(), name.last()), ("Johnny", "B Goode"));
    }
}
