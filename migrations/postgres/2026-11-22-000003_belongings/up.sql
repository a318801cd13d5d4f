-- Who somebody is at an identity provider, once they logged in that way.
CREATE TABLE identity_links (
    source TEXT NOT NULL CHECK (source IN ('firebase')),
    subject TEXT NOT NULL,                               -- the provider's id of them
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    linked_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, subject)
);

CREATE INDEX identity_links_of_user ON identity_links (user_id);

-- Where notifications appear, by SHA-256 of the token, which is too long for an
-- index. A device has one owner: who registered it last.
CREATE TABLE devices (
    digest BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(digest) = 32),
    token TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    registered_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX devices_of_user ON devices (user_id, registered_at);

-- Pictures, one each; the picture itself lies in the object store.
CREATE TABLE avatars (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    object TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    set_at TIMESTAMPTZ NOT NULL
);

-- What was bought in Apple's App Store, one row for each purchase, renewed in
-- place: as Apple told it last.
CREATE TABLE entitlements (
    environment TEXT NOT NULL CHECK (environment IN ('Sandbox', 'Production')),
    purchase TEXT NOT NULL,                              -- the original transaction's id
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    product TEXT NOT NULL,
    purchased_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    signed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (environment, purchase)
);

CREATE INDEX entitlements_of_user ON entitlements (user_id);
