// Registration and running of tests, and the assertions that speak of the API.
import { last, nowTesting, recorded } from "./traffic.mjs";

const tests = [];
let currentSection;

/** The tests that follow belong to this section. */
export function section(name) {
  currentSection = name;
}

/** A test is named after the rule it proves: "ORG-22 list orders by -created_at by default". */
export function test(name, run) {
  tests.push({ section: currentSection, name, run });
}

export const results = { passed: 0, failed: 0 };

export function report(name, reason) {
  if (reason === undefined) {
    results.passed += 1;
    console.log(`ok   ${name}`);
  } else {
    results.failed += 1;
    console.log(`FAIL ${name}: ${String(reason).replace(/\s+/g, " ").trim()}`);
  }
}

export async function runTests(only) {
  for (const { section, name, run } of tests) {
    if (only && !only.includes(section)) continue;
    const title = `${section}: ${name}`;
    nowTesting(title);
    try {
      await limited(run);
      report(title);
    } catch (error) {
      report(title, explain(error));
    }
  }
  nowTesting(undefined);
}

export function sections() {
  return [...new Set(tests.map((t) => t.section))];
}

async function limited(run) {
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failed("took longer than 60 s")), 60_000);
  });
  try {
    await Promise.race([run(), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

class Failed extends Error {}

function explain(error) {
  if (error instanceof Failed) return error.message;
  if (error?.clerkError || Array.isArray(error?.errors)) {
    return `unexpected refusal: ${describe(last())}`;
  }
  const cause = error?.cause ? ` (${error.cause.code ?? error.cause.message ?? error.cause})` : "";
  return `${error?.name ?? "Error"}: ${error?.message ?? error}${cause}; last exchange: ${describe(last())}`;
}

export function describe(exchange) {
  if (!exchange) return "none";
  const errors = exchange.json?.errors?.map((e) => `${e.code}${e.meta?.param_name ? `(${e.meta.param_name})` : ""} "${e.long_message}"`);
  const query = exchange.query.size > 0 ? `?${exchange.query}` : "";
  return `${exchange.method} ${exchange.path}${query} -> ${exchange.status} ${errors ? errors.join(", ") : exchange.text.slice(0, 160)}`;
}

export function check(condition, message) {
  if (!condition) throw new Failed(message);
}

export function equal(actual, expected, what) {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(a === e, `${what}: expected ${e}, got ${a}`);
}

export function sameSet(actual, expected, what) {
  equal([...actual].sort(), [...expected].sort(), what);
}

export function matches(actual, pattern, what) {
  check(typeof actual === "string" && pattern.test(actual), `${what}: expected ${pattern}, got ${JSON.stringify(actual)}`);
}

/** A moment in Unix milliseconds, near now. */
export function recent(actual, what) {
  check(Number.isInteger(actual) && Math.abs(actual - Date.now()) < 120_000, `${what}: expected a recent moment in milliseconds, got ${actual}`);
}

/**
 * The call must be refused. `expected` lists what may come: "422 form_param_missing" or several joined by " | ".
 * A code of "*" stands for any. `param` is the wanted meta.param_name. Returns the first error of the answer.
 */
export async function refused(call, expected, { param } = {}) {
  const before = recorded.length;
  try {
    await call();
  } catch (error) {
    if (!error?.clerkError && !Array.isArray(error?.errors)) throw error;
  }
  const answers = recorded.slice(before);
  const answer = answers.findLast((x) => x.status >= 400) ?? answers.at(-1);
  check(answer !== undefined, `expected ${expected}, but no request was made`);
  const wanted = expected.split(" | ").map((e) => e.split(" "));
  const errors = answer.json?.errors ?? [];
  const found = errors.find((error) =>
    wanted.some(([status, code]) => Number(status) === answer.status && (code === "*" || code === error.code)),
  );
  check(found, `expected ${expected}, got ${describe(answer)}`);
  if (param !== undefined) {
    const wantedParams = [param].flat();
    const named = errors.map((e) => e.meta?.param_name);
    check(wantedParams.some((p) => named.includes(p)), `expected meta.param_name ${wantedParams.join(" or ")}, got ${describe(answer)}`);
  }
  return found;
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
