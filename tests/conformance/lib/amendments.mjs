// Where an answer departs from a document on purpose, each with its reason. All other departures are failures.
//
// An amendment replaces one place of the document. It names what it found there, so that one which a newer document has
// made needless, or moved, is noticed.
import { isDeepStrictEqual } from "node:util";

const schema = (name, ...rest) => ["components", "schemas", name, ...rest];
const JSON_ERRORS = { $ref: "#/components/responses/ClerkErrors" };

/** The client beside what a GET reads; with most of them the document lets it be null. */
const clientOf = (name) => ({
  at: schema(name, "properties", "client"),
  was: { type: "object", nullable: false, allOf: [{ $ref: "#/components/schemas/Client.Client-2" }] },
  now: { type: "object", nullable: true, allOf: [{ $ref: "#/components/schemas/Client.Client-2" }] },
  why: "CLIENTS §2: the client or null; clerk-js takes its state from mutations, which always carry it",
});

export const BACKEND_AMENDMENTS = [
  {
    at: schema("IdentificationLink", "properties", "type", "pattern"),
    was: "^oauth_[a-z]+$",
    now: "^(?:oauth_[a-z0-9_]+|saml)$",
    why: "LNK-7: an address is linked to SAML accounts too, as the Frontend API's document has it",
  },
];

export const FRONTEND_AMENDMENTS = [
  clientOf("Client.ClientWrappedUser"),
  clientOf("Client.ClientWrappedOrganizationMemberships"),
  clientOf("Client.ClientWrappedOrganization"),
  clientOf("Client.ClientWrappedRoles"),
  {
    ...clientOf(""),
    at: ["paths", "/v1/me/organization_creation_defaults", "get", "responses", "200", "content", "application/json", "schema", "properties", "client"],
    was: { $ref: "#/components/schemas/Client.Client" },
  },
  {
    at: schema("Stubs.Verification.SAML", "properties", "strategy", "enum"),
    was: ["saml"],
    now: ["saml", "enterprise_sso"],
    why: "BEHAVIOUR X-10: a sign-in's verification is named like its factor, with which Clerk's pages compare it",
  },
  {
    at: schema("Stubs.Verification.Oauth", "properties", "strategy", "pattern"),
    was: "^oauth_(?:(?:token_)|(?:custom_))?[a-z0-9_]+$",
    now: "^(?:oauth_(?:(?:token_)|(?:custom_))?[a-z0-9_]+|enterprise_sso)$",
    why: "BEHAVIOUR X-10: as for SAML",
  },
  {
    at: schema("Stubs.Verification.SAML", "properties", "error"),
    was: { allOf: [{ $ref: "#/components/schemas/ClerkError" }, { type: "object", nullable: true }] },
    now: { type: "object", nullable: true, allOf: [{ $ref: "#/components/schemas/ClerkError" }] },
    why: "written so that null is never valid, though it says nullable; every other verification has it this way round",
  },
  {
    at: ["paths", "/v1/saml/metadata/{saml_connection_id}.xml", "get", "responses", "200"],
    was: { description: "OK" },
    now: { description: "OK", content: { "application/samlmetadata+xml": {} } },
    why: "SML-2: the document leaves the metadata out of the answer",
  },
  {
    at: ["paths", "/v1/saml/finish"],
    was: undefined,
    now: { get: { responses: { 303: { description: "Redirect" }, 401: JSON_ERRORS } } },
    why: "DECISIONS Wire 4: behind the ACS the browser comes with its cookie to our own origin",
  },
  {
    at: ["paths", "/v1/client/sign_ups/{sign_up_id}/enterprise_connections"],
    was: undefined,
    now: {
      get: {
        responses: {
          200: {
            description: "The connections to choose from",
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  additionalProperties: false,
                  required: ["response", "client"],
                  properties: {
                    response: {
                      type: "array",
                      items: {
                        type: "object",
                        additionalProperties: false,
                        required: ["id", "name"],
                        properties: { id: { type: "string" }, name: { type: "string" } },
                      },
                    },
                    client: { $ref: "#/components/schemas/Client.Client-2" },
                  },
                },
              },
            },
          },
          401: JSON_ERRORS,
          404: JSON_ERRORS,
        },
      },
    },
    why: "DEC-12: clerk-js asks for it, the document lacks it",
  },
];

/** Changes the document; throws where it is not as the amendment says. */
export function amend(document, amendments) {
  for (const { at, was, now } of amendments) {
    const parent = at.slice(0, -1).reduce((node, name) => node?.[name], document);
    if (!parent || !isDeepStrictEqual(parent[at.at(-1)], was)) {
      throw new Error(`the document is not as its amendment says at ${at.join(" > ")}`);
    }
    parent[at.at(-1)] = now;
  }
}
