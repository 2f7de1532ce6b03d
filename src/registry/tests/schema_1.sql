-- A registry of schema 1 with one link, a target and a grant; its key is schema_1.key.
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'links','2026-11-23 00:00:00',1,X'4016BE37610018058291FEC002C3BD4FFB09262E06B2BFA5F87998BFDE3FE0738F300D293D906E2B8A0595D279D27B9C',0);
CREATE TABLE grants (
    user_name TEXT NOT NULL,
    permission TEXT NOT NULL,
    database_name TEXT NOT NULL, -- '' stands for every database
    PRIMARY KEY (user_name, permission, database_name)
);
INSERT INTO "grants" VALUES('ada','SHOW LINK','shop');
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
INSERT INTO "links" VALUES('shop','orders','["shop","orders"]','S3','','{}','9v/cvNSdCO2WWit55TA2EuXT0Aaf78omFF2nb68jUr5t31ZOkCFoYIJbMbDKL+NOtctUrcQkif/OF+zwJ6xVXkBGE/yUWoRrSDcZr3S9zDRT61jrhgn4tKMnOeSOAg==','3dd2142ddd60e359',2,'verified','2026-11-22T16:00:00.25Z',NULL,'[]','2026-11-23T00:00:00Z','ada');
CREATE TABLE registry (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO "registry" VALUES('key','3dd2142ddd60e359');
INSERT INTO "registry" VALUES('check','cWS3Q21IllMng/UA5/7B1g53cfB5riAAjDJnIId9AZbR9R+nB/Js/xpaE2fkjI5F1o4+39wVi+Q=');
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
INSERT INTO "targets" VALUES('shop','orders',0,'C0oFLf8BI1ZU0mYrZeOzNjjZ2PRuOVc/BH6dB1Mya49/uJA1TgIfGWn+W5xmKCRt8qaV6iII4B7LCAu1lfnX8MfqgoYQBA==','3dd2142ddd60e359','read',NULL,'PIPELINE','shop','load');
CREATE INDEX links_folded ON links (folded);
CREATE INDEX targets_user ON targets (user_name, user_database, user_kind);
