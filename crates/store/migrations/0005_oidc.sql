-- The OpenID Connect half of a connection; of those that speak it alone.
ALTER TABLE enterprise_connections ADD COLUMN oidc TEXT;

-- Trips to OpenID Connect providers. A row is taken out when the browser comes back, so that a state counts once.
CREATE TABLE oidc_requests (
    state_sha256 TEXT NOT NULL PRIMARY KEY,
    nonce TEXT NOT NULL,
    encrypted_code_verifier TEXT,
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    trust_sha256 TEXT NOT NULL,
    attempt TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_url TEXT NOT NULL,
    action_complete_redirect_url TEXT NOT NULL,
    base_url TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX oidc_requests_connection ON oidc_requests (connection_id);
CREATE INDEX oidc_requests_client ON oidc_requests (client_id);
CREATE INDEX oidc_requests_expires_at ON oidc_requests (expires_at);
