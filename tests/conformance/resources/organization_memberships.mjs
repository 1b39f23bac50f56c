import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { email, ids, join, newOrganization, newTeam, newUser, newUsers, unique, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("organization_memberships");

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
const UNKNOWN_ROLE = "404 resource_not_found | 422 form_resource_not_found | 422 form_param_value_invalid";

const organizations = () => server.clerk.organizations;
const list = (organization, params = {}) => organizations().getOrganizationMembershipList({ organizationId: organization.id, ...params });
const userIds = (memberships) => memberships.map((m) => m.publicUserData.userId);
const setRole = (organization, user, role) => organizations().updateOrganizationMembership({ organizationId: organization.id, userId: user.id, role });
const remove = (organization, user) => organizations().deleteOrganizationMembership({ organizationId: organization.id, userId: user.id });

// --- add

test("MEM-18 a user is added with a role", async () => {
  const organization = await newOrganization({ publicMetadata: { tier: 1 } });
  const user = await newUser({ firstName: "Mary", lastName: "Jackson" });
  const membership = await join(organization, user, "org:member");
  matches(membership.id, /^orgmem_[0-9A-Za-z]{27}$/, "id");
  equal([membership.role, membership.organization.id, membership.organization.publicMetadata], ["org:member", organization.id, { tier: 1 }], "role and organization");
  equal([membership.publicMetadata, membership.privateMetadata], [{}, {}], "metadata");
  recent(membership.createdAt, "created_at");
  const data = last().json.public_user_data;
  equal([data.user_id, data.first_name, data.last_name, data.identifier], [user.id, "Mary", "Jackson", user.emailAddresses[0].emailAddress], "public_user_data");
});

test("ROL-4 a membership carries the permissions of its role, the system's included", async () => {
  const { admin, organization } = await newTeam();
  const member = await newUser();
  await join(organization, member);
  const { data } = await list(organization);
  const of = (user) => data.find((m) => m.publicUserData.userId === user.id);
  const missing = SYSTEM_PERMISSIONS.filter((key) => !of(admin).permissions.includes(key));
  equal(missing, [], "permissions that the admin lacks");
  sameSet(of(member).permissions, ["org:sys_memberships:read", "org:sys_billing:read"], "permissions of a member");
  equal(last().json.data.map((m) => m.role_name).sort(), ["Admin", "Member"], "role_name");
});

test("MEM-18 metadata given with the membership is kept", async () => {
  const organization = await newOrganization();
  const user = await newUser();
  const json = await rawOk("POST", `/organizations/${organization.id}/memberships`, { body: { user_id: user.id, role: "org:member", public_metadata: { desk: 4 }, private_metadata: { pay: 5 } } });
  equal([json.public_metadata, json.private_metadata], [{ desk: 4 }, { pay: 5 }], "metadata");
});

test("MEM-18 a member cannot be added again", async () => {
  const { admin, organization } = await newTeam();
  await refused(() => join(organization, admin, "org:member"), "400 already_a_member_in_organization");
  equal((await list(organization)).data.map((m) => m.role), ["org:admin"], "role");
});

test("ROL-13 an unknown role is refused", async () => {
  const organization = await newOrganization();
  await refused(() => newUser().then((user) => join(organization, user, "org:no_such_role")), UNKNOWN_ROLE);
  equal((await list(organization)).totalCount, 0, "members");
});

test("MEM-18 user and organization must exist", async () => {
  const organization = await newOrganization();
  const user = await newUser();
  await refused(() => join(organization, { id: unknown("user") }), "404 resource_not_found");
  await refused(() => join({ id: unknown("org") }, user), "404 resource_not_found");
});

test("MEM-18 user_id and role are required", async () => {
  const organization = await newOrganization();
  const user = await newUser();
  await refused(() => raw("POST", `/organizations/${organization.id}/memberships`, { body: { role: "org:member" } }), "422 form_param_missing", { param: "user_id" });
  await refused(() => raw("POST", `/organizations/${organization.id}/memberships`, { body: { user_id: user.id } }), "422 form_param_missing", { param: "role" });
});

test("ORG-11 a full organization takes nobody more", async () => {
  const { organization } = await newTeam({ maxAllowedMemberships: 2 });
  const [second, third] = await newUsers(2);
  await join(organization, second);
  await refused(() => join(organization, third), "403 organization_membership_quota_exceeded");
  await organizations().updateOrganization(organization.id, { maxAllowedMemberships: 3 });
  await join(organization, third);
  equal((await list(organization)).totalCount, 3, "members");
});

test("ORG-11 a seat limit of 0 is no limit", async () => {
  const organization = await newOrganization({ maxAllowedMemberships: 0 });
  for (const user of await newUsers(7)) await join(organization, user);
  equal((await list(organization)).totalCount, 7, "members");
});

test("ORG-11 simultaneous joins never exceed the seat limit", async () => {
  const organization = await newOrganization({ maxAllowedMemberships: 3 });
  const crowd = await newUsers(8);
  await Promise.allSettled(crowd.map((user) => join(organization, user)));
  equal((await list(organization)).totalCount, 3, "members");
});

test("ROL-13 only roles of the organization's role set can be given", async () => {
  const set = await rawOk("POST", "/role_sets", { body: { name: unique("Admins only "), default_role_key: "org:admin", creator_role_key: "org:admin", roles: ["org:admin"] } });
  const organization = await rawOk("POST", "/organizations", { body: { name: unique("Org "), role_set_key: set.key } });
  equal(organization.role_set_key, set.key, "role_set_key");
  const [one, two] = await newUsers(2);
  await refused(() => join(organization, one, "org:member"), UNKNOWN_ROLE);
  await join(organization, one, "org:admin");
  await join(organization, two, "org:admin");
  await refused(() => setRole(organization, two, "org:member"), UNKNOWN_ROLE);
});

// --- list

test("MEM-10 the members are listed with a total, in pages", async () => {
  const organization = await newOrganization();
  const crowd = await newUsers(3);
  for (const user of crowd) await join(organization, user);
  const seen = [];
  for (const offset of [0, 1, 2, 3]) {
    const { data, totalCount } = await list(organization, { limit: 1, offset });
    equal(totalCount, 3, "total");
    seen.push(...userIds(data));
  }
  sameSet(seen, ids(crowd), "each member once");
});

test("MEM-10 ten members by default", async () => {
  const organization = await newOrganization();
  for (const user of await newUsers(11)) await join(organization, user);
  const { data, totalCount } = await list(organization);
  equal([data.length, totalCount], [10, 11], "rows and total");
});

test("MEM-10 order_by takes a property and a sign", async () => {
  const organization = await newOrganization();
  const names = ["Bea", "Cid", "Abe"];
  const crowd = await newUsers(3, (i) => ({ firstName: names[i], lastName: names[(i + 1) % 3], emailAddress: [email(names[i].toLowerCase())] }));
  for (const user of crowd) {
    await join(organization, user);
    await pause(4);
  }
  const [b, c, a] = ids(crowd);
  const order = async (orderBy) => userIds((await list(organization, { orderBy })).data);
  equal(await order("created_at"), [b, c, a], "created_at");
  equal(await order("-created_at"), [a, c, b], "-created_at");
  equal(await order("first_name"), [a, b, c], "first_name");
  equal(await order("-first_name"), [c, b, a], "-first_name");
  equal(await order("+last_name"), [c, a, b], "+last_name");
  equal(await order("+email_address"), [a, b, c], "+email_address");
  equal(await order("-email_address"), [c, b, a], "-email_address");
  for (const other of ["username", "-phone_number"]) sameSet(await order(other), [a, b, c], other);
});

test("MEM-10 an unknown order_by is refused", async () => {
  const organization = await newOrganization();
  await refused(() => list(organization, { orderBy: "height" }), "422 form_param_value_invalid", { param: "order_by" });
});

test("MEM-10 filters by user, address, role and text", async () => {
  const organization = await newOrganization();
  const marker = unique("mk");
  const [one, two, three] = await newUsers(3, (i) => ({ firstName: i === 2 ? `F${marker}` : "Ada", emailAddress: [`${marker}${i}@people.test`] }));
  await join(organization, one, "org:admin");
  await join(organization, two);
  await join(organization, three);
  const found = async (params) => userIds((await list(organization, params)).data);
  sameSet(await found({ userId: [one.id, `+${two.id}`] }), [one.id, two.id], "user_id");
  sameSet(await found({ userId: [`-${one.id}`] }), [two.id, three.id], "-user_id");
  sameSet(await found({ emailAddress: [`${marker}1@people.test`] }), [two.id], "email_address");
  sameSet(await found({ role: ["org:admin"] }), [one.id], "role");
  sameSet(await found({ role: ["org:admin", "org:member"] }), [one.id, two.id, three.id], "roles");
  sameSet(await found({ role: ["org:no_such_role"] }), [], "unknown role");
  sameSet(await found({ query: `f${marker}` }), [three.id], "query on a name");
  sameSet(await found({ query: `${marker}0` }), [one.id], "query on an address");
  sameSet(await found({ query: two.id }), [two.id], "query on an id");
  sameSet(await found({ emailAddressQuery: `${marker.toUpperCase()}2@` }), [three.id], "email_address_query");
  sameSet(await found({ nameQuery: `F${marker}` }), [three.id], "name_query");
  sameSet(await found({ username: [unique("nobody")] }), [], "username");
  sameSet(await found({ phoneNumber: ["+15555550100"] }), [], "phone_number");
  equal((await list(organization, { role: ["org:member"] })).totalCount, 2, "total of a filter");
});

test("MEM-10 filters by time", async () => {
  const { admin, organization } = await newTeam();
  const [{ createdAt }] = (await list(organization)).data;
  const found = async (params) => userIds((await list(organization, params)).data);
  equal(await found({ createdAtAfter: createdAt - 1000 }), [admin.id], "created_at_after");
  equal(await found({ createdAtBefore: createdAt - 1000 }), [], "created_at_before");
  equal(await found({ lastActiveAtAfter: 1 }), [], "last_active_at_after");
});

test("MEM-10 a list holds the members of its organization only", async () => {
  const [one, two] = [await newTeam(), await newTeam()];
  equal(userIds((await list(one.organization)).data), [one.admin.id], "members");
  equal(userIds((await list(one.organization, { userId: [two.admin.id] })).data), [], "someone else's member");
});

test("MEM-10 the members of an unknown organization are not found", () =>
  refused(() => list({ id: unknown("org") }), "404 resource_not_found"));

// --- change

test("MEM-10 the role of a member changes", async () => {
  const { organization } = await newTeam();
  const user = await newUser();
  const joined = await join(organization, user);
  const changed = await setRole(organization, user, "org:admin");
  equal([changed.id, changed.role], [joined.id, "org:admin"], "membership");
  check(changed.permissions.includes("org:sys_profile:delete"), "permissions must follow the role");
  const { data } = await list(organization, { role: ["org:admin"] });
  equal(data.length, 2, "admins");
});

test("MEM-10 changes need a known role, member and organization", async () => {
  const { admin, organization } = await newTeam();
  const stranger = await newUser();
  await refused(() => setRole(organization, admin, "org:no_such_role"), UNKNOWN_ROLE);
  await refused(() => setRole(organization, stranger, "org:member"), "404 resource_not_found");
  await refused(() => setRole({ id: unknown("org") }, admin, "org:member"), "404 resource_not_found");
  await refused(() => raw("PATCH", `/organizations/${organization.id}/memberships/${admin.id}`, { body: {} }), "422 form_param_missing", { param: "role" });
});

test("ORG-14 the last administrator keeps the role", async () => {
  const { admin, organization } = await newTeam();
  const second = await newUser();
  await join(organization, second);
  await refused(() => setRole(organization, admin, "org:member"), "400 organization_minimum_permissions_needed");
  await setRole(organization, second, "org:admin");
  await setRole(organization, admin, "org:member");
  equal((await list(organization, { role: ["org:admin"] })).data.map((m) => m.publicUserData.userId), [second.id], "admins");
});

test("ORG-14 two administrators stepping down at once cannot both succeed", async () => {
  const { admin, organization } = await newTeam();
  const second = await newUser();
  await join(organization, second, "org:admin");
  await Promise.allSettled([setRole(organization, admin, "org:member"), setRole(organization, second, "org:member")]);
  equal((await list(organization, { role: ["org:admin"] })).totalCount, 1, "admins");
});

// --- remove

test("MEM-10 a member is removed, and the membership is the answer", async () => {
  const { admin, organization } = await newTeam();
  const user = await newUser();
  const joined = await join(organization, user);
  const removed = await remove(organization, user);
  equal([removed.id, removed.organization.id], [joined.id, organization.id], "membership");
  equal(userIds((await list(organization)).data), [admin.id], "members");
  equal((await server.clerk.users.getOrganizationMembershipList({ userId: user.id })).data, [], "memberships of the user");
  await join(organization, user);
});

test("MEM-11 the last administrator cannot be removed", async () => {
  const { admin, organization } = await newTeam();
  await join(organization, await newUser());
  await refused(() => remove(organization, admin), "400 organization_minimum_permissions_needed");
  equal((await list(organization)).totalCount, 2, "members");
});

test("MEM-10 only members can be removed", async () => {
  const { admin, organization } = await newTeam();
  await refused(() => newUser().then((stranger) => remove(organization, stranger)), "404 resource_not_found");
  await refused(() => remove({ id: unknown("org") }, admin), "404 resource_not_found");
});

// --- metadata

test("MEM-10 metadata of a membership merges deeply and null removes", async () => {
  const { admin, organization } = await newTeam();
  const update = (metadata) => organizations().updateOrganizationMembershipMetadata({ organizationId: organization.id, userId: admin.id, ...metadata });
  await update({ publicMetadata: { a: 1, b: { c: 1, d: 2 } }, privateMetadata: { p: 1 } });
  const updated = await update({ publicMetadata: { a: null, b: { c: null, e: 3 } } });
  equal([updated.publicMetadata, updated.privateMetadata], [{ b: { d: 2, e: 3 } }, { p: 1 }], "metadata");
  const [listed] = (await list(organization)).data;
  equal([listed.publicMetadata, listed.privateMetadata], [{ b: { d: 2, e: 3 } }, { p: 1 }], "listed");
});

test("MEM-10 metadata must be an object, of a member", async () => {
  const { admin, organization } = await newTeam();
  await refused(() => raw("PATCH", `/organizations/${organization.id}/memberships/${admin.id}/metadata`, { body: { public_metadata: [1] } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "public_metadata" });
  await refused(
    () => newUser().then((stranger) => organizations().updateOrganizationMembershipMetadata({ organizationId: organization.id, userId: stranger.id, publicMetadata: { a: 1 } })),
    "404 resource_not_found",
  );
});
