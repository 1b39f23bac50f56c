// Clerk's clerk-js and ui packages, unmodified, through OpenID Connect and both kinds of EASIE.

import { checksOf, equal, ok } from "../lib/report.mjs";
import { freePort } from "../lib/process.mjs";
import { members, serve } from "../lib/doorward.mjs";
import { startApplication } from "../lib/application.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE, BOB } from "../lib/identity_provider.mjs";
import { KINDS, connectKind, logInAtOpenId } from "../lib/openid_kinds.mjs";
import { verified } from "../lib/token.mjs";
import { ASSETS, signedIn, token, typeAddress } from "./clerk_js.mjs";

/** Another browser, at the provider's page. */
async function arrive(browser, origin, person, mode) {
  const { context, page } = await profile(browser);
  await typeAddress(page, origin, person.login, mode);
  return { context, page };
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function clerkJsOpenId(browser, idps, binary, database) {
  const check = checksOf("clerk-js, OpenID", database);
  const port = await freePort();
  const server = await serve(binary, {
    DOORWARD_CLERK_ASSETS: ASSETS,
    DOORWARD_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
    DOORWARD_EASIE_CHECK_INTERVAL: "2s",
  }, database);
  const application = await startApplication(port, server);
  const { origin } = application;
  const organization = await server.api("POST", "/organizations", { name: "Acme" });

  for (const kind of KINDS) {
    const { op, connection } = await connectKind(server.api, idps, kind, organization);

    await check(`an employee signs in by ${kind.name} and is a member, with a token that says so`, async () => {
      const { context, page } = await arrive(browser, origin, ALICE);
      await logInAtOpenId(page, op, ALICE);
      await signedIn(page);
      equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
      const seen = await page.evaluate(() => [window.Clerk.user.primaryEmailAddress.emailAddress, window.Clerk.user.fullName]);
      equal(seen, [ALICE.login, "Alice Archer"]);
      const { o, azp } = await verified(server, await token(page, {}));
      equal([o.id, o.rol, azp], [organization.id, "member", origin]);
      equal((await server.api("GET", "/users/count")).total_count, 1, "one person is one user, over all connections");
      await context.close();
    });

    await check(`a newcomer signs up by ${kind.name}, is a member, and is gone again`, async () => {
      const { context, page } = await arrive(browser, origin, BOB, "sign-up");
      await logInAtOpenId(page, op, BOB);
      await signedIn(page);
      equal((await members(server.api, organization)).map(([address]) => address), [ALICE.login, BOB.login]);
      await server.api("DELETE", `/users/${await page.evaluate(() => window.Clerk.user.id)}`);
      await context.close();
    });

    await check(`a stranger's account at ${kind.name} is explained beside the form`, async () => {
      const { stranger } = kind;
      const { context, page } = await arrive(browser, origin, ALICE);
      await logInAtOpenId(page, op, stranger);
      await page.waitForSelector(`text=${stranger.reason}`);
      ok(page.url().startsWith(origin), page.url());
      equal((await server.api("GET", "/users/count")).total_count, 1);
      await context.close();
    });

    if (kind.isWatched) {
      await check(`EAS-5 clerk-js signs somebody out whom ${kind.name} has suspended, and in again when restored`, async () => {
        const { context, page } = await arrive(browser, origin, ALICE);
        await logInAtOpenId(page, op, ALICE);
        await signedIn(page);
        await token(page, { skipCache: true });
        await op.suspend(ALICE.login);
        const refused = page.waitForResponse((found) => /\/sessions\/[^/]+\/tokens/.test(found.url()) && !found.ok());
        refused.catch(() => {});
        const ask = () => page.evaluate(() => window.Clerk.session?.getToken({ skipCache: true }).then(Boolean, () => false));
        const end = Date.now() + 15_000;
        while (await ask()) {
          ok(Date.now() < end, "tokens are still made");
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        const answer = await refused;
        equal([answer.status(), (await answer.json()).errors[0].code], [401, "deprovisioned"]);
        await page.goto(`${origin}/?mode=sign-in`);
        await page.waitForSelector("input[name=identifier]");
        await op.restore(ALICE.login);
        await context.close();
        const again = await arrive(browser, origin, ALICE);
        await logInAtOpenId(again.page, op, ALICE);
        await signedIn(again.page);
        equal((await server.api("GET", "/users/count")).total_count, 1);
        await again.context.close();
      });
    }
    await server.api("DELETE", `/enterprise_connections/${connection.id}`);
    await op.stop();
  }
  application.stop();
  await server.stop();
}
