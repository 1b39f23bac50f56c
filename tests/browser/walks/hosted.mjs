// The hosted page, without a script of ours and with the keyboard alone, through SimpleSAMLphp.

import { createServer } from "node:http";
import { once } from "node:events";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE, MALLORY, ZOE, logInAt } from "../lib/identity_provider.mjs";

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function hosted(browser, idp, binary, database) {
  const check = checksOf("hosted", database);
  const application = createServer((_, answer) => answer.end("arrived")).listen(0, "127.0.0.1");
  await once(application, "listening");
  const target = `http://127.0.0.1:${application.address().port}/done`;
  const server = await serve(binary, { DOORWARD_REDIRECT_URLS: target }, database);
  const { organization, connection } = await connect(server.api, idp, { domain: "acme.test" });
  idp.trust(connection);
  const start = `${server.base}/sign-in?redirect_url=${encodeURIComponent(target)}`;

  await check("a person signs in by keyboard alone, and our pages run no script", async () => {
    const { context, page } = await profile(browser);
    const scripts = [];
    page.on("request", (request) => {
      if (request.resourceType() === "script" && request.url().startsWith(server.base)) scripts.push(request.url());
    });
    await page.goto(start);
    equal(await page.locator("script").count(), 0, "scripts on the page");
    // The field has the focus; nothing is clicked.
    await page.waitForSelector("#identifier:focus");
    await page.keyboard.type(ALICE.login);
    await page.keyboard.press("Enter");
    await logInAt(page, ALICE);
    await page.waitForURL(target);
    equal(scripts, []);
    equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
    await page.goto(`${server.base}/sign-in`);
    ok((await page.textContent("main")).includes(ALICE.login), "the page does not say who is signed in");
    await page.click("text=Sign out");
    await page.waitForSelector("text=You are signed out");
    await context.close();
  });

  await check("the form leads to the IdP in a browser without JavaScript", async () => {
    const { context, page } = await profile(browser, { javaScriptEnabled: false });
    await page.goto(start);
    await page.waitForSelector("#identifier:focus");
    await page.keyboard.type(ALICE.login);
    await page.keyboard.press("Enter");
    await page.waitForSelector("input[name=username]");
    ok(page.url().startsWith(idp.origin), page.url());
    await context.close();
  });

  await check("names with quotes, brackets, umlauts and CJK arrive intact and are shown as text", async () => {
    const { context, page } = await profile(browser);
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", ZOE.login);
    await page.press("#identifier", "Enter");
    await logInAt(page, ZOE);
    await page.waitForSelector("text=You are signed in");
    ok((await page.textContent("main")).includes('Zoë "Zed" <z> Müller & Søn 山田'), await page.textContent("main"));
    const [user] = await server.api("GET", `/users?email_address=${ZOE.login}`);
    equal([user.first_name, user.last_name], ['Zoë "Zed" <z>', "Müller & Søn 山田"]);
    await context.close();
  });

  await check("what went wrong is told in a sentence, with a way to try again", async () => {
    const { context, page } = await profile(browser);
    await page.goto(start);
    await page.fill("#identifier", ALICE.login);
    await page.press("#identifier", "Enter");
    await logInAt(page, MALLORY);
    await page.waitForSelector("text=Sign-in did not work");
    ok((await page.textContent("main")).includes("evil.test; this connection serves acme.test"), "no reason is given");
    await page.click("text=Try again");
    await page.waitForSelector("#identifier");
    await context.close();
  });

  await check("pages have one heading, labelled fields and room on a phone, in both schemes", async () => {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1280, 360]) {
        const { context, page } = await profile(browser, { colorScheme, viewport: { width, height: 800 } });
        await page.goto(start);
        await page.waitForSelector("#identifier:focus");
        const facts = await page.evaluate(() => ({
          headings: document.querySelectorAll("h1").length,
          unlabelled: [...document.querySelectorAll("input:not([type=hidden])")].filter((input) => !input.labels.length).length,
          overflow: document.documentElement.scrollWidth > window.innerWidth,
          focused: document.activeElement.id,
          outline: getComputedStyle(document.activeElement).outlineStyle,
        }));
        equal(facts, { headings: 1, unlabelled: 0, overflow: false, focused: "identifier", outline: "solid" });
        await context.close();
      }
    }
  });
  await server.stop();
  application.closeAllConnections();
  application.close();
}
