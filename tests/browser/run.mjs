// Sign-ins in a real browser, through real identity providers and back.
//
//   node run.mjs --binary <doorward> [--idps <folder>] [--only clerk_js,hosted,saml_styles,demo]

import { launch } from "./lib/browser.mjs";
import { stopAll } from "./lib/process.mjs";
import { check, finish } from "./lib/report.mjs";
import { startSimpleSamlPhp } from "./lib/simplesamlphp.mjs";
import { clerkJs } from "./walks/clerk_js.mjs";
import { demo } from "./walks/demo.mjs";
import { hosted } from "./walks/hosted.mjs";
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

const browser = await launch();
try {
  if (idps) {
    const idp = await startSimpleSamlPhp(idps);
    if (wanted("saml_styles")) await check("walk: SAML styles", () => samlStyles(idp, binary));
    if (wanted("hosted")) await check("walk: hosted page", () => hosted(browser, idp, binary));
    if (wanted("clerk_js")) await check("walk: clerk-js", () => clerkJs(browser, idp, binary));
  }
  if (wanted("demo")) await check("walk: demo", () => demo(browser, binary));
} finally {
  await browser.close();
  stopAll();
}
process.exit(finish());
