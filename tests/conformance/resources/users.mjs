import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { email, ids, join, newOrganization, newTeam, newUser, newUsers, unique, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("users");

const users = () => server.clerk.users;
const list = (params) => users().getUserList(params);

// --- create

test("User: created with an email address, names and an external id", async () => {
  const address = email();
  const externalId = unique("ext");
  const user = await users().createUser({ emailAddress: [address], firstName: "Ada", lastName: "Byron", externalId });
  matches(user.id, /^user_[0-9A-Za-z]{27}$/, "id");
  equal([user.firstName, user.lastName, user.externalId], ["Ada", "Byron", externalId], "names and external id");
  equal([user.banned, user.locked, user.passwordEnabled, user.twoFactorEnabled, user.totpEnabled, user.backupCodeEnabled], [false, false, false, false, false, false], "flags");
  equal([user.lastSignInAt, user.lastActiveAt], [null, null], "last sign-in and activity");
  recent(user.createdAt, "created_at");
  recent(user.updatedAt, "updated_at");
  equal(user.primaryEmailAddress?.emailAddress, address, "primary email address");
  const json = last().json;
  equal([json.enterprise_accounts, json.saml_accounts, json.external_accounts, json.phone_numbers, json.web3_wallets, json.passkeys], [[], [], [], [], [], []], "lists");
  equal([json.public_metadata, json.private_metadata, json.unsafe_metadata], [{}, {}, {}], "metadata");
});

test("User: an email address is verified by the administrator who gave it", async () => {
  const address = email();
  await users().createUser({ emailAddress: [address] });
  const json = last().json;
  const [entry] = json.email_addresses;
  equal(json.email_addresses.length, 1, "addresses");
  matches(entry.id, /^idn_[0-9A-Za-z]{27}$/, "id");
  equal(entry.email_address, address, "address");
  equal([entry.verification.status, entry.verification.strategy], ["verified", "admin"], "verification");
  equal([entry.reserved, entry.linked_to, entry.matches_sso_connection], [false, [], false], "reserved, linked_to, matches_sso_connection");
  equal(json.primary_email_address_id, entry.id, "primary");
});

test("User: the first of several email addresses is the primary one", async () => {
  const addresses = [email("a"), email("b"), email("c")];
  const user = await users().createUser({ emailAddress: addresses });
  sameSet(user.emailAddresses.map((e) => e.emailAddress), addresses, "addresses");
  equal(user.primaryEmailAddress.emailAddress, addresses[0], "primary");
});

test("User: an email address can be created reserved", async () => {
  const user = await users().createUser({ emailAddress: [email(), email()], emailAddressIdentificationStatus: ["verified", "reserved"] });
  const json = last().json;
  const reserved = json.email_addresses.find((e) => e.email_address === user.emailAddresses[1].emailAddress);
  equal(json.email_addresses.map((e) => e.reserved).sort(), [false, true], "reserved");
  check(reserved !== undefined, "second address is missing");
  check(json.email_addresses.find((e) => e.reserved).verification?.status !== "verified", "a reserved address must not be verified");
});

test("User: one identification status for each email address", () =>
  refused(() => users().createUser({ emailAddress: [email(), email()], emailAddressIdentificationStatus: ["verified"] }), "422 form_param_array_length_mismatch", { param: "email_address_identification_status" }));

test("User: metadata given at creation is kept", async () => {
  const user = await newUser({ publicMetadata: { plan: "gold" }, privateMetadata: { note: [1, 2] }, unsafeMetadata: { deep: { er: null } } });
  const read = await users().getUser(user.id);
  equal([read.publicMetadata, read.privateMetadata], [{ plan: "gold" }, { note: [1, 2] }], "metadata");
});

test("User: created_at can be given as RFC 3339", async () => {
  const createdAt = new Date("2019-05-06T07:08:09.123Z");
  const user = await newUser({ createdAt });
  equal(user.createdAt, createdAt.getTime(), "created_at");
});

test("User: an unreadable created_at is refused", () =>
  refused(() => raw("POST", "/users", { body: { email_address: [email()], created_at: "yesterday" } }), "422 form_param_invalid_time", { param: "created_at" }));

test("User: a user can be created banned", async () => {
  const user = await newUser({ banned: true });
  equal(user.banned, true, "banned");
  equal(ids((await list({ userId: [user.id] })).data), [user.id], "listed");
});

test("User: skip_password_requirement is accepted and unknown fields are ignored", async () => {
  const json = await rawOk("POST", "/users", { body: { email_address: [email()], skip_password_requirement: true, skip_password_checks: true, skip_legal_checks: true, no_such_field: 1 } });
  equal(json.password_enabled, false, "password_enabled");
});

test("User: some identifier is required", () =>
  refused(() => raw("POST", "/users", { body: { first_name: "Nobody" } }), "422 form_data_missing | 422 form_param_missing"));

test("User: an email address must be well formed", async () => {
  for (const bad of ["", "plain", "a@", "@b.test", "a b@c.test", "a@b@c.test", "a@b..test"]) {
    await refused(() => raw("POST", "/users", { body: { email_address: [bad] } }), "422 form_param_format_invalid", { param: "email_address" });
  }
});

test("User: an email address belongs to one user, whatever its case", async () => {
  const address = email();
  await newUser({ emailAddress: [address] });
  await refused(() => newUser({ emailAddress: [address] }), "422 form_identifier_exists", { param: "email_address" });
  await refused(() => newUser({ emailAddress: [address.toUpperCase()] }), "422 form_identifier_exists", { param: "email_address" });
});

test("User: the same email address twice in one request is refused", async () => {
  const address = email();
  await refused(() => newUser({ emailAddress: [address, address] }), "422 form_param_duplicate | 422 form_identifier_exists", { param: "email_address" });
  equal((await list({ emailAddress: [address] })).data, [], "users made");
});

test("User: a refused creation leaves nothing behind", async () => {
  const [taken, free] = [email(), email()];
  await newUser({ emailAddress: [taken] });
  await refused(() => newUser({ emailAddress: [free, taken] }), "422 form_identifier_exists");
  equal((await list({ emailAddress: [free] })).data, [], "users made");
  await newUser({ emailAddress: [free] });
});

test("User: an external id belongs to one user", async () => {
  const externalId = unique("ext");
  await newUser({ externalId });
  await refused(() => newUser({ externalId }), "422 form_identifier_exists | 422 form_already_exists", { param: "external_id" });
});

test("User: passwords are disabled, at creation and update", async () => {
  const disabled = "403 password_disabled | 422 form_param_unknown";
  const address = email();
  await refused(() => newUser({ emailAddress: [address], password: "correct horse battery" }), disabled);
  equal((await list({ emailAddress: [address] })).data, [], "users made");
  const user = await newUser();
  await refused(() => users().updateUser(user.id, { password: "correct horse battery" }), disabled);
  equal((await users().getUser(user.id)).passwordEnabled, false, "password_enabled");
});

test("User: wrong types are refused by name", async () => {
  const wrongType = "422 form_param_type_invalid | 422 form_param_value_invalid";
  await refused(() => raw("POST", "/users", { body: { email_address: [email()], first_name: 7 } }), wrongType, { param: "first_name" });
  await refused(() => raw("POST", "/users", { body: { email_address: email() } }), wrongType, { param: "email_address" });
  await refused(() => raw("POST", "/users", { body: { email_address: [7] } }), `${wrongType} | 422 form_param_format_invalid`);
});

test("User: locale must be a language tag", async () => {
  const user = await newUser({ locale: "pt-BR" });
  equal(last().json.locale, "pt-BR", "locale");
  await refused(() => users().updateUser(user.id, { locale: "not a tag!" }), "422 form_param_format_invalid", { param: "locale" });
});

// --- read

test("User: read by id, as created", async () => {
  const user = await newUser();
  const created = last().json;
  await users().getUser(user.id);
  equal(last().json, created, "user");
});

test("User: an unknown id is not found", async () => {
  await refused(() => users().getUser(unknown("user")), "404 resource_not_found");
  await refused(() => users().getUser("user_short"), "404 resource_not_found");
  await refused(() => users().getUser("nonsense"), "404 resource_not_found");
});

// --- list and count

test("User list: a bare array, newest first", async () => {
  const made = await newUsers(3);
  const json = await rawOk("GET", "/users", { query: { user_id: ids(made) } });
  check(Array.isArray(json), "not an array");
  equal(ids(json), ids(made).reverse(), "order");
});

test("User list: ten by default", async () => {
  const organization = await newOrganization();
  for (const user of await newUsers(12)) await join(organization, user);
  const { data, totalCount } = await list({ organizationId: [organization.id] });
  equal([data.length, totalCount], [10, 12], "rows and total");
});

test("User list: limit and offset cut one stable sequence", async () => {
  const made = await newUsers(5);
  const wanted = ids(made).reverse();
  const pages = [];
  for (const offset of [0, 2, 4, 6]) pages.push(...ids((await list({ userId: ids(made), limit: 2, offset })).data));
  equal(pages, wanted, "pages");
});

test("User list: users created in the same millisecond keep one order across pages", async () => {
  const createdAt = new Date("2020-02-02T02:02:02.002Z");
  const made = await newUsers(5, () => ({ createdAt }));
  const seen = [];
  for (const offset of [0, 1, 2, 3, 4]) seen.push(...ids((await list({ userId: ids(made), limit: 1, offset })).data));
  sameSet(seen, ids(made), "each user once");
});

test("User list: starting_after continues behind a user", async () => {
  const made = await newUsers(5);
  const wanted = ids(made).reverse();
  const page = (after) => rawOk("GET", "/users", { query: { user_id: ids(made), limit: 2, ...(after ? { starting_after: after } : {}) } });
  const first = await page();
  const second = await page(first.at(-1).id);
  const third = await page(second.at(-1).id);
  equal([...first, ...second, ...third].map((u) => u.id), wanted, "pages");
  const ascending = await rawOk("GET", "/users", { query: { user_id: ids(made), order_by: "+created_at", starting_after: made[1].id } });
  equal(ids(ascending), ids(made).slice(2), "ascending");
});

test("User list: starting_after wants the created_at order and no offset", async () => {
  const user = await newUser();
  await refused(() => raw("GET", "/users", { query: { starting_after: user.id, order_by: "first_name" } }), "422 *");
  await refused(() => raw("GET", "/users", { query: { starting_after: user.id, offset: 1 } }), "422 *");
});

test("User list: order_by takes a property and a sign", async () => {
  const names = ["Bea", "Cid", "Abe"];
  const made = await newUsers(3, (i) => ({ firstName: names[i], lastName: names[(i + 1) % 3], emailAddress: [email(names[i].toLowerCase())] }));
  const [b, c, a] = ids(made);
  const order = async (orderBy) => ids((await list({ userId: ids(made), orderBy })).data);
  equal(await order("first_name"), [a, b, c], "first_name");
  equal(await order("+first_name"), [a, b, c], "+first_name");
  equal(await order("-first_name"), [c, b, a], "-first_name");
  equal(await order("+last_name"), [c, a, b], "+last_name");
  equal(await order("+email_address"), [a, b, c], "+email_address");
  equal(await order("created_at"), [b, c, a], "created_at");
  equal(await order("-created_at"), [a, c, b], "-created_at");
  await users().updateUser(b, { lastName: "Zed" });
  equal((await order("-updated_at"))[0], b, "-updated_at");
  for (const other of ["username", "phone_number", "web3wallet", "last_active_at", "last_sign_in_at"]) {
    sameSet(await order(other), [a, b, c], other);
  }
});

test("User list: an unknown order_by is refused", async () => {
  await refused(() => list({ orderBy: "shoe_size" }), "422 form_param_value_invalid", { param: "order_by" });
  await refused(() => list({ orderBy: "-created_at; drop table users" }), "422 form_param_value_invalid", { param: "order_by" });
});

test("User list: filter by email addresses", async () => {
  const [one, two] = await newUsers(3);
  const wanted = [one, two].map((u) => u.emailAddresses[0].emailAddress);
  const { data, totalCount } = await list({ emailAddress: [...wanted, email()] });
  sameSet(ids(data), [one.id, two.id], "users");
  equal(totalCount, 2, "total");
  equal(ids((await list({ emailAddress: [wanted[0].toUpperCase()] })).data), [one.id], "other case");
});

test("User list: filter by ids, with + and - signs", async () => {
  const [one, two, three] = await newUsers(3);
  sameSet(ids((await list({ userId: [one.id, `+${two.id}`, unknown("user")] })).data), [one.id, two.id], "included");
  const organization = await newOrganization();
  for (const user of [one, two, three]) await join(organization, user);
  sameSet(ids((await list({ organizationId: [organization.id], userId: [`-${one.id}`] })).data), [two.id, three.id], "excluded");
});

test("User list: filter by external ids, with + and - signs", async () => {
  const [one, two] = await newUsers(2, () => ({ externalId: unique("ext") }));
  sameSet(ids((await list({ externalId: [one.externalId, `+${two.externalId}`] })).data), [one.id, two.id], "included");
  equal(ids((await list({ userId: [one.id, two.id], externalId: [`-${one.externalId}`] })).data), [two.id], "excluded");
});

test("User list: filter by organizations, with + and - signs", async () => {
  const [one, two, three] = await newUsers(3);
  const [left, right] = [await newOrganization(), await newOrganization()];
  await join(left, one);
  await join(left, two);
  await join(right, two);
  await join(right, three);
  sameSet(ids((await list({ organizationId: [left.id] })).data), [one.id, two.id], "left");
  sameSet(ids((await list({ organizationId: [left.id, right.id] })).data), [one.id, two.id, three.id], "either");
  sameSet(ids((await list({ organizationId: [`+${left.id}`, `-${right.id}`] })).data), [one.id], "left, not right");
  equal((await list({ organizationId: [unknown("org")] })).data, [], "unknown organization");
});

test("User list: query looks into email addresses, ids and names", async () => {
  const marker = unique("mk");
  const user = await newUser({ emailAddress: [`${marker}e@people.test`], firstName: `F${marker}`, lastName: `L${marker}` });
  await newUser();
  for (const query of [`${marker}e@`, marker.toUpperCase(), `f${marker}`, `L${marker}`, user.id]) {
    equal(ids((await list({ query })).data), [user.id], `query ${query}`);
  }
  equal((await list({ query: unique("none") })).data, [], "no match");
});

test("User list: query takes wildcard characters literally", async () => {
  const marker = unique("mk");
  const user = await newUser({ firstName: `${marker}%50_off\\` });
  await newUser({ firstName: `${marker}x50yoffz` });
  for (const query of [`${marker}%`, `${marker}%50_`, `50_off\\`]) {
    const found = ids((await list({ query, orderBy: "-created_at" })).data);
    check(found.includes(user.id), `query ${query} must find the user`);
  }
  equal(ids((await list({ query: `${marker}%50_off` })).data), [user.id], "literal match only");
});

test("User list: email_address_query and name_query match parts, whatever the case", async () => {
  const marker = unique("mk");
  const user = await newUser({ emailAddress: [`${marker}@people.test`], firstName: `N${marker}` });
  const found = async (query) => ids(await rawOk("GET", "/users", { query }));
  equal(await found({ email_address_query: marker.toUpperCase() }), [user.id], "email_address_query");
  equal(await found({ name_query: `n${marker}` }), [user.id], "name_query");
  equal(await found({ email_address_query: `N${marker}` }), [], "email_address_query does not look at names");
  equal(await found({ name_query: `${marker}@` }), [], "name_query does not look at addresses");
});

test("User list: filters that nobody fits give an empty list, not everybody", async () => {
  await newUser();
  for (const filter of [{ phone_number: "+15555550100" }, { username: unique("nobody") }, { web3_wallet: "0x0000000000000000000000000000000000000001" }, { email_address: email() }, { external_id: unique() }, { user_id: unknown("user") }, { phone_number_query: "555000111222" }, { username_query: unique("nobody") }, { provider: "oauth_google", provider_user_id: unique() }]) {
    equal(await rawOk("GET", "/users", { query: filter }), [], JSON.stringify(filter));
    equal((await rawOk("GET", "/users/count", { query: filter })).total_count, 0, `count of ${JSON.stringify(filter)}`);
  }
});

test("User list: filter by creation time", async () => {
  const made = await newUsers(3, (i) => ({ createdAt: new Date(Date.UTC(2015, 0, 1 + i)) }));
  const [, second] = made.map((u) => u.createdAt);
  const found = async (query) => ids(await rawOk("GET", "/users", { query: { ...query, user_id: ids(made) } }));
  sameSet(await found({ created_at_before: second }), [made[0].id], "before");
  sameSet(await found({ created_at_after: second }), [made[2].id], "after");
});

test("User list: filter by activity leaves out those who never were active", async () => {
  const user = await newUser();
  for (const filter of [{ last_active_at_after: 1 }, { last_active_at_since: 1 }, { last_sign_in_at_after: 1 }]) {
    equal(await rawOk("GET", "/users", { query: { ...filter, user_id: user.id } }), [], JSON.stringify(filter));
  }
});

test("User list: filter by banned", async () => {
  const [free, banned] = [await newUser(), await newUser({ banned: true })];
  const found = async (value) => ids(await rawOk("GET", "/users", { query: { banned: value, user_id: [free.id, banned.id] } }));
  equal(await found(true), [banned.id], "banned");
  equal(await found(false), [free.id], "not banned");
});

test("User list: filters add up", async () => {
  const marker = unique("mk");
  const [one, two] = await newUsers(2, () => ({ lastName: marker }));
  const organization = await newOrganization();
  await join(organization, two);
  equal(ids((await list({ query: marker, organizationId: [organization.id] })).data), [two.id], "both");
  equal((await list({ userId: [one.id], organizationId: [organization.id] })).data, [], "neither");
});

test("User list: at most a hundred values of a filter", async () => {
  const many = (make) => Array.from({ length: 101 }, make);
  const tooMany = "422 form_param_array_size_exceeded | 422 form_param_exceeds_allowed_size | 422 form_param_value_invalid | 422 form_param_duplicate";
  await refused(() => raw("GET", "/users", { query: { user_id: many(() => unknown("user")) } }), tooMany, { param: "user_id" });
  await refused(() => raw("GET", "/users", { query: { email_address: many(() => email()) } }), tooMany, { param: "email_address" });
  equal(await rawOk("GET", "/users", { query: { user_id: many(() => unknown("user")).slice(1) } }), [], "a hundred");
});

test("User count: the SDK counts with the same filters", async () => {
  const marker = unique("mk");
  const made = await newUsers(3, () => ({ firstName: marker }));
  equal(await users().getCount({ query: marker }), 3, "query");
  equal(await users().getCount({ userId: ids(made).slice(1) }), 2, "user_id");
  const json = await rawOk("GET", "/users/count", { query: { name_query: marker } });
  equal(json, { object: "total_count", total_count: 3 }, "count");
});

test("User count: counts everybody without a filter", async () => {
  const before = await users().getCount();
  await newUser();
  equal(await users().getCount(), before + 1, "count");
});

// --- update

test("User: names and external id change, null clears", async () => {
  const user = await newUser({ externalId: unique("ext") });
  const externalId = unique("ext");
  const updated = await users().updateUser(user.id, { firstName: "Grace", lastName: "Hopper", externalId });
  equal([updated.firstName, updated.lastName, updated.externalId], ["Grace", "Hopper", externalId], "changed");
  const cleared = await rawOk("PATCH", `/users/${user.id}`, { body: { first_name: null, last_name: null, external_id: null } });
  equal([cleared.first_name, cleared.last_name, cleared.external_id], [null, null, null], "cleared");
});

test("User: an update leaves what it does not name, and moves updated_at", async () => {
  const user = await newUser({ publicMetadata: { keep: true } });
  await pause(5);
  const updated = await users().updateUser(user.id, { firstName: "New" });
  equal([updated.lastName, updated.publicMetadata, updated.createdAt], [user.lastName, { keep: true }, user.createdAt], "kept");
  check(updated.updatedAt > user.updatedAt, "updated_at must grow");
  equal(updated.primaryEmailAddressId, user.primaryEmailAddressId, "primary address");
});

test("User: permissions of the user are switches", async () => {
  const user = await newUser();
  await users().updateUser(user.id, { deleteSelfEnabled: false, createOrganizationEnabled: false, createOrganizationsLimit: 3 });
  let json = last().json;
  equal([json.delete_self_enabled, json.create_organization_enabled, json.create_organizations_limit], [false, false, 3], "off");
  await users().updateUser(user.id, { deleteSelfEnabled: true, createOrganizationEnabled: true });
  json = last().json;
  equal([json.delete_self_enabled, json.create_organization_enabled], [true, true], "on");
});

test("User: another own verified address can become the primary one", async () => {
  const user = await newUser({ emailAddress: [email(), email()] });
  const other = user.emailAddresses.find((e) => e.id !== user.primaryEmailAddressId);
  const updated = await users().updateUser(user.id, { primaryEmailAddressID: other.id });
  equal(updated.primaryEmailAddressId, other.id, "primary");
});

test("User: the primary address must be one's own and verified", async () => {
  const stranger = await newUser();
  const user = await newUser({ emailAddress: [email(), email()], emailAddressIdentificationStatus: ["verified", "reserved"] });
  const reserved = last().json.email_addresses.find((e) => e.reserved);
  await refused(() => users().updateUser(user.id, { primaryEmailAddressID: stranger.primaryEmailAddressId }), "422 form_resource_not_found | 422 form_param_value_invalid | 404 resource_not_found");
  await refused(() => users().updateUser(user.id, { primaryEmailAddressID: reserved.id }), "422 form_verification_needed | 422 form_param_value_invalid | 422 form_resource_not_found");
  equal((await users().getUser(user.id)).primaryEmailAddressId, user.primaryEmailAddressId, "unchanged");
});

test("User: an external id of somebody else is refused", async () => {
  const [one, two] = await newUsers(2, () => ({ externalId: unique("ext") }));
  await refused(() => users().updateUser(two.id, { externalId: one.externalId }), "422 form_identifier_exists | 422 form_already_exists", { param: "external_id" });
  await users().updateUser(one.id, { externalId: one.externalId });
});

test("User: metadata is no longer a part of the update", async () => {
  const user = await newUser();
  for (const field of ["public_metadata", "private_metadata", "unsafe_metadata"]) {
    await refused(() => raw("PATCH", `/users/${user.id}`, { body: { [field]: { a: 1 } } }), "422 form_param_deprecated", { param: field });
  }
});

test("User: an unknown user cannot be updated", () =>
  refused(() => users().updateUser(unknown("user"), { firstName: "X" }), "404 resource_not_found"));

// --- delete

test("User: deleted for good, and the address is free again", async () => {
  const address = email();
  const user = await newUser({ emailAddress: [address] });
  const deleted = await users().deleteUser(user.id);
  equal([last().json.object, deleted.id, deleted.deleted], ["user", user.id, true], "answer");
  await refused(() => users().getUser(user.id), "404 resource_not_found");
  await refused(() => users().deleteUser(user.id), "404 resource_not_found");
  equal((await list({ userId: [user.id] })).data, [], "listed");
  await newUser({ emailAddress: [address] });
});

test("User: deletion ends the memberships", async () => {
  const { admin, organization } = await newTeam();
  const user = await newUser();
  await join(organization, user);
  await users().deleteUser(user.id);
  const { data } = await server.clerk.organizations.getOrganizationMembershipList({ organizationId: organization.id });
  equal(data.map((m) => m.publicUserData.userId), [admin.id], "members");
});

// --- memberships of a user

test("ORG-1 a user lists the organizations joined", async () => {
  const user = await newUser();
  const [one, two] = [await newOrganization(), await newOrganization()];
  await join(one, user);
  await join(two, user, "org:admin");
  const { data, totalCount } = await users().getOrganizationMembershipList({ userId: user.id });
  equal(totalCount, 2, "total");
  sameSet(data.map((m) => `${m.organization.id} ${m.role}`), [`${one.id} org:member`, `${two.id} org:admin`], "memberships");
  equal(last().json.data[0].public_user_data.user_id, user.id, "public_user_data.user_id");
});

test("ORG-1 the memberships of a user come in pages", async () => {
  const user = await newUser();
  const made = [await newOrganization(), await newOrganization(), await newOrganization()];
  for (const organization of made) await join(organization, user);
  const seen = [];
  for (const offset of [0, 1, 2, 3]) {
    const { data, totalCount } = await users().getOrganizationMembershipList({ userId: user.id, limit: 1, offset });
    equal(totalCount, 3, "total");
    seen.push(...data.map((m) => m.organization.id));
  }
  sameSet(seen, ids(made), "organizations");
});

test("ORG-1 memberships: none is an empty list, an unknown user is not found", async () => {
  const user = await newUser();
  const { data, totalCount } = await users().getOrganizationMembershipList({ userId: user.id });
  equal([data, totalCount], [[], 0], "no memberships");
  await refused(() => users().getOrganizationMembershipList({ userId: unknown("user") }), "404 resource_not_found");
});
