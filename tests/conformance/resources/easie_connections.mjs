// Enterprise connections to Google Workspace and Microsoft Entra ID, an extension of the Backend API.
import { check, equal, matches, recent, refused, section, test } from "../lib/harness.mjs";
import { domain, ids, newOrganization, unique } from "../lib/fixtures.mjs";
import { answering, serving } from "../lib/metadata.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("easie_connections");

const KINDS = ["oauth_google", "oauth_microsoft"];
const WELL_KNOWN = "/.well-known/openid-configuration";
const TENANT = "aaaaaaaa-1111-4111-8111-11111111111a";
const INVALID_TYPE = "400 enterprise_connection_invalid_type";
const CREDENTIALS = "422 easie_invalid_oauth_credentials";

const connections = () => server.clerk.enterpriseConnections;
const create = (provider, params = {}) => connections().createEnterpriseConnection({ name: unique("SSO "), provider, domains: [domain()], ...params });
const update = (connection, params) => connections().updateEnterpriseConnection(connection.id, params);
const read = (connection) => rawOk("GET", `/enterprise_connections/${connection.id}`);
const patchRaw = (connection, body) => raw("PATCH", `/enterprise_connections/${connection.id}`, { body });
const application = () => ({ clientId: unique("client"), clientSecret: unique("hidden") });

for (const provider of KINDS) {
  test(`CON-2 ${provider}: created, read, changed, activated, listed and deleted`, async () => {
    const organization = await newOrganization();
    const oidc = application();
    const connection = await create(provider, { organizationId: organization.id });
    equal(last().status, 201, "status");
    matches(connection.id, /^entconn_[0-9A-Za-z]{27}$/, "id");
    const made = last().json;
    equal([made.provider, made.active, made.saml_connection ?? null, made.organization_id], [provider, false, null, organization.id], "connection");
    matches(made.oauth_config.id, /^oac_[0-9A-Za-z]{27}$/, "id of the half");
    equal([made.oauth_config.provider_key, made.oauth_config.discovery_url, made.oauth_config.auth_url], [provider, null, null], "half");
    recent(made.oauth_config.created_at, "created_at");
    await refused(() => update(connection, { active: true }), CREDENTIALS);
    const changed = await update(connection, { name: "Renamed", oidc });
    equal([changed.name, changed.oauthConfig.clientId], ["Renamed", oidc.clientId], "as the SDK shows it");
    check(!last().text.includes(oidc.clientSecret), "the answer holds the secret");
    equal((await update(connection, { active: true })).active, true, "activated");
    equal(ids((await connections().getEnterpriseConnectionList({ organizationId: organization.id, active: true })).data), [connection.id], "listed");
    equal((await connections().getEnterpriseConnection(connection.id)).oauthConfig.clientId, oidc.clientId, "read");
    equal((await update(connection, { active: false })).active, false, "deactivated");
    await connections().deleteEnterpriseConnection(connection.id);
    equal(last().json, { object: "enterprise_connection", id: connection.id, deleted: true }, "answer");
    await refused(() => connections().getEnterpriseConnection(connection.id), "404 resource_not_found");
  });

  test(`EAS-2 ${provider}: id and secret of an application go together`, async () => {
    const { clientId, clientSecret } = application();
    await refused(() => create(provider, { oidc: { clientId } }), CREDENTIALS);
    await refused(() => create(provider, { oidc: { clientSecret } }), CREDENTIALS);
    const connection = await create(provider, { oidc: { clientId, clientSecret }, active: true });
    for (const oidc of [{ clientId: "" }, { clientSecret: "" }]) await refused(() => update(connection, { oidc }), CREDENTIALS);
    equal((await read(connection)).active, true, "still active");
  });

  test(`CON-12 ${provider}: what is fixed cannot be set`, async () => {
    const connection = await create(provider, { oidc: application() });
    const before = await read(connection);
    for (const body of [
      { oidc: { auth_url: "https://op.example.test/authorize" } },
      { oidc: { token_url: "https://op.example.test/token" } },
      { oidc: { user_info_url: "https://op.example.test/userinfo" } },
      { oidc: { scopes: ["openid"] } },
      { oidc: { requires_pkce: true } },
      { oidc: { attribute_mapping: { user_id: "email" } } },
      { oidc: { attribute_mapping: { email_verified_default: true } } },
      { disable_additional_identifications: false },
      { saml: { idp_entity_id: "urn:idp" } },
    ]) {
      await refused(() => patchRaw(connection, body), INVALID_TYPE);
    }
    equal(await read(connection), before, "unchanged");
  });
}

test("EAS-1 the address to register at the provider is one for all connections by the instance's application", async () => {
  const [shared, own] = [await create("oauth_google"), await create("oauth_google", { oidc: application() })];
  const path = async (connection) => new URL((await read(connection)).oauth_config.redirect_uri).pathname;
  equal([await path(shared), await path(own)], ["/v1/oauth_callback/oauth_google", `/v1/oauth_callback/${own.id}`], "redirect_uri");
});

test("EAS-9 the tenant is set and cleared, at Microsoft alone", async () => {
  const connection = await create("oauth_microsoft");
  equal(last().json.oauth_config.tenant_id, null, "at first");
  await patchRaw(connection, { oidc: { tenant_id: TENANT.toUpperCase() } });
  equal((await read(connection)).oauth_config.tenant_id, TENANT, "set");
  await refused(() => patchRaw(connection, { oidc: { tenant_id: "acme.test" } }), "422 form_param_value_invalid", { param: "oidc.tenant_id" });
  await patchRaw(connection, { oidc: { tenant_id: "" } });
  equal((await read(connection)).oauth_config.tenant_id, null, "cleared");
  const google = await create("oauth_google");
  await refused(() => patchRaw(google, { oidc: { tenant_id: TENANT } }), INVALID_TYPE);
});

test("EAS-1 a discovery URL of one's own has a document of that kind", async () => {
  const publishing = (issuerOf, use) =>
    serving((request, response) => {
      const base = `http://${request.headers.host}`;
      const document = {
        issuer: issuerOf(base),
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        jwks_uri: `${base}/keys`,
        response_types_supported: ["code"],
      };
      answering(JSON.stringify(document), { type: "application/json" })(request, response);
    }, use);
  const mismatch = "422 custom_oauth_provider_discovery_issuer_mismatch";
  await publishing(() => "https://accounts.google.com", async (base) => {
    const made = await create("oauth_google", { active: true, oidc: { ...application(), discoveryUrl: base + WELL_KNOWN } });
    equal([made.oauthConfig.discoveryUrl, made.oauthConfig.tokenUrl], [base + WELL_KNOWN, null], "Google");
    await refused(() => create("oauth_microsoft", { oidc: { discoveryUrl: `${base}/organizations/v2.0${WELL_KNOWN}` } }), mismatch);
  });
  await publishing((base) => `${base}/{tenantid}/v2.0`, async (base) => {
    const discoveryUrl = `${base}/organizations/v2.0${WELL_KNOWN}`;
    const made = await create("oauth_microsoft", { active: true, oidc: { ...application(), discoveryUrl } });
    equal(made.oauthConfig.discoveryUrl, discoveryUrl, "Microsoft");
  });
});
