//! Answers that do not end, come slowly, or are large when they are unpacked.

use std::io::Write as _;
use std::time::Duration;

use super::bomb;
use super::links::{KINDS, Links, SECRET, WEB};
use super::peer::{Peer, answering, forever, request, rest};
use super::run::verify;

#[test]
fn answers_without_end_are_given_up() {
    let headers = answering("HTTP/1.1 200 OK\r\n", |_, stream| {
        forever(stream, b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")
    });
    let header = answering("HTTP/1.1 200 OK\r\nx-filler: ", |_, stream| {
        let block = [b'x'; 16 * 1024];
        for _ in 0..100 * 64 {
            stream.write_all(&block)?;
        }
        stream.write_all(b"\r\ncontent-length: 0\r\n\r\n")
    });
    let interim = answering("", |_, stream| {
        forever(stream, b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n")
    });
    let chunks = answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=",
        |_, stream| forever(stream, b"xxxxxxxxxxxxxxxx"),
    );
    let trailers = answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
        |_, stream| forever(stream, b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
    );
    let body = answering("HTTP/1.1 403 Forbidden\r\n\r\n", |_, stream| {
        forever(stream, b"no ")
    });
    let reason = answering("HTTP/1.1 200 ", |_, stream| forever(stream, b"very good "));
    let zeros = answering("", |_, stream| forever(stream, &[0; 1024]));
    let links = Links::default()
        .to("headers", &KINDS, &headers)
        .to("header", &KINDS, &header)
        .to("interim", &WEB, &interim)
        .to("chunks", &WEB, &chunks)
        .to("trailers", &WEB, &trailers)
        .to("body", &WEB, &body)
        .to("reason", &WEB, &reason)
        .to("zeros", &KINDS, &zeros);
    let ran = verify(&[], links.script());
    ran.within_limits("endless answers");
    for check in ran.checks() {
        let (link, code) = (&check["link"], check["code"].as_str().unwrap_or_default());
        // What lies behind an answer that has ended does not count, and a refusal is one however
        // long it is explained.
        let harmless = ["chunks", "trailers", "body"];
        let harmless = harmless
            .iter()
            .any(|it| link.as_str().unwrap().ends_with(it));
        let known = [
            "access.not-this-service",
            "access.timed-out",
            "authenticate.timed-out",
        ];
        assert!(
            known.contains(&code) || harmless,
            "{link} {code}: {:#}",
            check["diagnosis"]
        );
    }
    assert!(!ran.stdout.contains(SECRET));
}

/// The real client of an HTTP link comes with a connection of its own, after a good answer.
#[test]
fn a_client_behind_the_ladder_has_bounds_of_its_own() {
    let behind = |head: &'static [u8], flood: &'static [u8]| {
        Peer::start(move |mut stream| {
            let good = b"HTTP/1.1 200 OK\r\nallow: GET, POST\r\ncontent-length: 0\r\n\r\n";
            while request(&mut stream)?.starts_with("OPTIONS") {
                stream.write_all(good)?;
            }
            stream.write_all(head)?;
            forever(&mut stream, flood)
        })
    };
    let headers = behind(
        b"HTTP/1.1 200 OK\r\n",
        b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxx\r\n",
    );
    let header = behind(b"HTTP/1.1 200 OK\r\nx-filler: ", b"xxxxxxxxxxxxxxxx");
    let body = behind(b"HTTP/1.1 401 No\r\n\r\n", b"very no ");
    let interim = behind(b"", b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n");
    let links = Links::default()
        .to("interim", &["HTTP"], &interim)
        .to("headers", &["HTTP"], &headers)
        .to("header", &["HTTP"], &header)
        .to("body", &["HTTP"], &body);
    let ran = verify(&[], links.script());
    ran.within_limits("floods behind the ladder");
    for check in ran.checks() {
        assert_eq!(check["verdict"], "fail", "{check:#}");
    }
}

#[test]
fn slow_answers_end_at_the_deadline() {
    let drip = |text: &'static [u8]| {
        Peer::start(move |mut stream| {
            request(&mut stream)?;
            for byte in text.iter().cycle() {
                stream.write_all(&[*byte])?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        })
    };
    let head = drip(
        b"HTTP/1.1 200 OK\r\nx-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
    );
    let body = answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        |_, stream| {
            loop {
                stream.write_all(b"<")?;
                std::thread::sleep(Duration::from_millis(100));
            }
        },
    );
    // Two bytes of a length that Kafka and Hadoop would wait for.
    let length = drip(&[0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
    let links = Links::default()
        .to("head", &KINDS, &head)
        .to("body", &WEB, &body)
        .to("length", &["KAFKA", "HDFS"], &length);
    let ran = verify(&[], links.script());
    ran.within_limits("slow drips");
    for check in ran.checks() {
        assert_eq!(check["verdict"], "fail", "{check:#}");
    }
    for link in ["s3_head", "gcs_body", "azure_head", "http_body"] {
        assert_eq!(ran.code(link), "access.timed-out", "{link}");
    }
}

/// Nobody asks for compression, so what comes is compressed is no answer, and it is never unpacked.
#[test]
fn compressed_answers_are_not_unpacked() {
    const UNPACKED: usize = 1 << 30;

    let packed = |encoding: &'static str, bytes: Vec<u8>| {
        Peer::start(move |mut stream| {
            request(&mut stream)?;
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-encoding: {encoding}\r\n\
                 content-length: {length}\r\n\r\n"
            )?;
            stream.write_all(&bytes)?;
            rest(&mut stream)
        })
    };
    let gzip = packed("gzip", bomb::gzip(UNPACKED));
    let deflate = packed("deflate", bomb::zlib(UNPACKED));
    let brotli = packed("br", bomb::zlib(UNPACKED / 16));
    let links = Links::default()
        .to("gzip", &WEB, &gzip)
        .to("deflate", &WEB, &deflate)
        .to("brotli", &WEB, &brotli);
    let ran = verify(&[], links.script());
    ran.within_limits("compressed answers");
    for check in ran.checks() {
        let link = check["link"].as_str().unwrap();
        // An HTTP link has no format of its own: any answer to OPTIONS and GET is one.
        let expected = if link.starts_with("http") {
            ""
        } else {
            "access.not-this-service"
        };
        assert_eq!(ran.code(link), expected, "{link}: {check:#}");
    }
}
