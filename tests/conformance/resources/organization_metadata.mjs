import { check, equal, refused, section, test, pause } from "../lib/harness.mjs";
import { newOrganization, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("organization_metadata");

const organizations = () => server.clerk.organizations;
const start = { a: 1, nested: { x: 1, y: { z: 1 } } };
const newOrganizationWithMetadata = () => newOrganization({ publicMetadata: start, privateMetadata: start });

test("ORG-19 PATCH merges deeply and null removes", async () => {
  const organization = await newOrganizationWithMetadata();
  const updated = await organizations().updateOrganizationMetadata(organization.id, { publicMetadata: { a: null, nested: { y: { w: 2 } }, b: [1] } });
  equal(updated.publicMetadata, { nested: { x: 1, y: { z: 1, w: 2 } }, b: [1] }, "public_metadata");
  equal(updated.privateMetadata, start, "private_metadata");
});

test("ORG-19 a merge reaches private metadata too", async () => {
  const organization = await newOrganizationWithMetadata();
  const updated = await organizations().updateOrganizationMetadata(organization.id, { privateMetadata: { nested: null } });
  equal([updated.publicMetadata, updated.privateMetadata], [start, { a: 1 }], "metadata");
});

test("ORG-19 a merge replaces what is no object", async () => {
  const organization = await newOrganization({ publicMetadata: { v: 1, o: { k: 1 } } });
  const updated = await organizations().updateOrganizationMetadata(organization.id, { publicMetadata: { v: { k: 1 }, o: 2 } });
  equal(updated.publicMetadata, { v: { k: 1 }, o: 2 }, "public_metadata");
});

test("ORG-19 PUT replaces each given field whole", async () => {
  const organization = await newOrganizationWithMetadata();
  const updated = await organizations().replaceOrganizationMetadata(organization.id, { publicMetadata: { b: 2 } });
  equal([updated.publicMetadata, updated.privateMetadata], [{ b: 2 }, start], "metadata");
});

test("ORG-19 the SDK's updateOrganization replaces metadata by PUT", async () => {
  const organization = await newOrganizationWithMetadata();
  const updated = await organizations().updateOrganization(organization.id, { maxAllowedMemberships: 9, publicMetadata: { only: true } });
  equal(last().method, "PUT", "method");
  equal([updated.maxAllowedMemberships, updated.publicMetadata, updated.privateMetadata], [9, { only: true }, start], "organization");
});

test("ORG-19 an empty request changes nothing", async () => {
  const organization = await newOrganizationWithMetadata();
  for (const method of ["PATCH", "PUT"]) {
    const json = await rawOk(method, `/organizations/${organization.id}/metadata`, { body: {} });
    equal([json.public_metadata, json.private_metadata], [start, start], method);
  }
});

test("ORG-19 metadata must be an object", async () => {
  const organization = await newOrganizationWithMetadata();
  for (const method of ["PATCH", "PUT"]) {
    for (const bad of ["text", 7, [1]]) {
      await refused(() => raw(method, `/organizations/${organization.id}/metadata`, { body: { private_metadata: bad } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "private_metadata" });
    }
  }
  await refused(() => raw("POST", "/organizations", { body: { name: "Metadata", public_metadata: "text" } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "public_metadata" });
});

test("ORG-19 a change of metadata moves updated_at", async () => {
  const organization = await newOrganization();
  await pause(5);
  const updated = await organizations().updateOrganizationMetadata(organization.id, { publicMetadata: { a: 1 } });
  check(updated.updatedAt > organization.updatedAt, "updated_at must grow");
});

test("ORG-19 an unknown organization is not found", async () => {
  await refused(() => organizations().updateOrganizationMetadata(unknown("org"), { publicMetadata: { a: 1 } }), "404 resource_not_found");
  await refused(() => organizations().replaceOrganizationMetadata(unknown("org"), { publicMetadata: { a: 1 } }), "404 resource_not_found");
});
