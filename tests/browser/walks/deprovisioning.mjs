// People whose account at node-oidc-provider, as Google Workspace and as Microsoft Entra ID, is suspended while they are signed in.

import { checksOf, equal, ok } from "../lib/report.mjs";
import { serve } from "../lib/doorward.mjs";
import { ALICE, BOB } from "../lib/identity_provider.mjs";
import { startOidcProvider } from "../lib/openid_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

/** How long a provider's word counts here. */
const INTERVAL = 3000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function deprovisioning(browser, idps, binary, database) {
  const check = checksOf("deprovisioning", database);
  const server = await serve(binary, { DOORWARD_EASIE_CHECK_INTERVAL: `${INTERVAL / 1000}s` }, database);

  for (const [name, provider, settings] of [
    ["Google", "oauth_google", { PROFILE: "google", ISSUER: "https://accounts.google.com" }],
    ["Entra", "oauth_microsoft", { PROFILE: "entra", XMS_EDOV: "bool" }],
  ]) {
    const op = await startOidcProvider(idps, settings);
    const client = { id: `doorward at ${provider}`, secret: "a secret of 32 characters / & : %" };
    const connection = await server.api("POST", "/enterprise_connections", {
      name: `Acme by ${name}`,
      provider,
      domains: ["acme.test"],
      active: true,
      oidc: { client_id: client.id, client_secret: client.secret, discovery_url: op.discoveryUrl },
    }, 201);
    op.register(client, connection.oauth_config.redirect_uri);

    const signIn = async (person) => {
      const visitor = new Visitor(server);
      const done = `${server.base}/sign-in`;
      const form = {
        strategy: "enterprise_sso", identifier: person.login, redirect_url: done, action_complete_redirect_url: `${done}?done=1`,
      };
      const created = await (await visitor.post("/v1/client/sign_ins", form)).json();
      let url = created.response.first_factor_verification.external_verification_redirect_url;
      for (let trips = 0; trips < 2 && url.startsWith(op.origin); trips += 1) {
        const back = op.login(url, person);
        ok(back.location?.startsWith(`${server.base}/v1/oauth_callback/`), JSON.stringify(back));
        url = (await visitor.fetch(back.location)).headers.get("location");
      }
      const shown = (await (await visitor.fetch("/v1/client")).json()).response;
      const error = shown.sign_in?.first_factor_verification?.error;
      ok(shown.sessions[0], JSON.stringify(error));
      return { visitor, session: shown.sessions[0].id };
    };
    const token = async ({ visitor, session }) => {
      const answer = await visitor.post(`/v1/client/sessions/${session}/tokens`, {});
      const body = await answer.json();
      return [answer.status, body.errors?.[0].code ?? (body.jwt ? "token" : undefined)];
    };
    const status = async ({ session }) => (await server.api("GET", `/sessions/${session}`)).status;
    const of = async (person) => {
      const { data } = await server.api("GET", `/enterprise_connections/${connection.id}/account_checks?limit=100`);
      return data.find((row) => row.email_address === person.login);
    };

    await check(`${name}: who is there keeps her session, however often the provider is asked`, async () => {
      const alice = await signIn(ALICE);
      let confirmed = (await of(ALICE)).confirmed_at;
      for (let round = 0; round < 3; round += 1) {
        await pause(INTERVAL + 500);
        equal(await token(alice), [200, "token"]);
        const row = await of(ALICE);
        equal([row.state, row.consecutive_failures, row.last_error], ["live", 0, null], JSON.stringify(row));
        ok(row.confirmed_at > confirmed, "the provider was not asked");
        confirmed = row.confirmed_at;
      }
    });
    await check(`${name}: whoever is suspended is signed out by her next token`, async () => {
      const alice = await signIn(ALICE);
      const elsewhere = await signIn(ALICE);
      await op.suspend(ALICE.login);
      await pause(INTERVAL + 500);
      equal(await token(alice), [401, "deprovisioned"]);
      equal(await token(elsewhere), [401, "deprovisioned"]);
      equal((await (await alice.visitor.fetch("/v1/client")).json()).response.sessions, []);
      equal((await of(ALICE)).state, "gone");
    });
    await check(`${name}: whoever is suspended is signed out although nobody asks for a token`, async () => {
      const bob = await signIn(BOB);
      await op.suspend(BOB.login);
      await pause(INTERVAL + 2000);
      equal([await status(bob), (await of(BOB)).state], ["revoked", "gone"]);
      equal(await token(bob), [401, "deprovisioned"]);
    });
    await check(`${name}: whoever is back signs in again`, async () => {
      await op.restore(ALICE.login);
      const alice = await signIn(ALICE);
      await pause(INTERVAL + 500);
      equal(await token(alice), [200, "token"]);
      equal((await of(ALICE)).state, "live");
      await op.restore(BOB.login);
    });
    await check(`${name}: a provider that is gone for a while signs nobody out`, async () => {
      const alice = await signIn(ALICE);
      await op.stop();
      await pause(INTERVAL + 500);
      equal(await token(alice), [200, "token"]);
      const row = await of(ALICE);
      ok(row.consecutive_failures > 0 && row.last_error.includes("could not be reached"), JSON.stringify(row));
    });
    await server.api("DELETE", `/enterprise_connections/${connection.id}`);
  }
  await server.stop();
}
