//! Marked secrets in every place that can hold one: nothing at rest and nothing that is said
//! shows a piece of them.

use std::fs;
use std::path::Path;

use linkdial::registry::Known;
use linkdial_core::LinkName;
use linkdial_core::testing::leaked;
use linkdial_testcontainers::{HttpEndpoint, S3Server};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Folder, on_file, said, stderr, stdout};

const HEADER: &str = "Hd7/qWz+4kLp9xTvB2nM6yRc";
const ALTERED: &str = "aL8+xKq/2vNb5zRt7wPj3mYd";
const KEY: &str = "sK5/vTn+8rBq1wHx6zLm4pCj";
/// The base64 of 32 bytes.
const CUSTOMER_KEY: &str = "Vq3xT/8mKz+Lr5Wn2bYc7Jp9Hd4Gs6Fv1Xk0Qe/Ma+w=";
const NOTE: &str = "nT6+wQx/9jZk3vRm8bLc5yHp";
const REGION: &str = "rgq7zk4wnx9vbt2mj5pl8ych";
const WHOLE: &str = "wH4/zLp+7nXv2kQm9tBr6jYc";
const PASSWORD: &str = "pW9xVz3kLq8mTn5wRb7jYc2h";
const SIGNATURE: &str = "sG2vKx7zMq4nWt9pLb5rJy8c";

const ALL: [&str; 9] = [
    HEADER,
    ALTERED,
    KEY,
    CUSTOMER_KEY,
    NOTE,
    REGION,
    WHOLE,
    PASSWORD,
    SIGNATURE,
];

/// Statements that pass, are refused, altered, wrong in themselves, and that show.
fn script(http: &HttpEndpoint, s3: &S3Server) -> String {
    let (echo, refusing) = (http.url("/echo"), http.url("/echo-401"));
    let with_login = echo.replace("http://", &format!("http://ada:{PASSWORD}@"));
    let endpoint = s3.endpoint_url();
    let headers = |value: &str| {
        format!(
            "'{{\"headers\": {{\"X-Api-Key\": \"{value}\", \"X-Other\": \"Bearer {value}\"}}}}'"
        )
    };
    let pair = format!(
        "\"aws_access_key_id\": \"AKIAIOSFODNN7QUARTZ\", \"aws_secret_access_key\": \"{KEY}\""
    );
    format!(
        "\
-- linkdial: target '{echo}'
CREATE OR REPLACE LINK passing AS HTTP CREDENTIALS {header};
-- linkdial: target '{echo}?sig={SIGNATURE}&expires=1'
CREATE OR REPLACE LINK query AS HTTP CREDENTIALS {header};
-- linkdial: target '{refusing}'
CREATE OR REPLACE LINK refused AS HTTP CREDENTIALS {header};
-- linkdial: target '{with_login}'
CREATE OR REPLACE LINK login AS HTTP CREDENTIALS {header};
-- linkdial: target '{echo}'
CREATE OR REPLACE LINK whole AS HTTP CREDENTIALS '${{WHOLE}}';
ALTER LINK passing SET CREDENTIALS {altered};
-- linkdial: verify deferred
CREATE OR REPLACE LINK customer AS S3 CREDENTIALS '{{{pair}}}' CONFIG '{{\"region\": \"us-east-1\", \
\"endpoint_url\": \"{endpoint}\", \"x-amz-server-side-encryption-customer-algorithm\": \"AES256\", \
\"x-amz-server-side-encryption-customer-key\": \"{CUSTOMER_KEY}\"}}';
CREATE OR REPLACE LINK filled AS S3 CREDENTIALS '{{{pair}}}' CONFIG '{{\"region\": \"${{REGION}}\", \
\"endpoint_url\": \"{endpoint}\", \"note\": \"see ${{NOTE}} there\"}}' DESCRIPTION 'a text';
CREATE PIPELINE p AS LOAD DATA LINK filled 'demo/orders/' INTO TABLE t;
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE '{echo}?sig={SIGNATURE}' FORMAT JSON LINK whole;
CREATE EXTERNAL FUNCTION g(a INT) RETURNS INT AS REMOTE SERVICE '{with_login}' FORMAT JSON LINK whole;
CHECK LINK whole ON '{echo}?sig={SIGNATURE}';
CREATE LINK passing AS HTTP CREDENTIALS {header};
CREATE LINK broken AS HTTP CREDENTIALS '{{\"headers\": {{\"X-Api-Key\": \"{HEADER}\"}}';
CREATE LINK wrong AS HTTP CREDENTIALS {header} garbage;
SHOW LINKS;
SHOW CREATE LINK passing;
SHOW CREATE LINK customer;
SHOW CREATE LINK filled;
SHOW CREATE LINK whole;
SELECT * FROM information_schema.LINKS;
",
        header = headers(HEADER),
        altered = headers(ALTERED),
    )
}

fn assert_silent(place: &str, text: &str) {
    let piece = leaked(text, &ALL);
    assert_eq!(piece, None, "a piece of a secret in {place}:\n{text}");
}

#[test]
fn no_secret_is_at_rest_or_said() {
    let (http, s3) = (HttpEndpoint::start(), S3Server::start().unwrap());
    let folder = Folder::new();
    let script = folder.write("links.sql", &script(&http, &s3));
    let whole = serde_json::json!({"headers": {"X-Api-Key": WHOLE}}).to_string();
    let variables = serde_json::json!({"WHOLE": whole}).to_string();
    let variables = folder.write("variables.json", &variables);
    drop(folder.open());
    // An open reader keeps the log beside the file after each run.
    on_file(&folder.registry(), async |reader| {
        sqlx::query("SELECT * FROM links")
            .fetch_all(&mut *reader)
            .await
            .unwrap();
        for options in [
            &["--plan"][..],
            &["--plan", "--offline"],
            &[],
            &["--defer"],
            &["--defer", "--offline", "--quiet"],
            &[],
        ] {
            for more in [
                &["--format", "human"][..],
                &["--format", "human", "-v"],
                &["--format", "json"],
                &["--format", "json", "--log", "trace"],
            ] {
                if options.contains(&"--quiet") && more.contains(&"-v") {
                    continue;
                }
                let mut command = folder.apply();
                command.env("NOTE", NOTE).env("REGION", REGION);
                command
                    .args(["--vars-env", "NOTE,REGION", "--vars"])
                    .arg(&variables);
                let output = command
                    .args(options)
                    .args(more)
                    .arg(&script)
                    .output()
                    .unwrap();
                let place = format!("{options:?} {more:?}");
                // The broken statements are told.
                assert_eq!(output.status.code(), Some(2), "{place}: {}", said(&output));
                assert_silent(&format!("the output of {place}"), stdout(&output));
                assert_silent(&format!("the errors of {place}"), stderr(&output));
            }
        }
        let names = assert_files_are_silent(&folder);
        assert_eq!(
            names,
            [
                "links.db",
                "links.db-shm",
                "links.db-wal",
                "links.key",
                "links.key.lock"
            ]
        );
        let dump = dump(reader).await;
        assert!(
            dump.contains("'filled'") && dump.contains("'replace'"),
            "{dump}"
        );
        assert_silent("the dump", &dump);
    });
    assert_eq!(
        assert_files_are_silent(&folder),
        ["links.db", "links.key", "links.key.lock"]
    );
    assert_known(&folder);
}

/// The file, its log and what else lies there; returns the names.
fn assert_files_are_silent(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.home()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_silent(&name, &text(&path));
        names.push(name);
    }
    names.sort();
    names
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// Every column of every table.
async fn dump(connection: &mut sqlx::SqliteConnection) -> String {
    let selects = "SELECT 'SELECT ' || group_concat('quote(\"' || columns.name || '\")', ' || '' '' || ') \
         || ' FROM \"' || tables.name || '\"' FROM sqlite_master AS tables \
         JOIN pragma_table_info(tables.name) AS columns \
         WHERE tables.type = 'table' GROUP BY tables.name";
    let selects = sqlx::query(selects)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let mut dump = String::new();
    for select in selects {
        let select: String = select.get(0);
        let rows = sqlx::query(sqlx::AssertSqlSafe(select));
        let rows: Vec<SqliteRow> = rows.fetch_all(&mut *connection).await.unwrap();
        for row in rows {
            dump.push_str(row.get(0));
            dump.push('\n');
        }
    }
    dump
}

/// The secrets were there to be seen.
fn assert_known(folder: &Folder) {
    let registry = folder.open();
    let mut opened = String::new();
    for name in [
        "passing", "query", "refused", "login", "whole", "customer", "filled",
    ] {
        let name_of = LinkName::new(Some("shop"), name);
        let Known { link, targets, .. } = registry.read(&name_of).unwrap();
        let link = link.unwrap_or_else(|| panic!("{name} is stored"));
        opened.push_str(link.credentials.expose());
        opened.push_str(link.config.expose());
        for target in targets {
            opened.push_str(target.target.as_str());
        }
    }
    for secret in ALL {
        assert!(
            leaked(&opened, &[secret]).is_some(),
            "{secret} is stored, and would be seen"
        );
    }
}
