import { check, equal, matches, refused, sameSet, section, test } from "../lib/harness.mjs";
import { join, newPermission, newTeam, newUser, unique, unknown, withRole } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("organization_roles");

const SYSTEM_PERMISSIONS = [
  "org:sys_profile:manage",
  "org:sys_profile:delete",
  "org:sys_memberships:read",
  "org:sys_memberships:manage",
  "org:sys_domains:read",
  "org:sys_domains:manage",
  "org:sys_billing:read",
  "org:sys_billing:manage",
  "org:sys_entconns:manage",
];

const api = () => server.clerk.organizationRoles;
const permissionApi = () => server.clerk.organizationPermissions;
const roles = (params) => server.clerk.organizationRoles.getOrganizationRoleList(params);
const permissions = (params) => server.clerk.organizationPermissions.getOrganizationPermissionList(params);
const keys = (list) => list.map((item) => item.key);

async function role(key) {
  const { data } = await roles({ query: key, limit: 500 });
  return data.find((r) => r.key === key);
}

test("ROL-1 the stock roles exist", async () => {
  const { data, totalCount } = await roles({ limit: 500 });
  check(totalCount >= 2, "total");
  const stock = last().json.data.filter((r) => ["org:admin", "org:member"].includes(r.key));
  equal(stock.map((r) => [r.key, r.name]).sort(), [["org:admin", "Admin"], ["org:member", "Member"]], "stock roles");
  for (const one of data) matches(one.id, /^role_[0-9A-Za-z]{27}$/, "id");
});

test("ROL-1 the administrator holds every system permission, the member reads members and billing", async () => {
  const admin = await role("org:admin");
  equal(SYSTEM_PERMISSIONS.filter((key) => !keys(admin.permissions).includes(key)), [], "permissions that the admin lacks");
  sameSet(keys((await role("org:member")).permissions), ["org:sys_memberships:read", "org:sys_billing:read"], "permissions of a member");
});

test("ROL-7 only roles with the needed permissions are eligible for creators", async () => {
  equal([(await role("org:admin")).isCreatorEligible, (await role("org:member")).isCreatorEligible], [true, false], "is_creator_eligible");
});

test("ROL-1 roles order by name and key", async () => {
  const stock = async (orderBy) => keys((await roles({ orderBy, limit: 500 })).data).filter((key) => ["org:admin", "org:member"].includes(key));
  equal(await stock("name"), ["org:admin", "org:member"], "name");
  equal(await stock("-name"), ["org:member", "org:admin"], "-name");
  equal(await stock("+key"), ["org:admin", "org:member"], "+key");
  equal(await stock("-key"), ["org:member", "org:admin"], "-key");
  sameSet(await stock("-created_at"), ["org:admin", "org:member"], "-created_at");
  await refused(() => roles({ orderBy: "colour" }), "422 form_param_value_invalid", { param: "order_by" });
});

test("ROL-1 query is exact on the id and partial on name and key", async () => {
  const admin = await role("org:admin");
  equal(keys((await roles({ query: admin.id })).data), ["org:admin"], "id");
  check(keys((await roles({ query: "ADMI" })).data).includes("org:admin"), "part of the name");
  check(keys((await roles({ query: "org:mem" })).data).includes("org:member"), "part of the key");
  const none = await roles({ query: unique("none") });
  equal([none.data, none.totalCount], [[], 0], "no match");
});

test("ROL-1 roles come in pages", async () => {
  const { totalCount } = await roles({ limit: 1 });
  const seen = [];
  for (let offset = 0; offset < totalCount; offset += 1) seen.push(...keys((await roles({ limit: 1, offset, orderBy: "key" })).data));
  sameSet(new Set(seen), seen, "each role once");
  equal(seen.length, totalCount, "all roles");
});

test("ROL-1 a role is read by its id", async () => {
  const admin = await role("org:admin");
  const read = await server.clerk.organizationRoles.getOrganizationRole(admin.id);
  equal([read.id, read.key], [admin.id, "org:admin"], "role");
  sameSet(keys(read.permissions), keys(admin.permissions), "permissions");
  await refused(() => server.clerk.organizationRoles.getOrganizationRole(unknown("role")), "404 resource_not_found");
});

test("ROL-2 the system permissions exist, and are of type system", async () => {
  await permissions({ limit: 500 });
  const system = last().json.data.filter((p) => p.key.startsWith("org:sys_"));
  equal(SYSTEM_PERMISSIONS.filter((key) => !keys(system).includes(key)), [], "missing permissions");
  equal([...new Set(system.map((p) => p.type))], ["system"], "type");
  for (const one of system) matches(one.id, /^perm_[0-9A-Za-z]{27}$/, "id");
});

test("ROL-2 permissions order, page and can be searched", async () => {
  const ascending = keys((await permissions({ orderBy: "key", limit: 500 })).data);
  equal(ascending, [...ascending].sort(), "key");
  equal(keys((await permissions({ orderBy: "-key", limit: 500 })).data), [...ascending].reverse(), "-key");
  equal(keys((await permissions({ orderBy: "key", limit: 2, offset: 1 })).data), ascending.slice(1, 3), "page");
  equal((await permissions({ limit: 1 })).totalCount, ascending.length, "total");
  sameSet(keys((await permissions({ query: "sys_domains", limit: 500 })).data), ["org:sys_domains:read", "org:sys_domains:manage"], "query");
  await refused(() => permissions({ orderBy: "colour" }), "422 form_param_value_invalid", { param: "order_by" });
});

test("ROL-2 ten permissions at most by default", async () => {
  const json = await rawOk("GET", "/organization_permissions");
  check(json.data.length <= 10, `${json.data.length} rows`);
});

test("ROL-5 a role is made, changed and deleted", async () => {
  const permission = await newPermission();
  const system = (await permissions({ query: "org:sys_billing:read" })).data[0];
  const key = `org:${unique("analyst")}`;
  const made = await api().createOrganizationRole({ name: "Analyst", key, description: "Reads", permissions: [permission.id, system.id] });
  equal([made.name, made.key, made.description, made.isCreatorEligible], ["Analyst", key, "Reads", false], "made");
  sameSet(keys(made.permissions), [permission.key, system.key], "permissions");
  matches(made.id, /^role_[0-9A-Za-z]{27}$/, "id");
  const other = `org:${unique("reader")}`;
  const changed = await api().updateOrganizationRole({ organizationRoleId: made.id, name: "Reader", key: other, permissions: [permission.id] });
  equal([changed.id, changed.name, changed.key, changed.description], [made.id, "Reader", other, "Reads"], "changed");
  equal(keys(changed.permissions), [permission.key], "permissions afterwards");
  await api().deleteOrganizationRole(made.id);
  equal(last().json, { object: "role", id: made.id, deleted: true }, "deleted");
  await refused(() => api().getOrganizationRole(made.id), "404 resource_not_found");
  await permissionApi().deleteOrganizationPermission(permission.id);
});

test("ROL-5 keys of roles are of the right form and unique", async () => {
  for (const key of ["analyst", "org:", "org:Upper", "org:da-sh", "org:reports:read", "role_set:x"]) {
    await refused(() => api().createOrganizationRole({ name: "Role", key }), "422 form_param_format_invalid", { param: "key" });
  }
  await refused(() => api().createOrganizationRole({ name: "Role", key: "org:admin" }), "422 form_identifier_exists", { param: "key" });
  await withRole({}, async (one) => {
    await refused(() => api().updateOrganizationRole({ organizationRoleId: one.id, key: "org:member" }), "422 form_identifier_exists", { param: "key" });
    await refused(() => api().updateOrganizationRole({ organizationRoleId: one.id, name: "" }), "422 form_param_value_invalid", { param: "name" });
    await refused(() => api().updateOrganizationRole({ organizationRoleId: one.id, permissions: [unknown("perm")] }), "404 resource_not_found");
  });
  for (const field of ["name", "key"]) {
    const { [field]: _, ...rest } = { name: "Role", key: `org:${unique()}` };
    await refused(() => raw("POST", "/organization_roles", { body: rest }), "422 form_param_missing", { param: field });
  }
  await refused(() => api().updateOrganizationRole({ organizationRoleId: unknown("role"), name: "X" }), "404 resource_not_found");
  await refused(() => api().deleteOrganizationRole(unknown("role")), "404 resource_not_found");
});

test("ROL-5 there are ten roles of one's own at most", async () => {
  const { totalCount } = await roles({ limit: 1 });
  const made = [];
  try {
    for (let n = totalCount; n < 12; n += 1) made.push(await api().createOrganizationRole({ name: "Role", key: `org:${unique("r")}` }));
    await refused(() => api().createOrganizationRole({ name: "Role", key: `org:${unique("r")}` }), "403 organization_instance_roles_quota_exceeded");
  } finally {
    for (const one of made) await api().deleteOrganizationRole(one.id);
  }
});

test("ROL-6 a permission is made, changed and deleted", async () => {
  const feature = unique("reports");
  const made = await newPermission({ name: "Read reports", key: `org:${feature}:read` });
  equal([made.key, made.name, made.description, last().json.type], [`org:${feature}:read`, "Read reports", "", "user"], "made");
  matches(made.id, /^perm_[0-9A-Za-z]{27}$/, "id");
  const changed = await permissionApi().updateOrganizationPermission({ permissionId: made.id, name: "Write", key: `org:${feature}:write`, description: "All" });
  equal([changed.id, changed.key, changed.name, changed.description], [made.id, `org:${feature}:write`, "Write", "All"], "changed");
  equal((await permissionApi().getOrganizationPermission(made.id)).key, `org:${feature}:write`, "read");
  await permissionApi().deleteOrganizationPermission(made.id);
  equal(last().json, { object: "permission", id: made.id, deleted: true }, "deleted");
  await refused(() => permissionApi().getOrganizationPermission(made.id), "404 resource_not_found");
});

test("ROL-6 keys of permissions are of the right form, not of the system's and unique", async () => {
  for (const key of ["org:reports", "org:reports:", "org::read", "org:Reports:read", "org:a:b:c", "reports:read", "org:sys_reports:read"]) {
    await refused(() => newPermission({ key }), "422 form_param_format_invalid | 422 form_param_value_invalid", { param: "key" });
  }
  const made = await newPermission();
  await refused(() => newPermission({ key: made.key }), "422 form_identifier_exists", { param: "key" });
  await permissionApi().deleteOrganizationPermission(made.id);
  await refused(() => permissionApi().updateOrganizationPermission({ permissionId: unknown("perm"), name: "X" }), "404 resource_not_found");
  await refused(() => permissionApi().deleteOrganizationPermission(unknown("perm")), "404 resource_not_found");
});

test("ROL-6 system permissions stay as they are", async () => {
  const { id } = (await permissions({ query: "org:sys_billing:read" })).data[0];
  const expected = "403 organization_system_permission_not_modifiable";
  await refused(() => permissionApi().updateOrganizationPermission({ permissionId: id, name: "Mine" }), expected);
  await refused(() => permissionApi().deleteOrganizationPermission(id), expected);
});

test("ROL-10 a permission is assigned once and removed once", async () => {
  const permission = await newPermission();
  await withRole({}, async (one) => {
    const pair = { organizationRoleId: one.id, permissionId: permission.id };
    equal(keys((await api().assignPermissionToOrganizationRole(pair)).permissions), [permission.key], "assigned");
    await refused(() => api().assignPermissionToOrganizationRole(pair), "409 organization_role_permission_association_exists");
    equal(keys((await api().removePermissionFromOrganizationRole(pair)).permissions), [], "removed");
    await refused(() => api().removePermissionFromOrganizationRole(pair), "404 organization_role_permission_association_not_found");
    for (const [id, other] of [[unknown("role"), permission.id], [one.id, unknown("perm")]]) {
      await refused(() => api().assignPermissionToOrganizationRole({ organizationRoleId: id, permissionId: other }), "404 resource_not_found");
      await refused(() => api().removePermissionFromOrganizationRole({ organizationRoleId: id, permissionId: other }), "404 resource_not_found");
    }
  });
  await permissionApi().deleteOrganizationPermission(permission.id);
});

test("ROL-9 a role that is needed stays", async () => {
  await refused(async () => api().deleteOrganizationRole((await role("org:admin")).id), "422 organization_role_default_creator_role");
  await refused(async () => api().deleteOrganizationRole((await role("org:member")).id), "422 organization_role_domain_default_role");
  const { organization } = await newTeam();
  const user = await newUser();
  await withRole({ includeInInitialRoleSet: true }, async (one) => {
    await join(organization, user, one.key);
    await refused(() => api().deleteOrganizationRole(one.id), "422 organization_role_assigned_members");
    await server.clerk.organizations.updateOrganizationMembership({ organizationId: organization.id, userId: user.id, role: "org:member" });
  });
});

test("ROL-7 the creator role keeps its permissions", async () => {
  const admin = await role("org:admin");
  const needed = admin.permissions.find((p) => p.key === "org:sys_memberships:manage");
  const rest = admin.permissions.filter((p) => p.id !== needed.id).map((p) => p.id);
  const expected = "422 organization_missing_creator_role_permissions";
  await refused(() => api().updateOrganizationRole({ organizationRoleId: admin.id, permissions: rest }), expected);
  await refused(() => api().removePermissionFromOrganizationRole({ organizationRoleId: admin.id, permissionId: needed.id }), expected);
});
