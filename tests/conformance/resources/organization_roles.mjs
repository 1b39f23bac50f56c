import { check, equal, matches, refused, sameSet, section, test } from "../lib/harness.mjs";
import { unique, unknown } from "../lib/fixtures.mjs";
import { rawOk, server } from "../lib/server.mjs";
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
