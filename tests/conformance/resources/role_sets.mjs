import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { join, newOrganization, newUser, unique, unknown, withRole } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("role_sets");

const both = ["org:admin", "org:member"];
const fields = (extra = {}) => ({ name: unique("Set "), defaultRoleKey: "org:member", creatorRoleKey: "org:admin", roles: both, ...extra });
const sets = () => server.clerk.roleSets;
const UNKNOWN_ROLE = "404 resource_not_found | 422 form_resource_not_found | 422 form_param_value_invalid";

async function initialSet() {
  const { data } = await sets().getRoleSetList({ limit: 500 });
  return data.filter((set) => set.type === "initial");
}

test("ROL-12 exactly one role set is initial, and the settings name it", async () => {
  const initial = await initialSet();
  equal(initial.length, 1, "initial sets");
  const settings = await rawOk("GET", "/instance/organization_settings");
  equal(settings.initial_role_set_key, initial[0].key, "initial_role_set_key");
  const read = await rawOk("GET", `/role_sets/${initial[0].key}`);
  equal([read.default_role.object, read.creator_role.key], ["role_set_item", "org:admin"], "default and creator role");
});

test("ROL-11 a role set is made, read by key and by id, and changed", async () => {
  const key = `role_set:${unique()}`;
  const made = await sets().createRoleSet(fields({ key, description: "For partners" }));
  const json = last().json;
  equal([json.key, json.description, json.type], [key, "For partners", "custom"], "key, description, type");
  sameSet(json.roles.map((r) => r.key), both, "roles");
  equal([json.default_role.key, json.creator_role.key], ["org:member", "org:admin"], "default and creator role");
  recent(json.created_at, "created_at");
  await sets().getRoleSet(key);
  equal(last().json.id, made.id, "by key");
  await sets().getRoleSet(made.id);
  equal(last().json.key, key, "by id");
  await pause(5);
  await sets().updateRoleSet({ roleSetKeyOrId: key, name: "Renamed", description: "Other", defaultRoleKey: "org:admin" });
  const changed = last().json;
  equal([changed.id, changed.name, changed.description, changed.default_role.key, changed.creator_role.key], [made.id, "Renamed", "Other", "org:admin", "org:admin"], "changed");
  check(changed.updated_at > json.updated_at, "updated_at must grow");
});

test("ROL-11 a key is generated from the name when omitted", async () => {
  const name = unique("Key Maker ");
  await sets().createRoleSet(fields({ name }));
  matches(last().json.key, /^role_set:[a-z0-9_]+$/, "key");
});

test("ROL-11 a key is unique, and of the right form", async () => {
  const [existing] = await initialSet();
  await refused(() => sets().createRoleSet(fields({ key: existing.key })), "422 form_identifier_exists | 422 form_already_exists", { param: "key" });
  for (const key of ["partners", "role_set:", "role_set:Upper", "role_set:da-sh", "role_set:sp ace", "set:x"]) {
    await refused(() => sets().createRoleSet(fields({ key })), "422 form_param_format_invalid | 422 form_param_value_invalid", { param: "key" });
  }
});

test("ROL-11 the fields are required", async () => {
  const whole = { name: unique("Set "), default_role_key: "org:member", creator_role_key: "org:admin", roles: both };
  for (const field of Object.keys(whole)) {
    const { [field]: _, ...rest } = whole;
    await refused(() => raw("POST", "/role_sets", { body: rest }), "422 form_param_missing", { param: field });
  }
});

test("ROL-11 a role set has one to ten known roles", async () => {
  await refused(() => sets().createRoleSet(fields({ roles: [] })), "422 *", { param: "roles" });
  await refused(() => sets().createRoleSet(fields({ roles: [...both, "org:no_such_role"] })), UNKNOWN_ROLE);
  await refused(() => sets().createRoleSet(fields({ roles: Array.from({ length: 11 }, (_, i) => `org:r${i}`) })), "422 * | 404 resource_not_found");
});

test("ROL-11 default and creator role are drawn from the set", async () => {
  const outside = "422 form_param_value_invalid | 422 form_resource_not_found";
  await refused(() => sets().createRoleSet(fields({ roles: ["org:admin"], defaultRoleKey: "org:member" })), outside, { param: "default_role_key" });
  const [initial] = await initialSet();
  await refused(() => sets().updateRoleSet({ roleSetKeyOrId: initial.key, defaultRoleKey: "org:no_such_role" }), UNKNOWN_ROLE);
  await refused(() => sets().updateRoleSet({ roleSetKeyOrId: initial.key, creatorRoleKey: "org:no_such_role" }), UNKNOWN_ROLE);
});

test("ROL-7 the creator role needs its permissions", async () => {
  await refused(() => sets().createRoleSet(fields({ creatorRoleKey: "org:member" })), "422 organization_missing_creator_role_permissions");
  const [initial] = await initialSet();
  await refused(() => sets().updateRoleSet({ roleSetKeyOrId: initial.key, creatorRoleKey: "org:member" }), "422 organization_missing_creator_role_permissions");
});

test("ROL-12 a new initial set demotes the old one and serves new organizations only", async () => {
  const [before] = await initialSet();
  const old = await newOrganization();
  const made = await sets().createRoleSet(fields());
  try {
    await sets().updateRoleSet({ roleSetKeyOrId: made.id, type: "initial" });
    equal((await initialSet()).map((s) => s.id), [made.id], "initial set");
    equal((await rawOk("GET", "/instance/organization_settings")).initial_role_set_key, made.key, "initial_role_set_key");
    await newOrganization();
    equal(last().json.role_set_key, made.key, "role set of a new organization");
    equal((await rawOk("GET", `/organizations/${old.id}`)).role_set_key, before.key, "role set of an old organization");
  } finally {
    await sets().updateRoleSet({ roleSetKeyOrId: before.id, type: "initial" });
  }
  equal((await rawOk("GET", `/role_sets/${made.key}`)).type, "custom", "type afterwards");
});

test("ROL-12 a set cannot be made custom by hand", async () => {
  const [initial] = await initialSet();
  await refused(() => raw("PATCH", `/role_sets/${initial.key}`, { body: { type: "custom" } }), "422 form_param_value_invalid", { param: "type" });
  equal((await initialSet()).map((s) => s.id), [initial.id], "initial set");
});

test("ROL-11 role sets order, page and can be searched", async () => {
  const all = (await sets().getRoleSetList({ limit: 500, orderBy: "key" })).data.map((s) => s.key);
  equal(all, [...all].sort(), "key");
  equal((await sets().getRoleSetList({ limit: 500, orderBy: "-key" })).data.map((s) => s.key), [...all].reverse(), "-key");
  const page = await sets().getRoleSetList({ limit: 1, orderBy: "key" });
  equal([page.data.map((s) => s.key), page.totalCount], [all.slice(0, 1), all.length], "page");
  const found = await sets().getRoleSetList({ query: all[0] });
  check(found.data.some((s) => s.key === all[0]), "query on the key");
  equal((await sets().getRoleSetList({ query: unique("none") })).totalCount, 0, "no match");
  await refused(() => sets().getRoleSetList({ orderBy: "colour" }), "422 form_param_value_invalid", { param: "order_by" });
});

test("ROL-11 an unknown role set is not found", async () => {
  await refused(() => sets().getRoleSet(`role_set:${unique()}`), "404 resource_not_found");
  await refused(() => sets().getRoleSet(unknown("roleset")), "404 resource_not_found");
  await refused(() => sets().updateRoleSet({ roleSetKeyOrId: `role_set:${unique()}`, name: "X" }), "404 resource_not_found");
});

test("ROL-13 an organization can be given another role set", async () => {
  const set = await sets().createRoleSet(fields());
  const organization = await newOrganization();
  const updated = await rawOk("PATCH", `/organizations/${organization.id}`, { body: { role_set_key: set.key } });
  equal(updated.role_set_key, set.key, "role_set_key");
});

const roleIn = async (organization, user) => {
  const { data } = await server.clerk.organizations.getOrganizationMembershipList({ organizationId: organization.id, userId: [user.id] });
  return data[0].role;
};

/** Sets whose roles go: the tests put them back into the initial set. */
async function dropSet(key, mappings) {
  const [initial] = await initialSet();
  return sets().replaceRoleSet({ roleSetKeyOrId: key, destRoleSetKey: initial.key, reassignmentMappings: mappings });
}

test("ROL-14 roles are added to a set", async () => {
  const set = await sets().createRoleSet(fields());
  await withRole({}, async (role) => {
    const added = await sets().addRolesToRoleSet({ roleSetKeyOrId: set.key, roleKeys: [role.key], defaultRoleKey: role.key });
    equal(added.roles.map((r) => r.key), [...both, role.key], "roles");
    equal(added.defaultRole.key, role.key, "default role");
    await refused(() => sets().addRolesToRoleSet({ roleSetKeyOrId: set.key, roleKeys: [role.key], creatorRoleKey: role.key }), "422 organization_missing_creator_role_permissions");
    await dropSet(set.key);
  });
  await refused(() => sets().addRolesToRoleSet({ roleSetKeyOrId: set.key, roleKeys: both }), "404 resource_not_found");
  const [initial] = await initialSet();
  await refused(() => sets().addRolesToRoleSet({ roleSetKeyOrId: initial.key, roleKeys: [] }), "422 form_param_value_invalid", { param: "role_keys" });
  await refused(() => sets().addRolesToRoleSet({ roleSetKeyOrId: initial.key, roleKeys: ["org:no_such_role"] }), UNKNOWN_ROLE);
});

test("ROL-15 ROL-18 a role is replaced with those who hold it", async () => {
  await withRole({}, async (role) => {
    const set = await sets().createRoleSet(fields({ roles: [...both, role.key], defaultRoleKey: role.key }));
    const organization = await newOrganization();
    await rawOk("PATCH", `/organizations/${organization.id}`, { body: { role_set_key: set.key } });
    const user = await newUser();
    await join(organization, user, role.key);
    const replaced = await sets().replaceRoleInRoleSet({ roleSetKeyOrId: set.key, roleKey: role.key, toRoleKey: "org:member" });
    sameSet(replaced.roles.map((r) => r.key), both, "roles");
    equal(replaced.defaultRole.key, "org:member", "default role");
    equal(await roleIn(organization, user), "org:member", "role of the member");
    await refused(() => sets().replaceRoleInRoleSet({ roleSetKeyOrId: set.key, roleKey: role.key, toRoleKey: "org:member" }), "404 resource_not_found");
    await refused(() => sets().replaceRoleInRoleSet({ roleSetKeyOrId: set.key, roleKey: "org:member", toRoleKey: "org:member" }), "422 form_param_value_invalid", { param: "to_role_key" });
    await refused(() => sets().replaceRoleInRoleSet({ roleSetKeyOrId: set.key, roleKey: "org:admin", toRoleKey: "org:member" }), "422 organization_missing_creator_role_permissions");
    await dropSet(set.key);
  });
});

test("ROL-15 ROL-17 a role set is replaced, and is gone", async () => {
  const [initial] = await initialSet();
  await withRole({}, async (role) => {
    const set = await sets().createRoleSet(fields({ roles: [...both, role.key] }));
    const organization = await newOrganization();
    await rawOk("PATCH", `/organizations/${organization.id}`, { body: { role_set_key: set.key } });
    const user = await newUser();
    await join(organization, user, role.key);
    const missing = await refused(() => dropSet(set.key), "422 organization_role_set_reassignment_mappings_missing");
    equal(missing.meta.role_keys, [role.key], "role_keys");
    await refused(() => dropSet(set.key, { [role.key]: role.key }), "422 organization_role_set_reassignment_mappings_invalid");
    await refused(() => sets().replaceRoleSet({ roleSetKeyOrId: set.key, destRoleSetKey: set.key }), "422 form_param_value_invalid", { param: "dest_role_set_key" });
    await refused(() => sets().replaceRoleSet({ roleSetKeyOrId: set.key, destRoleSetKey: `role_set:${unique()}` }), "422 form_resource_not_found", { param: "dest_role_set_key" });
    await refused(() => sets().replaceRoleSet({ roleSetKeyOrId: initial.key, destRoleSetKey: set.key }), "403 cannot_delete_initial_role_set");
    equal(await roleIn(organization, user), role.key, "role before");
    await dropSet(set.key, { [role.key]: "org:member" });
    equal(last().json, { object: "role_set", id: set.id, deleted: true }, "deleted");
    equal(await roleIn(organization, user), "org:member", "role afterwards");
    equal((await rawOk("GET", `/organizations/${organization.id}`)).role_set_key, initial.key, "role set of the organization");
    await refused(() => sets().getRoleSet(set.key), "404 resource_not_found");
  });
});

test("ROL-15 an organization changes its role set with its members", async () => {
  await withRole({}, async (role) => {
    const set = await sets().createRoleSet(fields({ roles: ["org:admin", role.key], defaultRoleKey: role.key }));
    const organization = await newOrganization();
    const user = await newUser();
    await join(organization, user);
    const change = (mappings) => ({ body: { role_set_key: set.key, reassignment_mappings: mappings } });
    await refused(() => raw("PATCH", `/organizations/${organization.id}`, change({})), "422 organization_role_set_reassignment_mappings_missing");
    await rawOk("PATCH", `/organizations/${organization.id}`, change({ "org:member": role.key }));
    equal(await roleIn(organization, user), role.key, "role");
    await dropSet(set.key, { [role.key]: "org:member" });
  });
});
