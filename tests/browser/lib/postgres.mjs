// A database of its own on the PostgreSQL server that DOORWARD_TEST_POSTGRES names.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** Creates one; answers its URL, how many people it holds, and a way to drop it. */
export function createDatabase(server) {
  const name = `doorward_browser_${randomBytes(6).toString("hex")}`;
  const run = (where, sql) => execFileSync("psql", ["-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", where, "-c", sql], { encoding: "utf8", stdio: "pipe" });
  run(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    people: () => Number(run(url.href, "SELECT count(*) FROM users")),
    drop: () => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
