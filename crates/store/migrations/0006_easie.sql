-- What EASIE providers gave us with which to ask whether an account is still there; of accounts at such connections alone.
CREATE TABLE easie_grants (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES enterprise_accounts (id) ON DELETE CASCADE,
    -- Those of the account, once more: every session token asks by the user.
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    encrypted_refresh_token TEXT,
    state TEXT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    -- Absent: not asked after.
    due_at BIGINT,
    -- Until then one node has it; the number is that node's proof.
    claimed_until BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX easie_grants_user ON easie_grants (user_id);
CREATE INDEX easie_grants_connection ON easie_grants (connection_id);
CREATE INDEX easie_grants_due_at ON easie_grants (due_at) WHERE due_at IS NOT NULL;

-- A trip that asked for consent anew, because the one before it brought no refresh token.
ALTER TABLE oidc_requests ADD COLUMN asks_consent BOOLEAN NOT NULL DEFAULT FALSE;
