import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { newUser, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { recorded } from "../lib/traffic.mjs";

section("user_metadata");

const FIELDS = ["public_metadata", "private_metadata", "unsafe_metadata"];
const start = { a: 1, nested: { x: 1, y: { z: 1 } }, list: [1, 2] };
const newUserWithMetadata = () => newUser({ publicMetadata: start, privateMetadata: start, unsafeMetadata: start });

test("User metadata: PATCH merges deeply", async () => {
  const user = await newUserWithMetadata();
  const updated = await server.clerk.users.updateUserMetadata(user.id, { publicMetadata: { nested: { y: { w: 2 } }, list: [3], b: 2 } });
  equal(updated.publicMetadata, { a: 1, nested: { x: 1, y: { z: 1, w: 2 } }, list: [3], b: 2 }, "public_metadata");
  equal(updated.privateMetadata, start, "private_metadata");
});

test("User metadata: null removes a key at any level", async () => {
  const user = await newUserWithMetadata();
  for (const field of FIELDS) {
    const json = await rawOk("PATCH", `/users/${user.id}/metadata`, { body: { [field]: { a: null, nested: { y: null }, absent: null } } });
    equal(json[field], { nested: { x: 1 }, list: [1, 2] }, field);
  }
});

test("User metadata: PUT replaces each given field whole", async () => {
  const user = await newUserWithMetadata();
  const updated = await server.clerk.users.replaceUserMetadata(user.id, { publicMetadata: { b: 2 } });
  equal([updated.publicMetadata, updated.privateMetadata], [{ b: 2 }, start], "metadata");
  const emptied = await server.clerk.users.replaceUserMetadata(user.id, { privateMetadata: {} });
  equal([emptied.publicMetadata, emptied.privateMetadata], [{ b: 2 }, {}], "metadata");
});

test("User metadata: the SDK's updateUser replaces metadata by PUT", async () => {
  const user = await newUserWithMetadata();
  const updated = await server.clerk.users.updateUser(user.id, { firstName: "Both", publicMetadata: { only: true } });
  equal([updated.firstName, updated.publicMetadata], ["Both", { only: true }], "user");
  equal(recorded.at(-1).method, "PUT", "method");
});

test("User metadata: an empty request changes nothing", async () => {
  const user = await newUserWithMetadata();
  for (const method of ["PATCH", "PUT"]) {
    const json = await rawOk(method, `/users/${user.id}/metadata`, { body: {} });
    equal(FIELDS.map((f) => json[f]), [start, start, start], method);
  }
});

test("User metadata: must be an object", async () => {
  const user = await newUserWithMetadata();
  for (const method of ["PATCH", "PUT"]) {
    for (const bad of ["text", 7, [1], true]) {
      await refused(() => raw(method, `/users/${user.id}/metadata`, { body: { public_metadata: bad } }), "422 form_param_value_invalid | 422 form_param_type_invalid", { param: "public_metadata" });
    }
  }
  equal((await server.clerk.users.getUser(user.id)).publicMetadata, start, "unchanged");
});

test("User metadata: any JSON survives, text of every script included", async () => {
  const value = { "ключ": "значение 🚀", number: 1.5, big: 9007199254740991, flag: false, empty: "", list: [{}, [], null], "a.b": { "c/d": 1 } };
  const user = await newUser({ publicMetadata: value });
  const read = await server.clerk.users.getUser(user.id);
  equal(read.publicMetadata, value, "public_metadata");
});

test("User metadata: an unknown user is not found", async () => {
  await refused(() => server.clerk.users.updateUserMetadata(unknown("user"), { publicMetadata: { a: 1 } }), "404 resource_not_found");
  await refused(() => server.clerk.users.replaceUserMetadata(unknown("user"), { publicMetadata: { a: 1 } }), "404 resource_not_found");
});

test("User metadata: private metadata never shows in the memberships of the user", async () => {
  const user = await newUser({ privateMetadata: { secret: "private-to-the-user" } });
  const organization = await server.clerk.organizations.createOrganization({ name: "Metadata", createdBy: user.id });
  const exchange = await raw("GET", `/organizations/${organization.id}/memberships`);
  check(!exchange.text.includes("private-to-the-user"), "private metadata of a user in a membership list");
});
