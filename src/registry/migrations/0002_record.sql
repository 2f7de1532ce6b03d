-- What was done and dialled, and by whom.

CREATE TABLE record (
    number BIGINT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    database_name TEXT,
    link TEXT,
    verdict TEXT,
    code TEXT,
    detail TEXT
);

-- It starts with what the links remember, so that it agrees with their revisions.
INSERT INTO record (number, at, who, action, database_name, link)
SELECT revision, changed_at, changed_by, 'create', database_name, link FROM links;
