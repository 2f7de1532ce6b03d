//! Who may do what: every statement for every grant.

use std::fmt::Write as _;

use linkdial::apply::{ApplyOptions, Outcome};
use linkdial::linkdial_core::Code;
use linkdial::registry::Permission::{CreateLink, DropLink, ShowLink};
use linkdial::registry::{Grant, Permission};

use super::lab::{Lab, Run};

/// A statement about `shop`, and what a user needs there to run it.
struct Row {
    name: &'static str,
    text: &'static str,
    needs: &'static [Permission],
}

/// Each has links of its own, so that all of them run in one script.
const ROWS: [Row; 17] = [
    Row {
        name: "CREATE LINK",
        text: "-- linkdial: verify deferred\nCREATE LINK shop.n1 AS KAFKA CREDENTIALS '{}';",
        needs: &[CreateLink],
    },
    Row {
        name: "CREATE LINK, the same again",
        text: "-- linkdial: verify deferred\nCREATE LINK shop.l1 AS KAFKA CREDENTIALS '{}';",
        needs: &[CreateLink, ShowLink],
    },
    Row {
        name: "CREATE LINK IF NOT EXISTS",
        text: "CREATE LINK IF NOT EXISTS shop.l2 AS KAFKA CREDENTIALS '{}';",
        needs: &[CreateLink],
    },
    Row {
        name: "CREATE OR REPLACE LINK, a new one",
        text: "-- linkdial: verify deferred\nCREATE OR REPLACE LINK shop.n2 AS KAFKA CREDENTIALS '{}';",
        needs: &[CreateLink],
    },
    Row {
        name: "CREATE OR REPLACE LINK",
        text: "-- linkdial: verify deferred\n\
               CREATE OR REPLACE LINK shop.l3 AS KAFKA CREDENTIALS '{\"sasl.username\": \"u\"}';",
        needs: &[CreateLink, ShowLink],
    },
    Row {
        name: "ALTER LINK",
        text: "-- linkdial: verify deferred\n\
               ALTER LINK shop.l4 SET CREDENTIALS '{\"sasl.username\": \"u\"}';",
        needs: &[CreateLink, ShowLink],
    },
    Row {
        name: "DROP LINK",
        text: "DROP LINK shop.l5;",
        needs: &[DropLink],
    },
    Row {
        name: "DROP LINK IF EXISTS",
        text: "DROP LINK IF EXISTS shop.nothing;",
        needs: &[DropLink],
    },
    Row {
        name: "SHOW LINKS",
        text: "SHOW LINKS ON shop;",
        needs: &[ShowLink],
    },
    Row {
        name: "SHOW CREATE LINK",
        text: "SHOW CREATE LINK shop.l6;",
        needs: &[ShowLink],
    },
    Row {
        name: "CHECK LINK",
        text: "CHECK LINK shop.l6;",
        needs: &[ShowLink],
    },
    Row {
        name: "CREATE PIPELINE",
        text: "CREATE PIPELINE shop.p AS LOAD DATA LINK shop.l7 'b:9092/t' INTO TABLE t;",
        needs: &[ShowLink],
    },
    Row {
        name: "SELECT INTO LINK",
        text: "SELECT 1 INTO LINK shop.l7 'b:9092/t';",
        needs: &[ShowLink],
    },
    Row {
        name: "BACKUP",
        text: "BACKUP DATABASE shop TO LINK shop.l7 'b:9092/t';",
        needs: &[ShowLink],
    },
    Row {
        name: "DROP PIPELINE",
        text: "DROP PIPELINE shop.old;",
        needs: &[ShowLink],
    },
    Row {
        name: "SELECT FROM information_schema.LINKS",
        text: "SELECT * FROM information_schema.LINKS;",
        needs: &[],
    },
    Row {
        name: "SHOW GRANTS",
        text: "SHOW GRANTS;",
        needs: &[],
    },
];

const ROOTS_ALONE: [&str; 3] = [
    "GRANT SHOW LINK ON shop.* TO bob;",
    "REVOKE SHOW LINK ON shop.* FROM bob;",
    "SHOW GRANTS FOR bob;",
];

const SETS: [&[Permission]; 5] = [
    &[],
    &[CreateLink],
    &[ShowLink],
    &[DropLink],
    &[CreateLink, ShowLink],
];

/// A place of a grant, and whether it reaches the links of `shop`.
const PLACES: [(Option<&str>, bool); 3] =
    [(Some("shop"), true), (Some("other"), false), (None, true)];

/// Returns what each row came to for a user with these grants.
fn come_to(grants: &[Grant]) -> Vec<(Outcome, Option<Code>)> {
    let lab = Lab::new();
    let defer = ApplyOptions {
        defer: true,
        ..ApplyOptions::default()
    };
    let mut text = String::new();
    for number in 1..8 {
        writeln!(
            text,
            "CREATE LINK shop.l{number} AS KAFKA CREDENTIALS '{{}}';"
        )
        .unwrap();
    }
    text += "CREATE PIPELINE shop.old AS LOAD DATA LINK shop.l6 'b:9092/t' INTO TABLE t;\n";
    let run = Run {
        apply: defer,
        ..Run::default()
    };
    let made = lab.run("root.sql", &text, &run);
    assert_eq!(made.ending.count(Outcome::Deferred), 7, "{}", made.page);
    let mut text = String::new();
    for grant in grants {
        let database = grant.database.as_deref().unwrap_or("*");
        let permission = grant.permission.as_str();
        writeln!(
            text,
            "GRANT {permission} ON {database}.* TO '{}';",
            grant.user
        )
        .unwrap();
    }
    let given = lab.run("grants.sql", &text, &Run::default());
    assert_eq!(
        given.ending.count(Outcome::Granted),
        grants.len(),
        "{}",
        given.page
    );
    let mut text = String::new();
    for row in ROWS {
        text += row.text;
        text.push('\n');
    }
    text += &ROOTS_ALONE.join("\n");
    let run = Run {
        apply: ApplyOptions {
            user: "ada".to_owned(),
            defer: true,
            plan: false,
        },
        ..Run::default()
    };
    let ran = lab.run("ada.sql", &text, &run);
    assert_eq!(ran.ending.errors.len(), 0, "{}", ran.page);
    let all = ran.statements.into_iter();
    all.map(|it| (it.outcome, it.error.map(|error| error.code)))
        .collect()
}

#[test]
fn every_statement_wants_its_permission() {
    let mut wrong = Vec::new();
    let mut cells = 0;
    for set in SETS {
        for (place, reaches) in PLACES {
            let grants: Vec<Grant> = set
                .iter()
                .map(|permission| Grant {
                    user: "ada".to_owned(),
                    permission: *permission,
                    database: place.map(str::to_owned),
                })
                .collect();
            let words: Vec<String> = grants.iter().map(ToString::to_string).collect();
            let found = come_to(&grants);
            assert_eq!(found.len(), ROWS.len() + ROOTS_ALONE.len());
            let roots = ROOTS_ALONE.iter().map(|text| (*text, false));
            let expected = ROWS.iter().map(|row| {
                let has = |needed| reaches && set.contains(needed);
                (row.name, row.needs.iter().all(has))
            });
            for ((name, allowed), found) in expected.chain(roots).zip(found) {
                cells += 1;
                let refused = (Outcome::Error, Some(Code::SqlNotPermitted));
                let fits = if allowed {
                    found.0 != Outcome::Error
                } else {
                    found == refused
                };
                if !fits {
                    wrong.push(format!("{name} with {words:?}: {found:?}"));
                }
            }
        }
    }
    assert_eq!(cells, 20 * 15);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn root_needs_no_grant() {
    let lab = Lab::new();
    let text = "-- linkdial: verify deferred\nCREATE LINK shop.a AS KAFKA CREDENTIALS '{}';\n\
                SHOW LINKS ON shop; DROP LINK shop.a; SHOW GRANTS FOR ada;";
    let ran = lab.run("root.sql", text, &Run::default());
    assert_eq!(ran.outcomes(), ["deferred", "shown", "dropped", "shown"]);
}
