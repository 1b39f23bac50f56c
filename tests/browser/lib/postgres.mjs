// A database of its own on the PostgreSQL server that DOORWARD_TEST_POSTGRES names.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** Creates one; answers its URL and a way to drop it. */
export function createDatabase(server) {
  const name = `doorward_browser_${randomBytes(6).toString("hex")}`;
  const run = (sql) => execFileSync("psql", ["-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", sql], { stdio: "pipe" });
  run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}
