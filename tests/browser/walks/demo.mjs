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
import { ALICE, BOB, ERIN, GRACE, IRIS, OUTSIDERS, setAtWork } from "../lib/demo.mjs";

/** From the application to the page of the identity provider. */
async function toProvider(page, app, address) {
  await page.goto(app);
  await page.click("a.button");
  await page.fill("#identifier", address);
  await page.press("#identifier", "Enter");
  await page.waitForSelector("text=nobody is asked for a password");
}

async function walk(page, app, { address, name }) {
  await toProvider(page, app, address);
  await page.click(`a.button:has-text("${name}")`);
  const arrived = page.locator("text=Signature verified");
  const again = page.locator("text=asks for consent again");
  await arrived.or(again).waitFor();
  // As Google does, its double gives lasting access at the first consent, and at each that is asked for.
  if (await again.count()) await page.click(`a.button:has-text("${name}")`);
  await arrived.waitFor();
  return page.textContent("main");
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function demo(browser, binary, database) {
  const check = checksOf("demo", database);
  const folder = mkdtempSync(join(tmpdir(), "doorward-demo-"));
  const [port, idpPort, application] = [await freePort(), await freePort(), await freePort()];
  const args = [
    "demo", "--data-dir", folder, "--listen", `127.0.0.1:${port}`,
    "--idp-listen", `127.0.0.1:${idpPort}`, "--app-listen", `127.0.0.1:${application}`,
  ];
  const app = `http://127.0.0.1:${application}/`;
  const idp = `http://127.0.0.1:${idpPort}/`;
  // With PostgreSQL the key would otherwise be a file in the working directory.
  const env = database ? { DOORWARD_DATABASE_URL: database.url, DOORWARD_ENCRYPTION_KEY: randomBytes(32).toString("base64") } : {};
  let running = await start(binary, args, env, "ready ");
  const api = () => backend(`http://127.0.0.1:${port}`, readFileSync(join(folder, "secret-key"), "utf8").trim());
  const everybody = [ALICE, BOB, ERIN, GRACE, IRIS];

  await check("it says what to open, whom to be and what to try", () => {
    for (const text of [app.slice(0, -1), ...everybody.map(({ address }) => address), "suspend Grace", "within 10 seconds"]) {
      ok(running.output().includes(text), text);
    }
  });

  for (const person of everybody) {
    await check(`${person.name} signs in by ${person.by} and sees who she is, her organization, her role and her verified token`, async () => {
      const { context, page, strays } = await profile(browser);
      const text = await walk(page, app, person);
      for (const part of [`Hello, ${person.name}`, person.address, person.organization, person.role, `"rol": "${person.role}"`]) ok(text.includes(part), part);
      await page.click("text=Sign out");
      await page.waitForSelector("text=A product whose customers");
      equal(strays, []);
      await context.close();
    });
  }

  await check("its pages have headings, contrast and room on a phone, in both schemes", async () => {
    const { context, page } = await profile(browser);
    await setAtWork(page, idp, BOB, "Suspend");
    await inspect(page, "demo-identity-providers");
    await setAtWork(page, idp, BOB, "Restore");
    await page.goto(app);
    await inspect(page, "demo-signed-out");
    for (const person of [ALICE, GRACE]) {
      await toProvider(page, app, person.address);
      await inspect(page, `demo-choose-${person.organization}`);
    }
    await page.click(`a.button:has-text("${GRACE.name}")`);
    await page.waitForSelector("text=Signature verified");
    await inspect(page, "demo-signed-in");
    await context.close();
  });

  await check("a second sign-in makes no second user and no second membership", async () => {
    for (const person of [ALICE, ERIN, GRACE, IRIS]) {
      const { context, page } = await profile(browser);
      await walk(page, app, person);
      await context.close();
    }
    equal((await api()("GET", "/users/count")).total_count, everybody.length);
    equal((await api()("GET", "/organization_memberships")).total_count, everybody.length);
  });

  await check("after Alice, Bob with the same browser is Bob at once", async () => {
    const { context, page } = await profile(browser);
    await walk(page, app, ALICE);
    await page.goto(`http://127.0.0.1:${port}/sign-in`);
    await page.click("text=Sign out");
    await page.waitForSelector("text=You are signed out");
    const text = await walk(page, app, BOB);
    for (const part of [`Hello, ${BOB.name}`, "Globex", "admin"]) ok(text.includes(part), part);
    await context.close();
  });

  await check("its identity providers take posted requests as well", async () => {
    const [acme] = (await api()("GET", "/enterprise_connections")).data.filter(({ domains }) => domains.includes("acme.test"));
    const bind = (idp_sso_binding) => api()("PATCH", `/enterprise_connections/${acme.id}`, { saml: { idp_sso_binding } });
    await bind("post");
    const { context, page } = await profile(browser);
    ok((await walk(page, app, ALICE)).includes("Hello, Alice Müller"), "Alice");
    await context.close();
    await bind("redirect");
  });

  for (const { name, address, reason } of OUTSIDERS) {
    await check(`${name}, whose account is not the company's, is kept out and told why`, async () => {
      const { context, page } = await profile(browser);
      await toProvider(page, app, address);
      await page.click(`a.button:has-text("${name}")`);
      await page.waitForSelector("text=Sign-in did not work");
      const text = await page.textContent("main");
      ok(text.includes(reason), text);
      equal((await api()("GET", "/users/count")).total_count, everybody.length);
      await context.close();
    });
  }

  await check("a suspended person cannot sign in, at any kind of company, and can when restored", async () => {
    const { context, page } = await profile(browser);
    for (const person of everybody) {
      await setAtWork(page, idp, person, "Suspend");
      await toProvider(page, app, person.address);
      equal(await page.locator(`a.button:has-text("${person.name}")`).count(), 0, `${person.name} on the page`);
      ok((await page.textContent("main")).includes(`${person.address}: suspended`), await page.textContent("main"));
      await setAtWork(page, idp, person, "Restore");
    }
    await context.close();
  });

  await check("EAS-5 people of EASIE companies who are suspended while signed in are out in the time that is stated; others stay", async () => {
    const visits = [];
    for (const person of [GRACE, IRIS, ERIN, ALICE]) {
      const { context, page } = await profile(browser);
      const text = await walk(page, app, person);
      equal(text.includes("The session ends within 10 seconds."), person.isWatched, `what ${person.name} is told`);
      visits.push({ context, page, person });
    }
    const { context, page } = await profile(browser);
    for (const { person } of visits) await setAtWork(page, idp, person, "Suspend");
    const isIn = async (visit) => {
      await visit.page.goto(app);
      return (await visit.page.textContent("h1")).includes("Hello");
    };
    // The stated time, and a little for pages to load on a busy machine.
    const end = Date.now() + 10_000 + 3_000;
    const watched = visits.filter(({ person }) => person.isWatched);
    while ((await Promise.all(watched.map(isIn))).includes(true)) {
      ok(Date.now() < end, "somebody is still in");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    for (const visit of visits) equal(await isIn(visit), !visit.person.isWatched, visit.person.name);
    for (const { person } of visits) await setAtWork(page, idp, person, "Restore");
    for (const visit of watched) ok((await walk(visit.page, app, visit.person)).includes("Hello"), `${visit.person.name} is back`);
    equal((await api()("GET", "/users/count")).total_count, everybody.length);
    for (const { context } of visits) await context.close();
    await context.close();
  });

  await check("Ctrl-C stops cleanly, and the next start finds its data and signs nobody out", async () => {
    const { context, page } = await profile(browser);
    await walk(page, app, GRACE);
    equal(await running.stop("SIGINT"), 0, "exit code");
    running = await start(binary, args, env, "ready ");
    equal((await api()("GET", "/users/count")).total_count, everybody.length);
    equal((await api()("GET", "/enterprise_connections")).total_count, 5);
    // Long enough for the server to have asked after her.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await page.goto(app);
    await page.waitForSelector(`text=Hello, ${GRACE.name}`);
    await context.close();
  });

  await check("a port in use is one clear sentence and a non-zero exit", async () => {
    const second = await start(binary, args, env, "never").catch((error) => String(error));
    ok(second.includes("ended with 1") && second.includes("is in use"), second);
  });
  await running.stop();
}
