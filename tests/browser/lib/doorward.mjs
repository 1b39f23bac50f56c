// A server of its own for each walk, and the operator's view of it.

import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equal } from "./report.mjs";
import { freePort, start } from "./process.mjs";

/** Starts `doorward serve` on a fresh SQLite database, or on the given PostgreSQL one. */
export async function serve(binary, env = {}, database = undefined) {
  const folder = mkdtempSync(join(tmpdir(), "doorward-browser-"));
  const port = await freePort();
  const secretKey = `sk_live_${randomBytes(20).toString("hex")}`;
  const base = `http://127.0.0.1:${port}`;
  const server = await start(binary, ["serve"], {
    DOORWARD_LISTEN: `127.0.0.1:${port}`,
    DOORWARD_DATABASE_URL: database?.url ?? `sqlite://${join(folder, "doorward.db")}`,
    DOORWARD_SECRET_KEY: secretKey,
    // Otherwise a key is made beside the database, or on PostgreSQL in the working directory.
    DOORWARD_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    DOORWARD_OUTBOUND_ALLOW: "http://127.0.0.1",
    DOORWARD_RATE_LIMITS: "off",
    RUST_LOG: "warn",
    ...env,
  }, "ready ");
  const publishableKey = `pk_live_${Buffer.from(`127.0.0.1:${port}$`).toString("base64")}`;
  const api = backend(base, secretKey);
  return { base, secretKey, publishableKey, api, stop: server.stop };
}

/** The Backend API. */
export function backend(base, secretKey) {
  return async (method, path, body, expected) => {
    const headers = { authorization: `Bearer ${secretKey}`, "content-type": "application/json" };
    const response = await fetch(`${base}/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (expected !== undefined || !response.ok) equal(response.status, expected ?? 200, `${method} ${path} ${text}`);
    return text ? JSON.parse(text) : null;
  };
}

/** An organization with an active connection to an identity provider, by its metadata URL. */
export async function connect(api, idp, { domain, name = "Acme", provider = "saml_custom", saml = {} }) {
  const organization = await api("POST", "/organizations", { name });
  const connection = await api("POST", "/enterprise_connections", {
    name: `${name} SSO`,
    provider,
    domains: [domain],
    organization_id: organization.id,
    active: true,
    saml: { idp_metadata_url: idp.metadataUrl, ...saml },
  }, 201);
  return { organization, connection };
}

/** Addresses and roles of an organization's members. */
export async function members(api, organization) {
  const list = await api("GET", `/organizations/${organization.id}/memberships?limit=100`);
  return list.data.map((member) => [member.public_user_data.identifier, member.role]).sort();
}
