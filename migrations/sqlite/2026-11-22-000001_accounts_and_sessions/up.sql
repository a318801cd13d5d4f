-- Times are integer microseconds since the Unix epoch, UTC; ids are 16-byte UUIDs.

-- Accounts: one each, whichever contract it is used through.
CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,            -- contract B's id
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),     -- contract A's id
    email TEXT NOT NULL UNIQUE,                          -- canonical, from the domain
    email_verified_at INTEGER,
    username TEXT,                                       -- as its owner spells it
    username_canonical TEXT UNIQUE,                      -- in ASCII lower case
    name TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    password_hash TEXT NOT NULL,
    password_changed_at INTEGER NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    last_login_at INTEGER,
    CHECK ((username IS NULL) = (username_canonical IS NULL))
) STRICT;

-- One account per address also for whoever writes past the program. Canonical
-- addresses are ASCII, so this folds nothing that the domain does not.
CREATE UNIQUE INDEX users_email_in_any_case ON users (lower(email));

-- Accounts that may have to make room for the mailbox's owner.
CREATE INDEX users_unverified ON users (created_at)
    WHERE email_verified_at IS NULL AND username IS NULL;

-- Logins, one row each. Refresh tokens are held against the counter and the
-- seed's digest; nothing that could be presented is stored.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    contract TEXT NOT NULL CHECK (contract IN ('json', 'form')),
    rotates INTEGER NOT NULL CHECK (rotates IN (0, 1)),
    seed_digest BLOB NOT NULL CHECK (length(seed_digest) = 32),
    counter INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    source TEXT NOT NULL,
    user_agent TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- E-mail verification and password reset, by SHA-256 of the token.
CREATE TABLE one_time_tokens (
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    purpose TEXT NOT NULL CHECK (purpose IN ('email_verification', 'password_reset')),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (digest, purpose)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_tokens_of_user ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- Consecutive login failures by keyed digest of the identifier: from one
-- network, and from all of them under the empty one. They do not refer to
-- accounts, since identifiers that do not exist are counted just the same.
CREATE TABLE login_failures (
    identifier BLOB NOT NULL CHECK (length(identifier) = 32),
    network TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER,
    PRIMARY KEY (identifier, network)
) STRICT, WITHOUT ROWID;

CREATE INDEX login_failures_age ON login_failures (last_at);

-- A user's sessions that did not end, oldest first: each login counts the live
-- ones among them.
CREATE INDEX sessions_unended ON sessions (user_id, opened_at) WHERE ended_at IS NULL;
