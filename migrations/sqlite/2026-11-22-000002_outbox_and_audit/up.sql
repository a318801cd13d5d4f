-- Letters that are owed, by recipient and not by account: asking for one costs
-- the same whether or not an account exists. No letter holds a token.
CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    source TEXT,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,                             -- while claimed: the lease's end
    settled_at INTEGER,
    buried_at INTEGER,
    reason TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (due_at) WHERE settled_at IS NULL AND buried_at IS NULL;
CREATE INDEX outbox_recent ON outbox (recipient, kind, created_at);
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;

-- What is worth remembering about an account's safety.
CREATE TABLE audit_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    user_id BLOB REFERENCES users (id) ON DELETE CASCADE,
    session_id BLOB,
    source TEXT
) STRICT;

CREATE INDEX audit_events_of_user ON audit_events (user_id, number);
CREATE INDEX audit_events_age ON audit_events (at);

-- The development mailbox.
CREATE TABLE mailbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text_part TEXT NOT NULL,
    html_part TEXT NOT NULL,
    sent_at INTEGER NOT NULL
) STRICT;

CREATE INDEX mailbox_recipient ON mailbox (recipient, number);
