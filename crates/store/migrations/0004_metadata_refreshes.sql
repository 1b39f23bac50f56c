-- Where the refreshing of a connection's IdP metadata stands.
CREATE TABLE metadata_refreshes (
    connection_id TEXT NOT NULL PRIMARY KEY REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    -- Absent: not on the schedule.
    due_at BIGINT,
    -- Until then one node has it; the number is that node's proof.
    claimed_until BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    succeeded_at BIGINT,
    last TEXT,
    changes TEXT NOT NULL
);
CREATE INDEX metadata_refreshes_due_at ON metadata_refreshes (due_at) WHERE due_at IS NOT NULL;
