-- Columns are TEXT (ids, JSON, words), BIGINT (Unix milliseconds, counts) and BOOLEAN only: on that subset one text runs on both engines.

CREATE TABLE instance (
    id TEXT NOT NULL PRIMARY KEY,
    -- Always 1, so that two processes that start together make one instance.
    singleton BIGINT NOT NULL UNIQUE CHECK (singleton = 1),
    organization_settings TEXT NOT NULL,
    allowed_origins TEXT NOT NULL,
    support_email TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE secret_keys (
    id TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    encrypted_private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE redirect_urls (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE permissions (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE roles (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE role_permissions (
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission_id TEXT NOT NULL REFERENCES permissions (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, permission_id)
);

CREATE TABLE role_sets (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    kind TEXT NOT NULL,
    default_role_id TEXT NOT NULL REFERENCES roles (id),
    creator_role_id TEXT NOT NULL REFERENCES roles (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX role_sets_one_initial ON role_sets (kind) WHERE kind = 'initial';

CREATE TABLE role_set_roles (
    role_set_id TEXT NOT NULL REFERENCES role_sets (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (role_set_id, role_id)
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    external_id TEXT UNIQUE,
    username TEXT UNIQUE,
    first_name TEXT,
    last_name TEXT,
    locale TEXT,
    primary_email_address_id TEXT,
    public_metadata TEXT NOT NULL,
    private_metadata TEXT NOT NULL,
    unsafe_metadata TEXT NOT NULL,
    banned BOOLEAN NOT NULL,
    locked BOOLEAN NOT NULL,
    deprovisioned BOOLEAN NOT NULL,
    delete_self_enabled BOOLEAN NOT NULL,
    create_organization_enabled BOOLEAN NOT NULL,
    create_organizations_limit BIGINT,
    bypass_client_trust BOOLEAN NOT NULL,
    legal_accepted_at BIGINT,
    last_sign_in_at BIGINT,
    last_active_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX users_created_at ON users (created_at, id);

CREATE TABLE email_addresses (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    verification TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX email_addresses_user ON email_addresses (user_id);
CREATE INDEX email_addresses_address ON email_addresses (address);
CREATE UNIQUE INDEX email_addresses_one_owner ON email_addresses (address) WHERE verification <> 'unverified';

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    created_by TEXT,
    max_allowed_memberships BIGINT NOT NULL,
    admin_delete_enabled BOOLEAN NOT NULL,
    self_serve_sso_enabled BOOLEAN NOT NULL,
    public_metadata TEXT NOT NULL,
    private_metadata TEXT NOT NULL,
    role_set_id TEXT NOT NULL REFERENCES role_sets (id),
    members_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX organizations_created_at ON organizations (created_at, id);
CREATE INDEX organizations_name ON organizations (name, id);
CREATE INDEX organizations_members_count ON organizations (members_count, id);
CREATE INDEX organizations_role_set ON organizations (role_set_id);

CREATE TABLE organization_memberships (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id),
    public_metadata TEXT NOT NULL,
    private_metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, user_id)
);
CREATE INDEX organization_memberships_user ON organization_memberships (user_id, created_at);
CREATE INDEX organization_memberships_created_at ON organization_memberships (organization_id, created_at, id);
CREATE INDEX organization_memberships_role ON organization_memberships (organization_id, role_id);

CREATE TABLE enterprise_connections (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL,
    sync_user_attributes BOOLEAN NOT NULL,
    disable_additional_identifications BOOLEAN NOT NULL,
    allow_organization_account_linking BOOLEAN NOT NULL,
    authenticatable BOOLEAN NOT NULL,
    disable_jit_provisioning BOOLEAN NOT NULL,
    custom_attributes TEXT NOT NULL,
    -- JSON, in their order; enterprise_connection_domains holds them once more, to look a connection up by.
    domains TEXT NOT NULL,
    saml_connection_id TEXT NOT NULL UNIQUE,
    saml TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX enterprise_connections_organization ON enterprise_connections (organization_id);
CREATE INDEX enterprise_connections_created_at ON enterprise_connections (created_at, id);

CREATE TABLE enterprise_connection_domains (
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    domain TEXT NOT NULL,
    PRIMARY KEY (connection_id, domain)
);
CREATE INDEX enterprise_connection_domains_domain ON enterprise_connection_domains (domain);

CREATE TABLE enterprise_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    email_address TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    public_metadata TEXT NOT NULL,
    last_authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (connection_id, subject)
);
CREATE INDEX enterprise_accounts_user ON enterprise_accounts (user_id);

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    token_sha256 TEXT NOT NULL,
    last_active_session_id TEXT,
    sign_in_id TEXT,
    sign_up_id TEXT,
    last_authentication_strategy TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- Browsers nobody ever signed in with: strangers make them, so they are removed after a while.
CREATE INDEX clients_never_signed_in ON clients (updated_at) WHERE last_authentication_strategy IS NULL;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    last_active_organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL,
    last_active_at BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    expire_at BIGINT NOT NULL,
    abandon_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sessions_client ON sessions (client_id);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_organization ON sessions (last_active_organization_id);
CREATE INDEX sessions_created_at ON sessions (created_at, id);

CREATE TABLE sign_ins (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    identifier TEXT,
    verification TEXT,
    created_session_id TEXT,
    abandon_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_abandon_at ON sign_ins (abandon_at);
CREATE INDEX sign_ins_client ON sign_ins (client_id);

CREATE TABLE sign_ups (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    email_address TEXT,
    first_name TEXT,
    last_name TEXT,
    unsafe_metadata TEXT NOT NULL,
    verification TEXT,
    created_session_id TEXT,
    created_user_id TEXT,
    abandon_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sign_ups_abandon_at ON sign_ups (abandon_at);
CREATE INDEX sign_ups_client ON sign_ups (client_id);

CREATE TABLE saml_requests (
    relay_state_sha256 TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    attempt TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_url TEXT NOT NULL,
    action_complete_redirect_url TEXT NOT NULL,
    base_url TEXT NOT NULL,
    outcome TEXT,
    finish_sha256 TEXT UNIQUE,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX saml_requests_connection ON saml_requests (connection_id);
CREATE INDEX saml_requests_client ON saml_requests (client_id);
CREATE INDEX saml_requests_expires_at ON saml_requests (expires_at);

-- Replay memory (SML-11): an assertion is accepted once per connection, on whichever node it arrives.
CREATE TABLE saml_assertions (
    connection_id TEXT NOT NULL REFERENCES enterprise_connections (id) ON DELETE CASCADE,
    assertion_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, assertion_id)
);
CREATE INDEX saml_assertions_expires_at ON saml_assertions (expires_at);
