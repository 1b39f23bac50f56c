-- Who holds a role is asked of all organizations together before the role goes; of one organization it is the same index.
DROP INDEX organization_memberships_role;
CREATE INDEX organization_memberships_role ON organization_memberships (role_id, organization_id);
