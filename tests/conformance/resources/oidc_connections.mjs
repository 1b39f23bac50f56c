// Enterprise connections that speak OpenID Connect.
import { check, equal, matches, recent, refused, section, test } from "../lib/harness.mjs";
import { CERTIFICATE } from "../lib/certificates.mjs";
import { domain, ids, newOrganization, unique, unknown } from "../lib/fixtures.mjs";
import { answering, idpMetadata, serving } from "../lib/metadata.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("oidc_connections");

const KINDS = ["oidc_custom", "oidc_github_enterprise", "oidc_gitlab"];
const WITH_DISCOVERY = ["oidc_custom", "oidc_gitlab"];
const WELL_KNOWN = "/.well-known/openid-configuration";
const INVALID_TYPE = "400 enterprise_connection_invalid_type";
const INCOMPLETE = "422 saml_connection_cant_be_activated";
const RETRIEVAL = "422 custom_oauth_provider_discovery_server_retrieval_error";
const MISMATCH = "422 custom_oauth_provider_discovery_issuer_mismatch";

const connections = () => server.clerk.enterpriseConnections;
const create = (params = {}) => connections().createEnterpriseConnection({ name: unique("SSO "), provider: "oidc_custom", domains: [domain()], ...params });
const update = (connection, params) => connections().updateEnterpriseConnection(connection.id, params);
const remove = (connection) => connections().deleteEnterpriseConnection(connection.id);
const read = (connection) => rawOk("GET", `/enterprise_connections/${connection.id}`);
const createRaw = (body) => raw("POST", "/enterprise_connections", { body: { name: unique("SSO "), provider: "oidc_custom", domains: [domain()], ...body } });
const patchRaw = (connection, body) => raw("PATCH", `/enterprise_connections/${connection.id}`, { body });
const byHand = () => ({
  clientId: unique("client"),
  clientSecret: unique("hidden"),
  authUrl: "https://op.example.test/authorize",
  tokenUrl: "https://op.example.test/token",
  userInfoUrl: "https://op.example.test/userinfo",
});

/** The configuration document of a provider. */
const document = (issuer, change = {}) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/userinfo`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  ...change,
});

/** Runs `use(issuer, hits)` while a provider publishes its document, changed by `change`. */
const publishing = (use, change = {}) =>
  serving((request, response) => answering(JSON.stringify(document(`http://${request.headers.host}`, change)), { type: "application/json" })(request, response), use);

// --- issuer and keys by hand, and where a secret may go

test("CON-10 issuer and keys by hand come together, and stand for userinfo", async () => {
  const { userInfoUrl, ...rest } = byHand();
  const verifying = { issuer: "https://op.example.test", jwksUrl: "https://op.example.test/keys" };
  const connection = await create({ active: true, oidc: { ...rest, ...verifying } });
  const { oauth_config: oauth } = last().json;
  equal([connection.active, oauth.issuer, oauth.jwks_url, oauth.user_info_url], [true, verifying.issuer, verifying.jwksUrl, null], "made");
  for (const [given, missing] of [[{ issuer: verifying.issuer }, "oidc.jwks_url"], [{ jwksUrl: verifying.jwksUrl }, "oidc.issuer"]]) {
    await refused(() => create({ oidc: { ...rest, ...given } }), "422 form_param_missing", { param: missing });
  }
  await refused(() => create({ oidc: { ...rest, ...verifying, issuer: "op.example.test" } }), "422 form_param_value_invalid", { param: "oidc.issuer" });
  await update(connection, { oidc: { issuer: "", jwksUrl: "", userInfoUrl } });
  equal([last().json.active, last().json.oauth_config.issuer], [true, null], "by userinfo");
});

test("OID-8 a stored secret follows no connection to another provider", async () => {
  const connection = await create({ oidc: byHand() });
  const tokenUrl = "https://other.example.test/token";
  await refused(() => update(connection, { oidc: { tokenUrl } }), "422 form_param_missing", { param: "oidc.client_secret" });
  equal((await read(connection)).oauth_config.token_url, byHand().tokenUrl, "token_url");
  await update(connection, { oidc: { tokenUrl: `${byHand().tokenUrl}2` } });
  const moved = await update(connection, { oidc: { tokenUrl, clientSecret: unique("hidden") } });
  equal(moved.oauthConfig.tokenUrl, tokenUrl, "moved");
});

// --- create, read, update, activate, delete

for (const provider of KINDS) {
  test(`CON-6 ${provider}: created inactive, with its defaults`, async () => {
    const name = unique("SSO ");
    const connection = await create({ provider, name });
    const { status, json } = last();
    equal(status, 201, "status");
    matches(connection.id, /^entconn_[0-9A-Za-z]{27}$/, "id");
    equal([json.provider, json.active, json.saml_connection ?? null], [provider, false, null], "connection");
    const oauth = json.oauth_config;
    matches(oauth.id, /^oac_[0-9A-Za-z]{27}$/, "id of the half");
    matches(oauth.provider_key, { oidc_custom: /^oidc_custom$/, oidc_github_enterprise: /^oidc_ghe_/, oidc_gitlab: /^oidc_gitlab_ent_/ }[provider], "provider_key");
    equal([oauth.name, oauth.requires_pkce, oauth.logo_public_url], [name, false, null], "half");
    equal([oauth.client_id, oauth.discovery_url, oauth.auth_url, oauth.token_url, oauth.user_info_url, oauth.issuer, oauth.jwks_url], [null, null, null, null, null, null, null], "provider");
    recent(oauth.created_at, "created_at");
  });

  test(`CON-10 ${provider}: endpoints by hand, activated, changed, deactivated and deleted`, async () => {
    const organization = await newOrganization();
    const oidc = byHand();
    const connection = await create({ provider, oidc, organizationId: organization.id });
    const shown = connection.oauthConfig;
    equal([shown.clientId, shown.authUrl, shown.tokenUrl, shown.userInfoUrl, shown.discoveryUrl], [oidc.clientId, oidc.authUrl, oidc.tokenUrl, oidc.userInfoUrl, null], "as the SDK shows it");
    equal((await update(connection, { active: true })).active, true, "activated");
    equal(ids((await connections().getEnterpriseConnectionList({ organizationId: organization.id, active: true })).data), [connection.id], "listed");
    const changed = await update(connection, { name: "Renamed", oidc: { authUrl: "https://op.example.test/other", requiresPkce: true } });
    equal([changed.name, changed.oauthConfig.authUrl, changed.oauthConfig.tokenUrl, changed.oauthConfig.requiresPkce], ["Renamed", "https://op.example.test/other", oidc.tokenUrl, true], "changed");
    equal((await connections().getEnterpriseConnection(connection.id)).oauthConfig.requiresPkce, true, "read");
    equal((await update(connection, { active: false })).active, false, "deactivated");
    await remove(connection);
    equal(last().json, { object: "enterprise_connection", id: connection.id, deleted: true }, "answer");
    await refused(() => connections().getEnterpriseConnection(connection.id), "404 resource_not_found");
  });

  test(`CON-9 ${provider}: an unfinished connection cannot be activated`, async () => {
    await refused(() => create({ provider, active: true }), INCOMPLETE);
    const whole = byHand();
    const connection = await create({ provider, oidc: whole, active: true });
    for (const [field, name] of [["clientId", "client_id"], ["authUrl", "auth_url"], ["tokenUrl", "token_url"], ["userInfoUrl", "user_info_url"]]) {
      const { [field]: _, ...rest } = whole;
      const error = await refused(() => create({ provider, active: true, oidc: rest }), INCOMPLETE);
      check(error.long_message.includes(name), `${name} must be named: ${error.long_message}`);
      await refused(() => patchRaw(connection, { oidc: { [name]: "" } }), INCOMPLETE);
    }
    equal((await read(connection)).active, true, "still active");
  });
}

test("OID-1 the address to register at the provider", async () => {
  const { id, oauth_config: oauth } = (await createRaw({})).json;
  equal(new URL(oauth.redirect_uri).pathname, `/v1/oauth_callback/${id}`, "redirect_uri");
  const { saml_connection: saml } = (await createRaw({ provider: "saml_custom" })).json;
  equal(new URL(oauth.redirect_uri).origin, new URL(saml.acs_url).origin, "origin");
});

test("OID-8 the secret is in no answer", async () => {
  const oidc = byHand();
  const connection = await create({ oidc });
  const texts = [last().text];
  await update(connection, { oidc: { clientSecret: `${oidc.clientSecret}2` } });
  texts.push(last().text);
  await read(connection);
  texts.push(last().text);
  await connections().getEnterpriseConnectionList();
  texts.push(last().text);
  check(texts.every((text) => text.length > 0 && !text.includes(oidc.clientSecret)), "an answer holds the secret");
  equal((await read(connection)).oauth_config.has_client_secret, true, "has_client_secret");
});

test("OID-7 a public client needs PKCE", async () => {
  const { clientSecret, ...rest } = byHand();
  const error = "422 form_public_client_requires_pkce";
  await refused(() => create({ oidc: rest }), error);
  const connection = await create({ oidc: { ...rest, requiresPkce: true }, active: true });
  await refused(() => update(connection, { oidc: { requiresPkce: false } }), error);
  await update(connection, { oidc: { requiresPkce: false, clientSecret } });
  await refused(() => update(connection, { oidc: { clientSecret: "" } }), error);
  equal((await read(connection)).oauth_config.requires_pkce, false, "requires_pkce");
});

// --- discovery

for (const provider of WITH_DISCOVERY) {
  test(`OID-2 ${provider}: the document under the discovery URL names the endpoints`, async () => {
    await publishing(async (issuer, hits) => {
      const { clientId, clientSecret } = byHand();
      const connection = await create({ provider, active: true, oidc: { clientId, clientSecret, discoveryUrl: issuer + WELL_KNOWN } });
      const shown = connection.oauthConfig;
      equal([shown.discoveryUrl, shown.authUrl, shown.tokenUrl, shown.userInfoUrl], [issuer + WELL_KNOWN, `${issuer}/authorize`, `${issuer}/token`, `${issuer}/userinfo`], "endpoints");
      await update(connection, { active: false });
      await update(connection, { active: true, oidc: { clientId: "other" } });
      equal(hits.count, 1, "requests to the provider");
      await refused(() => update(connection, { oidc: { tokenUrl: "https://other.example.test/token" } }), "422 form_param_value_conflict", { param: "oidc.token_url" });
      equal((await read(connection)).oauth_config.token_url, `${issuer}/token`, "token_url");
    });
  });
}

test("OID-3 a kind without discovery", async () => {
  await publishing(async (issuer, hits) => {
    const error = "422 custom_oauth_provider_cannot_use_discovery_url";
    const oidc = { discoveryUrl: issuer + WELL_KNOWN };
    await refused(() => create({ provider: "oidc_github_enterprise", oidc }), error, { param: "discovery_url" });
    const connection = await create({ provider: "oidc_github_enterprise" });
    await refused(() => update(connection, { oidc }), error, { param: "discovery_url" });
    equal(hits.count, 0, "requests to the provider");
  });
});

test("OID-3 a provider that cannot be reached, or answers something else", async () => {
  const connection = await create({ oidc: byHand(), active: true });
  const before = await read(connection);
  const refuses = async (discoveryUrl) => {
    await refused(() => update(connection, { oidc: { discoveryUrl } }), RETRIEVAL, { param: "discovery_url" });
    await refused(() => create({ oidc: { discoveryUrl } }), RETRIEVAL, { param: "discovery_url" });
  };
  let gone;
  await serving(answering("", { status: 404 }), async (url) => refuses((gone = url + WELL_KNOWN)));
  await refuses(gone);
  await serving(answering("<html>Sign in</html>", { type: "text/html" }), (url) => refuses(url + WELL_KNOWN));
  await serving(answering(JSON.stringify({ issuer: "x".repeat(300_000) })), (url) => refuses(url + WELL_KNOWN));
  await publishing((issuer) => refuses(issuer + WELL_KNOWN), { token_endpoint: undefined });
  await publishing((issuer) => refuses(issuer + WELL_KNOWN), { response_types_supported: ["id_token"] });
  for (const url of ["nonsense", "http://op.example.test/.well-known/openid-configuration", "https://user:word@op.example.test/"]) await refuses(url);
  equal(await read(connection), before, "unchanged");
});

test("OID-3 addresses inside the network are not fetched", async () => {
  for (const address of ["127.0.0.2", "::1"]) {
    const use = async (_url, hits) => {
      const host = address.includes(":") ? `[${address}]` : address;
      await refused(() => create({ oidc: { discoveryUrl: `http://${host}:9/.well-known/openid-configuration` } }), RETRIEVAL, { param: "discovery_url" });
      equal(hits.count, 0, "requests");
    };
    await publishing(use);
  }
});

test("OID-3 the document of another issuer", async () => {
  await publishing((issuer) => refused(() => create({ oidc: { discoveryUrl: issuer + WELL_KNOWN } }), MISMATCH, { param: "discovery_url" }), { issuer: "https://op.example.test" });
  await publishing((issuer) => refused(() => create({ oidc: { discoveryUrl: `${issuer}/tenant${WELL_KNOWN}` } }), MISMATCH, { param: "discovery_url" }));
});

// --- what belongs to one protocol alone

test("OID-14 a connection takes only what its protocol has", async () => {
  const [oidc, saml] = [await create({ oidc: byHand() }), await create({ provider: "saml_custom" })];
  await refused(() => update(oidc, { saml: { idpMetadata: idpMetadata() } }), INVALID_TYPE);
  await refused(() => update(oidc, { saml: { allowIdpInitiated: true } }), INVALID_TYPE);
  await refused(() => create({ saml: { idpEntityId: "urn:idp" } }), INVALID_TYPE);
  await refused(() => update(saml, { oidc: { clientId: "client" } }), INVALID_TYPE);
  await refused(() => create({ provider: "saml_okta", oidc: byHand() }), INVALID_TYPE);
  equal((await patchRaw(oidc, { saml: null, oidc: {} })).status, 200, "with nothing said");
  equal((await patchRaw(saml, { saml: {}, oidc: null })).status, 200, "with nothing said");
  for (const [method, path, body] of [
    ["GET", "certificates"],
    ["POST", "certificates", { certificate: CERTIFICATE }],
    ["GET", "keys"],
    ["POST", "keys", { purpose: "signing" }],
    ["GET", "metadata_refresh"],
    ["POST", "metadata_refresh"],
  ]) {
    await refused(() => raw(method, `/enterprise_connections/${oidc.id}/${path}`, { body }), INVALID_TYPE);
  }
});

test("CON-5 the kind never changes", async () => {
  const connection = await create({ provider: "oidc_gitlab", oidc: byHand() });
  for (const provider of ["oidc_custom", "saml_custom"]) await patchRaw(connection, { provider });
  equal((await read(connection)).provider, "oidc_gitlab", "provider");
});

test("CON-32 organizations and domains go as with every connection", async () => {
  const organization = await newOrganization();
  const connection = await create({ oidc: byHand(), organizationId: organization.id });
  await refused(() => create({ organizationId: organization.id }), "422 organization_already_has_sso_connection", { param: "organization_id" });
  await refused(() => create({ domains: ["gmail.com"] }), "422 organization_domain_common", { param: "domains" });
  await refused(() => update(connection, { organizationId: unknown("org") }), "404 resource_not_found");
  const fresh = domain();
  await update(connection, { domains: [fresh.toUpperCase()] });
  equal(last().json.domains, [fresh], "domains");
});

// --- extensions and refusals

test("extension: scopes, claims and login hint", async () => {
  const connection = await create({ oidc: byHand() });
  const defaults = last().json.oauth_config;
  equal([defaults.scopes, defaults.attribute_mapping.email_verified_default, defaults.login_hint], [["openid", "profile", "email"], false, { mode: "email_address" }], "defaults");
  await patchRaw(connection, {
    oidc: {
      scopes: ["openid", "groups", "openid"],
      attribute_mapping: { user_id: "oid", email_verified_default: true },
      login_hint: { mode: "off" },
    },
  });
  const { scopes, attribute_mapping: mapping, login_hint: hint } = (await read(connection)).oauth_config;
  equal([scopes, mapping.user_id, mapping.email_address, mapping.email_verified_default, hint], [["openid", "groups"], "oid", "email", true, { mode: "off" }], "changed");
  await patchRaw(connection, { oidc: { scopes: [], attribute_mapping: { user_id: "" } } });
  const back = (await read(connection)).oauth_config;
  equal([back.scopes, back.attribute_mapping.user_id], [["openid", "profile", "email"], "sub"], "defaults again");
});

test("CON-25 each wrong value is named", async () => {
  const connection = await create({ oidc: byHand() });
  const before = await read(connection);
  for (const [oidc, error, param] of [
    [{ auth_url: "http://op.example.test/" }, "422 form_param_value_invalid", "oidc.auth_url"],
    [{ token_url: "javascript:alert(1)" }, "422 form_param_value_invalid", "oidc.token_url"],
    [{ user_info_url: "https://op.example.test/#fragment" }, "422 form_param_value_invalid", "oidc.user_info_url"],
    [{ client_id: 7 }, "422 form_param_type_invalid", "oidc.client_id"],
    [{ client_secret: "a\nb" }, "422 form_param_value_invalid", "oidc.client_secret"],
    [{ requires_pkce: "yes" }, "422 form_param_type_invalid", "oidc.requires_pkce"],
    [{ scopes: ["open id"] }, "422 form_param_value_invalid", "oidc.scopes"],
    [{ attribute_mapping: { email_verified_default: 1 } }, "422 form_param_type_invalid", "oidc.attribute_mapping.email_verified_default"],
    [{ login_hint: { mode: "guess" } }, "422 form_param_value_invalid", "oidc.login_hint.mode"],
  ]) {
    await refused(() => patchRaw(connection, { oidc }), error, { param });
    await refused(() => createRaw({ oidc }), error, { param });
  }
  equal(await read(connection), before, "unchanged");
});
