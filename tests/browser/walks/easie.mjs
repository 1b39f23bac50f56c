// Sign-ins through node-oidc-provider as Google Workspace and as Microsoft Entra ID, with every account of theirs that must not
// come in.

import { checksOf, equal, ok } from "../lib/report.mjs";
import { members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE, BOB, MALLORY } from "../lib/identity_provider.mjs";
import { startOidcProvider } from "../lib/openid_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

const CAROL = { login: "carol@sub.acme.test", password: "carol-pw-1" };
/** A consumer account at Google, made with Alice's address at work. */
const CONSUMER = { login: "alice.personal@gmail.test", password: "alicep-pw-1" };
const UNVERIFIED = { login: "unverified@acme.test", password: "unv-pw-1" };
/** Of another tenant, whose administrator wrote Alice's address into the account. */
const NOAUTH = { login: "noauth@evil.test", password: "noauth-pw-1" };
const GUEST = { login: "guest_evil.test#EXT#@acme.test", password: "guest-pw-1" };

const NOT_OURS = "enterprise_sso_hosted_domain_mismatch";
const NOT_VERIFIED = "external_account_email_address_verification_required";
const DOMAINS = ["acme.test", "sub.acme.test"];

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function easie(browser, idps, binary, database) {
  const check = checksOf("EASIE", database);
  const server = await serve(binary, {}, database);

  /** A provider of many organizations, and Acme's connection to it. */
  async function connect(provider, settings) {
    const op = await startOidcProvider(idps, settings);
    const organization = await server.api("POST", "/organizations", { name: "Acme" });
    const client = { id: `doorward at ${provider}`, secret: "a secret of 32 characters / & : %" };
    const connection = await server.api("POST", "/enterprise_connections", {
      name: `Acme by ${provider}`,
      provider,
      domains: DOMAINS,
      organization_id: organization.id,
      active: true,
      oidc: { client_id: client.id, client_secret: client.secret, discovery_url: op.discoveryUrl },
    }, 201);
    op.register(client, connection.oauth_config.redirect_uri);
    const shown = () => server.api("GET", `/enterprise_connections/${connection.id}`);
    const end = async () => {
      await server.api("DELETE", `/enterprise_connections/${connection.id}`);
      await op.stop();
    };
    return { op, organization, connection, shown, end };
  }

  /** From the typed address to the session, or to the error that the sign-in keeps; how often the provider was visited. */
  async function signIn(op, person, { address = ALICE.login, change = (url) => url } = {}) {
    const visitor = new Visitor(server);
    const done = `${server.base}/sign-in`;
    const form = { strategy: "enterprise_sso", identifier: address, redirect_url: done, action_complete_redirect_url: `${done}?done=1` };
    const created = await (await visitor.post("/v1/client/sign_ins", form)).json();
    equal(created.errors?.[0].code, undefined, JSON.stringify(created.errors));
    let url = created.response.first_factor_verification.external_verification_redirect_url;
    const prompts = [];
    while (url.startsWith(op.origin)) {
      prompts.push(new URL(url).searchParams.get("prompt"));
      ok(prompts.length < 3, "the browser goes round in circles");
      const back = op.login(change(url), person);
      ok(back.location?.startsWith(`${server.base}/v1/oauth_callback/`), JSON.stringify(back));
      const finished = await visitor.fetch(back.location);
      equal(finished.status, 303, await finished.clone().text());
      url = finished.headers.get("location");
    }
    const client = (await (await visitor.fetch("/v1/client")).json()).response;
    return { session: client.sessions[0], error: client.sign_in?.first_factor_verification?.error, prompts };
  }
  async function signedIn(op, person, settings) {
    const { session, error, prompts } = await signIn(op, person, settings);
    ok(session, JSON.stringify(error));
    return { session, prompts };
  }
  async function refused(op, person, code, words, settings) {
    const { session, error } = await signIn(op, person, settings);
    equal([session, error?.code], [undefined, code], JSON.stringify(error));
    ok(error.long_message.includes(words), error.long_message);
  }

  const google = await connect("oauth_google", { PROFILE: "google", ISSUER: "https://accounts.google.com" });
  await check("people of the Google organization sign in, on each of its domains", async () => {
    const { session, prompts } = await signedIn(google.op, ALICE);
    equal(prompts, [null], "a refresh token comes at first");
    equal([session.user.first_name, session.last_active_organization_id], ["Alice", google.organization.id]);
    const [account] = session.user.enterprise_accounts;
    equal([account.provider, account.protocol], ["oauth_google", "oauth"]);
    await signedIn(google.op, CAROL, { address: CAROL.login });
    equal((await members(server.api, google.organization)).length, 2);
  });
  await check("Google: a consumer account with the address of an employee is refused", () =>
    refused(google.op, CONSUMER, NOT_OURS, "there is no hd, expected one of acme.test, sub.acme.test"));
  await check("Google: an address that is not verified is refused", () =>
    refused(google.op, UNVERIFIED, NOT_VERIFIED, "email_verified: expected true, got false"));
  await check("Google: a person of another organization is refused", () =>
    refused(google.op, MALLORY, NOT_OURS, "got evil.test"));
  await google.end();

  for (const form of ["bool", "int", "string", "absent"]) {
    const entra = await connect("oauth_microsoft", { PROFILE: "entra", XMS_EDOV: form });
    const { op } = entra;
    const tenant = async () => (await entra.shown()).oauth_config.tenant_id;
    /** Begins at the tenant that this address belongs to, as at a page that asks for it. */
    const at = (login) => ({
      change: (url) => {
        const changed = new URL(url);
        changed.searchParams.set("login_hint", login);
        return changed.href;
      },
    });
    if (form === "absent") {
      await check("Entra without xms_edov: nobody signs in, and the operator is told what is missing", async () => {
        await refused(op, ALICE, NOT_VERIFIED, "xms_edov: expected true, got nothing");
        equal(await tenant(), null);
      });
      await entra.end();
      continue;
    }
    await check(`Entra, xms_edov as ${form}: whom another tenant or nobody vouches for is refused, before anybody has come`, async () => {
      await refused(op, NOAUTH, NOT_VERIFIED, "xms_edov: expected true", at(NOAUTH.login));
      await refused(op, NOAUTH, NOT_VERIFIED, "xms_edov: expected true");
      await refused(op, GUEST, NOT_OURS, "guest of the tenant");
      await refused(op, MALLORY, "enterprise_sso_email_address_domain_mismatch", "evil.test", at(MALLORY.login));
      equal(await tenant(), null, "the tenant of nobody who was refused is the connection's");
    });
    await check(`Entra, xms_edov as ${form}: people of the tenant sign in, by consent where it takes that for a refresh token`, async () => {
      const { session, prompts } = await signedIn(op, ALICE);
      equal(prompts, [null, "consent"]);
      equal(session.last_active_organization_id, entra.organization.id);
      equal(session.user.enterprise_accounts.some((account) => account.provider === "oauth_microsoft"), true);
      equal(await tenant(), op.tenants["acme.test"]);
      await signedIn(op, CAROL, { address: CAROL.login });
      equal((await signedIn(op, ALICE)).prompts, [null], "the token there is serves on");
    });
    await check(`Entra, xms_edov as ${form}: the same are refused after it`, async () => {
      await refused(op, NOAUTH, NOT_OURS, `tid: expected ${op.tenants["acme.test"]}, got ${op.tenants["evil.test"]}`, at(NOAUTH.login));
      await refused(op, GUEST, NOT_OURS, "guest of the tenant");
      await refused(op, MALLORY, NOT_OURS, "tid: expected", at(MALLORY.login));
    });
    if (form === "bool") {
      await check("a person signs in through Entra in a browser, with consent on the way", async () => {
        const { context, page } = await profile(browser);
        await page.goto(`${server.base}/sign-in`);
        await page.fill("#identifier", BOB.login);
        await page.press("#identifier", "Enter");
        await page.waitForSelector("input[name=password]");
        ok(page.url().startsWith(op.origin), page.url());
        await page.fill("input[name=password]", BOB.password);
        await page.press("input[name=password]", "Enter");
        await page.waitForSelector("text=You are signed in");
        ok((await page.textContent("main")).includes(BOB.login), "the page does not say who is signed in");
        await context.close();
      });
      await check("a tenant by its own document is the only one", async () => {
        const own = op.discoveryUrl.replace("/organizations/", `/${op.tenants["evil.test"]}/`);
        const path = `/enterprise_connections/${entra.connection.id}`;
        await server.api("PATCH", path, { oidc: { discovery_url: own, tenant_id: "" } });
        const { connection } = { connection: await entra.shown() };
        equal(connection.oauth_config.discovery_url, own);
        await refused(op, NOAUTH, NOT_VERIFIED, "xms_edov: expected true");
        await server.api("PATCH", path, { oidc: { discovery_url: op.discoveryUrl.replace("/organizations/", `/${op.tenants["acme.test"]}/`) } });
        await signedIn(op, ALICE);
        equal(await tenant(), op.tenants["acme.test"]);
      });
    }
    await entra.end();
  }
  await server.stop();
}
