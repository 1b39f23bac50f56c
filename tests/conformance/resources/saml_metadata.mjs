import { createServer } from "node:net";
import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { CERTIFICATE, OTHER_CERTIFICATE } from "../lib/certificates.mjs";
import { domain, unique } from "../lib/fixtures.mjs";
import { answering, idpMetadata, serving, spMetadata } from "../lib/metadata.mjs";
import { rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("saml_metadata");

const PARSE = "422 saml_failed_to_parse_idp_metadata";
const FETCH = "400 saml_failed_to_fetch_idp_metadata";
const MISSING = "422 saml_metadata_missing_fields";

const connections = () => server.clerk.enterpriseConnections;
const create = (saml, params = {}) => connections().createEnterpriseConnection({ name: unique("SSO "), provider: "saml_okta", domains: [domain()], saml, ...params });
const update = (connection, saml, params = {}) => connections().updateEnterpriseConnection(connection.id, { saml, ...params });
const entity = () => `https://idp.example.test/${unique()}`;

/** The metadata must be refused at creation and at update, without a trace. */
async function refusedEverywhere(saml, expected, look = () => {}) {
  const connection = await create({});
  const before = await rawOk("GET", `/enterprise_connections/${connection.id}`);
  look(await refused(() => create(saml), expected));
  look(await refused(() => update(connection, saml), expected));
  equal(await rawOk("GET", `/enterprise_connections/${connection.id}`), before, "unchanged");
}

test("CON-22 metadata as text fills the fields, enough to activate", async () => {
  const entityId = entity();
  const connection = await create({ idpMetadata: idpMetadata({ entityId, ssoUrl: "https://idp.example.test/redirect" }) }, { active: true });
  const saml = last().json.saml_connection;
  equal([connection.active, saml.idp_entity_id, saml.idp_sso_url], [true, entityId, "https://idp.example.test/redirect"], "connection");
});

test("CON-22 metadata overrides and replaces the fields", async () => {
  const entityId = entity();
  const connection = await create({ idpEntityId: "https://ignored.example.test", idpSsoUrl: "https://ignored.example.test/sso", idpMetadata: idpMetadata({ entityId }) });
  equal(last().json.saml_connection.idp_entity_id, entityId, "at creation");
  const second = entity();
  await update(connection, { idpMetadata: idpMetadata({ entityId: second, ssoUrl: "https://idp.example.test/second", certificates: [OTHER_CERTIFICATE] }) });
  const saml = last().json.saml_connection;
  equal([saml.idp_entity_id, saml.idp_sso_url], [second, "https://idp.example.test/second"], "at update");
});

test("extension: metadata is read again only where the connection says so and has a URL", async () => {
  await serving(answering(idpMetadata()), async (url) => {
    const connection = await create({ idpMetadataUrl: url });
    equal(last().json.saml_connection.refresh_idp_metadata, false, "at first");
    const patch = (saml) => rawOk("PATCH", `/enterprise_connections/${connection.id}`, { body: { saml } });
    equal((await patch({ refresh_idp_metadata: true })).saml_connection.refresh_idp_metadata, true, "on");
    await refused(() => update(connection, { idpMetadataUrl: "" }), "422 form_param_value_invalid");
    equal((await patch({ refresh_idp_metadata: false, idp_metadata_url: "" })).saml_connection.refresh_idp_metadata, false, "off");
  });
});

test("CON-23 metadata may list several signing certificates", async () => {
  const connection = await create({ idpMetadata: idpMetadata({ certificates: [CERTIFICATE, OTHER_CERTIFICATE] }) }, { active: true });
  equal(connection.active, true, "active");
});

test("CON-22 metadata that is no XML is refused", async () => {
  for (const text of ["nonsense", "{}", "<a><b></a>", "<html><body>Sign in</body></html>", "<EntityDescriptor/>"]) {
    await refusedEverywhere({ idpMetadata: text }, text.includes("EntityDescriptor") || text.includes("html") ? `${PARSE} | ${MISSING}` : PARSE);
  }
});

test("CON-22 metadata with a DOCTYPE is refused, its entities unread", async () => {
  const prologue = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n';
  await refusedEverywhere({ idpMetadata: idpMetadata({ prologue }) }, PARSE);
});

test("CON-22 metadata must name entity id, sign-in address and certificate", async () => {
  for (const part of [{ entityId: null }, { ssoUrl: null }, { certificates: null }]) {
    await refusedEverywhere({ idpMetadata: idpMetadata(part) }, part.entityId === null ? `${MISSING} | ${PARSE}` : MISSING, (error) => {
      const missing = error.meta?.missing_fields;
      if (error.code === "saml_metadata_missing_fields") {
        check(Array.isArray(missing) && missing.length === 1 && missing.every((m) => typeof m === "string"), `meta.missing_fields: ${JSON.stringify(missing)}`);
      }
    });
  }
});

test("CON-22 metadata of a service provider is refused", () => refusedEverywhere({ idpMetadata: spMetadata }, `${MISSING} | ${PARSE}`));

test("CON-22 metadata is fetched from its address, which is kept", async () => {
  const entityId = entity();
  await serving(answering(idpMetadata({ entityId })), async (url, hits) => {
    const connection = await create({ idpMetadataUrl: `${url}/metadata` }, { active: true });
    const saml = last().json.saml_connection;
    equal([connection.active, saml.idp_entity_id, saml.idp_sso_url, saml.idp_metadata_url], [true, entityId, "https://idp.example.test/sso", `${url}/metadata`], "connection");
    equal(hits.count, 1, "requests");
  });
});

test("CON-22 an update fetches metadata too", async () => {
  const entityId = entity();
  const connection = await create({});
  await serving(answering(idpMetadata({ entityId }), { type: "text/xml; charset=utf-8" }), async (url) => {
    await update(connection, { idpMetadataUrl: url }, { active: true });
    equal([last().json.active, last().json.saml_connection.idp_entity_id], [true, entityId], "connection");
  });
});

test("CON-22 metadata that cannot be fetched is refused", async () => {
  for (const status of [404, 500]) {
    await serving(answering("gone", { status }), (url) => refusedEverywhere({ idpMetadataUrl: url }, FETCH));
  }
  const closed = await closedPort();
  await refusedEverywhere({ idpMetadataUrl: `http://127.0.0.1:${closed}/metadata` }, FETCH);
});

test("CON-22 fetched text that is no metadata is refused", async () => {
  await serving(answering("<html>Sign in", { type: "text/html" }), (url) => refusedEverywhere({ idpMetadataUrl: url }, PARSE));
  await serving(answering(idpMetadata({ ssoUrl: null })), (url) => refusedEverywhere({ idpMetadataUrl: url }, MISSING));
});

test("Decision 9: metadata is fetched only from allowed addresses", async () => {
  for (const address of ["127.0.0.2", "0.0.0.0"]) {
    await serving(answering(idpMetadata()), async (url, hits) => {
      await refusedEverywhere({ idpMetadataUrl: url }, `${FETCH} | 422 form_param_value_invalid`);
      equal(hits.count, 0, `requests to ${address}`);
    }, { address });
  }
  for (const url of ["file:///etc/hostname", "ftp://127.0.0.1/metadata", "http://169.254.169.254/latest/meta-data", "http://[::1]/metadata", "http://10.0.0.1/metadata", "not a url"]) {
    await refusedEverywhere({ idpMetadataUrl: url }, `${FETCH} | 422 form_param_value_invalid | 422 form_param_format_invalid | 422 insecure_url | 422 invalid_url_scheme`);
  }
});

test("Decision 9: a redirect to another address is not followed", async () => {
  await serving(
    answering(idpMetadata()),
    (inner, hits) =>
      serving(answering("", { status: 302, headers: { location: `${inner}/metadata` } }), async (outer) => {
        await refusedEverywhere({ idpMetadataUrl: outer }, FETCH);
        equal(hits.count, 0, "requests to the other address");
      }),
    { address: "127.0.0.2" },
  );
});

test("Decision 9: endless metadata is cut off", async () => {
  await serving(
    (_request, response) => {
      response.writeHead(200, { "content-type": "application/xml" });
      response.on("error", () => {});
      const pump = () => {
        while (!response.destroyed && response.write("<!-- ".padEnd(65_536, "x"))) {}
        response.once("drain", pump);
      };
      pump();
    },
    (url) => refused(() => create({ idpMetadataUrl: url }), `${FETCH} | ${PARSE}`),
  );
});

async function closedPort() {
  const socket = createServer();
  await new Promise((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}
