-- Our own key pairs towards the IdP of a connection.

CREATE TABLE connection_keys (
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    -- Base64 of DER, as metadata has it.
    certificate TEXT NOT NULL,
    encrypted_private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, purpose)
);
