// Identity-provider metadata, and a small web server that publishes it.
import { createServer } from "node:http";
import { CERTIFICATE, withoutArmour } from "./certificates.mjs";

const SAML = "urn:oasis:names:tc:SAML:2.0";

/** Metadata of a plain identity provider; each part can be left out by passing null. */
export function idpMetadata({
  entityId = "https://idp.example.test/entity",
  ssoUrl = "https://idp.example.test/sso",
  certificates = [CERTIFICATE],
  prologue = "",
} = {}) {
  const keys = (certificates ?? [])
    .map(
      (pem) => `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>${withoutArmour(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
    )
    .join("\n");
  const sso = ssoUrl === null ? "" : `<md:SingleSignOnService Binding="${SAML}:bindings:HTTP-Redirect" Location="${ssoUrl}"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
${prologue}<md:EntityDescriptor xmlns:md="${SAML}:metadata"${entityId === null ? "" : ` entityID="${entityId}"`}>
<md:IDPSSODescriptor protocolSupportEnumeration="${SAML}:protocol">
${keys}
<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
${sso}
</md:IDPSSODescriptor>
</md:EntityDescriptor>`;
}

/** Metadata of a service provider, which is no identity provider. */
export const spMetadata = `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="${SAML}:metadata" entityID="https://sp.example.test">
<md:SPSSODescriptor protocolSupportEnumeration="${SAML}:protocol">
<md:AssertionConsumerService Binding="${SAML}:bindings:HTTP-POST" Location="https://sp.example.test/acs" index="1"/>
</md:SPSSODescriptor>
</md:EntityDescriptor>`;

/** Runs `use(url, hits)` while `handler` answers on a loopback address; `hits` counts the requests that came. */
export async function serving(handler, use, { address = "127.0.0.1" } = {}) {
  const hits = { count: 0 };
  const http = createServer((request, response) => {
    hits.count += 1;
    handler(request, response);
  });
  await new Promise((resolve, reject) => http.once("error", reject).listen(0, address, resolve));
  try {
    return await use(`http://${address}:${http.address().port}`, hits);
  } finally {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
}

export function answering(body, { status = 200, type = "application/samlmetadata+xml", headers = {} } = {}) {
  return (_request, response) => {
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(body);
  };
}
