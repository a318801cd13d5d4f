-- Background jobs, which stay until they are done or given up, and a day longer:
-- until then nobody can queue another under the same key.
CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,                               -- what is left to be done
    key TEXT UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,                         -- while claimed: the lease's end
    settled_at TIMESTAMPTZ,
    buried_at TIMESTAMPTZ,
    reason TEXT
);

CREATE INDEX jobs_due ON jobs (due_at) WHERE settled_at IS NULL AND buried_at IS NULL;
CREATE INDEX jobs_settled ON jobs (settled_at) WHERE settled_at IS NOT NULL;
