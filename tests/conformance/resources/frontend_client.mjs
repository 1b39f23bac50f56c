import { check, equal, matches, recent, section, test } from "../lib/harness.mjs";
import { Browser, claims, ok } from "../lib/browser.mjs";
import { newOrganization } from "../lib/fixtures.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { rawOk, server } from "../lib/server.mjs";

section("frontend_client");

const cookieLine = (exchange, name) => exchange.headers.getSetCookie().find((line) => line.startsWith(`${name}=`));
const uat = (browser) => [...browser.cookies].filter(([name]) => name.startsWith("__client_uat")).map(([, value]) => value);

test("API-3 a browser that never began anything has no client and gets no cookie", async () => {
  const browser = new Browser();
  equal(ok(await browser.get("/client")), { response: null, client: null }, "answer");
  equal(browser.cookies.has("__client"), false, "__client");
});

test("TOK-13 PUT and POST make the browser known, once, by a cookie that scripts cannot read", async () => {
  for (const method of ["put", "post"]) {
    const browser = new Browser();
    const made = await browser[method]("/client");
    const { response, client } = ok(made);
    equal(client, response, "client");
    equal([response.object, response.sessions, response.sign_in, response.sign_up, response.last_active_session_id], ["client", [], null, null, null], "response");
    recent(response.created_at, "created_at");
    const line = cookieLine(made, "__client");
    for (const part of [/; HttpOnly/, /; SameSite=Lax/, /; Path=\/(;|$)/, /; Max-Age=34560000/]) matches(line, part, "__client");
    check(!/Domain=/i.test(line), `__client belongs to one host: ${line.replace(/=[^;]*/, "=…")}`);
    equal(ok(await browser[method]("/client")).response.id, response.id, "the client again");
    equal(ok(await browser.get("/client")).response.id, response.id, "the client read");
    equal(uat(browser), ["0", "0"], "__client_uat");
  }
});

test("DEC-29 the client shows the attempts under way", async () => {
  const idp = await connected();
  const browser = new Browser();
  const { response: signIn, client } = ok(await browser.post("/client/sign_ins", { identifier: idp.person().email }));
  equal(client.sign_in, signIn, "sign_in beside the answer");
  const { response: signUp } = ok(await browser.post("/client/sign_ups", { email_address: idp.person().email }));
  const { response: read } = ok(await browser.get("/client"));
  equal([read.sign_in, read.sign_up], [signIn, signUp], "attempts");
});

test("MEM-1 after a sign-in the client holds the session with its user, organization, role and token", async () => {
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const browser = new Browser();
  const who = idp.person();
  const session = await browser.signIn(idp, who);
  equal([session.status, session.last_active_organization_id, session.actor], ["active", organization.id, null], "session");
  recent(session.created_at, "created_at");
  equal(session.public_user_data.identifier, who.email, "public_user_data");
  const { user } = session;
  equal([user.first_name, user.last_name, user.email_addresses[0].email_address], [who.firstName, who.lastName, who.email], "user");
  equal([user.email_addresses[0].verification.status, user.email_addresses[0].linked_to[0]?.type], ["verified", "saml"], "address");
  equal([user.saml_accounts.length, user.saml_accounts[0].provider_user_id], [1, who.subject], "saml_accounts");
  equal(user.enterprise_accounts[0].enterprise_connection_id, idp.connection.id, "X-5 enterprise_accounts");
  const [membership] = user.organization_memberships;
  equal([membership.organization.id, membership.role], [organization.id, "org:member"], "membership");
  check(membership.permissions.includes("org:sys_memberships:read"), `ROL-4 permissions: ${membership.permissions}`);
  const token = claims(session.last_active_token.jwt);
  equal([token.sid, token.sub, token.o.id, token.azp], [session.id, user.id, organization.id, server.base], "token");
  // A later __client_uat would start a handshake at every server-rendered page.
  for (const seconds of uat(browser)) check(Number(seconds) > 0 && Number(seconds) <= token.iat, `__client_uat ${seconds}, iat ${token.iat}`);
});

test("the Backend API shows the same account", async () => {
  const idp = await connected();
  const who = idp.person();
  const { user } = await new Browser().signIn(idp, who);
  const seen = await rawOk("GET", `/users/${user.id}`);
  equal(seen.saml_accounts, user.saml_accounts, "saml_accounts");
  equal(seen.enterprise_accounts, user.enterprise_accounts, "enterprise_accounts");
  equal((await rawOk("GET", "/users", { query: { email_address: who.email } })).map((found) => found.id), [user.id], "by address");
});

test("private metadata is the operator's alone", async () => {
  const organization = await newOrganization({ privateMetadata: { plan: "secret-of-the-organization" } });
  const idp = await connected({ organization });
  const browser = new Browser();
  const { user } = await browser.signIn(idp, idp.person());
  await rawOk("PATCH", `/users/${user.id}/metadata`, { body: { private_metadata: { note: "secret-of-the-user" }, public_metadata: { note: "for everybody" } } });
  await rawOk("PATCH", `/organizations/${organization.id}/memberships/${user.id}/metadata`, { body: { private_metadata: { note: "secret-of-the-membership" } } });
  for (const path of ["/client", "/me", "/me/organization_memberships", `/client/sessions/${browser.sessionId}`]) {
    const { text } = await browser.get(path);
    check(!text.includes("secret-of-") && !text.includes("private_metadata"), `${path} tells private metadata`);
    check(path.includes("memberships") || text.includes("for everybody"), `${path} lacks public metadata`);
  }
});

test("TOK-13 the cookie of before a sign-in is worth nothing after it", async () => {
  const idp = await connected();
  const browser = new Browser();
  ok(await browser.put("/client"));
  const before = browser.cookies.get("__client");
  await browser.signIn(idp, idp.person());
  check(browser.cookies.get("__client") !== before, "__client is the same");
  const thief = new Browser();
  thief.cookies.set("__client", before);
  equal(ok(await thief.get("/client")).response, null, "client of the old cookie");
});

test("two people in one browser: the newest is in focus, both are there", async () => {
  const browser = new Browser();
  const sessions = [];
  for (let i = 0; i < 2; i += 1) {
    const idp = await connected();
    sessions.push((await browser.signIn(idp, idp.person())).id);
  }
  const { response: client } = ok(await browser.get("/client"));
  equal(client.sessions.map((session) => session.id).sort(), [...sessions].sort(), "sessions");
  equal(client.last_active_session_id, sessions[1], "in focus");
  const { client: after } = ok(await browser.post(`/client/sessions/${sessions[1]}/remove`));
  equal([after.sessions.map((session) => session.id), after.last_active_session_id], [[sessions[0]], sessions[0]], "after one has left");
});

test("a ban ends the session at once", async () => {
  const idp = await connected();
  const browser = new Browser();
  const { user } = await browser.signIn(idp, idp.person());
  await rawOk("POST", `/users/${user.id}/ban`);
  const { response: client } = ok(await browser.get("/client"));
  equal(client.sessions, [], "sessions");
});

test("signing out of all sessions keeps the browser and ends its sessions", async () => {
  const idp = await connected();
  const browser = new Browser();
  const session = await browser.signIn(idp, idp.person());
  const { response, client } = ok(await browser.delete("/client/sessions"));
  equal([response.sessions, response.last_active_session_id, client.id], [[], null, response.id], "answer");
  equal((await rawOk("GET", `/sessions/${session.id}`)).status, "removed", "status");
  equal([browser.cookies.has("__client"), uat(browser)], [true, ["0", "0"]], "cookies");
  equal(ok(await browser.get("/client")).response.id, response.id, "the client");
});

test("deleting the client ends its sessions and forgets the browser", async () => {
  const idp = await connected();
  const browser = new Browser();
  const session = await browser.signIn(idp, idp.person());
  const cookie = browser.cookies.get("__client");
  equal(ok(await browser.delete("/client")), { response: null, client: null }, "answer");
  equal((await rawOk("GET", `/sessions/${session.id}`)).status, "removed", "status");
  equal([browser.cookies.has("__client"), uat(browser)], [false, ["0", "0"]], "cookies");
  equal(ok(await browser.get("/client")), { response: null, client: null }, "afterwards");
  browser.cookies.set("__client", cookie);
  equal(ok(await browser.get("/client")).response?.sessions ?? [], [], "sessions of the old cookie");
  equal(ok(await new Browser().delete("/client")), { response: null, client: null }, "for a browser that is not known");
});
