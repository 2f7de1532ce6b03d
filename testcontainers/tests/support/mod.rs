//! What every HTTP service of this crate answers.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod client;

pub(crate) use client::client;
use linkdial_testcontainers::HttpEndpoint;

/// Asks for each path of the table at [`HttpEndpoint`] and says how many requests that took.
pub(crate) async fn each_path_has_its_answer(
    client: &reqwest::Client,
    url: impl Fn(&str) -> String,
) -> usize {
    let paths = [
        ("/", 200),
        ("/function", 405),
        ("/401", 401),
        ("/403", 403),
        ("/404", 404),
        ("/405", 405),
        ("/429", 429),
        ("/500", 500),
        ("/503", 503),
        ("/redirect", 302),
        ("/login", 200),
        ("/basic", 401),
        ("/bearer", 401),
        ("/header", 403),
        ("/elsewhere", 404),
    ];
    for (path, status) in paths {
        let answer = client.get(url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let header = |name| {
            let value = answer.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap())
        };
        let scheme = if path == "/basic" { "Basic" } else { "Bearer" };
        let challenge = format!("{scheme} realm=\"lab\"");
        let expect = |holds, value: &str| {
            if holds {
                value.to_owned()
            } else {
                String::new()
            }
        };
        assert_eq!(
            header("www-authenticate"),
            expect(status == 401, &challenge),
            "{path}"
        );
        assert_eq!(
            header("retry-after"),
            expect([429, 503].contains(&status), "7"),
            "{path}"
        );
        assert_eq!(header("allow"), expect(status == 405, "POST"), "{path}");
        let away = header("location").contains("://localhost:");
        assert_eq!(away, status == 302, "{path}");
        let page = answer.text().await.unwrap();
        assert_eq!(page.contains("type=password"), path == "/login", "{path}");
    }
    let logins = [
        ("/basic", HttpEndpoint::basic()),
        ("/bearer", HttpEndpoint::bearer()),
        ("/header", HttpEndpoint::api_key()),
    ];
    let mut asked = paths.len();
    for (path, (name, value)) in &logins {
        // An external function posts.
        for method in [reqwest::Method::GET, reqwest::Method::POST] {
            let request = client.request(method, url(path)).header(*name, value);
            let answer = request.body("x").send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.text().await.unwrap(), "ok\n", "{path}");
            asked += 1;
        }
        let request = client.get(url(path)).header(*name, value.to_uppercase());
        let refused = request.send().await.unwrap().status();
        assert!([401, 403].contains(&refused.as_u16()), "{path}: {refused}");
        asked += 1;
    }
    let rows = client.post(url("/function")).body(r#"{"data":[]}"#);
    let rows = rows.send().await.unwrap();
    assert_eq!(rows.headers()["content-type"], "application/json");
    assert_eq!(rows.text().await.unwrap(), r#"{"data":[]}"#);
    asked + 1
}
