// Drives a running server through the published Backend SDK and as browsers do, and checks every answer against the
// published contracts.
//
//   node run.mjs --base http://127.0.0.1:4400 --secret-key sk_live_… --publishable-key pk_live_… [--only users,sessions]
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

process.env.NODE_ENV = "test"; // keeps the SDK's deprecation warnings out of the output

const { startRecording, recorded } = await import("./lib/traffic.mjs");
const { report, results, runTests, sections, describe } = await import("./lib/harness.mjs");
const { loadContracts } = await import("./lib/openapi.mjs");

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    base: { type: "string" },
    "secret-key": { type: "string" },
    "publishable-key": { type: "string" },
    only: { type: "string" },
    specs: { type: "string", default: resolve(here, "../../../shared/specs") },
  },
});
for (const name of ["base", "secret-key", "publishable-key"]) {
  if (!options[name]) fail(`--${name} is required`);
}
const base = options.base.replace(/\/+$/, "");

startRecording(base);
const { connect } = await import("./lib/server.mjs");
const { OPERATIONS, OTHERS } = await import("./lib/frontend_operations.mjs");
const FRONTEND_OPERATIONS = [...OPERATIONS, ...OTHERS];
await connect({ base, secretKey: options["secret-key"], publishableKey: options["publishable-key"] });

for (const name of [
  "jwks",
  "protocol",
  "credentials",
  "users",
  "user_metadata",
  "organizations",
  "organization_metadata",
  "organization_memberships",
  "organization_roles",
  "role_sets",
  "instance",
  "redirect_urls",
  "enterprise_connections",
  "oidc_connections",
  "easie_connections",
  "saml_metadata",
  "sessions",
  "session_tokens",
  "frontend_public",
  "frontend_credentials",
  "frontend_client",
  "frontend_sign_ins",
  "frontend_sign_ups",
  "frontend_sessions",
  "frontend_me",
  "frontend_organizations",
  "frontend_handshake",
]) {
  await import(`./resources/${name}.mjs`);
}
const only = options.only?.split(",");
const strangers = only?.filter((name) => !sections().includes(name)) ?? [];
if (strangers.length > 0) fail(`--only: no section named ${strangers.join(", ")}; there are ${sections().join(", ")}`);

try {
  await fetch(`${base}/v1/jwks`);
} catch (error) {
  fail(`nothing answers at ${base}: ${error.cause?.code ?? error.message}`);
}
recorded.length = 0;

await runTests(only);
checkContracts(loadContracts(options.specs));
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exit(results.failed > 0 ? 1 : 0);

/** One check for each surface, operation and status that was seen. */
function checkContracts(contracts) {
  if (contracts.missing) {
    report("contract: every answer matches the OpenAPI document", `not found: ${contracts.missing.join(", ")}`);
    return;
  }
  const groups = new Map();
  for (const exchange of recorded) {
    if (exchange.method === "HEAD" || exchange.method === "OPTIONS") continue;
    const template = contracts[exchange.surface].operation(exchange.method, exchange.address)?.template ?? "(no such operation)";
    const name = `contract: ${exchange.surface} ${exchange.method} ${template} ${exchange.status}`;
    groups.set(name, [...(groups.get(name) ?? []), exchange]);
  }
  for (const [name, exchanges] of [...groups].sort()) {
    const complaints = new Map();
    for (const exchange of exchanges) {
      for (const complaint of complaintsAbout(exchange, contracts[exchange.surface])) {
        if (!complaints.has(complaint)) complaints.set(complaint, exchange);
      }
    }
    const reason = [...complaints].slice(0, 8).map(([complaint, first]) => `${complaint} [${first.test}]`);
    if (complaints.size > 0) reason.push(`e.g. ${describe(complaints.values().next().value)}`);
    report(name, complaints.size > 0 ? reason.join("; ") : undefined);
  }
  if (!only) checkCoverage(contracts.frontend, groups);
}

/** One check for each operation of the Frontend API: a run has seen all the statuses it is listed with. */
function checkCoverage(contract, groups) {
  for (const { method, path, answers } of FRONTEND_OPERATIONS) {
    const address = path.startsWith("/.well-known/") ? path : `/v1${path}`;
    const { template } = contract.operation(method, address) ?? {};
    const unseen = answers.filter((status) => !groups.has(`contract: frontend ${method} ${template} ${status}`));
    report(`coverage: frontend ${method} ${path} answers ${answers.join(", ")}`, unseen.length > 0 ? `never seen: ${unseen.join(", ")}` : undefined);
  }
}

function complaintsAbout(exchange, contract) {
  const complaints = [];
  if (exchange.status >= 500) complaints.push(`status ${exchange.status}`);
  if (exchange.text.includes(options["secret-key"])) complaints.push("the answer contains the secret key");
  return [...complaints, ...contract.complaints(exchange).map((c) => c.replace(/\/\d+(?=[/ ])/g, "/*"))];
}

function fail(message) {
  console.log(`FAIL start: ${message}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}
