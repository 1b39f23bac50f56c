// Real SAML identity providers: SimpleSAMLphp and Auth0's samlp.

import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, start } from "./process.mjs";

export const ALICE = { login: "alice@acme.test", password: "alice-pw-1" };
export const BOB = { login: "bob@acme.test", password: "bob-pw-1" };
export const MALLORY = { login: "mallory@evil.test", password: "mallory-pw-1" };
/** Her names have quotes, angle brackets, an ampersand, umlauts and CJK. */
export const ZOE = { login: "zoe@acme.test", password: "zoe-pw-1" };

export const startSimpleSamlPhp = (idps, settings) => startIdentityProvider(idps, "simplesamlphp", settings);
export const startSamlp = (idps) => startIdentityProvider(idps, "samlp-node");

/** `idps` is the folder with the identity providers; `settings` are those of the product's `start.sh`. */
async function startIdentityProvider(idps, product, settings = {}, place = undefined) {
  const stateDir = place?.stateDir ?? mkdtempSync(join(tmpdir(), `${product}-`));
  const port = place?.port ?? (await freePort());
  // It wants one service provider from the start; the real ones are added when they exist.
  const env = {
    PORT: String(port),
    STATE_DIR: stateDir,
    SP_ENTITY_ID: "https://unused.test/saml",
    SP_ACS_URL: "https://unused.test/acs",
    ...settings,
  };
  const idp = await start("bash", [join(idps, product, "start.sh")], env, "READY ");
  const facts = JSON.parse(idp.line.slice("READY ".length));
  return {
    metadataUrl: facts.metadataUrl,
    origin: new URL(facts.ssoUrl).origin,
    stop: idp.stop,
    /** The same one, stopped and started with other settings. */
    async again(changed) {
      await idp.stop();
      return startIdentityProvider(idps, product, changed, { stateDir, port });
    },
    /** Makes a connection's service provider known. */
    trust(connection, options = {}) {
      const sp = { SP_METADATA_URL: connection.saml_connection.sp_metadata_url, ...options };
      execFileSync("python3", [join(idps, "lib/spinput.py"), stateDir], { env: { ...process.env, ...sp } });
    },
    /** Where a person starts who comes from the identity provider's page of applications. */
    startUrl(connection, relayState) {
      const fill = { SP_ENTITY_ID: connection.saml_connection.sp_entity_id, RELAY: relayState };
      return facts.idpInitiatedUrl.replace(/SP_ENTITY_ID|RELAY/g, (word) => encodeURIComponent(fill[word]));
    },
    /** The login helper's answer: the form to post. With `fields`, the request itself is posted to `url`. */
    login(url, person, fields = undefined) {
      const args = [join(idps, "lib/login.py"), "--url", url, "--user", person.login, "--password", person.password];
      if (fields) {
        const file = join(stateDir, "request.json");
        writeFileSync(file, JSON.stringify(fields));
        args.push("--post", file);
      }
      return JSON.parse(execFileSync("python3", args, { encoding: "utf8" }));
    },
  };
}

/** Signs in at SimpleSAMLphp's login page. */
export async function logInAt(page, person) {
  await page.waitForSelector("input[name=username]");
  await page.fill("input[name=username]", person.login);
  await page.fill("input[name=password]", person.password);
  await page.press("input[name=password]", "Enter");
}

/** Ends SimpleSAMLphp's own session in a browser, so that it asks again who is there. */
export const forget = (context) => context.clearCookies({ name: /^SSPIDP/ });
