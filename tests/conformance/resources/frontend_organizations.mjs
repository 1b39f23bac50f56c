import { equal, matches, refused, sameSet, section, test } from "../lib/harness.mjs";
import { Browser, claims, ok } from "../lib/browser.mjs";
import { newOrganization, unique, unknown } from "../lib/fixtures.mjs";
import { fill, OPERATIONS } from "../lib/frontend_operations.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { rawOk } from "../lib/server.mjs";

section("frontend_organizations");

const NOT_FOUND = "404 organization_not_found_or_unauthorized";

/** A signed-in person who came through a connection of no organization, so they may leave any. */
async function person() {
  const idp = await connected();
  const browser = new Browser();
  const session = await browser.signIn(idp, idp.person());
  const token = async () => claims(ok(await browser.post(`/client/sessions/${session.id}/tokens`)).jwt);
  return { browser, idp, user: session.user, token };
}

/** An organization that `admin` has made. */
async function own() {
  const admin = await person();
  const { response: organization } = ok(await admin.browser.post("/organizations", { name: unique("Org ") }));
  return { admin, browser: admin.browser, organization, at: `/organizations/${organization.id}` };
}

async function member(organization, role = "org:member") {
  const found = await person();
  await rawOk("POST", `/organizations/${organization.id}/memberships`, { body: { user_id: found.user.id, role } });
  return found;
}

const roleOf = async (organization, user) => {
  const { data } = await rawOk("GET", `/organizations/${organization.id}/memberships`);
  return data.find((found) => found.public_user_data.user_id === user.id)?.role;
};

test("ORG-9 who makes an organization is its first member, with the creator role, and has it active", async () => {
  const { browser, user, token } = await person();
  const [name, slug] = [unique("Org "), unique("slug-")];
  const { response, client } = ok(await browser.post("/organizations", { name, slug }));
  equal([response.object, response.name, response.slug, response.members_count], ["organization", name, slug, 1], "organization");
  equal(client.sessions[0].last_active_organization_id, response.id, "active");
  const { o } = await token();
  equal([o.id, o.rol, o.slg], [response.id, "admin", slug], "token");
  equal(await roleOf(response, user), "org:admin", "role for the operator");
  equal((await rawOk("GET", `/organizations/${response.id}`)).created_by, user.id, "created_by");
});

test("ORG-5 ORG-6 names and slugs are checked, at creation and at a change", async () => {
  const { browser, at } = await own();
  const taken = await newOrganization({ slug: unique("taken-") });
  const cases = [
    [{ name: " " }, "422 form_param_value_invalid", "name"],
    [{ name: "x".repeat(257) }, "422 form_param_max_length_exceeded", "name"],
    [{ name: "www.evil.test" }, "422 form_param_value_invalid", "name"],
    [{ name: "<b>Org</b>" }, "422 form_param_value_invalid", "name"],
    [{ name: "Org", slug: "Not A Slug" }, "422 form_param_format_invalid", "slug"],
    [{ name: "Org", slug: taken.slug }, "422 form_identifier_exists", "slug"],
  ];
  for (const [form, expected, param] of cases) {
    await refused(() => browser.post("/organizations", form), expected, { param });
    await refused(() => browser.patch(at, form), expected, { param });
  }
  await refused(() => browser.post("/organizations"), "422 form_param_missing", { param: "name" });
});

test("ORG-9 ORG-10 the permission and the limit of the user count", async () => {
  const { browser, user } = await person();
  const set = (body) => rawOk("PATCH", `/users/${user.id}`, { body });
  await set({ create_organization_enabled: false });
  await refused(() => browser.post("/organizations", { name: "Org" }), "403 user_create_organization_not_enabled");
  await set({ create_organization_enabled: true, create_organizations_limit: 1 });
  ok(await browser.post("/organizations", { name: "Org" }));
  await refused(() => browser.post("/organizations", { name: "Org" }), "403 org_creation_limit_exceeded");
});

test("ORG-16 a member with the permission renames and deletes", async () => {
  const { browser, organization, at, admin } = await own();
  const { response, client } = ok(await browser.patch(at, { name: "Renamed" }));
  equal([response.name, response.slug], ["Renamed", organization.slug], "renamed");
  equal(client.sessions[0].user.organization_memberships[0].organization.name, "Renamed", "in the client");
  equal(ok(await browser.get(at)).response, response, "read again");
  const deleted = ok(await browser.delete(at));
  equal(deleted.response, { object: "organization", id: organization.id, slug: organization.slug, deleted: true }, "deleted");
  equal("o" in (await admin.token()), false, "o");
  await refused(() => browser.get(at), NOT_FOUND);
});

test("ORG-15 members delete nothing where it is switched off", async () => {
  const { browser, organization, at } = await own();
  await rawOk("PATCH", `/organizations/${organization.id}`, { body: { admin_delete_enabled: false } });
  await refused(() => browser.delete(at), "403 organization_admin_delete_not_enabled");
});

test("ORG-21 to an administrator of another organization it does not exist", async () => {
  const { organization, admin } = await own();
  const other = await own();
  for (const operation of OPERATIONS.filter(({ path }) => path.startsWith("/organizations/"))) {
    for (const id of [organization.id, unknown("org")]) {
      const path = fill(operation.path, { organization: id, user: admin.user.id });
      await refused(() => other.browser.send(operation.method, path, { form: operation.method === "GET" ? undefined : (operation.form?.() ?? {}) }), NOT_FOUND);
    }
  }
});

test("ROL-20 a plain member is told what is missing", async () => {
  const { organization, at, admin } = await own();
  const { browser, user } = await member(organization);
  for (const path of [at, `${at}/memberships`, `${at}/roles`]) ok(await browser.get(path));
  const cases = [
    [() => browser.patch(at, { name: "Mine" }), "org:sys_profile:manage"],
    [() => browser.delete(at), "org:sys_profile:delete"],
    [() => browser.post(`${at}/memberships`, { user_id: user.id, role: "org:member" }), "org:sys_memberships:manage"],
    [() => browser.patch(`${at}/memberships/${user.id}`, { role: "org:admin" }), "org:sys_memberships:manage"],
    [() => browser.delete(`${at}/memberships/${admin.user.id}`), "org:sys_memberships:manage"],
  ];
  for (const [call, permission] of cases) {
    const error = await refused(call, "403 missing_organization_permission");
    equal(error.meta, { permissions: [permission] }, "meta");
  }
});

test("members are listed by role and text, bare or page by page", async () => {
  const { browser, organization, at, admin } = await own();
  const others = [await member(organization), await member(organization)];
  const list = async (query) => ok(await browser.get(`${at}/memberships`, { query })).response;
  const ids = (rows) => rows.map((row) => row.public_user_data.user_id);
  sameSet(ids(await list({})), [admin, ...others].map(({ user }) => user.id), "bare");
  const page = await list({ paginated: true, limit: 2 });
  equal([page.data.length, page.total_count], [2, 3], "page");
  equal(ids((await list({ paginated: true, role: "org:admin" })).data), [admin.user.id], "role");
  const { identifier } = page.data[0].public_user_data;
  equal(ids((await list({ paginated: true, query: identifier.toUpperCase() })).data), ids(page.data.slice(0, 1)), "query");
  for (const query of [{ limit: 0 }, { limit: 501 }, { offset: -1 }, { paginated: "perhaps" }]) {
    await refused(() => browser.get(`${at}/memberships`, { query }), "422 form_param_value_invalid", { param: Object.keys(query)[0] });
  }
});

test("ROL-13 the roles to choose from are those of the organization", async () => {
  const { browser, at } = await own();
  const { response } = ok(await browser.get(`${at}/roles`, { query: { limit: 20 } }));
  sameSet(response.data.map((role) => role.key), ["org:admin", "org:member"], "keys");
  equal([response.total_count, response.has_role_set_migration], [2, false], "beside them");
  await refused(() => browser.get(`${at}/roles`, { query: { limit: 0 } }), "422 form_param_value_invalid", { param: "limit" });
});

test("MEM-10 a member is added, gets another role and is removed, and the tokens tell", async () => {
  const { browser, organization, at } = await own();
  const { user, token, browser: theirs } = await person();
  const added = ok(await browser.post(`${at}/memberships`, { user_id: user.id, role: "org:member" })).response;
  equal([added.role, added.public_user_data.user_id, added.organization.members_count], ["org:member", user.id, 2], "added");
  await refused(() => browser.post(`${at}/memberships`, { user_id: user.id, role: "org:member" }), "400 already_a_member_in_organization");
  ok(await theirs.post(`/client/sessions/${theirs.sessionId}/touch`, { active_organization_id: organization.id }));
  equal((await token()).o.rol, "member", "role in the token");
  equal(ok(await browser.patch(`${at}/memberships/${user.id}`, { role: "org:admin" })).response.role, "org:admin", "changed");
  equal((await token()).o.rol, "admin", "role in the next token");
  equal(ok(await browser.delete(`${at}/memberships/${user.id}`)).response.id, added.id, "removed");
  equal("o" in (await token()), false, "o");
  await refused(() => browser.delete(`${at}/memberships/${user.id}`), "404 resource_not_found");
  await refused(() => theirs.get(at), NOT_FOUND);
});

test("ROL-19 a role that the organization does not have is a wrong value", async () => {
  const { browser, organization, at, admin } = await own();
  const { user } = await person();
  for (const role of ["org:owner", "admin"]) {
    await refused(() => browser.post(`${at}/memberships`, { user_id: user.id, role }), "422 form_param_value_invalid", { param: "role" });
    await refused(() => browser.patch(`${at}/memberships/${admin.user.id}`, { role }), "422 form_param_value_invalid", { param: "role" });
  }
  await refused(() => browser.post(`${at}/memberships`, { user_id: user.id }), "422 form_param_missing", { param: "role" });
  equal(await roleOf(organization, admin.user), "org:admin", "role");
});

test("MEM-11 the last administrator stays", async () => {
  const { browser, organization, at, admin } = await own();
  const one = `${at}/memberships/${admin.user.id}`;
  await refused(() => browser.patch(one, { role: "org:member" }), "400 organization_minimum_permissions_needed");
  await refused(() => browser.delete(one), "400 organization_minimum_permissions_needed");
  await member(organization, "org:admin");
  ok(await browser.delete(one));
});

test("MEM-9 who came by single sign-on is removed by others and not by themselves", async () => {
  const { browser, organization, at } = await own();
  const idp = await connected({ organization });
  const theirs = new Browser();
  const { user } = await theirs.signIn(idp, idp.person());
  ok(await browser.patch(`${at}/memberships/${user.id}`, { role: "org:admin" }));
  await refused(() => theirs.delete(`${at}/memberships/${user.id}`), "403 organization_membership_enterprise_connection_cannot_remove");
  ok(await browser.delete(`${at}/memberships/${user.id}`));
});

test("ORG-25 the form for a new organization begins with the company's name", async () => {
  const { browser, idp } = await person();
  const { response } = ok(await browser.get("/me/organization_creation_defaults"));
  const [label] = idp.domain.split(".");
  equal(response, { form: { name: label[0].toUpperCase() + label.slice(1), logo: null }, advisory: null }, "defaults");
  matches(response.form.name, /^\w+$/, "name");
});

test("ORG-2 all of it is refused while organizations are off", async () => {
  const { browser, organization, admin } = await own();
  const switched = (enabled) => rawOk("PATCH", "/instance/organization_settings", { body: { enabled } });
  const gated = OPERATIONS.filter(({ path }) => path.startsWith("/organizations") || path.endsWith("creation_defaults"));
  await switched(false);
  try {
    for (const operation of gated) {
      const path = fill(operation.path, { organization: organization.id, user: admin.user.id });
      const form = operation.method === "GET" ? undefined : (operation.form?.() ?? {});
      await refused(() => browser.send(operation.method, path, { form }), "403 organization_not_enabled_in_instance");
    }
  } finally {
    await switched(true);
  }
});
