//! `GRANT` and `REVOKE`: what each form comes to, and what is said of a slip.

use linkdial_core::Code;

use super::statements::{assert_errors, assert_trees};

#[test]
fn permissions_are_granted_and_revoked() {
    assert_trees(&[
        (
            "GRANT SHOW LINK ON *.* TO ana",
            "grant SHOW LINK on None for [\"ana\"], others []",
        ),
        (
            "grant create link, Drop Link, show link, SHOW LINK on `my db`.* to 'ana'@'%', \"bo\", \
             `c``d`@`%`, ana;",
            "grant CREATE LINK+DROP LINK+SHOW LINK on Some(\"my db\") for [\"ana\", \"bo\", \
             \"c`d\"], others []",
        ),
        (
            "GRANT SELECT (a, b), show metadata, CREATE LINK ON db . * TO ana;",
            "grant CREATE LINK on Some(\"db\") for [\"ana\"], others [\"SELECT\", \"SHOW METADATA\"]",
        ),
        (
            "REVOKE DROP LINK, CREATE VIEW ON db.* FROM ana, bo@\"%\";",
            "revoke DROP LINK on Some(\"db\") for [\"ana\", \"bo\"], others [\"CREATE VIEW\"]",
        ),
    ]);
}

#[test]
fn what_names_no_permission_on_links_is_passed_over() {
    assert_trees(&[
        (
            "GRANT SELECT, INSERT ON db.t TO 'a'@'10.0.0.1' IDENTIFIED BY 'x' WITH GRANT OPTION;",
            "skipped GRANT SELECT",
        ),
        ("GRANT ALL ON *.* TO a;", "skipped GRANT ALL"),
        (
            "GRANT ALL PRIVILEGES ON *.* TO 'a'@'localhost';",
            "skipped GRANT ALL",
        ),
        (
            "GRANT CREATE VIEW, SHOW VIEW ON db.* TO a;",
            "skipped GRANT CREATE",
        ),
        ("GRANT ROLE 'r' TO 'u';", "skipped GRANT ROLE"),
        ("GRANT 'r' TO 'u';", "skipped GRANT"),
        ("GRANT;", "skipped GRANT"),
        (
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM a;",
            "skipped REVOKE ALL",
        ),
        (
            "REVOKE INSERT ON t FROM SHOW, LINK;",
            "skipped REVOKE INSERT",
        ),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn a_slip_in_a_grant_is_named() {
    const HOST: &str =
        "users of the registry have a name and no host: write the name alone, or `@'%'`";
    const NAME: &str = "a user of the registry is a name and nothing more: leave out IDENTIFIED BY, \
         WITH GRANT OPTION and the like";
    const SCOPE: &str = "write `*.*`, or `db.*` for the links of one database";
    assert_errors(
        Code::SqlUnexpectedToken,
        &[
            (
                "GRANT SHOW LINKS ON *.* TO a;",
                "SHOW LINKS",
                "this is no permission on links",
                "did you mean `SHOW LINK`?",
            ),
            (
                "GRANT SELECT, CRAETE LINK ON *.* TO a;",
                "CRAETE LINK",
                "this is no permission on links",
                "did you mean `CREATE LINK`?",
            ),
            (
                "REVOKE DROPLINK ON *.* FROM a;",
                "DROPLINK",
                "this is no permission on links",
                "did you mean `DROP LINK`?",
            ),
            (
                "GRANT SHOW LINK CREATE LINK ON *.* TO a;",
                "CREATE",
                "`CREATE` stands where ON belongs",
                "",
            ),
            (
                "GRANT SHOW LINK, ON *.* TO a;",
                "ON",
                "`ON` stands where a privilege belongs",
                "",
            ),
            (
                "GRANT SHOW LINK TO a;",
                "TO",
                "`TO` stands where ON belongs",
                "",
            ),
            (
                "GRANT SHOW LINK ON ``.* TO a;",
                "``",
                "a name is empty",
                "write a name between the back-ticks",
            ),
            (
                "GRANT SHOW LINK ON TO a;",
                "TO",
                "`TO` stands where `*.*` or `db.*` belongs",
                "",
            ),
            (
                "GRANT SHOW LINK ON db.t TO a;",
                "db.t",
                "link permissions stand at `*.*` or `db.*`",
                SCOPE,
            ),
            (
                "GRANT SHOW LINK ON * TO a;",
                "*",
                "link permissions stand at `*.*` or `db.*`",
                SCOPE,
            ),
            (
                "GRANT SHOW LINK ON `db` TO a;",
                "`db`",
                "link permissions stand at `*.*` or `db.*`",
                SCOPE,
            ),
            (
                "GRANT SHOW LINK ON *.* FROM a;",
                "FROM",
                "`FROM` stands where TO belongs",
                "",
            ),
            (
                "REVOKE SHOW LINK ON *.* TO a;",
                "TO",
                "`TO` stands where FROM belongs",
                "",
            ),
            (
                "GRANT SHOW LINK ON *.* TO 'a'@'10.0.0.1';",
                "'10.0.0.1'",
                "a user cannot be bound to a host here",
                HOST,
            ),
            (
                "GRANT SHOW LINK ON *.* TO a@localhost;",
                "localhost",
                "a user cannot be bound to a host here",
                HOST,
            ),
            (
                "SHOW GRANTS FOR a@`h`;",
                "`h`",
                "a user cannot be bound to a host here",
                HOST,
            ),
            (
                "GRANT SHOW LINK ON *.* TO ''@'%';",
                "''",
                "a user's name cannot be empty",
                "the registry knows no nameless user; write the name",
            ),
            (
                "GRANT SHOW LINK ON *.* TO ROLE 'r';",
                "ROLE",
                "the registry has users and no roles",
                NAME,
            ),
            (
                "GRANT SHOW LINK ON *.* TO 'a' IDENTIFIED BY 'x';",
                "IDENTIFIED",
                "`IDENTIFIED` stands where the statement could end",
                NAME,
            ),
            (
                "GRANT SHOW LINK ON *.* TO a WITH GRANT OPTION;",
                "WITH",
                "`WITH` stands where the statement could end",
                NAME,
            ),
            (
                "GRANT SHOW LINK ON *.* TO a, ;",
                ";",
                "the end of the statement stands where a user's name belongs",
                "",
            ),
        ],
    );
    assert_errors(
        Code::SqlTypographicQuote,
        &[(
            "GRANT SHOW LINK ON *.* TO ‘a’;",
            "‘",
            "`‘` is a typographic quote, which SQL does not know",
            "replace it by a plain `'`",
        )],
    );
}
