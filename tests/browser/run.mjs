// Sign-ins in a real browser, through real identity providers and back.
//
//   node run.mjs --binary <doorward> [--idps <folder>] [--only clerk_js,clerk_js_openid,deprovisioning,easie,hosted,hosted_openid,oidc,organizations,pages,saml_styles,saml_people,saml_rollover,demo] [--shots <folder>]

import { launch, strays, thrown } from "./lib/browser.mjs";
import { pictureInto } from "./lib/inspect.mjs";
import { createDatabase } from "./lib/postgres.mjs";
import { stopAll } from "./lib/process.mjs";
import { check, equal, finish, ok } from "./lib/report.mjs";
import { startSamlp, startSimpleSamlPhp } from "./lib/identity_provider.mjs";
import { clerkJs } from "./walks/clerk_js.mjs";
import { clerkJsOpenId } from "./walks/clerk_js_openid.mjs";
import { demo } from "./walks/demo.mjs";
import { deprovisioning } from "./walks/deprovisioning.mjs";
import { easie } from "./walks/easie.mjs";
import { hosted } from "./walks/hosted.mjs";
import { hostedOpenId } from "./walks/hosted_openid.mjs";
import { oidc } from "./walks/oidc.mjs";
import { organizations } from "./walks/organizations.mjs";
import { pages } from "./walks/pages.mjs";
import { samlPeople } from "./walks/saml_people.mjs";
import { samlRollover } from "./walks/saml_rollover.mjs";
import { samlStyles } from "./walks/saml_styles.mjs";

function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const binary = option("binary");
if (!binary) {
  console.log("--binary names the program to test");
  process.exit(2);
}
const idps = option("idps");
const only = option("only")?.split(",");
const wanted = (name) => !only || only.includes(name);
if (option("shots")) pictureInto(option("shots"));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await stopAll();
    process.exit(1);
  });
}
const postgres = process.env.DOORWARD_TEST_POSTGRES;
if (!postgres) console.log("skipped: the walks on PostgreSQL, because DOORWARD_TEST_POSTGRES names no server");

/** Walks on SQLite, and on a PostgreSQL database of its own where there is a server. */
async function onEach(name, walk) {
  await check(`walk: ${name}`, () => walk());
  if (!postgres) return;
  const database = createDatabase(postgres);
  await check(`walk: ${name} on PostgreSQL`, async () => {
    await walk(database);
    ok(database.people() > 0, "nobody is in the database: the walk went elsewhere");
  });
  database.drop();
}

const browser = await launch();
try {
  if (idps) {
    const idp = await startSimpleSamlPhp(idps);
    if (wanted("saml_styles")) {
      const both = { SimpleSAMLphp: idp, samlp: await startSamlp(idps) };
      await onEach("SAML styles", (database) => samlStyles(both, binary, database));
    }
    if (wanted("saml_people")) await onEach("SAML people", (database) => samlPeople(browser, idps, binary, database));
    if (wanted("saml_rollover")) await onEach("SAML roll-over", (database) => samlRollover(idps, binary, database));
    if (wanted("hosted")) await onEach("hosted page", (database) => hosted(browser, idp, binary, database));
    if (wanted("hosted_openid")) {
      await onEach("hosted page, OpenID", (database) => hostedOpenId(browser, idps, binary, database));
    }
    if (wanted("oidc")) await onEach("OpenID Connect", (database) => oidc(browser, idps, binary, database));
    if (wanted("deprovisioning")) await onEach("deprovisioning", (database) => deprovisioning(browser, idps, binary, database));
    if (wanted("easie")) await onEach("EASIE", (database) => easie(browser, idps, binary, database));
    if (wanted("pages")) await check("walk: pages without JavaScript", () => pages(browser, idp, binary));
    if (wanted("organizations")) await onEach("organizations", (database) => organizations(browser, idp, binary, database));
    if (wanted("clerk_js")) await onEach("clerk-js", (database) => clerkJs(browser, idp, binary, database));
    if (wanted("clerk_js_openid")) {
      await onEach("clerk-js, OpenID", (database) => clerkJsOpenId(browser, idps, binary, database));
    }
  }
  if (wanted("demo")) await onEach("demo", (database) => demo(browser, binary, database));
  await check("nothing but loopback was asked, in any walk", () => equal(strays, []));
  await check("no page threw, in any walk", () => equal(thrown, []));
} finally {
  await browser.close();
  await stopAll();
}
process.exit(finish());
