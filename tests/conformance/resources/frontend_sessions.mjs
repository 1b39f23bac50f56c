import { createPublicKey, verify } from "node:crypto";
import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { Browser, claims, ok } from "../lib/browser.mjs";
import { newOrganization, unknown } from "../lib/fixtures.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { frontendHost, rawOk, server } from "../lib/server.mjs";

section("frontend_sessions");

/** A browser that is signed in and a member of two organizations. */
async function member() {
  const [first, second] = [await newOrganization(), await newOrganization()];
  const idp = await connected({ organization: first });
  const browser = new Browser();
  const session = await browser.signIn(idp, idp.person());
  await rawOk("POST", `/organizations/${second.id}/memberships`, { body: { user_id: session.user.id, role: "org:admin" } });
  const at = `/client/sessions/${session.id}`;
  const token = async (form) => claims(ok(await browser.post(`${at}/tokens`, form)).jwt);
  return { browser, session, first, second, at, token };
}

test("a browser reads its session", async () => {
  const { browser, session, first, at } = await member();
  const { response } = ok(await browser.get(at));
  equal([response.id, response.user.id, response.last_active_organization_id], [session.id, session.user.id, first.id], "session");
  equal(response.factor_verification_age, [0, -1], "factor_verification_age");
});

test("TOK-9 a token is bare, fresh each time, and verifies with the published keys", async () => {
  const { browser, session, first, at } = await member();
  const [one, two] = [ok(await browser.post(`${at}/tokens`)), ok(await browser.post(`${at}/tokens`, { tab_state: "visible" }))];
  equal([Object.keys(one).sort(), one.object], [["jwt", "object"], "token"], "answer");
  const [header, payload, signature] = one.jwt.split(".");
  const { keys } = await (await fetch(`${server.base}/.well-known/jwks.json`)).json();
  const { kid } = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  const key = createPublicKey({ key: keys.find((found) => found.kid === kid), format: "jwk" });
  check(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url")), "the signature is wrong");
  const said = claims(one.jwt);
  equal([said.iss, said.sub, said.sid, said.o.id, said.azp], [`https://${frontendHost()}`, session.user.id, session.id, first.id, server.base], "claims");
  equal(said.exp - said.iat, 60, "TOK-7 lifetime");
  check(said.jti !== claims(two.jwt).jti, "the same token twice");
});

test("TOK-9 a token is for the organization it is asked for", async () => {
  const { browser, second, at, token } = await member();
  const { o } = await token({ organization_id: second.id });
  equal([o.id, o.rol], [second.id, "admin"], "organization");
  equal("o" in (await token({ organization_id: "" })), false, "o in the personal workspace");
  for (const organization_id of [(await newOrganization()).id, unknown("org")]) {
    await refused(() => browser.post(`${at}/tokens`, { organization_id }), "404 organization_not_found_or_unauthorized");
  }
});

test("TOK-10 touching switches the organization of the tokens to come", async () => {
  const { browser, session, first, second, at, token } = await member();
  for (const [wanted, id] of [[second.id, second.id], [first.slug, first.id]]) {
    const { response, client } = ok(await browser.post(`${at}/touch`, { active_organization_id: wanted, intent: "select_org" }));
    equal(response.last_active_organization_id, id, "response");
    equal(claims(client.sessions[0].last_active_token.jwt).o.id, id, "the token beside it");
    equal((await token()).o.id, id, "the next token");
  }
  ok(await browser.post(`${at}/touch`, { active_organization_id: "", intent: "select_org" }));
  equal("o" in (await token()), false, "o in the personal workspace");
  const { client } = ok(await browser.post(`${at}/touch`, { intent: "focus" }));
  equal([client.last_active_session_id, client.sessions[0].last_active_organization_id], [session.id, null], "focus keeps the organization");
});

test("TOK-10 touching takes only organizations one belongs to, and known intents", async () => {
  const { browser, first, at, token } = await member();
  for (const active_organization_id of [(await newOrganization()).id, unknown("org"), "no-such-slug"]) {
    await refused(() => browser.post(`${at}/touch`, { active_organization_id }), "404 organization_not_found_or_unauthorized");
  }
  await refused(() => browser.post(`${at}/touch`, { intent: "conquer" }), "422 form_param_value_invalid", { param: "intent" });
  equal((await token()).o.id, first.id, "organization");
});

for (const [action, status] of [["end", "ended"], ["remove", "removed"]]) {
  test(`TOK-11 ${action} ends the session, and there are no more tokens`, async () => {
    const { browser, session, at } = await member();
    const { response, client } = ok(await browser.post(`${at}/${action}`));
    equal([response.id, response.status, client.sessions, client.last_active_session_id], [session.id, status, [], null], "answer");
    equal(browser.cookies.get("__client_uat"), "0", "__client_uat");
    equal((await rawOk("GET", `/sessions/${session.id}`)).status, status, "for the operator");
    for (const path of ["tokens", "touch"]) await refused(() => browser.post(`${at}/${path}`), "401 signed_out");
    equal(ok(await browser.get(at)).response.status, status, "read again");
    equal(ok(await browser.post(`${at}/${action}`)).response.status, status, "a second time");
    await refused(() => browser.get("/me"), "401 signed_out");
  });
}

test("a session that the operator revoked gives no more tokens", async () => {
  const { browser, session, at } = await member();
  await rawOk("POST", `/sessions/${session.id}/revoke`);
  await refused(() => browser.post(`${at}/tokens`), "401 signed_out");
  equal(ok(await browser.get("/client")).response.sessions, [], "sessions");
});

test("TOK-17 a lost membership is lost in the next token", async () => {
  const { session, first, token } = await member();
  await rawOk("DELETE", `/organizations/${first.id}/memberships/${session.user.id}`);
  equal((await token()).o, undefined, "o");
});

test("an unknown session is not found", async () => {
  const { browser } = await member();
  const path = `/client/sessions/${unknown("sess")}`;
  await refused(() => browser.get(path), "404 resource_not_found");
  for (const action of ["tokens", "touch", "end", "remove"]) await refused(() => browser.post(`${path}/${action}`), "404 resource_not_found");
});
