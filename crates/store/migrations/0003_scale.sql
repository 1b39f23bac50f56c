-- No operation looks at every row where an index or a kept number can answer.

-- How many rows a table has, in parts that are added up. A row for each table alone would have all who write wait for each other.
CREATE TABLE totals (
    counted TEXT NOT NULL,
    part TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (counted, part)
);
INSERT INTO totals (counted, part, amount)
    SELECT 'organizations', '', COUNT(*) FROM organizations
    UNION ALL SELECT 'users', '', COUNT(*) FROM users
    UNION ALL SELECT 'organization_memberships', '', COUNT(*) FROM organization_memberships
    UNION ALL SELECT 'enterprise_connections', '', COUNT(*) FROM enterprise_connections;

-- The list of the memberships of all organizations, newest first.
CREATE INDEX organization_memberships_all_created_at ON organization_memberships (created_at, id);

-- The orders of the list of users that a sign-in does not change.
CREATE INDEX users_by_first_name ON users ((COALESCE(first_name, '')), id);
CREATE INDEX users_by_last_name ON users ((COALESCE(last_name, '')), id);
CREATE INDEX users_by_username ON users ((COALESCE(username, '')), id);

-- The connections that are on, or off, newest first.
CREATE INDEX enterprise_connections_active ON enterprise_connections (active, created_at, id);
