// A real OpenID provider: node-oidc-provider.

import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, start } from "./process.mjs";

/** `idps` is the folder with the identity providers; `settings` are those of the product's `start.sh`. */
export async function startOidcProvider(idps, settings = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), "oidc-provider-"));
  const env = { PORT: String(await freePort()), STATE_DIR: stateDir, PROFILE: "generic", CONSENT: "auto", ...settings };
  const op = await start("bash", [join(idps, "oidc-provider/start.sh")], env, "READY ");
  const { discovery, tenants } = JSON.parse(op.line.slice("READY ".length));
  // The issuer may be somebody else's name.
  const { origin } = new URL(discovery);
  const control = async (path) => {
    const answer = await fetch(`${origin}/__control/${path}`, { method: "POST" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  };
  return {
    discoveryUrl: discovery,
    origin,
    /** Of the profile entra: the ids of the tenants, by domain. */
    tenants,
    stop: op.stop,
    /** Registers a client; `more` is further client metadata. */
    register(client, redirectUri, more = {}) {
      const env = { CLIENT_ID: client.id, REDIRECT_URIS: redirectUri, CLIENT_JSON: JSON.stringify(more) };
      if (client.secret) env.CLIENT_SECRET = client.secret;
      execFileSync("python3", [join(idps, "oidc-provider/add_client.py"), stateDir], { env: { ...process.env, ...env } });
    },
    /** New keys sign; the old ones stay published, or are dropped. */
    rotateKeys: (drop) => control(`rotate-keys${drop ? "?drop=1" : ""}`),
    /** From now on the person's account is suspended, or is no more. */
    suspend: (login) => control(`suspend?user=${encodeURIComponent(login)}`),
    restore: (login) => control(`restore?user=${encodeURIComponent(login)}`),
    /** Signs a person in at an authorization URL: where the browser is sent back to, or the form it posts. */
    login(url, person) {
      const args = [join(idps, "lib/login.py"), "--url", url, "--user", person.login, "--password", person.password];
      return JSON.parse(execFileSync("python3", args, { encoding: "utf8" }));
    },
  };
}
