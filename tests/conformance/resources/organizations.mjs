import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { ids, join, newOrganization, newOrganizations, newTeam, newUser, newUsers, unique, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("organizations");

const organizations = () => server.clerk.organizations;
const list = (params) => organizations().getOrganizationList(params);
const members = async (organization) => (await organizations().getOrganizationMembershipList({ organizationId: organization.id, limit: 100 })).data;
const slugs = (disabled) => rawOk("PATCH", "/instance/organization_settings", { body: { slug_disabled: disabled } });

/** The test runs while slugs are enabled; the setting is put back. */
function withSlugs(run) {
  return async () => {
    const { slug_disabled: before } = await rawOk("GET", "/instance/organization_settings");
    await slugs(false);
    try {
      await run();
    } finally {
      await slugs(before);
    }
  };
}

// --- create

test("ORG-5 created by name alone", async () => {
  const name = unique("Acme & Söhne ");
  const organization = await organizations().createOrganization({ name });
  const json = last().json;
  matches(organization.id, /^org_[0-9A-Za-z]{27}$/, "id");
  equal(organization.name, name, "name");
  matches(organization.slug, /^[a-z0-9-]+$/, "generated slug");
  equal([organization.hasImage, organization.publicMetadata, organization.privateMetadata], [false, {}, {}], "image and metadata");
  recent(organization.createdAt, "created_at");
  recent(organization.updatedAt, "updated_at");
  check(!json.created_by, "created_by without a creator");
  equal(await members(organization), [], "members");
});

test("ORG-11 the seat limit of the instance is the default", async () => {
  const settings = await rawOk("GET", "/instance/organization_settings");
  const organization = await organizations().createOrganization({ name: unique("Org ") });
  equal(organization.maxAllowedMemberships, settings.max_allowed_memberships, "max_allowed_memberships");
  equal(organization.adminDeleteEnabled, settings.admin_delete_enabled, "admin_delete_enabled");
});

test("ORG-12 the initial role set is the default", async () => {
  const settings = await rawOk("GET", "/instance/organization_settings");
  await newOrganization();
  equal(last().json.role_set_key, settings.initial_role_set_key, "role_set_key");
});

test("ORG-8 created with everything", withSlugs(async () => {
  const slug = unique("acme-");
  const organization = await newOrganization({ slug, maxAllowedMemberships: 7, publicMetadata: { a: { b: 1 } }, privateMetadata: { c: [2] } });
  equal([organization.slug, organization.maxAllowedMemberships, organization.publicMetadata, organization.privateMetadata], [slug, 7, { a: { b: 1 } }, { c: [2] }], "organization");
  const dated = await rawOk("POST", "/organizations", { body: { name: unique("Old "), created_at: "2018-03-04T05:06:07.089Z" } });
  equal(dated.created_at, Date.UTC(2018, 2, 4, 5, 6, 7, 89), "created_at");
}));

test("ORG-8 the creator becomes the first member, with the creator role", async () => {
  const settings = await rawOk("GET", "/instance/organization_settings");
  const creator = await newUser();
  const organization = await newOrganization({ createdBy: creator.id });
  equal(organization.createdBy, creator.id, "created_by");
  equal((await members(organization)).map((m) => [m.publicUserData.userId, m.role]), [[creator.id, settings.creator_role]], "members");
});

test("ORG-8 an unknown creator is refused, and no organization is made", async () => {
  const name = unique("Orphan ");
  await refused(() => organizations().createOrganization({ name, createdBy: unknown("user") }), "400 organization_creator_not_found");
  equal((await list({ query: name })).data, [], "organizations made");
});

test("ORG-5 name is required", async () => {
  await refused(() => raw("POST", "/organizations", { body: {} }), "422 form_param_missing", { param: "name" });
  await refused(() => raw("POST", "/organizations", { body: { name: null } }), "422 form_param_missing | 422 form_param_nil", { param: "name" });
  await refused(() => raw("POST", "/organizations", { body: { name: "" } }), "422 form_param_missing | 422 form_param_nil | 422 form_param_value_invalid", { param: "name" });
  await refused(() => raw("POST", "/organizations", { body: { name: "   " } }), "422 form_param_missing | 422 form_param_nil | 422 form_param_value_invalid", { param: "name" });
});

test("ORG-5 name has at most 256 characters", async () => {
  const longest = "ü".repeat(256);
  equal((await newOrganization({ name: longest })).name, longest, "256 characters");
  await refused(() => newOrganization({ name: "a".repeat(257) }), "422 form_param_max_length_exceeded | 422 form_param_value_invalid", { param: "name" });
});

test("ORG-5 name may contain neither URLs nor HTML, at creation and update", async () => {
  const organization = await newOrganization();
  for (const name of ["Visit https://evil.test now", "http://evil.test", "<b>Acme</b>", "<script>alert(1)</script>", '<a href="//evil.test">x</a>']) {
    await refused(() => newOrganization({ name }), "422 form_param_value_invalid", { param: "name" });
    await refused(() => organizations().updateOrganization(organization.id, { name }), "422 form_param_value_invalid", { param: "name" });
  }
  equal((await organizations().getOrganization({ organizationId: organization.id })).name, organization.name, "unchanged");
});

test("ORG-6 slug has lower-case letters, digits and dashes", withSlugs(async () => {
  for (const slug of ["Upper", "under_score", "sp ace", "dot.ted", "ümlaut", "a/b"]) {
    await refused(() => newOrganization({ slug }), "422 form_param_format_invalid | 422 form_param_value_invalid", { param: "slug" });
  }
}));

test("ORG-6 slug is unique in the instance", withSlugs(async () => {
  const slug = unique("taken-");
  await newOrganization({ slug });
  const taken = "422 form_identifier_exists | 422 form_already_exists";
  await refused(() => newOrganization({ slug }), taken, { param: "slug" });
  const other = await newOrganization();
  await refused(() => organizations().updateOrganization(other.id, { slug }), taken, { param: "slug" });
}));

test("ORG-6 two organizations of one name get different slugs", async () => {
  const name = unique("Twin ");
  const [one, two] = [await newOrganization({ name }), await newOrganization({ name })];
  check(one.slug !== two.slug, `both have the slug ${one.slug}`);
});

test("ORG-6 a name without any letter that fits still gets a slug", async () => {
  const organization = await newOrganization({ name: "株式会社 🚀" });
  matches(organization.slug, /^[a-z0-9-]+$/, "slug");
});

test("ORG-6 a slug is refused where slugs are disabled", withSlugs(async () => {
  const organization = await newOrganization();
  await slugs(true);
  await refused(() => newOrganization({ slug: unique("no-") }), "403 organization_slugs_disabled");
  await refused(() => organizations().updateOrganization(organization.id, { slug: unique("no-") }), "403 organization_slugs_disabled");
  const without = await newOrganization();
  check(typeof without.slug === "string", "slug must stay a string");
}));

test("ORG-11 the seat limit is a whole number from 0", async () => {
  for (const bad of [-1, 1.5, "many"]) {
    await refused(() => raw("POST", "/organizations", { body: { name: unique(), max_allowed_memberships: bad } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "max_allowed_memberships" });
  }
  equal((await newOrganization({ maxAllowedMemberships: 0 })).maxAllowedMemberships, 0, "0");
});

test("ORG-8 an unreadable created_at is refused", () =>
  refused(() => raw("POST", "/organizations", { body: { name: unique(), created_at: "14.3.2020" } }), "422 form_param_invalid_time", { param: "created_at" }));

test("ROL-11 an unknown role set is refused", () =>
  refused(() => raw("POST", "/organizations", { body: { name: unique(), role_set_key: `role_set:${unique()}` } }), "422 form_resource_not_found", { param: "role_set_key" }));

// --- read

test("ORG-7 read by id and by slug", async () => {
  const organization = await newOrganization();
  const created = last().json;
  await organizations().getOrganization({ organizationId: organization.id });
  equal(last().json, created, "by id");
  await organizations().getOrganization({ slug: organization.slug });
  equal(last().json, created, "by slug");
});

test("ORG-7 the number of members is included on demand", async () => {
  const { organization } = await newTeam();
  await join(organization, await newUser());
  equal((await organizations().getOrganization({ organizationId: organization.id, includeMembersCount: true })).membersCount, 2, "members_count");
});

test("ORG-7 an unknown organization is not found", async () => {
  await refused(() => organizations().getOrganization({ organizationId: unknown("org") }), "404 resource_not_found");
  await refused(() => organizations().getOrganization({ slug: unique("no-such-") }), "404 resource_not_found");
});

test("ORG-7 other routes take the id only", async () => {
  const organization = await newOrganization();
  await refused(() => organizations().updateOrganization(organization.slug, { name: "Changed" }), "404 resource_not_found");
  await refused(() => organizations().deleteOrganization(organization.slug), "404 resource_not_found");
  equal((await organizations().getOrganization({ organizationId: organization.id })).name, organization.name, "unchanged");
});

// --- update

test("ORG-5 name, slug, seats and the deletion switch can change", withSlugs(async () => {
  const organization = await newOrganization({ publicMetadata: { keep: 1 } });
  await pause(5);
  const [name, slug] = [unique("New "), unique("new-")];
  const updated = await organizations().updateOrganization(organization.id, { name, slug, maxAllowedMemberships: 3, adminDeleteEnabled: false });
  equal([updated.name, updated.slug, updated.maxAllowedMemberships, updated.adminDeleteEnabled], [name, slug, 3, false], "changed");
  equal([updated.id, updated.createdAt, updated.publicMetadata], [organization.id, organization.createdAt, { keep: 1 }], "kept");
  check(updated.updatedAt > organization.updatedAt, "updated_at must grow");
  equal((await organizations().getOrganization({ slug })).id, organization.id, "by the new slug");
  await refused(() => organizations().getOrganization({ slug: organization.slug }), "404 resource_not_found");
}));

test("ORG-5 an update keeps what it does not name", async () => {
  const organization = await newOrganization({ maxAllowedMemberships: 4 });
  const updated = await organizations().updateOrganization(organization.id, { adminDeleteEnabled: false });
  equal([updated.name, updated.slug, updated.maxAllowedMemberships], [organization.name, organization.slug, 4], "organization");
  const same = await organizations().updateOrganization(organization.id, { name: organization.name });
  equal(same.name, organization.name, "own name");
});

test("ORG-6 an organization may keep its own slug", withSlugs(async () => {
  const organization = await newOrganization();
  equal((await organizations().updateOrganization(organization.id, { slug: organization.slug })).slug, organization.slug, "slug");
}));

test("ORG-19 metadata is no longer a part of the update", async () => {
  const organization = await newOrganization();
  for (const field of ["public_metadata", "private_metadata"]) {
    await refused(() => raw("PATCH", `/organizations/${organization.id}`, { body: { [field]: { a: 1 } } }), "422 form_param_deprecated", { param: field });
  }
});

test("ORG-7 an unknown organization cannot be updated", () =>
  refused(() => organizations().updateOrganization(unknown("org"), { name: "X" }), "404 resource_not_found"));

// --- delete

test("ORG-17 deleted for good, with its memberships, and without its users", async () => {
  const { admin, organization } = await newTeam();
  const deleted = await organizations().deleteOrganization(organization.id);
  equal([last().json.object, deleted.id, deleted.deleted], ["organization", organization.id, true], "answer");
  await refused(() => organizations().getOrganization({ organizationId: organization.id }), "404 resource_not_found");
  await refused(() => organizations().deleteOrganization(organization.id), "404 resource_not_found");
  equal((await list({ organizationId: [organization.id] })).data, [], "listed");
  equal((await server.clerk.users.getOrganizationMembershipList({ userId: admin.id })).data, [], "memberships");
  equal((await server.clerk.users.getUser(admin.id)).id, admin.id, "user");
});

test("ORG-15 deletion by the backend ignores admin_delete_enabled", async () => {
  const organization = await newOrganization();
  await organizations().updateOrganization(organization.id, { adminDeleteEnabled: false });
  equal((await organizations().deleteOrganization(organization.id)).deleted, true, "deleted");
});

test("ORG-17 the slug of a deleted organization is free again", withSlugs(async () => {
  const slug = unique("again-");
  await organizations().deleteOrganization((await newOrganization({ slug })).id);
  equal((await newOrganization({ slug })).slug, slug, "slug");
}));

// --- list

test("ORG-22 list orders by -created_at by default", async () => {
  const made = await newOrganizations(3);
  equal(ids((await list({ organizationId: ids(made) })).data), ids(made).reverse(), "order");
});

test("ORG-22 list gives ten rows by default and the total", async () => {
  const marker = unique("mk");
  await newOrganizations(12, (i) => ({ name: `${marker} ${i}` }));
  const { data, totalCount } = await list({ query: marker });
  equal([data.length, totalCount], [10, 12], "rows and total");
});

test("ORG-22 limit and offset cut one stable sequence", async () => {
  const made = await newOrganizations(5);
  const pages = [];
  for (const offset of [0, 2, 4, 6]) {
    const { data, totalCount } = await list({ organizationId: ids(made), limit: 2, offset });
    equal(totalCount, 5, "total");
    pages.push(...ids(data));
  }
  equal(pages, ids(made).reverse(), "pages");
});

test("ORG-22 order_by takes name, created_at and members_count with a sign", async () => {
  const marker = unique("mk");
  const [b, c, a] = await newOrganizations(3, (i) => ({ name: `${marker} ${"bca"[i]}` }));
  await join(c, await newUser());
  for (const user of await newUsers(2)) await join(a, user);
  const order = async (orderBy) => ids((await list({ query: marker, orderBy })).data);
  equal(await order("name"), ids([a, b, c]), "name");
  equal(await order("+name"), ids([a, b, c]), "+name");
  equal(await order("-name"), ids([c, b, a]), "-name");
  equal(await order("created_at"), ids([b, c, a]), "created_at");
  equal(await order("-created_at"), ids([a, c, b]), "-created_at");
  equal(await order("members_count"), ids([b, c, a]), "members_count");
  equal(await order("-members_count"), ids([a, c, b]), "-members_count");
});

test("ORG-22 an unknown order_by is refused", () =>
  refused(() => list({ orderBy: "slug" }), "422 form_param_value_invalid", { param: "order_by" }));

test("ORG-22 include_members_count counts for each row", async () => {
  const [one, two] = await newOrganizations(2);
  await join(one, await newUser());
  const { data } = await list({ organizationId: ids([one, two]), includeMembersCount: true });
  equal(data.map((o) => [o.id, o.membersCount]), [[two.id, 0], [one.id, 1]], "counts");
});

test("ORG-22 query is exact on the id and partial on name and slug", withSlugs(async () => {
  const marker = unique("mk");
  const organization = await newOrganization({ name: `The ${marker} Company`, slug: `slug-${marker}x` });
  await newOrganization();
  for (const query of [organization.id, marker, marker.toUpperCase(), `slug-${marker}`, `${marker} comp`]) {
    equal(ids((await list({ query })).data), [organization.id], `query ${query}`);
  }
  equal((await list({ query: organization.id.slice(0, -1) })).data, [], "part of an id");
}));

test("ORG-22 query takes wildcard characters literally", async () => {
  const marker = unique("mk");
  const exact = await newOrganization({ name: `${marker}%_` });
  await newOrganization({ name: `${marker}abc` });
  equal(ids((await list({ query: `${marker}%_` })).data), [exact.id], "query");
});

test("ORG-22 filter by members, with + and - signs", async () => {
  const [one, two] = await newUsers(2);
  const [left, both, right] = await newOrganizations(3);
  await join(left, one);
  await join(both, one);
  await join(both, two);
  await join(right, two);
  const found = async (userId) => ids(await rawOk("GET", "/organizations", { query: { user_id: userId } }).then((json) => json.data));
  sameSet(await found([one.id]), ids([left, both]), "one");
  sameSet(await found([one.id, two.id]), ids([left, both, right]), "either");
  sameSet(await found([`+${one.id}`, `-${two.id}`]), ids([left]), "one without two");
  sameSet(await found([unknown("user")]), [], "nobody");
});

test("ORG-22 filter by ids, with + and - signs, at most a hundred", async () => {
  const marker = unique("mk");
  const [one, two, three] = await newOrganizations(3, () => ({ name: marker }));
  sameSet(ids((await list({ organizationId: [one.id, `+${two.id}`, unknown("org")] })).data), ids([one, two]), "included");
  sameSet(ids((await list({ query: marker, organizationId: [`-${one.id}`] })).data), ids([two, three]), "excluded");
  const many = Array.from({ length: 101 }, () => unknown("org"));
  await refused(() => raw("GET", "/organizations", { query: { organization_id: many } }), "422 form_param_array_size_exceeded | 422 form_param_exceeds_allowed_size | 422 form_param_value_invalid | 422 form_param_duplicate", { param: "organization_id" });
});

test("ORG-22 the total is that of the filter", async () => {
  const marker = unique("mk");
  await newOrganizations(3, () => ({ name: marker }));
  const { data, totalCount } = await list({ query: marker, limit: 1 });
  equal([data.length, totalCount], [1, 3], "rows and total");
  const beyond = await list({ query: marker, offset: 10 });
  equal([beyond.data, beyond.totalCount], [[], 3], "beyond the end");
});
