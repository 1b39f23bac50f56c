// Real SAML identity providers: SimpleSAMLphp and Auth0's samlp.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, start } from "./process.mjs";

export const ALICE = { login: "alice@acme.test", password: "alice-pw-1" };
export const BOB = { login: "bob@acme.test", password: "bob-pw-1" };
export const MALLORY = { login: "mallory@evil.test", password: "mallory-pw-1" };
/** Hers is a subdomain. */
export const CAROL = { login: "carol@sub.acme.test", password: "carol-pw-1" };
/** Her names have quotes, angle brackets, an ampersand, umlauts and CJK. */
export const ZOE = { login: "zoe@acme.test", password: "zoe-pw-1" };

export const startSimpleSamlPhp = (idps, settings) => startIdentityProvider(idps, "simplesamlphp", settings);
export const startSamlp = (idps, settings) => startIdentityProvider(idps, "samlp-node", settings);

/** The people of the identity providers, in a file of their own, to be changed while they run. */
export function people(idps) {
  const file = join(mkdtempSync(join(tmpdir(), "people-")), "users.json");
  const everybody = JSON.parse(readFileSync(join(idps, "lib/users.json")));
  const save = () => writeFileSync(file, JSON.stringify(everybody));
  save();
  return {
    file,
    change(person, attributes) {
      Object.assign(everybody.find(({ login }) => login === person.login), attributes);
      save();
    },
  };
}

/** The identity providers' folder with a SimpleSAMLphp that sends whatever the file of users says. */
export function withEveryAttribute(idps) {
  const folder = mkdtempSync(join(tmpdir(), "idps-"));
  for (const part of ["lib", "simplesamlphp"]) cpSync(join(idps, part), join(folder, part), { recursive: true });
  const own = join(dirname(fileURLToPath(import.meta.url)), "../idp/authsources.php");
  copyFileSync(own, join(folder, "simplesamlphp/conf/authsources.php"));
  return folder;
}

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
    /**
     * The login helper's answer: the form to post. With `fields`, the request itself is posted to `url`; `cookies` is the file
     * of a browser that comes again.
     */
    login(url, person, fields = undefined, cookies = undefined) {
      const args = [join(idps, "lib/login.py"), "--url", url, "--user", person.login, "--password", person.password];
      if (cookies) args.push("--cookies", cookies);
      if (fields) {
        const file = join(stateDir, "request.json");
        writeFileSync(file, JSON.stringify(fields));
        args.push("--post", file);
      }
      return JSON.parse(execFileSync("python3", args, { encoding: "utf8" }));
    },
  };
}

/** Signs in at SimpleSAMLphp's login page, or at samlp's, which calls the name `email`. */
export async function logInAt(page, person, name = "username") {
  await page.waitForSelector(`input[name=${name}]`);
  await page.fill(`input[name=${name}]`, person.login);
  await page.fill("input[name=password]", person.password);
  await page.press("input[name=password]", "Enter");
}

/** Ends SimpleSAMLphp's own session in a browser, so that it asks again who is there. */
export const forget = (context) => context.clearCookies({ name: /^SSPIDP/ });
