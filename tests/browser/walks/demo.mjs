// `doorward demo`, as a newcomer walks it.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { freePort, start } from "../lib/process.mjs";
import { backend } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { inspect } from "../lib/inspect.mjs";

async function walk(page, app, address, first) {
  await page.goto(app);
  await page.click("a.button");
  await page.fill("#identifier", address);
  await page.press("#identifier", "Enter");
  await page.waitForSelector("text=nobody is asked for a password");
  await page.click(`a.button:has-text("${first}")`);
  await page.waitForSelector("text=Signature verified");
  return page.textContent("main");
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function demo(browser, binary, database) {
  const check = checksOf("demo", database);
  const folder = mkdtempSync(join(tmpdir(), "doorward-demo-"));
  const [port, idp, application] = [await freePort(), await freePort(), await freePort()];
  const args = [
    "demo", "--data-dir", folder, "--listen", `127.0.0.1:${port}`,
    "--idp-listen", `127.0.0.1:${idp}`, "--app-listen", `127.0.0.1:${application}`,
  ];
  const app = `http://127.0.0.1:${application}/`;
  // With PostgreSQL the key would otherwise be a file in the working directory.
  const env = database ? { DOORWARD_DATABASE_URL: database.url, DOORWARD_ENCRYPTION_KEY: randomBytes(32).toString("base64") } : {};
  let running = await start(binary, args, env, "ready ");
  const api = () => backend(`http://127.0.0.1:${port}`, readFileSync(join(folder, "secret-key"), "utf8").trim());

  await check("it says what to open and whom to be", () => {
    for (const text of [app.slice(0, -1), "alice@acme.test", "bob@globex.test"]) ok(running.output().includes(text), text);
  });

  await check("Alice signs in and sees who she is, her organization, her role and her verified token", async () => {
    const { context, page, strays } = await profile(browser);
    const text = await walk(page, app, "alice@acme.test", "Alice");
    for (const part of ["Hello, Alice Müller", "alice@acme.test", "Acme", "member", '"rol": "member"']) ok(text.includes(part), part);
    await page.click("text=Sign out");
    await page.waitForSelector("text=A product whose customers");
    equal(strays, []);
    await context.close();
  });

  await check("its pages have headings, contrast and room on a phone, in both schemes", async () => {
    const { context, page } = await profile(browser);
    await page.goto(app);
    await inspect(page, "demo-signed-out");
    await page.click("a.button");
    await page.fill("#identifier", "alice@acme.test");
    await page.press("#identifier", "Enter");
    await page.waitForSelector("text=nobody is asked for a password");
    await inspect(page, "demo-identity-provider");
    await page.click('a.button:has-text("Alice")');
    await page.waitForSelector("text=Signature verified");
    await inspect(page, "demo-signed-in");
    await context.close();
  });

  await check("a second sign-in makes no second user and no second membership", async () => {
    const { context, page } = await profile(browser);
    await walk(page, app, "alice@acme.test", "Alice");
    equal((await api()("GET", "/users/count")).total_count, 1);
    equal((await api()("GET", "/organization_memberships")).total_count, 1);
    await context.close();
  });

  await check("after Alice, Bob with the same browser is Bob at once", async () => {
    const { context, page } = await profile(browser);
    await walk(page, app, "alice@acme.test", "Alice");
    await page.goto(`http://127.0.0.1:${port}/sign-in`);
    await page.click("text=Sign out");
    await page.waitForSelector("text=You are signed out");
    const text = await walk(page, app, "bob@globex.test", "Bob");
    for (const part of ["Hello, Bob", "Globex", "admin"]) ok(text.includes(part), part);
    await context.close();
  });

  await check("Bob arrives at Globex as an admin", async () => {
    const { context, page } = await profile(browser);
    const text = await walk(page, app, "bob@globex.test", "Bob");
    for (const part of ["Hello, Bob", "Globex", "admin"]) ok(text.includes(part), part);
    await context.close();
  });

  await check("its identity providers take posted requests as well", async () => {
    const [acme] = (await api()("GET", "/enterprise_connections")).data.filter(({ domains }) => domains.includes("acme.test"));
    const bind = (idp_sso_binding) => api()("PATCH", `/enterprise_connections/${acme.id}`, { saml: { idp_sso_binding } });
    await bind("post");
    const { context, page } = await profile(browser);
    ok((await walk(page, app, "alice@acme.test", "Alice")).includes("Hello, Alice Müller"), "Alice");
    await context.close();
    await bind("redirect");
  });

  await check("Ctrl-C stops cleanly, and the next start finds its data", async () => {
    equal(await running.stop("SIGINT"), 0, "exit code");
    running = await start(binary, args, env, "ready ");
    equal((await api()("GET", "/users/count")).total_count, 2);
    equal((await api()("GET", "/enterprise_connections")).total_count, 2);
  });

  await check("a port in use is one clear sentence and a non-zero exit", async () => {
    const second = await start(binary, args, env, "never").catch((error) => String(error));
    ok(second.includes("ended with 1") && second.includes("is in use"), second);
  });
  await running.stop();
}
