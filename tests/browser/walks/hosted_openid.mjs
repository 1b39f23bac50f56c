// The hosted page through OpenID Connect and both kinds of EASIE, at node-oidc-provider and its doubles of Google and Microsoft.

import { checksOf, equal, ok } from "../lib/report.mjs";
import { members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE } from "../lib/identity_provider.mjs";
import { KINDS, connectKind, logInAtOpenId } from "../lib/openid_kinds.mjs";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function hostedOpenId(browser, idps, binary, database) {
  const check = checksOf("hosted page, OpenID", database);
  const server = await serve(binary, { DOORWARD_EASIE_CHECK_INTERVAL: "2s" }, database);
  const organization = await server.api("POST", "/organizations", { name: "Acme" });

  /** From the hosted page to the provider's. */
  async function arrive(page, address) {
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", address);
    await page.press("#identifier", "Enter");
  }

  for (const kind of KINDS) {
    const { op, connection } = await connectKind(server.api, idps, kind, organization);

    const { isWatched, stranger } = kind;
    const what = isWatched ? "is out within seconds of being suspended" : "stays when suspended, as nobody asks";

    await check(`an employee signs in by ${kind.name} on the hosted page, and ${what}`, async () => {
      const { context, page } = await profile(browser);
      await arrive(page, ALICE.login);
      await logInAtOpenId(page, op, ALICE);
      await page.waitForSelector("text=You are signed in");
      equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
      // Asked after more than once before that, and still there.
      await pause(5000);
      await page.reload();
      await page.waitForSelector("text=You are signed in");
      await op.suspend(ALICE.login);
      const end = Date.now() + 5000;
      const isIn = async () => {
        await page.reload();
        return await page.locator("text=You are signed in").count() > 0;
      };
      while (await isIn() && Date.now() < end) await pause(300);
      equal(await isIn(), !isWatched, "signed in");
      await op.restore(ALICE.login);
      await context.close();
      const { context: again, page: tab } = await profile(browser);
      await arrive(tab, ALICE.login);
      await logInAtOpenId(tab, op, ALICE);
      await tab.waitForSelector("text=You are signed in");
      equal((await server.api("GET", "/users/count")).total_count, 1);
      await again.close();
    });

    await check(`${stranger.login} at ${kind.name}, who is not of the company, is kept out and told why`, async () => {
      const { context, page } = await profile(browser);
      // Whose account it is is decided at the provider, whatever was typed here.
      await arrive(page, ALICE.login);
      await logInAtOpenId(page, op, stranger);
      await page.waitForSelector("text=Sign-in did not work");
      const text = await page.textContent("main");
      ok(text.includes(stranger.reason), text);
      equal((await server.api("GET", "/users/count")).total_count, 1);
      await context.close();
    });

    await server.api("DELETE", `/enterprise_connections/${connection.id}`);
    await op.stop();
  }
  await server.stop();
}
