// The hosted page through both kinds of EASIE, at node-oidc-provider's doubles of Google and Microsoft.

import { checksOf, equal, ok } from "../lib/report.mjs";
import { members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE } from "../lib/identity_provider.mjs";
import { KINDS, connectKind, logInAtOpenId } from "../lib/openid_kinds.mjs";

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function easie(browser, idps, binary, database) {
  const check = checksOf("EASIE", database);
  const server = await serve(binary, { DOORWARD_EASIE_CHECK_INTERVAL: "2s" }, database);
  const organization = await server.api("POST", "/organizations", { name: "Acme" });

  /** From the hosted page to the provider's. */
  async function arrive(page, address) {
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", address);
    await page.press("#identifier", "Enter");
  }

  for (const kind of KINDS.filter(({ isWatched }) => isWatched)) {
    const { op, connection } = await connectKind(server.api, idps, kind, organization);

    await check(`an employee signs in by ${kind.name} on the hosted page, and is out within seconds of being suspended`, async () => {
      const { context, page } = await profile(browser);
      await arrive(page, ALICE.login);
      await logInAtOpenId(page, op, ALICE);
      await page.waitForSelector("text=You are signed in");
      equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
      // Asked after more than once before that, and still there.
      await new Promise((resolve) => setTimeout(resolve, 5000));
      await page.reload();
      await page.waitForSelector("text=You are signed in");
      await op.suspend(ALICE);
      const end = Date.now() + 10_000;
      while (await page.locator("text=You are signed in").count()) {
        ok(Date.now() < end, "she is still in");
        await new Promise((resolve) => setTimeout(resolve, 300));
        await page.reload();
      }
      await page.waitForSelector("#identifier");
      await op.restore(ALICE);
      await context.close();
      const { context: again, page: tab } = await profile(browser);
      await arrive(tab, ALICE.login);
      await logInAtOpenId(tab, op, ALICE);
      await tab.waitForSelector("text=You are signed in");
      equal((await server.api("GET", "/users/count")).total_count, 1);
      await again.close();
    });

    for (const { login, password, reason } of kind.strangers) {
      await check(`${login} at ${kind.name}, who is not of the company, is kept out and told why`, async () => {
        const { context, page } = await profile(browser);
        // Whose account it is is decided at the provider, whatever was typed here.
        await arrive(page, ALICE.login);
        await logInAtOpenId(page, op, { login, password });
        await page.waitForSelector("text=Sign-in did not work");
        const text = await page.textContent("main");
        ok(text.includes(reason), text);
        equal((await server.api("GET", "/users/count")).total_count, 1);
        await context.close();
      });
    }
    await server.api("DELETE", `/enterprise_connections/${connection.id}`);
    await op.stop();
  }
  await server.stop();
}
