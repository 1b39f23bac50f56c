"""Drives a running server through the published Python SDK, whose models reject answers that miss a field.

    python3 run.py --base http://127.0.0.1:4400 --secret-key sk_live_… [--only users,sessions]
"""

import argparse
import base64
import contextlib
import http.server
import json
import secrets
import string
import sys
import threading
import time
import urllib.request

import jwt
from clerk_backend_api import Clerk
from clerk_backend_api.models import ClerkBaseError
from clerk_backend_api.security import (
    AuthenticateRequestOptions,
    TokenVerificationError,
    VerifyTokenOptions,
    authenticate_request,
    verify_token,
)
from clerk_backend_api.utils import BackoffStrategy, RetryConfig

CHECKS = []
SECTION = ""


def section(name):
    global SECTION
    SECTION = name


def check(name):
    def register(run):
        CHECKS.append((SECTION, name, run))
        return run

    return register


class Failed(Exception):
    pass


def equal(actual, expected, what):
    if actual != expected:
        raise Failed(f"{what}: expected {expected!r}, got {actual!r}")


def true(condition, what):
    if not condition:
        raise Failed(what)


def refused(call, *expected):
    """The call must fail with one of the expected (status, code) pairs; a code of "*" stands for any."""
    try:
        call()
    except ClerkBaseError as error:
        if error.status_code < 400:
            raise
        codes = [e["code"] for e in json.loads(error.body or "{}").get("errors", [])]
        if not any(status == error.status_code and code in ("*", *codes) for status, code in expected):
            raise Failed(f"expected {expected}, got {error.status_code} {codes}") from error
        return
    raise Failed(f"expected {expected}, got success")


# --- fixtures


def unique(prefix="t"):
    return f"{prefix}{secrets.token_hex(6)}"


def address():
    return f"{unique('user')}@people.test"


def unknown(prefix):
    letters = string.ascii_letters + string.digits
    return f"{prefix}_2" + "".join(secrets.choice(letters) for _ in range(26))


def new_user(**fields):
    return clerk.users.create(**{"email_address": [address()], "first_name": "Ada", "last_name": "Byron", **fields})


def new_organization(**fields):
    return clerk.organizations.create(request={"name": unique("Org "), "max_allowed_memberships": 0, **fields})


def new_team():
    admin = new_user()
    return admin, new_organization(created_by=admin.id)


def join(organization, user, role="org:member"):
    return clerk.organization_memberships.create(organization_id=organization.id, user_id=user.id, role=role)


def new_connection(**fields):
    return clerk.enterprise_connections.create(
        request={"name": unique("SSO "), "provider": "saml_custom", "domains": [f"{unique('d')}.test"], **fields}
    )


def new_easie_connection(provider, organization):
    """The id of a connection to a provider that the SDK's own list of providers does not have, so that it does not send it."""
    body = {"name": unique("SSO "), "provider": provider, "domains": [f"{unique('d')}.test"], "organization_id": organization.id}
    headers = {"authorization": f"Bearer {options.secret_key}", "content-type": "application/json"}
    url = f"{options.base}/v1/enterprise_connections"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)["id"]


@contextlib.contextmanager
def discovery():
    """An OpenID Connect provider that publishes its configuration document; yields its issuer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            issuer = f"http://127.0.0.1:{self.server.server_port}"
            document = {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
                "response_types_supported": ["code"],
            }
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as provider:
        thread = threading.Thread(target=provider.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{provider.server_port}"
        finally:
            provider.shutdown()
            thread.join()


def new_session(user, **fields):
    return clerk.sessions.create(request={"user_id": user.id, **fields})


def ids(rows):
    return [row.id for row in rows]


# --- users

section("users")


@check("User: created, read, changed and deleted")
def _():
    external_id = unique("ext")
    user = new_user(external_id=external_id, public_metadata={"a": 1}, skip_password_requirement=True)
    equal((user.first_name, user.external_id, user.password_enabled), ("Ada", external_id, False), "created")
    equal(user.email_addresses[0].verification.status, "verified", "verification")
    equal(clerk.users.get(user_id=user.id).id, user.id, "read")
    equal(clerk.users.update(user_id=user.id, first_name="Grace").first_name, "Grace", "changed")
    deleted = clerk.users.delete(user_id=user.id)
    equal((deleted.object, deleted.id, deleted.deleted), ("user", user.id, True), "deleted")
    refused(lambda: clerk.users.get(user_id=user.id), (404, "resource_not_found"))


@check("User list: filters, order, pages and count")
def _():
    marker = unique("mk")
    made = []
    for i in range(3):
        made.append(new_user(first_name=f"{marker}{i}"))
        time.sleep(0.004)
    rows = clerk.users.list(request={"query": marker})
    equal(ids(rows), ids(reversed(made)), "order")
    rows = clerk.users.list(request={"query": marker, "order_by": "first_name", "limit": 2, "offset": 1})
    equal(ids(rows), ids(made[1:]), "page")
    rows = clerk.users.list(request={"user_id": [made[0].id, made[1].id]})
    equal(sorted(ids(rows)), sorted(ids(made[:2])), "user_id")
    equal(clerk.users.count(request={"query": marker}).total_count, 3, "count")


@check("User: bad input is refused")
def _():
    taken = address()
    new_user(email_address=[taken])
    refused(lambda: new_user(email_address=[taken]), (422, "form_identifier_exists"))
    refused(lambda: new_user(email_address=["nonsense"]), (422, "form_param_format_invalid"))
    refused(lambda: new_user(password="correct horse battery"), (403, "password_disabled"), (422, "form_param_unknown"))
    refused(lambda: clerk.users.list(request={"order_by": "shoe_size"}), (422, "form_param_value_invalid"))
    refused(lambda: clerk.users.update(user_id=unknown("user"), first_name="X"), (404, "resource_not_found"))
    refused(lambda: clerk.users.delete(user_id=unknown("user")), (404, "resource_not_found"))


@check("User metadata: merged and replaced")
def _():
    user = new_user(public_metadata={"a": 1, "b": {"c": 1}})
    merged = clerk.users.update_metadata(user_id=user.id, public_metadata={"a": None, "b": {"d": 2}})
    equal(merged.public_metadata, {"b": {"c": 1, "d": 2}}, "merged")
    replaced = clerk.users.replace_metadata(user_id=user.id, public_metadata={"e": 3})
    equal(replaced.public_metadata, {"e": 3}, "replaced")


@check("ORG-1 the memberships of a user")
def _():
    admin, organization = new_team()
    memberships = clerk.users.get_organization_memberships(user_id=admin.id)
    equal(memberships.total_count, 1, "total")
    equal((memberships.data[0].organization.id, memberships.data[0].role), (organization.id, "org:admin"), "membership")


# --- organizations

section("organizations")


@check("ORG-5 an organization is created, read, changed and deleted")
def _():
    organization = new_organization(public_metadata={"a": 1}, private_metadata={"b": 2})
    equal((organization.public_metadata, organization.private_metadata), ({"a": 1}, {"b": 2}), "metadata")
    equal(clerk.organizations.get(organization_id=organization.id).id, organization.id, "by id")
    equal(clerk.organizations.get(organization_id=organization.slug).id, organization.id, "by slug")
    changed = clerk.organizations.update(organization_id=organization.id, name="Renamed", max_allowed_memberships=3)
    equal((changed.name, changed.max_allowed_memberships), ("Renamed", 3), "changed")
    deleted = clerk.organizations.delete(organization_id=organization.id)
    equal((deleted.object, deleted.id, deleted.deleted), ("organization", organization.id, True), "deleted")
    refused(lambda: clerk.organizations.get(organization_id=organization.id), (404, "resource_not_found"))


@check("ORG-22 the list filters, orders and pages")
def _():
    marker = unique("mk")
    made = []
    for name in "bca":
        made.append(new_organization(name=f"{marker} {name}"))
        time.sleep(0.004)
    b, c, a = made
    equal(ids(clerk.organizations.list(query=marker).data), ids([a, c, b]), "default order")
    page = clerk.organizations.list(query=marker, order_by="name", limit=2, include_members_count=True)
    equal((ids(page.data), page.total_count, page.data[0].members_count), (ids([a, b]), 3, 0), "page")
    user = new_user()
    join(c, user)
    equal(ids(clerk.organizations.list(user_id=[user.id]).data), [c.id], "user_id")


@check("ORG-8 bad input is refused")
def _():
    refused(lambda: new_organization(created_by=unknown("user")), (400, "organization_creator_not_found"))
    refused(lambda: new_organization(name="see https://evil.test"), (422, "form_param_value_invalid"))
    refused(lambda: clerk.organizations.update(organization_id=unknown("org"), name="X"), (404, "resource_not_found"))
    refused(lambda: clerk.organizations.delete(organization_id=unknown("org")), (404, "resource_not_found"))


@check("ORG-19 metadata is merged and replaced")
def _():
    organization = new_organization(public_metadata={"a": 1, "b": {"c": 1}})
    merged = clerk.organizations.merge_metadata(organization_id=organization.id, public_metadata={"a": None, "b": {"d": 2}})
    equal(merged.public_metadata, {"b": {"c": 1, "d": 2}}, "merged")
    replaced = clerk.organizations.replace_metadata(organization_id=organization.id, public_metadata={"e": 3})
    equal(replaced.public_metadata, {"e": 3}, "replaced")


# --- memberships

section("organization_memberships")


@check("MEM-10 a member is added, listed, changed and removed")
def _():
    _, organization = new_team()
    user = new_user()
    membership = join(organization, user)
    equal((membership.role, membership.public_user_data.user_id), ("org:member", user.id), "added")
    listed = clerk.organization_memberships.list(organization_id=organization.id, role=["org:member"], order_by="-created_at")
    equal((ids(listed.data), listed.total_count), ([membership.id], 1), "listed")
    changed = clerk.organization_memberships.update(organization_id=organization.id, user_id=user.id, role="org:admin")
    true("org:sys_profile:manage" in changed.permissions, "permissions of an administrator")
    described = clerk.organization_memberships.update_metadata(organization_id=organization.id, user_id=user.id, public_metadata={"a": 1})
    equal(described.public_metadata, {"a": 1}, "metadata")
    removed = clerk.organization_memberships.delete(organization_id=organization.id, user_id=user.id)
    equal(removed.id, membership.id, "removed")


@check("ORG-14 refusals")
def _():
    admin, organization = new_team()
    memberships = clerk.organization_memberships
    refused(lambda: join(organization, admin), (400, "already_a_member_in_organization"))
    refused(lambda: memberships.delete(organization_id=organization.id, user_id=admin.id), (400, "organization_minimum_permissions_needed"))
    refused(
        lambda: memberships.update(organization_id=organization.id, user_id=admin.id, role="org:member"),
        (400, "organization_minimum_permissions_needed"),
    )
    refused(lambda: memberships.list(organization_id=unknown("org")), (404, "resource_not_found"))
    full = new_organization(created_by=admin.id, max_allowed_memberships=1)
    refused(lambda: join(full, new_user()), (403, "organization_membership_quota_exceeded"))


# --- roles

section("organization_roles")


@check("ROL-1 roles and permissions")
def _():
    roles = {role.key: role for role in clerk.organization_roles.list(limit=500).data}
    true(roles["org:admin"].is_creator_eligible and not roles["org:member"].is_creator_eligible, "is_creator_eligible")
    admin = clerk.organization_roles.get(organization_role_id=roles["org:admin"].id)
    true("org:sys_entconns:manage" in [p.key for p in admin.permissions], "permissions of the administrator")
    refused(lambda: clerk.organization_roles.get(organization_role_id=unknown("role")), (404, "resource_not_found"))
    permissions = clerk.organization_permissions.list(limit=500, order_by="key")
    true(permissions.total_count >= 9, "permissions")


@check("ROL-11 role sets")
def _():
    key = f"role_set:{unique()}"
    made = clerk.role_sets.create(
        name="Partners", key=key, default_role_key="org:member", creator_role_key="org:admin", roles=["org:admin", "org:member"]
    )
    equal((made.key, made.default_role.key, made.creator_role.key), (key, "org:member", "org:admin"), "made")
    equal(clerk.role_sets.get(role_set_key_or_id=made.id).key, key, "read")
    equal(clerk.role_sets.update(role_set_key_or_id=key, name="Others").name, "Others", "changed")
    true(clerk.role_sets.list(limit=1).total_count >= 2, "listed")
    refused(lambda: clerk.role_sets.get(role_set_key_or_id=f"role_set:{unique()}"), (404, "resource_not_found"))


@contextlib.contextmanager
def role(**fields):
    """A role of one's own, for a while: an instance has ten at most."""
    made = clerk.organization_roles.create(name="Role", key=f"org:{unique('role')}", **fields)
    try:
        yield made
    finally:
        gone = clerk.organization_roles.delete(organization_role_id=made.id)
        equal((gone.id, gone.deleted), (made.id, True), "deleted role")


def permission(action="read"):
    return clerk.organization_permissions.create(name="Permission", key=f"org:{unique('feature')}:{action}")


@check("ROL-5 ROL-6 ROL-10 roles and permissions of one's own")
def _():
    one = permission()
    changed = clerk.organization_permissions.update(permission_id=one.id, description="Reads")
    equal((changed.key, changed.description, changed.type), (one.key, "Reads", "user"), "changed permission")
    equal(clerk.organization_permissions.get(permission_id=one.id).key, one.key, "read permission")
    with role(permissions=[one.id]) as made:
        equal([p.key for p in made.permissions], [one.key], "permissions")
        ids = {"organization_role_id": made.id, "permission_id": one.id}
        refused(lambda: clerk.organization_roles.assign_permission(**ids), (409, "organization_role_permission_association_exists"))
        equal(clerk.organization_roles.remove_permission(**ids).permissions, [], "removed")
        refused(lambda: clerk.organization_roles.remove_permission(**ids), (404, "organization_role_permission_association_not_found"))
        equal(len(clerk.organization_roles.assign_permission(**ids).permissions), 1, "assigned")
        equal(clerk.organization_roles.update(organization_role_id=made.id, name="Other").name, "Other", "changed role")
    gone = clerk.organization_permissions.delete(permission_id=one.id)
    equal((gone.id, gone.deleted), (one.id, True), "deleted permission")
    refused(
        lambda: clerk.organization_roles.create(name="Role", key="org:admin"), (422, "form_identifier_exists")
    )


@check("ROL-15 ROL-17 roles and role sets are replaced")
def _():
    with role() as made:
        key = f"role_set:{unique()}"
        clerk.role_sets.create(
            name="Old", key=key, default_role_key="org:member", creator_role_key="org:admin", roles=["org:admin", "org:member"]
        )
        added = clerk.role_sets.add_roles(role_set_key_or_id=key, role_keys=[made.key], default_role_key=made.key)
        equal(added.default_role.key, made.key, "default role")
        replaced = clerk.role_sets.replace_role(role_set_key_or_id=key, role_key=made.key, to_role_key="org:member")
        equal(([r.key for r in replaced.roles], replaced.default_role.key), (["org:admin", "org:member"], "org:member"), "replaced")
        initial = clerk.instance_settings.get_organization_settings().initial_role_set_key
        gone = clerk.role_sets.replace(role_set_key_or_id=key, dest_role_set_key=initial, reassignment_mappings={"org:member": "org:member"})
        equal(gone.deleted, True, "deleted set")
        refused(
            lambda: clerk.role_sets.replace(role_set_key_or_id=initial, dest_role_set_key=initial),
            (403, "cannot_delete_initial_role_set"),
        )


# --- instance

section("instance")


@check("Instance: settings and allowed origins")
def _():
    settings = clerk.instance_settings.get_organization_settings()
    equal((settings.enabled, settings.creator_role, settings.domains_default_role), (True, "org:admin", "org:member"), "settings")
    changed = clerk.instance_settings.update_organization_settings(request={"max_allowed_memberships": settings.max_allowed_memberships})
    equal(changed.max_allowed_memberships, settings.max_allowed_memberships, "changed")
    before = clerk.instance_settings.get().allowed_origins or []
    origin = f"https://{unique('app')}.example.test"
    clerk.instance_settings.update(request={"allowed_origins": [*before, origin]})
    try:
        true(origin in clerk.instance_settings.get().allowed_origins, "allowed_origins")
    finally:
        clerk.instance_settings.update(request={"allowed_origins": before})


section("redirect_urls")


@check("DEC-28 a redirect URL is made, read, listed and deleted")
def _():
    url = f"https://{unique('app')}.example.test/callback"
    made = clerk.redirect_urls.create(request={"url": url})
    equal(clerk.redirect_urls.get(id=made.id).url, url, "read")
    true(made.id in ids(clerk.redirect_urls.list(limit=500)), "listed")
    equal(clerk.redirect_urls.delete(id=made.id).deleted, True, "deleted")
    refused(lambda: clerk.redirect_urls.get(id=made.id), (404, "resource_not_found"))


# --- enterprise connections

section("enterprise_connections")

for provider in ("saml_custom", "saml_okta", "saml_google", "saml_microsoft"):

    @check(f"CON-6 {provider}: created, read, changed, listed and deleted")
    def _(provider=provider):
        organization = new_organization()
        made = new_connection(provider=provider, organization_id=organization.id, saml={"idp_entity_id": "urn:idp"})
        equal((made.provider, made.active, made.organization_id), (provider, False, organization.id), "made")
        equal(made.saml_connection.idp_entity_id, "urn:idp", "idp_entity_id")
        true(made.saml_connection.acs_url.endswith(f"/v1/saml/acs/{made.saml_connection.id}"), made.saml_connection.acs_url)
        equal(clerk.enterprise_connections.get(enterprise_connection_id=made.id).id, made.id, "read")
        changed = clerk.enterprise_connections.update(enterprise_connection_id=made.id, name="Renamed", sync_user_attributes=False)
        equal((changed.name, changed.sync_user_attributes), ("Renamed", False), "changed")
        listed = clerk.enterprise_connections.list(organization_id=organization.id, active=False)
        equal((ids(listed.data), listed.total_count), ([made.id], 1), "listed")
        equal(clerk.enterprise_connections.list(organization_id=organization.id, active=True).total_count, 0, "active ones")
        deleted = clerk.enterprise_connections.delete(enterprise_connection_id=made.id)
        equal((deleted.object, deleted.id, deleted.deleted), ("enterprise_connection", made.id, True), "deleted")
        refused(lambda: clerk.enterprise_connections.get(enterprise_connection_id=made.id), (404, "resource_not_found"))


@check("CON-9 refusals")
def _():
    organization = new_organization()
    made = new_connection(organization_id=organization.id)
    refused(lambda: new_connection(organization_id=organization.id), (422, "organization_already_has_sso_connection"))
    refused(lambda: new_connection(domains=["gmail.com"]), (422, "organization_domain_common"))
    refused(lambda: new_connection(domains=["nonsense"]), (422, "form_param_value_invalid"), (422, "form_param_format_invalid"))
    refused(lambda: new_connection(saml={"idp_metadata": "nonsense"}), (422, "saml_failed_to_parse_idp_metadata"))
    refused(
        lambda: clerk.enterprise_connections.update(enterprise_connection_id=made.id, active=True),
        (422, "saml_connection_cant_be_activated"),
    )


BY_HAND = {
    "auth_url": "https://op.example.test/authorize",
    "token_url": "https://op.example.test/token",
    "user_info_url": "https://op.example.test/userinfo",
}

for provider in ("oidc_custom", "oidc_github_enterprise", "oidc_gitlab"):

    @check(f"CON-6 {provider}: created, read, changed, activated, listed and deleted")
    def _(provider=provider):
        organization = new_organization()
        secret = unique("hidden")
        oidc = {"client_id": "client", "client_secret": secret, **BY_HAND}
        made = new_connection(provider=provider, organization_id=organization.id, oidc=oidc)
        equal((made.provider, made.active, made.organization_id), (provider, False, organization.id), "made")
        equal((made.oauth_config.client_id, made.oauth_config.token_url), ("client", BY_HAND["token_url"]), "oauth_config")
        true(secret not in made.model_dump_json(), "the answer holds the secret")
        read = clerk.enterprise_connections.get(enterprise_connection_id=made.id)
        equal((read.id, read.oauth_config.auth_url), (made.id, BY_HAND["auth_url"]), "read")
        changed = clerk.enterprise_connections.update(
            enterprise_connection_id=made.id, active=True, oidc={"client_id": "other", "requires_pkce": True}
        )
        equal((changed.active, changed.oauth_config.client_id, changed.oauth_config.requires_pkce), (True, "other", True), "changed")
        listed = clerk.enterprise_connections.list(organization_id=organization.id, active=True)
        equal((ids(listed.data), listed.total_count), ([made.id], 1), "listed")
        clerk.enterprise_connections.update(enterprise_connection_id=made.id, active=False)
        deleted = clerk.enterprise_connections.delete(enterprise_connection_id=made.id)
        equal((deleted.object, deleted.id, deleted.deleted), ("enterprise_connection", made.id, True), "deleted")
        refused(lambda: clerk.enterprise_connections.get(enterprise_connection_id=made.id), (404, "resource_not_found"))


@check("OID-2 a discovery document names the endpoints")
def _():
    with discovery() as issuer:
        url = f"{issuer}/.well-known/openid-configuration"
        oidc = {"client_id": "client", "client_secret": "hidden", "discovery_url": url}
        made = new_connection(provider="oidc_custom", active=True, oidc=oidc)
        equal((made.active, made.oauth_config.discovery_url), (True, url), "made")
        equal((made.oauth_config.auth_url, made.oauth_config.token_url), (f"{issuer}/authorize", f"{issuer}/token"), "endpoints")
        mismatch = {"discovery_url": f"{issuer}/other/.well-known/openid-configuration"}
        refused(
            lambda: new_connection(provider="oidc_gitlab", oidc=mismatch),
            (422, "custom_oauth_provider_discovery_issuer_mismatch"),
        )
    refused(
        lambda: new_connection(provider="oidc_custom", oidc={"discovery_url": url}),
        (422, "custom_oauth_provider_discovery_server_retrieval_error"),
    )


@check("OID-8 a stored secret follows no connection to another provider")
def _():
    made = new_connection(provider="oidc_custom", oidc={"client_id": "client", "client_secret": "hidden", **BY_HAND})
    change = lambda **oidc: clerk.enterprise_connections.update(enterprise_connection_id=made.id, oidc=oidc)
    elsewhere = "https://other.example.test/token"
    refused(lambda: change(token_url=elsewhere), (422, "form_param_missing"))
    equal(change(token_url=elsewhere, client_secret="of the other").oauth_config.token_url, elsewhere, "moved")


@check("OID-3, OID-7, OID-14 refusals of connections that speak OpenID Connect")
def _():
    refused(
        lambda: new_connection(provider="oidc_github_enterprise", oidc={"discovery_url": "https://op.example.test/"}),
        (422, "custom_oauth_provider_cannot_use_discovery_url"),
    )
    refused(
        lambda: new_connection(provider="oidc_custom", oidc={"client_id": "client", **BY_HAND}),
        (422, "form_public_client_requires_pkce"),
    )
    refused(lambda: new_connection(provider="oidc_custom", active=True), (422, "saml_connection_cant_be_activated"))
    refused(
        lambda: new_connection(provider="oidc_custom", saml={"idp_entity_id": "urn:idp"}),
        (400, "enterprise_connection_invalid_type"),
    )
    refused(
        lambda: new_connection(provider="saml_custom", oidc={"client_id": "client"}),
        (400, "enterprise_connection_invalid_type"),
    )


for provider in ("oauth_google", "oauth_microsoft"):

    @check(f"CON-2 {provider}: read, changed, activated, listed and deleted")
    def _(provider=provider):
        organization = new_organization()
        secret = unique("hidden")
        refused_by_sdk = None
        try:
            new_connection(provider=provider)
        except ClerkBaseError:
            raise
        except Exception as error:
            refused_by_sdk = error
        true(refused_by_sdk is not None, "the SDK sends this provider by now: create through it")
        made = clerk.enterprise_connections.get(enterprise_connection_id=new_easie_connection(provider, organization))
        equal((made.provider, made.active, made.organization_id), (provider, False, organization.id), "made")
        equal((made.oauth_config.provider_key, made.oauth_config.discovery_url), (provider, None), "oauth_config")
        activate = lambda **fields: clerk.enterprise_connections.update(enterprise_connection_id=made.id, active=True, **fields)
        refused(activate, (422, "easie_invalid_oauth_credentials"))
        refused(lambda: activate(oidc={"client_id": "client"}), (422, "easie_invalid_oauth_credentials"))
        changed = activate(oidc={"client_id": "client", "client_secret": secret})
        equal((changed.active, changed.oauth_config.client_id), (True, "client"), "changed")
        true(secret not in changed.model_dump_json(), "the answer holds the secret")
        read = clerk.enterprise_connections.get(enterprise_connection_id=made.id)
        equal((read.id, read.oauth_config.client_id), (made.id, "client"), "read")
        listed = clerk.enterprise_connections.list(organization_id=organization.id, active=True)
        equal((ids(listed.data), listed.total_count), ([made.id], 1), "listed")
        for fixed in (
            {"oidc": {"token_url": "https://op.example.test/token"}},
            {"oidc": {"requires_pkce": True}},
            {"disable_additional_identifications": False},
        ):
            refused(
                lambda: clerk.enterprise_connections.update(enterprise_connection_id=made.id, **fixed),
                (400, "enterprise_connection_invalid_type"),
            )
        clerk.enterprise_connections.update(enterprise_connection_id=made.id, active=False)
        deleted = clerk.enterprise_connections.delete(enterprise_connection_id=made.id)
        equal((deleted.object, deleted.id, deleted.deleted), ("enterprise_connection", made.id, True), "deleted")
        refused(lambda: clerk.enterprise_connections.get(enterprise_connection_id=made.id), (404, "resource_not_found"))


# --- sessions

section("sessions")


def public_key(token):
    kid = jwt.get_unverified_header(token)["kid"]
    [key] = [key for key in clerk.jwks.get_jwks().keys if key.kid == kid]
    return jwt.PyJWK(json.loads(key.model_dump_json(exclude_none=True))).key


def pem(token):
    from cryptography.hazmat.primitives import serialization

    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return public_key(token).public_bytes(*form).decode()


@check("TOK-11 a session is made, read, listed and revoked")
def _():
    user = new_user()
    session = new_session(user)
    equal((session.user_id, session.status), (user.id, "active"), "made")
    equal(clerk.sessions.get(session_id=session.id).id, session.id, "read")
    equal(ids(clerk.sessions.list(user_id=user.id, status="active")), [session.id], "listed")
    equal(clerk.sessions.revoke(session_id=session.id).status, "revoked", "revoked")
    refused(lambda: clerk.sessions.get(session_id=unknown("sess")), (404, "resource_not_found"))
    refused(lambda: clerk.sessions.revoke(session_id=unknown("sess")), (404, "resource_not_found"))


@check("TOK-8 a token verifies by the key set and by a PEM key")
def _():
    user = new_user()
    token = clerk.sessions.create_token(session_id=new_session(user).id).jwt
    by_set = verify_token(token, VerifyTokenOptions(secret_key=options.secret_key, api_url=options.base))
    by_key = verify_token(token, VerifyTokenOptions(jwt_key=pem(token)))
    equal((by_set["sub"], by_key["sub"], by_set["v"]), (user.id, user.id, 2), "claims")
    header, payload, signature = token.split(".")
    claims = {**by_set, "sub": unknown("user")}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    try:
        verify_token(f"{header}.{forged}.{signature}", VerifyTokenOptions(jwt_key=pem(token)))
    except TokenVerificationError:
        return
    raise Failed("a changed token was accepted")


@check("TOK-7 the lifetime of a token can be chosen")
def _():
    session = new_session(new_user())
    token = clerk.sessions.create_token(session_id=session.id, expires_in_seconds=600).jwt
    claims = verify_token(token, VerifyTokenOptions(jwt_key=pem(token)))
    equal(claims["exp"] - claims["iat"], 600, "lifetime")
    refused(lambda: clerk.sessions.create_token(session_id=session.id, expires_in_seconds=29), (422, "*"))


@check("TOK-2 a request is authenticated, with its organization")
def _():
    admin, organization = new_team()
    token = clerk.sessions.create_token(session_id=new_session(admin).id).jwt

    class Request:
        headers = {"Authorization": f"Bearer {token}"}

    state = authenticate_request(Request(), AuthenticateRequestOptions(secret_key=options.secret_key, jwt_key=pem(token)))
    true(state.is_signed_in, f"not signed in: {state.reason}")
    equal((state.payload["sub"], state.payload["o"]["id"], state.payload["o"]["rol"]), (admin.id, organization.id, "admin"), "claims")


@check("TOK-3 the permissions of a request are those of its role, now")
def _():
    one, two = permission("read"), permission("write")
    _, organization = new_team()
    user = new_user()
    with role(permissions=[one.id, two.id], include_in_initial_role_set=True) as held:
        join(organization, user, held.key)
        session = new_session(user)

        def seen():
            token = clerk.sessions.create_token(session_id=session.id).jwt

            class Request:
                headers = {"Authorization": f"Bearer {token}"}

            state = authenticate_request(Request(), AuthenticateRequestOptions(secret_key=options.secret_key, jwt_key=pem(token)))
            true(state.is_signed_in, f"not signed in: {state.reason}")
            return sorted(state.payload.get("org_permissions") or [])

        equal(seen(), sorted([one.key, two.key]), "permissions")
        clerk.organization_roles.remove_permission(organization_role_id=held.id, permission_id=one.id)
        equal(seen(), [two.key], "one less")
        clerk.organization_permissions.delete(permission_id=two.id)
        equal(seen(), [], "none")
        clerk.organization_memberships.delete(organization_id=organization.id, user_id=user.id)
    clerk.organization_permissions.delete(permission_id=one.id)


section("credentials")


@check("API-1 a wrong key is refused")
def _():
    letters = string.ascii_letters + string.digits
    key = "sk_live_" + "".join(secrets.choice(letters) for _ in range(40))
    stranger = client(key)
    refused(lambda: stranger.users.list(request={}), (401, "clerk_key_invalid"))
    refused(lambda: stranger.organizations.create(request={"name": "Intruder"}), (401, "clerk_key_invalid"))


# --- running


def client(key):
    # Without this the SDK repeats a call that failed with a 5xx for up to an hour.
    never = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
    return Clerk(bearer_auth=key, server_url=f"{options.base}/v1", retry_config=never, timeout_ms=20_000)


def main():
    passed = failed = 0
    only = options.only.split(",") if options.only else None
    strangers = set(only or []) - {section for section, _, _ in CHECKS}
    if strangers:
        print(f"FAIL start: --only: no section named {', '.join(sorted(strangers))}")
        failed += 1
    for name_of_section, name, run in CHECKS:
        if only and name_of_section not in only:
            continue
        title = f"{name_of_section}: {name}"
        try:
            run()
        except Exception as error:  # one broken check must not hide the others
            failed += 1
            print(f"FAIL {title}: {explain(error)}", flush=True)
        else:
            passed += 1
            print(f"ok   {title}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def explain(error):
    if isinstance(error, ClerkBaseError):
        request = error.raw_response.request if getattr(error, "raw_response", None) is not None else None
        where = f"{request.method} {request.url.path} -> " if request is not None else ""
        cause = f" ({' '.join(str(error.__cause__).split())})" if error.__cause__ else ""
        return f"{where}{error.status_code} {' '.join((error.body or '').split())[:300]}{cause[:1500]}"
    kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())[:1500]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, type=lambda text: text.rstrip("/"))
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--only", help="sections, comma-separated")
    options = parser.parse_args()
    clerk = client(options.secret_key)
    sys.exit(main())
