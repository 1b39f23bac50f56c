// What a published OpenAPI document and the error catalogue say about one response.
//
// The OpenAPI 3.0 schemas are turned into JSON Schema that ajv understands:
// `nullable` becomes a null type, a `oneOf` with a discriminator becomes `anyOf`
// (its branches exclude each other by their `object` enum anyway), enums marked
// "unknown values allowed" become plain strings.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import YAML from "yaml";
import { amend, BACKEND_AMENDMENTS, FRONTEND_AMENDMENTS } from "./amendments.mjs";

const JSON_TYPE = "application/json";
const CATALOGUE = "api_errors.json";
/** The Backend API's document leaves the `/v1` of its server's address out of the paths. */
const DOCUMENTS = {
  backend: { file: "backend-api-2026-05-12.yml", base: "/v1", amendments: BACKEND_AMENDMENTS },
  frontend: { file: "frontend-api-2026-05-12.yml", base: "", amendments: FRONTEND_AMENDMENTS },
};

/** The contract of each surface, or the names of the files that are `missing`. */
export function loadContracts(directory) {
  const files = [CATALOGUE, ...Object.values(DOCUMENTS).map(({ file }) => file)];
  const missing = files.map((file) => join(directory, file)).filter((file) => !existsSync(file));
  if (missing.length > 0) return { missing };
  const catalogue = JSON.parse(readFileSync(join(directory, CATALOGUE), "utf8"));
  const contract = ({ file, base, amendments }) => {
    const document = YAML.parse(readFileSync(join(directory, file), "utf8"));
    amend(document, amendments);
    return new Contract(document, base, catalogue);
  };
  return Object.fromEntries(Object.entries(DOCUMENTS).map(([surface, described]) => [surface, contract(described)]));
}

class Contract {
  constructor(document, base, catalogue) {
    this.document = document;
    this.routes = Object.keys(document.paths).map((template) => route(base, template));
    // More literal segments first: /users/count before /users/{user_id}.
    this.routes.sort((a, b) => b.literals - a.literals);
    this.errors = new Map();
    for (const entry of catalogue) {
      const key = `${entry.status} ${entry.code}`;
      this.errors.set(key, [...(this.errors.get(key) ?? []), entry]);
    }
    this.ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addFormat("int64", { type: "number", validate: Number.isInteger });
    this.ajv.addSchema(
      { $id: "api", components: { schemas: convert(document.components.schemas) } },
      "api",
    );
    this.validators = new Map();
  }

  /** The documented operation behind a request, or undefined. */
  operation(method, address) {
    const found = this.routes.find((r) => r.pattern.test(address) && this.document.paths[r.template][method.toLowerCase()]);
    return found && { template: found.template, spec: this.document.paths[found.template][method.toLowerCase()] };
  }

  /** Complaints about a response: an empty list means that it keeps the contract. */
  complaints(exchange) {
    const { method, address, query, status, json } = exchange;
    const operation = this.operation(method, address);
    if (status >= 400) {
      const error = this.#validate("error", { $ref: "#/components/schemas/ClerkErrors" }, json);
      return [...wrongType(exchange, JSON_TYPE), ...error, ...undocumented(status, operation), ...this.#errorComplaints(status, json)];
    }
    if (!operation) {
      return [`${method} ${address} is no documented operation, yet it answered ${status}`];
    }
    const response = this.#deref(operation.spec.responses[String(status)]);
    if (!response) {
      return [`status ${status} is not documented (documented: ${Object.keys(operation.spec.responses).join(", ")})`];
    }
    const [type] = Object.keys(response.content ?? {});
    if (!type) return exchange.text === "" ? [] : ["a body where none is documented"];
    if (type !== JSON_TYPE) return wrongType(exchange, type);
    let { schema } = response.content[type];
    // Older lists are bare arrays unless `paginated=true`, for which the document has no schema.
    const wrapped = schema.type === "array" && query.get("paginated") === "true";
    if (wrapped) {
      schema = {
        type: "object",
        additionalProperties: false,
        required: ["data", "total_count"],
        properties: { data: schema, total_count: { type: "integer" } },
      };
    }
    const key = `${method} ${operation.template} ${status} ${wrapped}`;
    return [...wrongType(exchange, JSON_TYPE), ...this.#validate(key, schema, json), ...undocumentedRequired(json)];
  }

  #validate(key, schema, json) {
    if (json === undefined) return ["the body is not JSON"];
    if (!this.validators.has(key)) {
      this.validators.set(key, this.ajv.compile(convert(schema)));
    }
    const validate = this.validators.get(key);
    if (validate(json)) return [];
    // Of what may also be null, only the other possibility is worth telling.
    const errors = validate.errors.filter((e) => e.params.type !== "null");
    return errors.map((e) => `${e.instancePath || "/"} ${e.message}${detail(e)}`);
  }

  #errorComplaints(status, json) {
    const complaints = [];
    if (typeof json?.clerk_trace_id !== "string" || json.clerk_trace_id === "") {
      complaints.push("clerk_trace_id is missing");
    }
    for (const error of json?.errors ?? []) {
      const entries = this.errors.get(`${status} ${error.code}`);
      if (!entries) {
        complaints.push(`"${error.code}" with status ${status} is not in the error catalogue`);
      } else if (entries.every((e) => /"Name"/.test(e.meta ?? "")) && typeof error.meta?.param_name !== "string") {
        complaints.push(`"${error.code}" without meta.param_name`);
      }
    }
    if (json?.errors?.length === 0) complaints.push("errors[] is empty");
    return complaints;
  }

  #deref(node) {
    return node?.$ref ? this.#deref(node.$ref.slice(2).split("/").reduce((at, key) => at[key], this.document)) : node;
  }
}

/** Refusals that every request may meet: of its origin, its credentials, its body or its parameters. */
const OF_ANY_REQUEST = [400, 401, 413, 415, 422];

function undocumented(status, operation) {
  if (!operation || OF_ANY_REQUEST.includes(status) || String(status) in operation.spec.responses) return [];
  // What a path names need not exist, whether the document says so or not.
  if (status === 404 && operation.template.includes("{")) return [];
  return [`status ${status} is not documented (documented: ${Object.keys(operation.spec.responses).join(", ")})`];
}

function wrongType({ contentType }, wanted) {
  return contentType === wanted ? [] : [`Content-Type is ${JSON.stringify(contentType)}, not exactly ${wanted}`];
}

/** The document requires two fields of an enterprise connection that it never defines. */
function undocumentedRequired(json) {
  const rows = Array.isArray(json?.data) ? json.data : [json];
  return rows
    .filter((row) => row?.object === "enterprise_connection" && !row.deleted)
    .flatMap((row) => ["authenticatable", "disable_jit_provisioning"].filter((field) => typeof row[field] !== "boolean"))
    .map((field) => `enterprise connection: ${field} must be a boolean`);
}

function route(base, template) {
  const segments = `${base}${template}`.split("/");
  return {
    template,
    literals: segments.filter((s) => !s.startsWith("{")).length,
    pattern: new RegExp(`^${segments.map((s) => (s.startsWith("{") ? "[^/]+" : s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))).join("/")}$`),
  };
}

function detail(error) {
  if (error.params?.additionalProperty) return ` ("${error.params.additionalProperty}")`;
  if (error.params?.allowedValues) return ` (${error.params.allowedValues.join(", ")})`;
  return "";
}

function convert(node) {
  if (Array.isArray(node)) return node.map(convert);
  if (node === null || typeof node !== "object") return node;
  const { nullable, discriminator, oneOf, example, ...rest } = node;
  const out = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === "$ref") out.$ref = value.replace(/^#/, "api#");
    else if (key === "enum" && node["x-speakeasy-unknown-values"] === "allow") continue;
    else if (key === "properties") out.properties = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, convert(v)]));
    else if (key === "enum") out.enum = value;
    else out[key] = convert(value);
  }
  if (oneOf) out[discriminator ? "anyOf" : "oneOf"] = convert(oneOf);
  if (!nullable) return out;
  return { anyOf: [{ type: "null" }, out] };
}
