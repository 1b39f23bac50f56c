-- Our own key pairs towards the IdP of a connection; of several for a purpose the newest is published.
CREATE TABLE connection_keys (
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    -- Base64 of DER, as metadata has it.
    certificate TEXT NOT NULL,
    encrypted_private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, purpose, created_at)
);

-- People whom an IdP sent without having been asked, until their browser comes back.
CREATE TABLE unsolicited_arrivals (
    finish_sha256 TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    -- Of the cookie that the browser was given with the token.
    cookie_sha256 TEXT NOT NULL,
    profile TEXT NOT NULL,
    redirect_url TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX unsolicited_arrivals_connection ON unsolicited_arrivals (connection_id);
CREATE INDEX unsolicited_arrivals_expires_at ON unsolicited_arrivals (expires_at);
