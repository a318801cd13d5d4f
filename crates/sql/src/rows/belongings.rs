//! What belongs to an account.

use diesel::prelude::*;
use portcullis_domain::object::{ContentType, ObjectName};
use portcullis_domain::purchase::{OriginalTransactionId, ProductId};
use portcullis_domain::push::DeviceToken;
use portcullis_domain::{
    Avatar, Device, Entitlement, IdentityLink, PurchaseState, StoreError, TokenDigest, UserId,
};

use super::digest;
use crate::enums::Words;
use crate::error::corrupt;
use crate::schema::{avatars, devices, entitlements, identity_links};
use crate::types::{At, Id};

#[derive(Insertable)]
#[diesel(table_name = identity_links)]
pub(crate) struct IdentityLinkRow {
    source: &'static str,
    subject: String,
    user_id: Id,
    linked_at: At,
}

impl From<&IdentityLink> for IdentityLinkRow {
    fn from(link: &IdentityLink) -> Self {
        Self {
            source: link.source.word(),
            subject: link.subject.as_str().to_owned(),
            user_id: Id(link.user.as_uuid()),
            linked_at: At(link.linked_at),
        }
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = devices)]
pub(crate) struct DeviceRow {
    digest: Vec<u8>,
    token: String,
    user_id: Id,
    registered_at: At,
}

impl From<&Device> for DeviceRow {
    fn from(device: &Device) -> Self {
        Self {
            digest: device.digest.0.to_vec(),
            token: device.token.expose().to_owned(),
            user_id: Id(device.user.as_uuid()),
            registered_at: At(device.registered_at),
        }
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = StoreError;

    fn try_from(row: DeviceRow) -> Result<Self, StoreError> {
        Ok(Self {
            digest: TokenDigest(digest(row.digest)?),
            token: DeviceToken::parse(&row.token).map_err(|_| corrupt("a device token"))?,
            user: UserId::new(row.user_id.0),
            registered_at: row.registered_at.0,
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = avatars)]
pub(crate) struct AvatarRow {
    user_id: Id,
    object: String,
    content_type: String,
    size: i64,
    set_at: At,
}

impl From<&Avatar> for AvatarRow {
    fn from(avatar: &Avatar) -> Self {
        Self {
            user_id: Id(avatar.user.as_uuid()),
            object: avatar.object.as_str().to_owned(),
            content_type: avatar.content_type.as_str().to_owned(),
            size: i64::try_from(avatar.size).unwrap_or(i64::MAX),
            set_at: At(avatar.set_at),
        }
    }
}

impl TryFrom<AvatarRow> for Avatar {
    type Error = StoreError;

    fn try_from(row: AvatarRow) -> Result<Self, StoreError> {
        let content_type = ContentType::parse(&row.content_type);
        Ok(Self {
            user: UserId::new(row.user_id.0),
            object: ObjectName::parse(&row.object).map_err(|_| corrupt("an object's name"))?,
            content_type: content_type.map_err(|_| corrupt("a content type"))?,
            size: u64::try_from(row.size).map_err(|_| corrupt("a size"))?,
            set_at: row.set_at.0,
        })
    }
}

/// What Apple says anew about a purchase that it told of before.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = entitlements, treat_none_as_null = true)]
pub(crate) struct PurchaseStateRow {
    environment: String,
    purchase: String,
    product: String,
    purchased_at: At,
    expires_at: Option<At>,
    revoked_at: Option<At>,
    signed_at: At,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = entitlements)]
pub(crate) struct EntitlementRow {
    user_id: Id,
    #[diesel(embed)]
    state: PurchaseStateRow,
}

impl From<&PurchaseState> for PurchaseStateRow {
    fn from(state: &PurchaseState) -> Self {
        Self {
            environment: state.environment.word().to_owned(),
            purchase: state.purchase.as_str().to_owned(),
            product: state.product.as_str().to_owned(),
            purchased_at: At(state.purchased_at),
            expires_at: state.expires_at.map(At),
            revoked_at: state.revoked_at.map(At),
            signed_at: At(state.signed_at),
        }
    }
}

impl From<&Entitlement> for EntitlementRow {
    fn from(entitlement: &Entitlement) -> Self {
        Self {
            user_id: Id(entitlement.user.as_uuid()),
            state: PurchaseStateRow::from(&entitlement.state),
        }
    }
}

impl TryFrom<EntitlementRow> for Entitlement {
    type Error = StoreError;

    fn try_from(EntitlementRow { user_id, state }: EntitlementRow) -> Result<Self, StoreError> {
        let purchase = OriginalTransactionId::parse(&state.purchase);
        let product = ProductId::parse(&state.product);
        Ok(Self {
            user: UserId::new(user_id.0),
            state: PurchaseState {
                environment: Words::read(&state.environment)?,
                purchase: purchase.map_err(|_| corrupt("an original transaction's id"))?,
                product: product.map_err(|_| corrupt("a product's id"))?,
                purchased_at: state.purchased_at.0,
                expires_at: state.expires_at.map(|at| at.0),
                revoked_at: state.revoked_at.map(|at| at.0),
                signed_at: state.signed_at.0,
            },
        })
    }
}
