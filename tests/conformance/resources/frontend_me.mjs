import { equal, refused, sameSet, section, test } from "../lib/harness.mjs";
import { Browser, ok } from "../lib/browser.mjs";
import { newOrganization, newUser, unknown } from "../lib/fixtures.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { rawOk } from "../lib/server.mjs";

section("frontend_me");

/** A browser whose person came through the connection of `own` and was put into `others` by the operator. */
async function member(role = "org:member") {
  const [own, ...others] = [await newOrganization(), await newOrganization(), await newOrganization()];
  const idp = await connected({ organization: own });
  const browser = new Browser();
  const { user } = await browser.signIn(idp, idp.person());
  for (const organization of others) await rawOk("POST", `/organizations/${organization.id}/memberships`, { body: { user_id: user.id, role } });
  return { browser, user, own, others, ids: [own, ...others].map((organization) => organization.id) };
}
const memberships = (browser, query) => browser.get("/me/organization_memberships", { query });
const leave = (browser, organization) => browser.delete(`/me/organization_memberships/${organization.id}`);

test("a browser reads its user, with the memberships of now", async () => {
  const { browser, user, ids } = await member();
  const { response, client } = ok(await browser.get("/me"));
  equal([response.id, response.first_name, client], [user.id, user.first_name, null], "user");
  sameSet(response.organization_memberships.map((membership) => membership.organization.id), ids, "memberships");
});

test("API-2 the named session decides who is asking", async () => {
  const browser = new Browser();
  const people = [];
  for (let i = 0; i < 2; i += 1) {
    const idp = await connected();
    people.push(await browser.signIn(idp, idp.person()));
  }
  for (const { id, user } of people) {
    browser.sessionId = id;
    equal(ok(await browser.get("/me")).response.id, user.id, "user");
  }
  browser.sessionId = undefined;
  equal(ok(await browser.get("/me")).response.id, people[1].user.id, "the one in focus");
  browser.sessionId = unknown("sess");
  await refused(() => browser.get("/me"), "401 signed_out");
});

test("API-3 memberships are a list, or with paginated=true a page and the total", async () => {
  const { browser, ids } = await member();
  const { response: all } = ok(await memberships(browser));
  sameSet(all.map((membership) => membership.organization.id), ids, "list");
  const { response: page } = ok(await memberships(browser, { paginated: true, limit: 2 }));
  const { response: rest } = ok(await memberships(browser, { paginated: true, limit: 2, offset: 2 }));
  equal([page.total_count, page.data.length, rest.total_count, rest.data.length], [3, 2, 3, 1], "pages");
  equal([...page.data, ...rest.data], all, "together");
});

test("pages have bounds", async () => {
  const { browser } = await member();
  for (const query of [{ limit: 0 }, { limit: 501 }, { limit: "x" }, { offset: -1 }, { paginated: "perhaps" }]) {
    await refused(() => memberships(browser, query), "422 form_param_value_invalid | 422 form_param_value_too_large", { param: Object.keys(query)[0] });
  }
});

test("MEM-9 who came through an organization's connection cannot leave it", async () => {
  const { browser, own, ids } = await member();
  await refused(() => leave(browser, own), "403 organization_membership_enterprise_connection_cannot_remove");
  equal(ok(await memberships(browser)).response.length, ids.length, "memberships");
});

test("MEM-10 a member leaves another organization", async () => {
  const { browser, user, others } = await member();
  const { response, client } = ok(await leave(browser, others[0]));
  equal([response.object, response.deleted], ["organization_membership", true], "answer");
  const left = client.sessions[0].user.organization_memberships.map((membership) => membership.organization.id);
  equal(left.includes(others[0].id), false, "the membership in the client");
  const { data } = await rawOk("GET", `/users/${user.id}/organization_memberships`);
  equal(data.some((membership) => membership.organization.id === others[0].id), false, "the membership for the operator");
  await refused(() => leave(browser, others[0]), "404 organization_not_found_or_unauthorized");
  await refused(() => leave(browser, { id: unknown("org") }), "404 organization_not_found_or_unauthorized");
});

test("the last administrator cannot leave", async () => {
  const { browser, others } = await member("org:admin");
  await refused(() => leave(browser, others[0]), "400 organization_minimum_permissions_needed");
  await rawOk("POST", `/organizations/${others[0].id}/memberships`, { body: { user_id: (await newUser()).id, role: "org:admin" } });
  ok(await leave(browser, others[0]));
});
