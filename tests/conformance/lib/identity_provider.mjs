// An identity provider for one connection: it reads AuthnRequests and answers with assertions it signs.
//
// Its XML is written in the form that exclusive canonicalization would give it, so that it can be signed as it stands.
import { createHash, createSign, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { withoutArmour } from "./certificates.mjs";
import { domain, unique } from "./fixtures.mjs";
import { check } from "./harness.mjs";
import { rawOk } from "./server.mjs";

const key = (name) => readFileSync(new URL(`../../../crates/saml/tests/keys/${name}`, import.meta.url), "utf8");
const PRIVATE_KEY = key("idp.key");
const CERTIFICATE = key("idp.crt");
const FOREIGN_KEY = key("foreign.key");

const SAML = "urn:oasis:names:tc:SAML:2.0";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
const id = () => `_${randomBytes(16).toString("hex")}`;
const instant = (ms) => new Date(ms).toISOString();

/** Somebody the identity provider knows. */
export function person(address, params = {}) {
  return { subject: `subject-of-${address}`, email: address, firstName: "Grace", lastName: "Hopper", ...params };
}

/** An active connection for a domain of its own, unless `domain` names one, and the identity provider behind it. */
export async function connected({ organization, domain: name = domain(), ...params } = {}) {
  const entityId = `https://idp.${name}/${unique()}`;
  const connection = await rawOk("POST", "/enterprise_connections", {
    body: {
      name: unique("SSO "),
      provider: "saml_custom",
      domains: [name],
      organization_id: organization?.id,
      active: true,
      saml: { idp_entity_id: entityId, idp_sso_url: `https://idp.${name}/sso`, idp_certificate: CERTIFICATE },
      ...params,
    },
  });
  return new IdentityProvider(connection, entityId, name);
}

class IdentityProvider {
  constructor(connection, entityId, name) {
    this.connection = connection;
    this.entityId = entityId;
    this.domain = name;
    this.origin = `https://idp.${name}`;
    this.acs = new URL(connection.saml_connection.acs_url);
  }

  /** Somebody on the connection's domain. */
  person(params) {
    return person(`${unique("p")}@${this.domain}`, params);
  }

  /** The form with which it sends a browser back that came by `redirect`. `forged` signs with a key of somebody else. */
  answer(redirect, who, { forged = false } = {}) {
    const url = new URL(redirect);
    check(url.origin === this.origin, `the browser is sent to ${url.origin}, not to the identity provider`);
    const request = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest"), "base64")).toString("utf8");
    const inResponseTo = /\sID="([^"]+)"/.exec(request)[1];
    const response = this.#response(inResponseTo, who, forged ? FOREIGN_KEY : PRIVATE_KEY);
    return { SAMLResponse: Buffer.from(response).toString("base64"), RelayState: url.searchParams.get("RelayState") };
  }

  #response(inResponseTo, who, privateKey) {
    const now = Date.now();
    const [acs, audience, issuer] = [this.acs.href, this.connection.saml_connection.sp_entity_id, this.entityId].map(escaped);
    const from = `<saml:Issuer xmlns:saml="${SAML}:assertion">${issuer}</saml:Issuer>`;
    const until = instant(now + 300_000);
    const attributes = Object.entries({ mail: who.email, firstName: who.firstName, lastName: who.lastName })
      .map(([name, value]) => `<saml:Attribute Name="${name}"><saml:AttributeValue>${escaped(value)}</saml:AttributeValue></saml:Attribute>`)
      .join("");
    const assertionId = id();
    const start = `<saml:Assertion xmlns:saml="${SAML}:assertion" ID="${assertionId}" IssueInstant="${instant(now)}" Version="2.0"><saml:Issuer>${issuer}</saml:Issuer>`;
    const rest =
      `<saml:Subject><saml:NameID>${escaped(who.subject)}</saml:NameID><saml:SubjectConfirmation Method="${SAML}:cm:bearer">` +
      `<saml:SubjectConfirmationData InResponseTo="${escaped(inResponseTo)}" NotOnOrAfter="${until}" Recipient="${acs}"></saml:SubjectConfirmationData>` +
      `</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${instant(now - 5_000)}" NotOnOrAfter="${until}">` +
      `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
      `<saml:AuthnStatement AuthnInstant="${instant(now)}"><saml:AuthnContext><saml:AuthnContextClassRef>${SAML}:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
      `<saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion>`;
    const assertion = start + signature(assertionId, start + rest, privateKey) + rest;
    return (
      `<samlp:Response xmlns:samlp="${SAML}:protocol" Destination="${acs}" ID="${id()}" InResponseTo="${escaped(inResponseTo)}" IssueInstant="${instant(now)}" Version="2.0">` +
      `${from}<samlp:Status><samlp:StatusCode Value="${SAML}:status:Success"></samlp:StatusCode></samlp:Status>${assertion}</samlp:Response>`
    );
  }
}

/** An enveloped signature over `canonical`, the element of that id. */
function signature(elementId, canonical, privateKey) {
  const digest = createHash("sha256").update(canonical).digest("base64");
  const contents =
    `<ds:CanonicalizationMethod Algorithm="${EXCLUSIVE}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${RSA_SHA256}"></ds:SignatureMethod>` +
    `<ds:Reference URI="#${elementId}"><ds:Transforms><ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform>` +
    `<ds:Transform Algorithm="${EXCLUSIVE}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="${SHA256}"></ds:DigestMethod>` +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`;
  // Standing alone it is canonical only with the declaration it inherits inside the signature.
  const value = createSign("sha256").update(`<ds:SignedInfo xmlns:ds="${DSIG}">${contents}</ds:SignedInfo>`).sign(privateKey, "base64");
  return (
    `<ds:Signature xmlns:ds="${DSIG}"><ds:SignedInfo>${contents}</ds:SignedInfo><ds:SignatureValue>${value}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${withoutArmour(CERTIFICATE)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`
  );
}
