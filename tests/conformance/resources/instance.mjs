import { check, equal, matches, refused, sameSet, section, test } from "../lib/harness.mjs";
import { newOrganization, newUser, unique, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("instance");

const settings = () => rawOk("GET", "/instance/organization_settings");
const change = (body) => rawOk("PATCH", "/instance/organization_settings", { body });

/** Runs `use` and puts the organization settings back. */
async function restoring(use) {
  const before = await settings();
  const original = {
    enabled: before.enabled,
    max_allowed_memberships: before.max_allowed_memberships,
    admin_delete_enabled: before.admin_delete_enabled,
    domains_enabled: before.domains_enabled,
    domains_enrollment_modes: before.domains_enrollment_modes.filter((mode) => mode !== "manual_invitation"),
    creator_role_id: await roleId(before.creator_role),
    domains_default_role_id: await roleId(before.domains_default_role),
  };
  try {
    await use(before);
  } finally {
    await change(original);
  }
}

const roleId = async (key) => (await rawOk("GET", "/organization_roles", { query: { query: key, limit: 500 } })).data.find((r) => r.key === key).id;

test("Instance: the SDK reads it", async () => {
  const instance = await server.clerk.instance.get();
  matches(instance.id, /^ins_\S+$/, "id");
  equal(last().json.environment_type, server.secretKey.startsWith("sk_live_") ? "production" : "development", "environment_type");
});

test("Instance: allowed origins are replaced, answer 204 without a body", async () => {
  const before = (await rawOk("GET", "/instance")).allowed_origins ?? [];
  const origins = [`https://${unique("app")}.example.test`, "http://127.0.0.1:3210", "capacitor://localhost", `chrome-extension://${unique()}`];
  try {
    await server.clerk.instance.update({ allowedOrigins: origins });
    equal([last().status, last().text], [204, ""], "status and body");
    sameSet((await rawOk("GET", "/instance")).allowed_origins, origins, "allowed_origins");
    await server.clerk.instance.update({ allowedOrigins: [] });
    equal((await rawOk("GET", "/instance")).allowed_origins ?? [], [], "emptied");
  } finally {
    await server.clerk.instance.update({ allowedOrigins: before });
  }
});

test("Instance: a request that does not name allowed_origins leaves them", async () => {
  const before = (await rawOk("GET", "/instance")).allowed_origins;
  equal((await raw("PATCH", "/instance", { body: {} })).status, 204, "status");
  equal((await rawOk("GET", "/instance")).allowed_origins, before, "allowed_origins");
});

test("Instance: an allowed origin is an origin", async () => {
  const before = (await rawOk("GET", "/instance")).allowed_origins;
  for (const bad of ["*", "null", "", "example.test", "https://", "https://app.example.test/path", "https://user@app.example.test", "javascript:alert(1)"]) {
    await refused(() => server.clerk.instance.update({ allowedOrigins: [bad] }), "422 form_invalid_origin | 422 form_param_value_invalid", { param: "allowed_origins" });
  }
  equal((await rawOk("GET", "/instance")).allowed_origins, before, "unchanged");
});

test("ORG-2 the organization settings are read by the SDK", async () => {
  const read = await server.clerk.instance.getOrganizationSettings();
  const json = last().json;
  equal(json.enabled, true, "enabled");
  equal([read.creatorRole, json.creator_role], ["org:admin", "org:admin"], "creator_role");
  equal(json.domains_default_role, "org:member", "domains_default_role");
  matches(json.initial_role_set_key, /^role_set:/, "initial_role_set_key");
});

test("ORG-11 the seat limit of new organizations can change", async () => {
  await restoring(async () => {
    const old = await server.clerk.organizations.createOrganization({ name: unique("Old ") });
    const changed = await server.clerk.instance.updateOrganizationSettings({ maxAllowedMemberships: 17 });
    equal(changed.maxAllowedMemberships, 17, "max_allowed_memberships");
    equal((await server.clerk.organizations.createOrganization({ name: unique("New ") })).maxAllowedMemberships, 17, "of a new organization");
    equal((await rawOk("GET", `/organizations/${old.id}`)).max_allowed_memberships, old.maxAllowedMemberships, "of an old organization");
  });
});

test("ORG-15 the deletion switch affects only organizations created later", async () => {
  await restoring(async (before) => {
    const old = await newOrganization();
    await server.clerk.instance.updateOrganizationSettings({ adminDeleteEnabled: !before.admin_delete_enabled });
    equal((await newOrganization()).adminDeleteEnabled, !before.admin_delete_enabled, "of a new organization");
    equal((await rawOk("GET", `/organizations/${old.id}`)).admin_delete_enabled, before.admin_delete_enabled, "of an old organization");
  });
});

test("ROL-8 the default role may be any role of the set, the administrator's included", async () => {
  await restoring(async () => {
    const json = await change({ domains_default_role_id: await roleId("org:admin") });
    equal(json.domains_default_role, "org:admin", "domains_default_role");
  });
  equal((await settings()).domains_default_role, "org:member", "afterwards");
});

test("ROL-7 the creator role needs its permissions", async () => {
  const member = await roleId("org:member");
  await refused(() => raw("PATCH", "/instance/organization_settings", { body: { creator_role_id: member } }), "422 organization_missing_creator_role_permissions");
  equal((await settings()).creator_role, "org:admin", "creator_role");
});

test("ROL-8 an unknown role is refused", async () => {
  const refusal = "404 resource_not_found | 422 form_resource_not_found";
  await refused(() => raw("PATCH", "/instance/organization_settings", { body: { creator_role_id: unknown("role") } }), refusal);
  await refused(() => raw("PATCH", "/instance/organization_settings", { body: { domains_default_role_id: unknown("role") } }), refusal);
});

test("DOM-2 enrolment modes are those that exist", async () => {
  await refused(() => raw("PATCH", "/instance/organization_settings", { body: { domains_enabled: true, domains_enrollment_modes: ["by_pigeon"] } }), "422 form_param_value_invalid", { param: "domains_enrollment_modes" });
  await restoring(async () => {
    const json = await change({ domains_enabled: true, domains_enrollment_modes: ["automatic_invitation", "automatic_suggestion"] });
    const modes = json.domains_enrollment_modes.filter((mode) => mode !== "manual_invitation");
    sameSet(modes, ["automatic_invitation", "automatic_suggestion"], "domains_enrollment_modes");
  });
});

test("ORG-11 a negative seat limit is refused", () =>
  refused(() => raw("PATCH", "/instance/organization_settings", { body: { max_allowed_memberships: -1 } }), "422 form_param_value_invalid", { param: "max_allowed_memberships" }));

test("ORG-2 an empty change answers the settings", async () => {
  const before = await settings();
  equal(await change({}), before, "settings");
});

test("ORG-2 organization calls are refused while organizations are disabled", async () => {
  const organization = await newOrganization();
  const user = await newUser();
  await restoring(async () => {
    const json = await change({ enabled: false });
    equal(json.enabled, false, "enabled");
    const off = "403 organization_not_enabled_in_instance";
    await refused(() => server.clerk.organizations.createOrganization({ name: unique() }), off);
    await refused(() => server.clerk.organizations.getOrganizationList(), off);
    await refused(() => server.clerk.organizations.getOrganization({ organizationId: organization.id }), off);
    await refused(() => server.clerk.organizations.createOrganizationMembership({ organizationId: organization.id, userId: user.id, role: "org:member" }), off);
  });
  equal((await server.clerk.organizations.getOrganization({ organizationId: organization.id })).id, organization.id, "afterwards");
  check((await settings()).enabled, "enabled afterwards");
});
