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
