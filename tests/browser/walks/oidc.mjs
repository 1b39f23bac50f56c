// Sign-ins through node-oidc-provider: over HTTP with each of its algorithms and ways, and once in Chromium.

import { execFileSync } from "node:child_process";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { members, serve } from "../lib/doorward.mjs";
import { profile } from "../lib/browser.mjs";
import { ALICE, BOB, MALLORY } from "../lib/identity_provider.mjs";
import { startOidcProvider } from "../lib/openid_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

const SECRET = "a secret of 32 characters / & : %";

/** A certificate that nobody signs with. */
function certificate() {
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=idp.test"];
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function oidc(browser, idps, binary, database) {
  const check = checksOf("OpenID Connect", database);
  const server = await serve(binary, {}, database);
  const op = await startOidcProvider(idps, { PKCE_REQUIRED: "1" });
  const relaxed = await startOidcProvider(idps, { PKCE_REQUIRED: "0" });
  const redirectUris = `${server.base}/v1/oauth_callback/`;
  const organization = await server.api("POST", "/organizations", { name: "Acme" });
  let clients = 0;

  /** A client at the provider, and the connection that uses it. */
  async function connect(metadata = {}, settings = {}, secret = SECRET, at = op) {
    const client = { id: `doorward ${++clients}`, secret };
    const connection = await server.api("POST", "/enterprise_connections", {
      name: "Acme OIDC",
      provider: "oidc_custom",
      domains: ["acme.test"],
      organization_id: organization.id,
      active: true,
      oidc: { client_id: client.id, client_secret: secret, discovery_url: at.discoveryUrl, ...settings },
    }, 201);
    at.register(client, connection.oauth_config.redirect_uri, metadata);
    return connection;
  }
  const remove = (connection) => server.api("DELETE", `/enterprise_connections/${connection.id}`);

  /** From the typed address to the session, or to the error that the sign-in keeps. */
  async function signIn(person, { address = ALICE.login, change = (url) => url, at = op } = {}) {
    const visitor = new Visitor(server);
    const done = `${server.base}/sign-in`;
    const form = { strategy: "enterprise_sso", identifier: address, redirect_url: done, action_complete_redirect_url: `${done}?done=1` };
    const created = await (await visitor.post("/v1/client/sign_ins", form)).json();
    equal(created.errors?.[0].code, undefined, JSON.stringify(created.errors));
    const url = created.response.first_factor_verification.external_verification_redirect_url;
    const asked = new URL(url).searchParams;
    const back = at.login(change(url), person);
    let location = back.location;
    if (back.kind === "form") {
      const posted = await visitor.post(new URL(back.action).pathname, back.fields, {});
      equal(posted.status, 303, await posted.clone().text());
      location = posted.headers.get("location");
    }
    ok(location?.startsWith(redirectUris), JSON.stringify(back));
    const finished = await visitor.fetch(location);
    equal(finished.status, 303, await finished.clone().text());
    const client = (await (await visitor.fetch("/v1/client")).json()).response;
    const error = client.sign_in?.first_factor_verification?.error;
    return { session: client.sessions[0], error, way: back.kind, asked };
  }
  async function signedIn(...args) {
    const { session, error, way, asked } = await signIn(...args);
    ok(session, JSON.stringify(error));
    return { session, way, asked };
  }

  for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
    await check(`a person signs in by an ID token signed with ${alg}, and PKCE, which the provider requires`, async () => {
      const connection = await connect({ id_token_signed_response_alg: alg });
      const { session } = await signedIn(ALICE);
      equal(session.user.first_name, "Alice");
      equal(session.last_active_organization_id, organization.id);
      equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
      await remove(connection);
    });
  }
  await check("one person is one user, over all of these connections", async () => {
    equal((await server.api("GET", "/users")).length, 1);
  });
  await check("the secret goes into the body where the provider wants it there", async () => {
    const connection = await connect({ token_endpoint_auth_method: "client_secret_post" });
    // The provider offers both ways, and this secret is changed by form-encoding.
    await signedIn(ALICE);
    await remove(connection);
  });
  await check("a public client signs in by PKCE alone", async () => {
    const connection = await connect({ token_endpoint_auth_method: "none" }, { client_secret: undefined, requires_pkce: true }, undefined);
    await signedIn(ALICE);
    await remove(connection);
  });
  await check("a challenge is sent where the provider does not require it, too", async () => {
    for (const [metadata, settings, secret] of [
      [{}, {}, SECRET],
      [{}, { requires_pkce: true }, SECRET],
      [{ token_endpoint_auth_method: "none" }, { client_secret: undefined, requires_pkce: true }, undefined],
    ]) {
      const connection = await connect(metadata, settings, secret, relaxed);
      const { session, asked } = await signedIn(ALICE, { at: relaxed });
      equal([asked.get("code_challenge_method"), session.user.first_name], ["S256", "Alice"]);
      await remove(connection);
    }
  });
  await check("without the verifier the provider gives no tokens", async () => {
    const connection = await connect({}, {}, SECRET, relaxed);
    const other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const change = (url) => url.replace(/code_challenge=[^&]*/, `code_challenge=${other}`);
    const { session, error } = await signIn(ALICE, { at: relaxed, change });
    equal([session, error.code], [undefined, "oauth_token_exchange_error"]);
    await remove(connection);
  });
  for (const [what, more] of [
    ["issuer and keys", (document) => ({ issuer: document.issuer, jwks_url: document.jwks_uri })],
    ["userinfo alone", () => ({})],
  ]) {
    await check(`a provider that is entered by hand, with ${what}`, async () => {
      const document = await (await fetch(op.discoveryUrl)).json();
      const settings = {
        discovery_url: undefined,
        auth_url: document.authorization_endpoint,
        token_url: document.token_endpoint,
        user_info_url: document.userinfo_endpoint,
        ...more(document),
      };
      const connection = await connect({ id_token_signed_response_alg: "ES384" }, settings);
      const { session } = await signedIn(ALICE);
      equal(session.user.first_name, "Alice");
      await remove(connection);
    });
  }
  await check("signed userinfo is verified", async () => {
    const connection = await connect({ userinfo_signed_response_alg: "ES256", token_endpoint_auth_method: "client_secret_post" });
    await signedIn(ALICE);
    await remove(connection);
  });

  const connection = await connect({ token_endpoint_auth_method: "client_secret_post" });
  for (const [mode, expected] of [["query", "redirect"], ["form_post", "form"]]) {
    await check(`an answer by response mode ${mode} arrives`, async () => {
      const { way } = await signedIn(ALICE, { change: (url) => `${url}&response_mode=${mode}` });
      equal(way, expected);
    });
  }
  for (const drop of [false, true]) {
    await check(`the provider changes its keys and ${drop ? "drops" : "keeps"} the old ones`, async () => {
      await signedIn(BOB);
      // Keys are not fetched again for one they lack before ten seconds have passed.
      await new Promise((resolve) => setTimeout(resolve, 10_100));
      await op.rotateKeys(drop);
      await signedIn(BOB);
      await signedIn(ALICE);
    });
  }
  await check("the person of another domain is told why not", async () => {
    const { session, error } = await signIn(MALLORY);
    equal([session, error.code], [undefined, "enterprise_sso_email_address_domain_mismatch"]);
    ok(error.long_message.includes("evil.test") && error.long_message.includes("acme.test"), error.long_message);
  });

  await check("a person signs in in a browser, from the hosted page and back", async () => {
    const { context, page } = await profile(browser);
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", ALICE.login);
    await page.press("#identifier", "Enter");
    await page.waitForSelector("input[name=login]");
    ok(page.url().startsWith(op.origin), page.url());
    equal(await page.inputValue("input[name=login]"), ALICE.login, "login_hint");
    await page.fill("input[name=password]", ALICE.password);
    await page.press("input[name=password]", "Enter");
    await page.waitForSelector("text=You are signed in");
    equal(new URL(page.url()).search.includes("code="), false, page.url());
    ok((await page.textContent("main")).includes(ALICE.login), "the page does not say who is signed in");
    await context.close();
  });
  await check("what went wrong is told in a sentence, with a way to try again", async () => {
    const { context, page } = await profile(browser);
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", ALICE.login);
    await page.press("#identifier", "Enter");
    await page.waitForSelector("input[name=login]");
    await page.fill("input[name=login]", MALLORY.login);
    await page.fill("input[name=password]", MALLORY.password);
    await page.press("input[name=password]", "Enter");
    await page.waitForSelector("text=Sign-in did not work");
    ok((await page.textContent("main")).includes("evil.test; this connection serves acme.test"), "no reason is given");
    await page.click("text=Try again");
    await page.waitForSelector("#identifier");
    await context.close();
  });
  await check("a domain with two connections asks which, and the chosen one is used", async () => {
    await server.api("POST", "/enterprise_connections", {
      name: "Acme SAML",
      provider: "saml_custom",
      domains: ["acme.test"],
      active: true,
      saml: {
        idp_entity_id: "https://idp.test",
        idp_sso_url: "https://idp.test/sso",
        idp_certificate: certificate(),
      },
    }, 201);
    const { context, page } = await profile(browser);
    await page.goto(`${server.base}/sign-in`);
    await page.fill("#identifier", BOB.login);
    await page.press("#identifier", "Enter");
    await page.waitForSelector("text=Acme SAML");
    await page.click(`text=${connection.name}`);
    await page.waitForSelector("input[name=login]");
    ok(page.url().startsWith(op.origin), page.url());
    await context.close();
  });
  await op.stop();
  await relaxed.stop();
  await server.stop();
}
