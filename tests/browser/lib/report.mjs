// One line a check; the last line counts them.

let passed = 0;
let failed = 0;

/** Runs a check; a failure is printed and counted, the others go on. */
export async function check(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${String(error.stack ?? error).split("\n").slice(0, 6).join("\n     ")}`);
  }
}

/** Checks of one walk, named after it and after the database if that is PostgreSQL. */
export function checksOf(walk, database) {
  return (name, body) => check(`${walk}${database ? " on PostgreSQL" : ""}: ${name}`, body);
}

export function equal(actual, expected, what = "value") {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

/** Prints the closing line and answers the exit code. */
export function finish() {
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
