-- How many organizations somebody made, which limits how many more they may make.
CREATE INDEX organizations_created_by ON organizations (created_by);
