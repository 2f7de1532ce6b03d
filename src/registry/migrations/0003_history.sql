-- What sweeps found, night by night. But for the targets, nothing in it may be secret.

CREATE TABLE sweeps (
    number BIGINT NOT NULL PRIMARY KEY,
    who TEXT NOT NULL,
    host TEXT,
    started TEXT NOT NULL,
    ended TEXT, -- NULL while it runs, and when it was killed
    state TEXT NOT NULL,
    passed BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    unverified BIGINT NOT NULL
);

-- What tells a check from the others of its sweep.
CREATE TABLE check_names (
    number BIGINT NOT NULL PRIMARY KEY,
    database_name TEXT NOT NULL,
    link TEXT NOT NULL,
    twin BIGINT NOT NULL, -- counts those that a report shows alike
    sealed TEXT NOT NULL, -- the target, as shown and whole
    key_id TEXT NOT NULL
);

CREATE INDEX check_names_link ON check_names (database_name, link);

-- What a check found on its way; the same for most nights.
CREATE TABLE facts (
    number BIGINT NOT NULL PRIMARY KEY,
    facts TEXT NOT NULL -- JSON
);

CREATE TABLE checks (
    name BIGINT NOT NULL,
    sweep BIGINT NOT NULL,
    type TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT,
    elapsed_us BIGINT NOT NULL,
    definition BIGINT,
    facts BIGINT NOT NULL,
    steps TEXT NOT NULL, -- JSON
    PRIMARY KEY (name, sweep)
);

CREATE INDEX checks_sweep ON checks (sweep);
CREATE INDEX checks_facts ON checks (facts);

-- The number of the last change of a link's clauses; its revision counts changes of targets too.
ALTER TABLE links ADD COLUMN definition BIGINT NOT NULL DEFAULT 0;
UPDATE links SET definition = revision;
