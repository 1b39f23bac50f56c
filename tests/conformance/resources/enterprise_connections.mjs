import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { CERTIFICATE, OTHER_CERTIFICATE, withoutArmour } from "../lib/certificates.mjs";
import { domain, ids, newOrganization, newUser, unique, unknown } from "../lib/fixtures.mjs";
import { idpMetadata } from "../lib/metadata.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("enterprise_connections");

const PROVIDERS = ["saml_custom", "saml_okta", "saml_google", "saml_microsoft"];
const BAD_DOMAIN = "422 form_param_value_invalid | 422 form_param_format_invalid";
const BAD_VALUE = "422 form_param_value_invalid | 422 form_param_format_invalid";

const connections = () => server.clerk.enterpriseConnections;
const create = (params = {}) => connections().createEnterpriseConnection({ name: unique("SSO "), provider: "saml_custom", domains: [domain()], ...params });
const update = (connection, params) => connections().updateEnterpriseConnection(connection.id, params);
const read = (connection) => rawOk("GET", `/enterprise_connections/${connection.id}`);
const createRaw = (body) => raw("POST", "/enterprise_connections", { body: { name: unique("SSO "), provider: "saml_custom", domains: [domain()], ...body } });
const patchRaw = (connection, body) => raw("PATCH", `/enterprise_connections/${connection.id}`, { body });
const wholeIdp = () => ({ idpEntityId: `https://idp.example.test/${unique()}`, idpSsoUrl: "https://idp.example.test/sso", idpCertificate: CERTIFICATE });

// --- create

for (const provider of PROVIDERS) {
  test(`CON-6 ${provider}: created inactive, with the documented defaults`, async () => {
    const name = domain();
    const connection = await create({ provider, domains: [name] });
    const { status, json } = last();
    equal(status, 201, "status");
    matches(connection.id, /^entconn_[0-9A-Za-z]{27}$/, "id");
    equal([json.provider, json.active, json.domains, json.organization_id ?? null, json.oauth_config ?? null], [provider, false, [name], null, null], "connection");
    recent(json.created_at, "created_at");
    equal(
      {
        sync_user_attributes: json.sync_user_attributes,
        disable_additional_identifications: json.disable_additional_identifications,
        allow_organization_account_linking: json.allow_organization_account_linking,
        authenticatable: json.authenticatable,
        disable_jit_provisioning: json.disable_jit_provisioning,
        custom_attributes: json.custom_attributes,
      },
      {
        sync_user_attributes: true,
        disable_additional_identifications: true,
        allow_organization_account_linking: false,
        authenticatable: true,
        disable_jit_provisioning: false,
        custom_attributes: [],
      },
      "defaults",
    );
    const saml = json.saml_connection;
    equal([saml.active, saml.allow_idp_initiated, saml.allow_subdomains, saml.force_authn], [false, false, false, false], "SAML switches");
    equal([saml.idp_entity_id ?? null, saml.idp_sso_url ?? null, saml.idp_metadata_url ?? null], [null, null, null], "identity provider");
  });

  test(`CON-19 ${provider}: default login hint`, async () => {
    await create({ provider });
    equal(last().json.saml_connection.login_hint, { mode: provider === "saml_custom" ? "off" : "email_address" }, "login_hint");
  });
}

test("SML-4 the service provider's addresses carry the id of the SAML connection", async () => {
  const connection = await create();
  const saml = last().json.saml_connection;
  matches(saml.id, /^samlc_[0-9A-Za-z]{27}$/, "id");
  equal(new URL(saml.acs_url).pathname, `/v1/saml/acs/${saml.id}`, "acs_url");
  equal(new URL(saml.sp_entity_id).pathname, `/saml/${saml.id}`, "sp_entity_id");
  equal(new URL(saml.sp_metadata_url).pathname, `/v1/saml/metadata/${saml.id}.xml`, "sp_metadata_url");
  equal(connection.samlConnection.acsUrl, saml.acs_url, "acsUrl of the SDK");
});

test("SML-2 the service provider's metadata is public, until the connection is deleted", async () => {
  const connection = await create();
  const saml = last().json.saml_connection;
  const fetchMetadata = () => fetch(server.base + new URL(saml.sp_metadata_url).pathname);
  const response = await fetchMetadata();
  const xml = await response.text();
  equal(response.status, 200, "status");
  matches(response.headers.get("content-type"), /^application\/(samlmetadata\+)?xml|^text\/xml/, "content type");
  check(xml.includes(`entityID="${saml.sp_entity_id}"`), "entityID");
  check(xml.includes(`Location="${saml.acs_url}"`), "location of the ACS");
  await connections().deleteEnterpriseConnection(connection.id);
  equal((await fetchMetadata()).status, 404, "status after deletion");
});

test("CON-6 name, provider and domains are required", async () => {
  const whole = { name: "SSO", provider: "saml_custom", domains: [domain()] };
  for (const field of Object.keys(whole)) {
    const { [field]: _, ...rest } = whole;
    await refused(() => raw("POST", "/enterprise_connections", { body: rest }), "422 form_param_missing", { param: field });
  }
  await refused(() => createRaw({ domains: [] }), "422 form_param_missing | 422 form_param_value_invalid | 422 form_param_nil", { param: "domains" });
  await refused(() => createRaw({ name: "" }), "422 form_param_missing | 422 form_param_value_invalid | 422 form_param_nil", { param: "name" });
});

test("CON-1 an unknown provider is refused", async () => {
  for (const provider of ["saml_nonsense", "", "SAML_OKTA", "ldap"]) {
    await refused(() => createRaw({ provider }), "422 form_param_value_invalid | 422 form_param_missing", { param: "provider" });
  }
});

test("CON-6 null stands for absent", async () => {
  const exchange = await createRaw({ organization_id: null, active: null, saml: null, oidc: null, allow_organization_account_linking: null });
  equal(exchange.status, 201, "status");
});

// --- domains

test("Decision 13: domains are lower-case A-labels without trailing dot", async () => {
  const label = unique("d");
  await create({ domains: [`${label.toUpperCase()}.Test`, `${label}b.test.`, `bücher-${label}.test`] });
  sameSet(last().json.domains, [`${label}.test`, `${label}b.test`, new URL(`http://bücher-${label}.test`).hostname], "domains");
});

test("CON-7 the same domain twice is one domain", async () => {
  const name = domain();
  await create({ domains: [name, name.toUpperCase()] });
  equal(last().json.domains, [name], "domains");
});

test("DOM-23 a domain must be a fully qualified name, at creation and update", async () => {
  const connection = await create();
  const good = last().json.domains;
  const bad = ["", "acme", "not a domain.test", "https://acme.test", "acme.test/path", "*.acme.test", "acme..test", ".acme.test", "-acme.test", "acme-.test", "user@acme.test", "acme.test:443", "10.0.0.1", "[::1]", `${"a".repeat(64)}.test`, `${"abcdefg.".repeat(40)}test`, "acme_x!.test"];
  for (const name of bad) {
    await refused(() => create({ domains: [name] }), BAD_DOMAIN, { param: "domains" });
    await refused(() => update(connection, { domains: [name] }), BAD_DOMAIN, { param: "domains" });
  }
  equal((await read(connection)).domains, good, "unchanged");
});

test("Q-6 domains of public mail providers are refused, at creation and update", async () => {
  const connection = await create();
  for (const name of ["gmail.com", "Outlook.com", "yahoo.com"]) {
    await refused(() => create({ domains: [domain(), name] }), "422 organization_domain_common", { param: "domains" });
    await refused(() => update(connection, { domains: [name] }), "422 organization_domain_common", { param: "domains" });
  }
});

test("Q-5 connections of different organizations may share a domain", async () => {
  const name = domain();
  const [one, two] = [await newOrganization(), await newOrganization()];
  await create({ domains: [name], organizationId: one.id });
  await create({ domains: [name], organizationId: two.id });
  equal(last().status, 201, "status");
});

test("CON-29 an update with no domains changes nothing, others replace", async () => {
  const connection = await create({ domains: [domain(), domain()] });
  const { domains } = last().json;
  await update(connection, { domains: [] });
  sameSet(last().json.domains, domains, "after an empty list");
  const fresh = domain();
  await update(connection, { domains: [fresh.toUpperCase()] });
  equal(last().json.domains, [fresh], "replaced");
});

// --- organization

test("CON-6 a connection is linked to an organization at creation", async () => {
  const organization = await newOrganization();
  const connection = await create({ organizationId: organization.id });
  equal(connection.organizationId, organization.id, "organization_id");
});

test("CON-6 the organization must exist", async () => {
  await refused(() => create({ organizationId: unknown("org") }), "404 resource_not_found | 422 form_resource_not_found");
  const connection = await create();
  await refused(() => update(connection, { organizationId: unknown("org") }), "404 resource_not_found | 422 form_resource_not_found");
});

test("CON-32 an organization has one connection", async () => {
  const organization = await newOrganization();
  await create({ organizationId: organization.id });
  await refused(() => create({ organizationId: organization.id }), "422 organization_already_has_sso_connection", { param: "organization_id" });
  const other = await create();
  await refused(() => update(other, { organizationId: organization.id }), "422 organization_already_has_sso_connection", { param: "organization_id" });
  equal((await read(other)).organization_id ?? null, null, "unchanged");
  equal((await connections().getEnterpriseConnectionList({ organizationId: organization.id })).totalCount, 1, "connections");
});

test("CON-32 two simultaneous creations give one connection", async () => {
  const organization = await newOrganization();
  await Promise.allSettled([1, 2, 3].map(() => create({ organizationId: organization.id })));
  equal((await connections().getEnterpriseConnectionList({ organizationId: organization.id })).totalCount, 1, "connections");
});

test("CON-30 the organization can be set and changed, never cleared", async () => {
  const [one, two] = [await newOrganization(), await newOrganization()];
  const connection = await create();
  equal((await update(connection, { organizationId: one.id })).organizationId, one.id, "set");
  equal((await update(connection, { organizationId: one.id })).organizationId, one.id, "set again");
  equal((await update(connection, { organizationId: two.id })).organizationId, two.id, "changed");
  for (const nothing of [null, ""]) await patchRaw(connection, { organization_id: nothing });
  equal((await read(connection)).organization_id, two.id, "still linked");
});

test("CON-32 the organization is free for another connection after deletion", async () => {
  const organization = await newOrganization();
  await connections().deleteEnterpriseConnection((await create({ organizationId: organization.id })).id);
  equal((await create({ organizationId: organization.id })).organizationId, organization.id, "organization_id");
});

test("Q-4 deleting the organization unlinks and deactivates its connection", async () => {
  const organization = await newOrganization();
  const connection = await create({ organizationId: organization.id, active: true, saml: wholeIdp() });
  await server.clerk.organizations.deleteOrganization(organization.id);
  const json = await read(connection);
  equal([json.organization_id ?? null, json.active], [null, false], "organization_id and active");
});

// --- identity provider

test("CON-10 identity provider by fields", async () => {
  const saml = wholeIdp();
  await create({ saml });
  const json = last().json.saml_connection;
  equal([json.idp_entity_id, json.idp_sso_url], [saml.idpEntityId, saml.idpSsoUrl], "fields");
});

test("SML-23 a certificate is PEM or bare base64", async () => {
  for (const idpCertificate of [CERTIFICATE, withoutArmour(CERTIFICATE), CERTIFICATE.replace(/\n/g, "\r\n"), `\n${CERTIFICATE.trim()}\n\n`]) {
    const connection = await create({ saml: { ...wholeIdp(), idpCertificate } });
    equal((await update(connection, { active: true })).active, true, "active");
  }
});

test("CON-10 a broken certificate is refused", async () => {
  const connection = await create();
  for (const bad of ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", withoutArmour(CERTIFICATE).slice(0, 200)]) {
    await refused(() => create({ saml: { ...wholeIdp(), idpCertificate: bad } }), BAD_VALUE);
    await refused(() => update(connection, { saml: { idpCertificate: bad } }), BAD_VALUE);
  }
});

test("CON-23 several certificates can be trusted at once", async () => {
  const { idpCertificate: _, ...rest } = wholeIdp();
  const connection = await create({ saml: { ...rest, idpCertificates: [CERTIFICATE, withoutArmour(OTHER_CERTIFICATE)] } });
  equal((await update(connection, { active: true })).active, true, "active");
  const six = Array.from({ length: 6 }, () => CERTIFICATE);
  await refused(() => update(connection, { saml: { idpCertificates: six } }), "422 *");
});

test("CON-10 the sign-in address must be a web address", async () => {
  for (const idpSsoUrl of ["not a url", "javascript:alert(1)", "/relative"]) {
    await refused(() => create({ saml: { ...wholeIdp(), idpSsoUrl } }), `${BAD_VALUE} | 422 invalid_url_scheme | 422 insecure_url`);
  }
});

test("CON-37 one field of the identity provider changes alone", async () => {
  const saml = wholeIdp();
  const connection = await create({ saml });
  await update(connection, { saml: { idpSsoUrl: "https://idp.example.test/other" } });
  const json = last().json.saml_connection;
  equal([json.idp_entity_id, json.idp_sso_url], [saml.idpEntityId, "https://idp.example.test/other"], "fields");
});

test("CON-17 switches of the SAML connection", async () => {
  const connection = await create({ saml: { allowIdpInitiated: true, forceAuthn: true, allowSubdomains: true } });
  let json = last().json.saml_connection;
  equal([json.allow_idp_initiated, json.force_authn, json.allow_subdomains], [true, true, true], "on");
  await update(connection, { saml: { allowIdpInitiated: false } });
  json = last().json.saml_connection;
  equal([json.allow_idp_initiated, json.force_authn, json.allow_subdomains], [false, true, true], "one off");
});

test("CON-16 subdomains are only for registrable domains", async () => {
  await refused(() => create({ domains: [`deep.${domain()}`], saml: { allowSubdomains: true } }), "422 *");
  const connection = await create({ domains: [`deep.${domain()}`] });
  await refused(() => update(connection, { saml: { allowSubdomains: true } }), "422 *");
  equal((await read(connection)).saml_connection.allow_subdomains, false, "allow_subdomains");
});

test("CON-19 the login hint has three modes", async () => {
  const connection = await create({ saml: { loginHint: { mode: "custom_attribute", source: "employee_id" } } });
  equal(last().json.saml_connection.login_hint, { mode: "custom_attribute", source: "employee_id" }, "custom_attribute");
  await update(connection, { saml: { loginHint: { mode: "email_address" } } });
  equal(last().json.saml_connection.login_hint.mode, "email_address", "email_address");
  await update(connection, { saml: { loginHint: { mode: "off" } } });
  equal(last().json.saml_connection.login_hint.mode, "off", "off");
  await refused(() => patchRaw(connection, { saml: { login_hint: { mode: "guess" } } }), "422 form_param_value_invalid");
  await refused(() => patchRaw(connection, { saml: { login_hint: { mode: "custom_attribute" } } }), "422 form_param_missing | 422 form_conditional_param_missing");
  await refused(() => patchRaw(connection, { saml: { login_hint: {} } }), "422 form_param_missing");
  equal((await read(connection)).saml_connection.login_hint.mode, "off", "unchanged");
});

test("extension: how requests travel, and whether they are signed", async () => {
  const connection = await create({ saml: wholeIdp() });
  const shown = () => [last().json.saml_connection.idp_sso_binding, last().json.saml_connection.sign_requests];
  equal(shown(), ["redirect", false], "at first");
  await patchRaw(connection, { saml: { idp_sso_binding: "post", sign_requests: true } });
  equal(shown(), ["post", true], "changed");
  await patchRaw(connection, { saml: { idp_sso_binding: "redirect" } });
  equal(shown(), ["redirect", true], "one changed alone");
  await refused(() => patchRaw(connection, { saml: { idp_sso_binding: "artifact" } }), "422 form_param_value_invalid");
  await refused(() => patchRaw(connection, { saml: { sign_requests: "perhaps" } }), "422 form_param_type_invalid");
});

test("CON-21 an attribute mapping is accepted at creation and update", async () => {
  const attributeMapping = { userId: "uid", emailAddress: "email", firstName: "given", lastName: "family" };
  const connection = await create({ saml: { attributeMapping } });
  await update(connection, { saml: { attributeMapping: { emailAddress: "mail" } } });
  equal(last().status, 200, "status");
});

// --- activation

test("CON-9 an unfinished connection cannot be activated", async () => {
  const inactive = "422 saml_connection_cant_be_activated";
  await refused(() => create({ active: true }), inactive);
  const connection = await create();
  const error = await refused(() => update(connection, { active: true }), inactive);
  check(/certificate/i.test(error.long_message), `the long message must name the missing fields: ${error.long_message}`);
  for (const field of ["idpEntityId", "idpSsoUrl", "idpCertificate"]) {
    const { [field]: _, ...rest } = wholeIdp();
    await refused(() => create({ active: true, saml: rest }), inactive);
  }
  equal((await read(connection)).active, false, "active");
});

test("CON-9 a refused activation leaves nothing behind", async () => {
  const organization = await newOrganization();
  await refused(() => create({ active: true, organizationId: organization.id }), "422 saml_connection_cant_be_activated");
  equal((await connections().getEnterpriseConnectionList({ organizationId: organization.id })).totalCount, 0, "connections made");
});

test("CON-9 a complete connection is activated, and deactivated", async () => {
  const made = await create({ active: true, saml: wholeIdp() });
  equal([last().status, made.active, last().json.saml_connection.active], [201, true, true], "created active");
  const off = await update(made, { active: false });
  equal([off.active, last().json.saml_connection.active], [false, false], "off");
  const on = await update(made, { active: true });
  equal([on.active, last().json.saml_connection.active], [true, true], "on");
});

test("CON-9 data and activation may come in one update", async () => {
  const connection = await create();
  equal((await update(connection, { active: true, saml: wholeIdp() })).active, true, "active");
});

test("DOM-28 an email address matches an active connection of its domain", async () => {
  const name = domain();
  const user = await newUser({ emailAddress: [`ada@${name}`] });
  const matching = async () => (await rawOk("GET", `/users/${user.id}`)).email_addresses[0].matches_sso_connection;
  const connection = await create({ domains: [name], saml: wholeIdp() });
  equal(await matching(), false, "inactive");
  await update(connection, { active: true });
  equal(await matching(), true, "active");
  await connections().deleteEnterpriseConnection(connection.id);
  equal(await matching(), false, "deleted");
});

// --- update

test("CON-11 name and switches change", async () => {
  const connection = await create();
  const before = last().json;
  await pause(5);
  await update(connection, { name: "Renamed", syncUserAttributes: false, disableAdditionalIdentifications: false, allowOrganizationAccountLinking: true, authenticatable: false, disableJitProvisioning: true });
  const json = last().json;
  equal(
    [json.name, json.sync_user_attributes, json.disable_additional_identifications, json.allow_organization_account_linking, json.authenticatable, json.disable_jit_provisioning],
    ["Renamed", false, false, true, false, true],
    "changed",
  );
  equal([json.id, json.provider, json.domains, json.created_at], [before.id, before.provider, before.domains, before.created_at], "kept");
  check(json.updated_at > before.updated_at, "updated_at must grow");
});

test("X-4 authenticatable and disable_jit_provisioning can be given at creation", async () => {
  await create({ authenticatable: false, disableJitProvisioning: true, allowOrganizationAccountLinking: true });
  const json = last().json;
  equal([json.authenticatable, json.disable_jit_provisioning, json.allow_organization_account_linking], [false, true, true], "switches");
});

test("CON-5 the provider never changes", async () => {
  const connection = await create({ provider: "saml_okta" });
  const { status } = await patchRaw(connection, { provider: "saml_google" });
  check(status === 200 || status === 422, `status ${status}`);
  equal((await read(connection)).provider, "saml_okta", "provider");
});

test("CON-6 an empty name is refused", async () => {
  const connection = await create();
  await refused(() => patchRaw(connection, { name: "" }), "422 form_param_value_invalid | 422 form_param_missing | 422 form_param_nil", { param: "name" });
});

// --- custom attributes

test("CON-26 custom attributes are kept and replaced", async () => {
  const connection = await create({ customAttributes: [{ name: "Employee", key: "employee_id", ssoPath: "employeeNumber" }, { name: "Teams", key: "teams", ssoPath: "groups", multiValued: true }] });
  const [employee, teams] = last().json.custom_attributes;
  equal([employee.name, employee.key, employee.sso_path, employee.multi_valued], ["Employee", "employee_id", "employeeNumber", false], "first");
  equal([teams.key, teams.multi_valued], ["teams", true], "second");
  await update(connection, { customAttributes: [{ name: "Cost", key: "cost-centre", ssoPath: "cc" }] });
  equal(last().json.custom_attributes.map((a) => a.key), ["cost-centre"], "replaced");
  await update(connection, { name: "Other" });
  equal(last().json.custom_attributes.map((a) => a.key), ["cost-centre"], "kept");
});

test("CON-26 the two names of the directory path are one value", async () => {
  const attribute = { name: "Phone", key: "phone" };
  await createRaw({ custom_attributes: [{ ...attribute, directory_path: "phone.0" }] });
  const [one] = last().json.custom_attributes;
  equal([one.scim_path, one.directory_path], ["phone.0", "phone.0"], "paths");
  equal((await createRaw({ custom_attributes: [{ ...attribute, scim_path: "p", directory_path: "p" }] })).status, 201, "equal paths");
  await refused(() => createRaw({ custom_attributes: [{ ...attribute, scim_path: "p", directory_path: "q" }] }), "422 form_param_value_conflict");
});

test("CON-26 a custom attribute has a name and a well-formed key", async () => {
  const bad = "422 form_param_value_invalid | 422 form_param_format_invalid | 422 form_param_missing | 422 form_param_nil";
  for (const key of ["_hidden", "sp ace", "dot.ted", ""]) {
    await refused(() => createRaw({ custom_attributes: [{ name: "X", key, sso_path: "x" }] }), bad);
  }
  await refused(() => createRaw({ custom_attributes: [{ key: "x", sso_path: "x" }] }), bad);
  await refused(() => createRaw({ custom_attributes: [{ name: "X", sso_path: "x" }] }), bad);
});

// --- read, list, delete

test("CON-40 read by id, as created", async () => {
  const connection = await create({ saml: wholeIdp() });
  const created = last().json;
  await connections().getEnterpriseConnection(connection.id);
  equal(last().json, created, "connection");
});

test("CON-40 an unknown connection is not found", async () => {
  const id = unknown("entconn");
  await refused(() => connections().getEnterpriseConnection(id), "404 resource_not_found");
  await refused(() => connections().updateEnterpriseConnection(id, { name: "X" }), "404 resource_not_found");
  await refused(() => connections().deleteEnterpriseConnection(id), "404 resource_not_found");
});

test("CON-40 the list filters by organization", async () => {
  const [one, two] = [await newOrganization(), await newOrganization()];
  const connection = await create({ organizationId: one.id });
  await create({ organizationId: two.id });
  const { data, totalCount } = await connections().getEnterpriseConnectionList({ organizationId: one.id });
  equal([ids(data), totalCount], [[connection.id], 1], "connections");
  equal((await connections().getEnterpriseConnectionList({ organizationId: unknown("org") })).totalCount, 0, "unknown organization");
});

test("CON-40 the list filters by active", async () => {
  const organization = await newOrganization();
  const connection = await create({ organizationId: organization.id, saml: wholeIdp() });
  const found = async (active) => ids((await rawOk("GET", "/enterprise_connections", { query: { organization_id: organization.id, active } })).data);
  equal([await found(true), await found(false)], [[], [connection.id]], "while inactive");
  await update(connection, { active: true });
  equal([await found(true), await found(false)], [[connection.id], []], "while active");
  equal(ids((await connections().getEnterpriseConnectionList({ organizationId: organization.id, active: true })).data), [connection.id], "with the SDK");
  await refused(() => raw("GET", "/enterprise_connections", { query: { active: "perhaps" } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "active" });
});

test("CON-40 the list comes in pages, and counts what is there", async () => {
  const before = (await connections().getEnterpriseConnectionList({ limit: 1 })).totalCount;
  const made = [await create(), await create(), await create()];
  const all = [];
  for (let offset = 0; offset < before + 3; offset += 500) all.push(...(await connections().getEnterpriseConnectionList({ limit: 500, offset })).data);
  equal(all.length, before + 3, "connections");
  equal(new Set(ids(all)).size, all.length, "distinct connections");
  equal(ids(made).filter((id) => !ids(all).includes(id)), [], "missing");
  equal((await connections().getEnterpriseConnectionList()).data.length, Math.min(10, before + 3), "rows by default");
});

test("CON-34 deleted for good; the users stay", async () => {
  const name = domain();
  const user = await newUser({ emailAddress: [`ada@${name}`] });
  const connection = await create({ domains: [name], active: true, saml: { idpMetadata: idpMetadata() } });
  await connections().deleteEnterpriseConnection(connection.id);
  equal(last().json, { object: "enterprise_connection", id: connection.id, deleted: true }, "answer");
  await refused(() => connections().getEnterpriseConnection(connection.id), "404 resource_not_found");
  await refused(() => connections().deleteEnterpriseConnection(connection.id), "404 resource_not_found");
  equal((await server.clerk.users.getUser(user.id)).id, user.id, "user");
});
