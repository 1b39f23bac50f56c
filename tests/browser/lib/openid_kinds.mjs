// The kinds of OpenID connection, each with a real provider: node-oidc-provider with its profiles.

import { startOidcProvider } from "./openid_provider.mjs";

const CLIENT = { id: "doorward", secret: "a secret of 32 characters / & : %" };

/** Settings of the provider, what our connection says, and who must not come in, with what everybody is told then. */
export const KINDS = [
  {
    name: "OpenID Connect",
    provider: "oidc_custom",
    settings: { PROFILE: "generic" },
    stranger: { login: "mallory@evil.test", password: "mallory-pw-1", reason: "evil.test; this connection serves acme.test" },
  },
  {
    name: "Google Workspace",
    provider: "oauth_google",
    settings: { PROFILE: "google" },
    isWatched: true,
    // A private account, made with Alice's address at work.
    stranger: { login: "alice.personal@gmail.test", password: "alicep-pw-1", reason: "there is no hd, expected one of acme.test" },
  },
  {
    name: "Microsoft Entra ID",
    provider: "oauth_microsoft",
    settings: { PROFILE: "entra" },
    isWatched: true,
    // Another tenant's administrator wrote Alice's address into the account.
    stranger: { login: "noauth@evil.test", password: "noauth-pw-1", reason: "tid: expected 11111111-1111-4111-8111-111111111111, got " },
  },
];

/** Starts the provider of a kind, and makes an active connection to it for acme.test. */
export async function connectKind(api, idps, kind, organization) {
  const op = await startOidcProvider(idps, kind.settings);
  const connection = await api("POST", "/enterprise_connections", {
    name: `${kind.name} SSO`,
    provider: kind.provider,
    domains: ["acme.test"],
    organization_id: organization.id,
    active: true,
    oidc: { client_id: CLIENT.id, client_secret: CLIENT.secret, discovery_url: op.discoveryUrl },
  }, 201);
  op.register(CLIENT, connection.oauth_config.redirect_uri, { grant_types: ["authorization_code", "refresh_token"] });
  return { op, connection };
}

/** Signs in at the page of node-oidc-provider; nobody is remembered there but in the same browser. */
export async function logInAtOpenId(page, op, person) {
  await page.waitForSelector("input[name=password]");
  if (!page.url().startsWith(op.origin)) throw new Error(`at ${page.url()}, not at ${op.origin}`);
  await page.fill("input[name=login]", person.login);
  await page.fill("input[name=password]", person.password);
  await page.press("input[name=password]", "Enter");
}
