// What the published OpenAPI document and error catalogue say about one response.
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

const DOCUMENT = "backend-api-2026-05-12.yml";
const CATALOGUE = "api_errors.json";

export function loadContract(directory) {
  const missing = [DOCUMENT, CATALOGUE].filter((f) => !existsSync(join(directory, f)));
  if (missing.length > 0) {
    return { missing: missing.map((f) => join(directory, f)) };
  }
  const document = YAML.parse(readFileSync(join(directory, DOCUMENT), "utf8"));
  const catalogue = JSON.parse(readFileSync(join(directory, CATALOGUE), "utf8"));
  return new Contract(document, catalogue);
}

class Contract {
  constructor(document, catalogue) {
    this.document = document;
    this.routes = Object.keys(document.paths).map(route);
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
  operation(method, path) {
    const found = this.routes.find((r) => r.pattern.test(path) && this.document.paths[r.template][method.toLowerCase()]);
    return found && { template: found.template, spec: this.document.paths[found.template][method.toLowerCase()] };
  }

  /** Complaints about a response: an empty list means that it keeps the contract. */
  complaints(exchange) {
    const { method, path, query, status, json } = exchange;
    const operation = this.operation(method, path);
    if (status >= 400) {
      return [...this.#validate("error", { $ref: "#/components/schemas/ClerkErrors" }, json), ...this.#errorComplaints(status, json)];
    }
    if (!operation) {
      return [`${method} ${path} is no documented operation, yet it answered ${status}`];
    }
    const response = this.#deref(operation.spec.responses[String(status)]);
    if (!response) {
      return [`status ${status} is not documented (documented: ${Object.keys(operation.spec.responses).join(", ")})`];
    }
    let schema = response.content?.["application/json"]?.schema;
    if (!schema) {
      return exchange.text === "" ? [] : ["a body where none is documented"];
    }
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
    return [...this.#validate(key, schema, json), ...undocumentedRequired(json)];
  }

  #validate(key, schema, json) {
    if (json === undefined) return ["the body is not JSON"];
    if (!this.validators.has(key)) {
      this.validators.set(key, this.ajv.compile(convert(schema)));
    }
    const validate = this.validators.get(key);
    if (validate(json)) return [];
    return validate.errors.map((e) => `${e.instancePath || "/"} ${e.message}${detail(e)}`);
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

/** The document requires two fields of an enterprise connection that it never defines. */
function undocumentedRequired(json) {
  const rows = Array.isArray(json?.data) ? json.data : [json];
  return rows
    .filter((row) => row?.object === "enterprise_connection" && !row.deleted)
    .flatMap((row) => ["authenticatable", "disable_jit_provisioning"].filter((field) => typeof row[field] !== "boolean"))
    .map((field) => `enterprise connection: ${field} must be a boolean`);
}

function route(template) {
  const segments = template.split("/");
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
