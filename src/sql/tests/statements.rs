//! Statements about the links of a registry: what each form comes to, and what is said of a slip.

use linkdial_core::{Code, Intent};

use crate::sql::ast::{Comparison, Grants, SelectLinks, StatementKind};
use crate::sql::error::SyntaxError;
use crate::sql::read;
use crate::sql::source::FileId;

/// Reads the one statement of a text, and writes it down as short as it can be told.
fn tree(text: &str) -> String {
    let file = read("a.sql", String::from(text), FileId(0));
    assert!(file.errors.is_empty(), "{text}: {:?}", file.errors);
    let [statement] = &file.statements[..] else {
        panic!("{text}: {:?}", file.statements);
    };
    match &statement.kind {
        StatementKind::CheckLink {
            link,
            target,
            intent,
        } => {
            let link = link.resolve(None);
            let target = target.as_ref().map(|(target, span)| {
                assert!(text[span.clone()].contains(&target.to_string()), "{text}");
                target.to_string()
            });
            let word = if *intent == Intent::WRITE {
                "write"
            } else {
                "read"
            };
            format!("check {link} {target:?} {word}")
        }
        StatementKind::Grant(grants) => format!("grant {}", of_grants(grants)),
        StatementKind::Revoke(grants) => format!("revoke {}", of_grants(grants)),
        StatementKind::SelectLinks(select) => of_select(select),
        StatementKind::ShowCreateLink { name } => format!("show create {}", name.resolve(None)),
        StatementKind::ShowGrants { user } => format!("show grants {user:?}"),
        StatementKind::ShowLinks { database } => format!("show links {database:?}"),
        StatementKind::Skipped { words } => format!("skipped {words}"),
        StatementKind::Uses(uses) => format!("uses {}", uses.words),
        other => panic!("{text}: {other:?}"),
    }
}

fn of_grants(grants: &Grants) -> String {
    let permissions: Vec<_> = grants.permissions.iter().map(|it| it.as_str()).collect();
    format!(
        "{} on {:?} for {:?}, others {:?}",
        permissions.join("+"),
        grants.database,
        grants.users,
        grants.others
    )
}

fn of_select(select: &SelectLinks) -> String {
    let columns: Vec<_> = select.columns.iter().map(|it| it.as_str()).collect();
    let mut out = format!("select {}", columns.join(" "));
    for condition in &select.conditions {
        let column = condition.column.as_str();
        let (sign, text) = match &condition.comparison {
            Comparison::Equal(text) => ("=", text),
            Comparison::Like(pattern) => ("like", pattern),
        };
        for part in [", ", column, " ", sign, " ", text] {
            out.push_str(part);
        }
    }
    out
}

/// Reads a text with one error.
fn error(text: &str) -> SyntaxError {
    let file = read("a.sql", String::from(text), FileId(0));
    assert_eq!(file.errors.len(), 1, "{text}: {:?}", file.errors);
    // A question about a link says nothing against its definition.
    assert!(
        file.statements.iter().any(|it| matches!(
            it.kind,
            StatementKind::Broken(None) | StatementKind::Unanswered { .. }
        )),
        "{text}: {:?}",
        file.statements
    );
    file.errors.into_iter().next().unwrap()
}

/// Holds what the error covers, what it says and how to repair it against a table.
pub(super) fn assert_errors(code: Code, table: &[(&str, &str, &str, &str)]) {
    for (text, covered, message, hint) in table {
        let error = error(text);
        assert_eq!(error.code, code, "{text}");
        assert_eq!(&text[error.span.clone()], *covered, "{text}");
        assert_eq!(error.message, *message, "{text}");
        assert_eq!(error.hint.as_deref().unwrap_or_default(), *hint, "{text}");
    }
}

pub(super) fn assert_trees(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(tree(text), *expected, "{text}");
    }
}

#[test]
fn show_takes_links_definitions_and_grants() {
    assert_trees(&[
        ("SHOW LINKS", "show links None"),
        ("show links;", "show links None"),
        ("SHOW LINKS ON `my db`;", "show links Some(\"my db\")"),
        ("SHOW CREATE LINK a;", "show create a"),
        ("Show Create Link `d.b`.`a``b`", "show create d.b.a`b"),
        ("SHOW GRANTS;", "show grants None"),
        ("SHOW GRANTS FOR CURRENT_USER();", "show grants None"),
        ("SHOW GRANTS FOR current_user", "show grants None"),
        ("SHOW GRANTS FOR ana", "show grants Some(\"ana\")"),
        ("SHOW GRANTS FOR 'an''a'@'%'", "show grants Some(\"an'a\")"),
        ("SHOW GRANTS FOR `ana` @ `%`", "show grants Some(\"ana\")"),
        ("SHOW GRANTS FOR \"ana\"@\"%\"", "show grants Some(\"ana\")"),
        ("SHOW GRANTS FOR role", "show grants Some(\"role\")"),
    ]);
}

#[test]
fn what_else_can_be_shown_is_passed_over() {
    assert_trees(&[
        ("SHOW TABLES;", "skipped SHOW TABLES"),
        ("SHOW DATABASES LIKE 'a%';", "skipped SHOW DATABASES"),
        ("SHOW CREATE TABLE t;", "skipped SHOW CREATE"),
        ("SHOW CREATE PIPELINE p;", "skipped SHOW CREATE"),
        ("SHOW GRANTS FOR ROLE 'r';", "skipped SHOW GRANTS"),
        ("SHOW GRANTS FOR GROUP g;", "skipped SHOW GRANTS"),
        ("SHOW;", "skipped SHOW"),
        ("CHECK TABLE t;", "skipped CHECK"),
        ("CHECK 1;", "skipped CHECK"),
    ]);
    for word in [
        "AGGREGATES",
        "CHARACTER",
        "COLLATION",
        "COLUMNS",
        "CREATE",
        "ENGINES",
        "ERRORS",
        "EVENTS",
        "FULL",
        "FUNCTIONS",
        "GROUPS",
        "INDEX",
        "INDEXES",
        "KEYS",
        "LEAVES",
        "LOCKS",
        "PARTITIONS",
        "PIPELINES",
        "PLAN",
        "PLANCACHE",
        "PLUGINS",
        "PRIVILEGES",
        "PROCEDURES",
        "PROCESSLIST",
        "PROFILE",
        "PROJECTIONS",
        "ROLES",
        "SCHEMAS",
        "STATUS",
        "TABLE",
        "TRIGGERS",
        "USERS",
        "VARIABLES",
        "VIEWS",
        "WARNINGS",
        "WORKLOAD",
    ] {
        assert_eq!(
            tree(&format!("SHOW {word}")),
            format!("skipped SHOW {word}")
        );
    }
}

#[test]
fn a_check_may_have_a_target_and_an_intent() {
    assert_trees(&[
        ("CHECK LINK a", "check a None read"),
        ("check link db.a;", "check db.a None read"),
        ("CHECK LINK a ON 'b/c'", "check a Some(\"b/c\") read"),
        ("CHECK LINK a ON \"b\" FOR READ", "check a Some(\"b\") read"),
        (
            "CHECK LINK a ON 'b' for write;",
            "check a Some(\"b\") write",
        ),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn a_slip_in_show_or_check_is_named() {
    assert_errors(
        Code::SqlUnexpectedToken,
        &[
            (
                "SHOW LINK;",
                "LINK",
                "SHOW LINK is no statement",
                "did you mean `SHOW LINKS`?",
            ),
            (
                "SHOW LINK db.a;",
                "LINK",
                "SHOW LINK is no statement",
                "did you mean `SHOW CREATE LINK`?",
            ),
            (
                "SHOW LNKS;",
                "LNKS",
                "`LNKS` stands where a word of the grammar belongs",
                "did you mean `LINKS`?",
            ),
            (
                "SHOW GRANT FOR a;",
                "GRANT",
                "`GRANT` stands where a word of the grammar belongs",
                "did you mean `GRANTS`?",
            ),
            (
                "SHWO LINKS;",
                "SHWO",
                "`SHWO` stands where a word of the grammar belongs",
                "did you mean `SHOW`?",
            ),
            (
                "SHWO CREATE LINK a;",
                "SHWO",
                "`SHWO` stands where a word of the grammar belongs",
                "did you mean `SHOW`?",
            ),
            (
                "GRNAT DROP LINK ON *.* TO a;",
                "GRNAT",
                "`GRNAT` stands where a word of the grammar belongs",
                "did you mean `GRANT`?",
            ),
            (
                "SHOW CREATE LINKS a;",
                "LINKS",
                "`LINKS` stands where a word of the grammar belongs",
                "did you mean `LINK`?",
            ),
            (
                "SHOW CRAETE LINK a;",
                "CRAETE",
                "`CRAETE` stands where a word of the grammar belongs",
                "did you mean `CREATE`?",
            ),
            (
                "CHECK LNK a;",
                "LNK",
                "`LNK` stands where a word of the grammar belongs",
                "did you mean `LINK`?",
            ),
            (
                "CHEK LINK a;",
                "CHEK",
                "`CHEK` stands where a word of the grammar belongs",
                "did you mean `CHECK`?",
            ),
            (
                "SHOW LINKS FROM db;",
                "FROM",
                "`FROM` stands where the statement could end",
                "",
            ),
            (
                "SHOW LINKS ON 'db';",
                "'db'",
                "a string stands where a database belongs",
                "",
            ),
            (
                "SHOW LINKS ON db.a;",
                ".",
                "`.` stands where the statement could end",
                "",
            ),
            (
                "SHOW CREATE LINK;",
                ";",
                "the end of the statement stands where a link's name belongs",
                "",
            ),
            (
                "SHOW GRANTS FOR;",
                ";",
                "the end of the statement stands where a user's name belongs",
                "",
            ),
            (
                "CHECK LINK a FOR WRITE;",
                "FOR",
                "`FOR` stands where the statement could end",
                "",
            ),
            (
                "CHECK LINK a ON b;",
                "b",
                "`b` stands where the target in quotes belongs",
                "",
            ),
            (
                "CHECK LINK a ON 'b' FOR ALL;",
                "ALL",
                "a word stands where READ or WRITE belongs",
                "",
            ),
        ],
    );
    assert_errors(
        Code::SqlGluedKeyword,
        &[
            (
                "SHOWLINKS ON db;",
                "SHOWLINKS",
                "`SHOWLINKS` is two words without white space between them",
                "write `SHOW LINKS`",
            ),
            (
                "showgrants;",
                "showgrants",
                "`SHOWGRANTS` is two words without white space between them",
                "write `SHOW GRANTS`",
            ),
            (
                "CHECKLINK a;",
                "CHECKLINK",
                "`CHECKLINK` is two words without white space between them",
                "write `CHECK LINK`",
            ),
        ],
    );
    let slip = error("CHECK LINK a ON 'b;\nSHOW LINKS;");
    assert_eq!(
        (slip.code, slip.span),
        (Code::SqlUnterminatedString, 16..17)
    );
}

#[test]
fn a_select_takes_columns_and_comparisons() {
    assert_trees(&[
        (
            "SELECT * FROM information_schema.LINKS",
            "select DATABASE_NAME LINK TYPE DESCRIPTION CONFIG",
        ),
        (
            "select *, state from INFORMATION_SCHEMA.links;",
            "select DATABASE_NAME LINK TYPE DESCRIPTION CONFIG STATE",
        ),
        (
            "SELECT `Config`, link, LINK FROM `information_schema` . `LINKS`",
            "select CONFIG LINK LINK",
        ),
        (
            "SELECT LINK FROM information_schema.LINKS WHERE DATABASE_NAME = 'Sales' AND \
             type LIKE \"s%\" AND `LINK` LIKE 'a\\_b%' AND TYPE='kafka'",
            "select LINK, DATABASE_NAME = Sales, TYPE like S%, LINK like a\\_b%, TYPE = KAFKA",
        ),
    ]);
}

#[test]
fn a_select_from_elsewhere_is_an_export_or_passed_over() {
    assert_trees(&[
        ("SELECT 1;", "skipped SELECT"),
        ("SELECT * FROM LINKS;", "skipped SELECT"),
        ("SELECT * FROM db.LINKS WHERE a = 1 OR b;", "skipped SELECT"),
        (
            "SELECT * FROM information_schema.TABLES ORDER BY 1;",
            "skipped SELECT",
        ),
        (
            "SELECT * FROM t WHERE a IN (SELECT LINK FROM information_schema.LINKS);",
            "skipped SELECT",
        ),
        (
            "(SELECT LINK FROM information_schema.LINKS ORDER BY 1);",
            "skipped SELECT",
        ),
        ("SELECT * FROM t INTO LINK l 'b/c';", "uses SELECT"),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn what_only_a_database_could_select_is_an_error() {
    const POSSIBLE: &str = "write columns or `*`, and in WHERE only `= 'text'` or `LIKE 'pattern'` \
         on DATABASE_NAME, LINK and TYPE, joined by AND";
    let cases = [
        (
            "COUNT(*) FROM information_schema.LINKS",
            "COUNT",
            "`COUNT` is no column of information_schema.LINKS",
        ),
        (
            "DISTINCT TYPE FROM information_schema.LINKS",
            "DISTINCT",
            "`DISTINCT` is no column of information_schema.LINKS",
        ),
        (
            "'LINK' FROM information_schema.LINKS",
            "'LINK'",
            "a string is no column of information_schema.LINKS",
        ),
        (
            "LINK, * FROM information_schema.LINKS",
            "*",
            "`*` is no column of information_schema.LINKS",
        ),
        (
            "LINK AS l FROM information_schema.LINKS",
            "AS",
            "`AS` stands where FROM belongs",
        ),
        (
            "* FROM information_schema.LINKS l",
            "l",
            "`l` stands where WHERE or the statement's end belongs",
        ),
        (
            "* FROM information_schema.LINKS LIMIT 1",
            "LIMIT",
            "`LIMIT` stands where WHERE or the statement's end belongs",
        ),
        (
            "* FROM information_schema.LINKS INTO LINK l 'b'",
            "INTO",
            "`INTO` stands where WHERE or the statement's end belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE LINK = 'a' OR LINK = 'b'",
            "OR",
            "`OR` stands where AND or the statement's end belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE TYPE = 'S3' ORDER BY LINK",
            "ORDER",
            "`ORDER` stands where AND or the statement's end belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE (LINK = 'a')",
            "(",
            "`(` is no column of information_schema.LINKS",
        ),
        (
            "* FROM information_schema.LINKS WHERE CONFIG LIKE '%x%'",
            "CONFIG",
            "`CONFIG` is a column that WHERE does not compare",
        ),
        (
            "* FROM information_schema.LINKS WHERE `state` = 'x'",
            "`state`",
            "a name in back-ticks is a column that WHERE does not compare",
        ),
        (
            "* FROM information_schema.LINKS WHERE LINK <> 'a'",
            "<",
            "`<` stands where `=` or LIKE belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE LINK NOT LIKE 'a'",
            "NOT",
            "`NOT` stands where `=` or LIKE belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE DATABASE_NAME = DATABASE()",
            "DATABASE",
            "`DATABASE` stands where a text in quotes belongs",
        ),
        (
            "* FROM information_schema.LINKS WHERE",
            ";",
            "the end of the statement is no column of information_schema.LINKS",
        ),
    ];
    for (rest, covered, message) in cases {
        let text = format!("SELECT {rest};");
        assert_errors(
            Code::SqlUnexpectedToken,
            &[(&text, covered, message, POSSIBLE)],
        );
    }
    let near = error("SELECT LNIK FROM information_schema.LINKS;");
    assert_eq!(near.hint.as_deref(), Some("did you mean `LINK`?"));
    assert_eq!(
        near.expected,
        [
            "DATABASE_NAME",
            "LINK",
            "TYPE",
            "DESCRIPTION",
            "CONFIG",
            "STATE"
        ]
    );
    let near = error("SELECT * FROM information_schema.LINKS WHERE KIND = 'S3';");
    assert_eq!(near.expected, ["DATABASE_NAME", "LINK", "TYPE"]);
}

#[test]
fn an_excerpt_shows_the_slip_and_no_password() {
    for (text, expected) in [
        (
            "GRANT SHOW LINK ON *.* TO ana IDENTIFIED BY 'secret' WITH GRANT OPTION;",
            "GRANT SHOW LINK ON *.* TO ana IDENTIFIED …;",
        ),
        (
            "GRANT SHOW LINK ON db.* TO 'ana' IDENTIFIED BY secret;",
            "GRANT SHOW LINK ON db.* TO '…' IDENTIFIED …;",
        ),
        (
            "REVOKE SHOW LINK ON db.t FROM ana;",
            "REVOKE SHOW LINK ON db.t FROM ana;",
        ),
        ("SHOWLINKS ON db;", "SHOWLINKS ON db;"),
        ("SHWO LINKS ON db;", "SHWO LINKS ON db;"),
        ("SHWO CREATE LINK a;", "SHWO CREATE LINK a;"),
        ("CHECK LINK a ON 'b/c' FOR;", "CHECK LINK a ON 'b/c' FOR;"),
        (
            "CHECK LINK a ON 'https://u:secret@h/p?sig=secret' FOR;",
            "CHECK LINK a ON 'https://…@h/p?…' FOR;",
        ),
        (
            "SELECT CONFIG, NAME FROM information_schema.LINKS;",
            "SELECT CONFIG, NAME FROM information_schema.LINKS;",
        ),
    ] {
        let file = read("a.sql", String::from(text), FileId(0));
        let shown = file.source.excerpt(&file.errors[0].span).text;
        assert_eq!(shown, expected);
    }
}
