-- Links with their targets, permissions, and what a registry says of itself.
-- Only TEXT and BIGINT, so that other databases can share it. Names compare byte by byte.

CREATE TABLE registry (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE links (
    database_name TEXT NOT NULL,
    link TEXT NOT NULL,
    folded TEXT NOT NULL, -- both names in lower case
    type TEXT NOT NULL,
    description TEXT NOT NULL,
    config TEXT NOT NULL, -- as shown: without secrets
    sealed TEXT NOT NULL, -- both clauses
    key_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_at TEXT NOT NULL,
    state_by TEXT,
    ignored TEXT NOT NULL, -- JSON
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (database_name, link)
);

CREATE INDEX links_folded ON links (folded);

-- No foreign key: the targets of pipelines and functions outlive a dropped link.
CREATE TABLE targets (
    database_name TEXT NOT NULL,
    link TEXT NOT NULL,
    position BIGINT NOT NULL,
    sealed TEXT NOT NULL, -- the target and its schema registry
    key_id TEXT NOT NULL,
    intent TEXT NOT NULL,
    format TEXT,
    user_kind TEXT,
    user_database TEXT,
    user_name TEXT,
    PRIMARY KEY (database_name, link, position)
);

CREATE INDEX targets_user ON targets (user_name, user_database, user_kind);

CREATE TABLE grants (
    user_name TEXT NOT NULL,
    permission TEXT NOT NULL,
    database_name TEXT NOT NULL, -- '' stands for every database
    PRIMARY KEY (user_name, permission, database_name)
);
