// Clerk's clerk-js and ui packages, unmodified: the walk of a person from the email field to the token and out again.

import { fileURLToPath } from "node:url";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { freePort } from "../lib/process.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { startApplication } from "../lib/application.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE, BOB, MALLORY, forget, logInAt } from "../lib/identity_provider.mjs";
import { verified } from "../lib/token.mjs";

export const ASSETS = fileURLToPath(new URL("../node_modules/@clerk", import.meta.url));

export async function typeAddress(page, origin, address, mode = "sign-in") {
  await page.goto(`${origin}/?mode=${mode}`);
  const field = mode === "sign-in" ? "input[name=identifier]" : "input[name=emailAddress]";
  await page.fill(field, address);
  await page.press(field, "Enter");
}

export const signedIn = (page) => page.waitForFunction(() => window.loaded && window.Clerk.user);
export const token = (page, options) => page.evaluate((wanted) => window.Clerk.session.getToken(wanted), options);

/** A tab that is left alone: `answer` is the next token, which its clerk-js fetches unasked. */
async function watchRefresh(browser, origin) {
  const { context, page } = await profile(browser);
  await typeAddress(page, origin, ALICE.login);
  await logInAt(page, ALICE);
  await signedIn(page);
  const begun = Date.now();
  // What is asked for while the page loads does not count.
  const isLate = () => Date.now() - begun > 20_000;
  const isToken = (found) => /\/sessions\/[^/]+\/tokens/.test(found.url());
  const answer = page.waitForResponse((found) => isToken(found) && isLate(), { timeout: 75_000 });
  // A failed walk may never come to wait for it.
  answer.catch(() => {});
  return { context, answer, begun };
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function clerkJs(browser, idp, binary, database) {
  const check = checksOf("clerk-js", database);
  const port = await freePort();
  const server = await serve(binary, {
    DOORWARD_CLERK_ASSETS: ASSETS,
    DOORWARD_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
  }, database);
  const claims = (jwt) => verified(server, jwt);
  const application = await startApplication(port, server);
  const { origin } = application;
  const { organization, connection } = await connect(server.api, idp, { domain: "acme.test" });
  idp.trust(connection);
  const { context, page, strays } = await profile(browser);

  await check("an employee signs in through SimpleSAMLphp and is a member", async () => {
    await typeAddress(page, origin, ALICE.login);
    await logInAt(page, ALICE);
    await signedIn(page);
    equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
    const seen = await page.evaluate(() => ({
      email: window.Clerk.user.primaryEmailAddress.emailAddress,
      name: window.Clerk.user.fullName,
      organization: window.Clerk.organization.id,
      role: window.Clerk.user.organizationMemberships[0].role,
    }));
    equal(seen, { email: ALICE.login, name: "Alice Archer", organization: organization.id, role: "org:member" });
  });

  let refreshing;
  await check("another browser of the same person is the same user", async () => {
    refreshing = await watchRefresh(browser, origin);
    equal((await server.api("GET", "/users/count")).total_count, 1);
  });

  await check("TOK the token carries the organization, and a forced refresh is a new one", async () => {
    const first = await claims(await token(page, {}));
    equal([first.v, first.sts, first.o.id, first.o.rol, first.azp], [2, "active", organization.id, "member", origin]);
    equal(first.iss, server.base.replace("http:", "https:"), "iss");
    equal([first.sub, first.sid], await page.evaluate(() => [window.Clerk.user.id, window.Clerk.session.id]));
    const second = await claims(await token(page, { skipCache: true }));
    ok(second.jti !== first.jti, "the same token again");
  });

  await check("TOK-10 setActive to another organization changes the next token", async () => {
    const second = await server.api("POST", "/organizations", { name: "Second" });
    const user = await page.evaluate(() => window.Clerk.user.id);
    await server.api("POST", `/organizations/${second.id}/memberships`, { user_id: user, role: "org:admin" });
    await page.evaluate((id) => window.Clerk.setActive({ organization: id }), second.id);
    const found = await claims(await token(page, {}));
    equal([found.o.id, found.o.rol], [second.id, "admin"]);
  });

  await check("a reload keeps the session and its organization", async () => {
    await page.goto(origin);
    await signedIn(page);
    equal(await page.evaluate(() => window.Clerk.organization.name), "Second");
  });

  await check("signing out ends the session on the server", async () => {
    const session = await page.evaluate(() => window.Clerk.session.id);
    await page.evaluate(() => window.Clerk.signOut({ redirectUrl: "/" }));
    await page.waitForSelector("input[name=identifier]");
    ok((await server.api("GET", `/sessions/${session}`)).status !== "active", "still active");
    const uat = (await context.cookies()).find((cookie) => cookie.name === "__client_uat");
    equal(uat?.value, "0", "__client_uat");
  });

  await check("a second sign-in makes no second user and no second membership", async () => {
    // SimpleSAMLphp remembers her, so no password is asked for.
    await typeAddress(page, origin, ALICE.login);
    await signedIn(page);
    equal((await server.api("GET", "/users/count")).total_count, 1);
    equal((await members(server.api, organization)).length, 1);
  });

  await check("an unknown address is told beside the field", async () => {
    const { context: other, page: tab } = await profile(browser);
    await typeAddress(tab, origin, "who@nowhere.test");
    await tab.waitForSelector("text=Couldn't find your account.");
    await tab.fill("input[name=identifier]", ALICE.login);
    await tab.press("input[name=identifier]", "Enter");
    await tab.waitForSelector("input[name=username]");
    await other.close();
  });

  await check("a foreign address from the IdP is explained, and the form can be used again", async () => {
    const { context: other, page: tab } = await profile(browser);
    await typeAddress(tab, origin, ALICE.login);
    await logInAt(tab, MALLORY);
    const sentence = "The email address from the identity provider is on evil.test; this connection serves acme.test.";
    await tab.waitForSelector(`text=${sentence}`);
    equal((await server.api("GET", "/users/count")).total_count, 1);
    // The same form, without a reload; SimpleSAMLphp would remember Mallory.
    await forget(other);
    await tab.fill("input[name=identifier]", ALICE.login);
    await tab.press("input[name=identifier]", "Enter");
    await logInAt(tab, ALICE);
    await signedIn(tab);
    await other.close();
  });

  await check("DEC-10 a newcomer signs up through the connection", async () => {
    const { context: other, page: tab } = await profile(browser);
    await typeAddress(tab, origin, BOB.login, "sign-up");
    await logInAt(tab, BOB);
    await signedIn(tab);
    equal(await members(server.api, organization), [[ALICE.login, "org:member"], [BOB.login, "org:member"]]);
    await other.close();
  });

  await check("DEC-15 a sign-up of somebody with an account ends in a sign-in", async () => {
    const { context: other, page: tab } = await profile(browser);
    await typeAddress(tab, origin, ALICE.login, "sign-up");
    await logInAt(tab, ALICE);
    await signedIn(tab);
    equal((await server.api("GET", "/users/count")).total_count, 2);
    await other.close();
  });

  await check("DEC-5 with two connections the person chooses", async () => {
    const { connection: second } = await connect(server.api, idp, { domain: "acme.test", name: "Beta" });
    idp.trust(second);
    const { context: other, page: tab } = await profile(browser);
    await typeAddress(tab, origin, ALICE.login);
    await tab.waitForSelector("text=Acme SSO");
    await tab.click("text=Beta SSO");
    await logInAt(tab, ALICE);
    await signedIn(tab);
    equal((await server.api("GET", "/users/count")).total_count, 2);
    await other.close();
  });

  await check("TOK an open page refreshes its token by itself", async () => {
    const answer = await refreshing.answer;
    const seconds = Math.round((Date.now() - refreshing.begun) / 1000);
    equal(answer.status(), 200);
    const { exp, iat } = await claims((await answer.json()).jwt);
    ok(exp * 1000 > Date.now(), `a token that is over, after ${seconds} s`);
    ok(iat * 1000 > refreshing.begun + 15_000, `not a new token, after ${seconds} s`);
    await refreshing.context.close();
  });

  await check("nothing but loopback was asked", () => equal(strays, []));
  await context.close();
  application.stop();
  await server.stop();
}
