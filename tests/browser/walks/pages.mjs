// Every hosted page in a browser without JavaScript, by keyboard alone: measured, pictured, and walked to the end.

import { createServer } from "node:http";
import { once } from "node:events";
import { check, equal, ok } from "../lib/report.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { inspect, tabTo } from "../lib/inspect.mjs";
import { ALICE, MALLORY, forget, logInAt } from "../lib/identity_provider.mjs";

/** Types into the field of the address, which has the focus unless Tab has to bring it there. */
async function typeAddress(page, address) {
  await page.locator("#identifier:focus").waitFor();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(address);
  await page.keyboard.press("Enter");
}

/** SimpleSAMLphp asks for a click where its script cannot post the response. */
async function logInWithoutScript(page, person) {
  await logInAt(page, person);
  await page.locator("noscript button").click();
}

export async function pages(browser, idp, binary) {
  const application = createServer((_, answer) => answer.end("arrived")).listen(0, "127.0.0.1");
  await once(application, "listening");
  const listed = `http://127.0.0.1:${application.address().port}/done`;
  const target = `${listed}?a=1&b=%C3%A9`;
  const server = await serve(binary, { DOORWARD_REDIRECT_URLS: listed });
  const { organization, connection } = await connect(server.api, idp, { domain: "acme.test" });
  idp.trust(connection);
  const start = `${server.base}/sign-in?redirect_url=${encodeURIComponent(target)}`;
  const withoutScript = () => profile(browser, { javaScriptEnabled: false });

  await check("pages: without JavaScript a person gets from the address to the application, and is a member", async () => {
    const { context, page } = await withoutScript();
    await page.goto(start);
    await typeAddress(page, ALICE.login);
    await logInWithoutScript(page, ALICE);
    await page.waitForURL(target);
    equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
    // Signed in already: the page sends her on at once.
    await page.goto(start);
    equal(page.url(), target);
    await page.goto(`${server.base}/sign-in`);
    ok((await page.textContent("main")).includes("Alice Archer"), await page.textContent("main"));
    await inspect(page, "signed-in");
    await tabTo(page, "Sign out");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=You are signed out");
    await inspect(page, "signed-out");
    await tabTo(page, "Sign in again");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#identifier");
    await context.close();
  });

  await check("pages: the form, and an unknown address told under the field, which keeps what was typed", async () => {
    const { context, page } = await withoutScript();
    await page.goto(start);
    await page.locator("#identifier:focus").waitFor();
    await inspect(page, "sign-in");
    await tabTo(page, "Continue");
    await page.keyboard.press("Shift+Tab");
    await typeAddress(page, "who@nowhere.test");
    await page.waitForSelector("[role=alert]");
    equal(await page.inputValue("#identifier"), "who@nowhere.test");
    equal(await page.getAttribute("#identifier", "aria-invalid"), "true");
    await inspect(page, "sign-in-refused");
    await typeAddress(page, ALICE.login);
    await page.waitForSelector("input[name=username]");
    await context.close();
  });

  await check("pages: a foreign address from the IdP is explained, and the way back works", async () => {
    const { context, page } = await withoutScript();
    await page.goto(start);
    await typeAddress(page, ALICE.login);
    await logInWithoutScript(page, MALLORY);
    await page.waitForSelector("text=Sign-in did not work");
    ok((await page.textContent("[role=alert]")).includes("evil.test; this connection serves acme.test"), "no reason is given");
    await inspect(page, "error");
    equal((await server.api("GET", "/users/count")).total_count, 1);
    await tabTo(page, "Try again");
    await page.keyboard.press("Enter");
    // SimpleSAMLphp would remember Mallory.
    await forget(context);
    await typeAddress(page, ALICE.login);
    await logInWithoutScript(page, ALICE);
    await page.waitForURL(target);
    await context.close();
  });

  await check("pages: a URL that nobody allowed is refused, with a page", async () => {
    const { context, page } = await withoutScript();
    const answer = await page.goto(`${server.base}/sign-in?redirect_url=${encodeURIComponent("https://evil.test/")}`);
    ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
    await inspect(page, "refused");
    await context.close();
  });

  await check("pages: a response that another browser began is refused, with a page", async () => {
    const { context, page } = await withoutScript();
    await page.goto(start);
    await typeAddress(page, ALICE.login);
    await page.waitForSelector("input[name=username]");
    await context.clearCookies({ name: "__client" });
    await logInWithoutScript(page, ALICE);
    await page.waitForSelector("text=began in another browser");
    await inspect(page, "other-browser");
    await page.goto(start);
    await page.waitForSelector("#identifier");
    await context.close();
  });

  await check("pages: where requests are posted, the page sends itself, and waits for a click without JavaScript", async () => {
    const path = `/enterprise_connections/${connection.id}`;
    await server.api("PATCH", path, { saml: { idp_sso_binding: "post", sign_requests: true } });
    const slow = await withoutScript();
    await slow.page.goto(start);
    await typeAddress(slow.page, ALICE.login);
    await slow.page.waitForSelector("text=On to your identity provider");
    await inspect(slow.page, "send");
    await tabTo(slow.page, "Continue");
    await slow.page.keyboard.press("Enter");
    await logInWithoutScript(slow.page, ALICE);
    await slow.page.waitForURL(target);
    await slow.context.close();
    const { context, page } = await profile(browser, {});
    await page.goto(start);
    await typeAddress(page, ALICE.login);
    await logInAt(page, ALICE);
    await page.waitForURL(target);
    await context.close();
    await server.api("PATCH", path, { saml: { idp_sso_binding: "redirect", sign_requests: false } });
  });

  await check("pages: who starts at the identity provider lands where it says", async () => {
    const path = `/enterprise_connections/${connection.id}`;
    await server.api("PATCH", path, { saml: { allow_idp_initiated: true } });
    const { context, page } = await profile(browser, {});
    await page.goto(idp.startUrl(connection, target));
    await logInAt(page, ALICE);
    await page.waitForURL(target);
    await page.goto(`${server.base}/sign-in`);
    ok((await page.textContent("main")).includes("Alice Archer"), await page.textContent("main"));
    await context.close();
    await server.api("PATCH", path, { saml: { allow_idp_initiated: false } });
  });

  await check("pages: with two connections the person chooses by keyboard", async () => {
    const { connection: second, organization: beta } = await connect(server.api, idp, {
      domain: "acme.test",
      name: "Beta & Söhne Allgemeine Versicherungsgesellschaft auf Gegenseitigkeit",
    });
    idp.trust(second);
    const { context, page } = await withoutScript();
    await page.goto(start);
    await typeAddress(page, ALICE.login);
    await page.waitForSelector("text=Choose how to sign in");
    await inspect(page, "choose");
    await tabTo(page, `${beta.name} SSO`);
    await page.keyboard.press("Enter");
    await logInWithoutScript(page, ALICE);
    await page.waitForURL(target);
    equal(await members(server.api, beta), [[ALICE.login, "org:member"]]);
    equal((await server.api("GET", "/users/count")).total_count, 1);
    await context.close();
  });

  await server.stop();
  application.closeAllConnections();
  application.close();
}
