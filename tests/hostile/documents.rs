//! Documents that are large, deep, or more than they seem.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::TcpStream;

use super::links::{Links, SECRET, WEB};
use super::peer::{Peer, answering, request, rest};
use super::run::verify;

/// One document, with its length, for every request.
fn document(status: &'static str, kind: &'static str, text: &[u8]) -> Peer {
    let text = text.to_vec();
    Peer::start(move |mut stream| {
        request(&mut stream)?;
        whole(&mut stream, status, kind, &text)?;
        rest(&mut stream)
    })
}

fn whole(stream: &mut TcpStream, status: &str, kind: &str, text: &[u8]) -> io::Result<()> {
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    )?;
    stream.write_all(text)
}

/// The beginning of a listing in the words of the one who asks, and an object of it.
fn listing(request: &str) -> (&'static str, String) {
    let name = "x".repeat(200);
    if request.contains("restype=container") {
        let head = "<?xml version=\"1.0\"?><EnumerationResults ServiceEndpoint=\"http://x/\" \
                    ContainerName=\"bucket\"><Prefix>prefix</Prefix><Blobs>";
        let item = format!("<Blob><Name>prefix/{name}</Name><Properties/></Blob>");
        (head, item)
    } else {
        let head = "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name>\
                    <Prefix>prefix</Prefix><KeyCount>1000000</KeyCount><MaxKeys>1000000</MaxKeys>\
                    <IsTruncated>false</IsTruncated>";
        (
            head,
            format!("<Contents><Key>prefix/{name}</Key><Size>1</Size></Contents>"),
        )
    }
}

#[test]
fn listings_of_a_million_objects_are_not_held() {
    let endless = answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\n\r\n",
        |request, stream| {
            let (head, item) = listing(request);
            stream.write_all(head.as_bytes())?;
            super::peer::forever(stream, item.as_bytes())
        },
    );
    let million = Peer::start(|mut stream| {
        let request = request(&mut stream)?;
        let (head, item) = listing(&request);
        let length = head.len() + item.len() * 1_000_000;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n\r\n{head}"
        )?;
        let block = item.repeat(1_000);
        for _ in 0..1_000 {
            stream.write_all(block.as_bytes())?;
        }
        rest(&mut stream)
    });
    let stores = &WEB[..3];
    let links = Links::default()
        .to("endless", stores, &endless)
        .to("million", stores, &million);
    let ran = verify(&[], links.script());
    ran.within_limits("listings of a million objects");
    for check in ran.checks() {
        assert_eq!(check["code"], "access.not-this-service", "{check:#}");
    }
}

#[test]
fn deep_and_growing_documents_are_no_service() {
    const DEPTH: usize = 100_000;

    let laughs = laughs();
    let deep_xml = "<a>".repeat(DEPTH);
    let attributes = format!("<a {}/>", "b=\"c\" ".repeat(50_000));
    let deep_list = format!("<ListBucketResult><Name>bucket</Name>{deep_xml}");
    let deep_json = "[".repeat(1_900_000);
    let objects = "{\"a\":".repeat(300_000);
    let servers = [
        ("laughs", "200 OK", "application/xml", laughs.as_bytes()),
        (
            "laughs_no",
            "403 Forbidden",
            "application/xml",
            laughs.as_bytes(),
        ),
        ("deep", "200 OK", "application/xml", deep_list.as_bytes()),
        (
            "deep_no",
            "403 Forbidden",
            "application/xml",
            deep_xml.as_bytes(),
        ),
        (
            "attributes",
            "403 Forbidden",
            "application/xml",
            attributes.as_bytes(),
        ),
        (
            "json",
            "403 Forbidden",
            "application/json",
            deep_json.as_bytes(),
        ),
        ("objects", "500 No", "application/json", objects.as_bytes()),
    ];
    for (name, status, kind, text) in servers {
        let peer = document(status, kind, text);
        let ran = verify(&[], Links::default().to(name, &WEB, &peer).script());
        ran.within_limits(&format!("documents: {name}"));
        for check in ran.checks() {
            let passes = check["kind"] == "HTTP" && !name.ends_with("_no");
            assert!(passes || check["verdict"] == "fail", "{check:#}");
        }
        assert!(!ran.stdout.contains("lollol"), "an entity was expanded");
        assert!(!ran.stdout.contains(SECRET));
    }
}

/// Ten entities, each ten of the one before: three gigabytes.
fn laughs() -> String {
    let mut text = String::from("<?xml version=\"1.0\"?><!DOCTYPE e [<!ENTITY a0 \"lol\">");
    for number in 1..10 {
        let before = format!("&a{};", number - 1).repeat(10);
        write!(text, "<!ENTITY a{number} \"{before}\">").unwrap();
    }
    text + "]><Error><Code>&a9;</Code><Message>&a9;</Message><Name>&a9;</Name></Error>"
}
