-- Who somebody is at an identity provider, once they logged in that way.
CREATE TABLE identity_links (
    source TEXT NOT NULL CHECK (source IN ('firebase')),
    subject TEXT NOT NULL,                               -- the provider's id of them
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (source, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_links_of_user ON identity_links (user_id);

-- Where notifications appear, by SHA-256 of the token. A device has one owner:
-- who registered it last.
CREATE TABLE devices (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    token TEXT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    registered_at INTEGER NOT NULL
) STRICT;

CREATE INDEX devices_of_user ON devices (user_id, registered_at);

-- Pictures, one each; the picture itself lies in the object store.
CREATE TABLE avatars (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    object TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    set_at INTEGER NOT NULL
) STRICT;

-- What was bought in Apple's App Store, one row for each purchase, renewed in
-- place: as Apple told it last.
CREATE TABLE entitlements (
    environment TEXT NOT NULL CHECK (environment IN ('Sandbox', 'Production')),
    purchase TEXT NOT NULL,                              -- the original transaction's id
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    product TEXT NOT NULL,
    purchased_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    signed_at INTEGER NOT NULL,
    PRIMARY KEY (environment, purchase)
) STRICT, WITHOUT ROWID;

CREATE INDEX entitlements_of_user ON entitlements (user_id);
