//! Reads what hdfs-native prints of messages: the `Debug` form of `prost`.
//!
//! Strings of a peer stand in quotes there, with its quotes escaped; nothing inside of one is taken for a
//! field. What has another form than the one known here reads as `None`.

use super::order::Replica;

/// More copies of a block are not read: erasure coding has 14.
const MAX_REPLICAS: usize = 64;

/// A part of a printed message.
#[derive(Debug, Eq, PartialEq)]
enum Part<'a> {
    /// What stands outside of quotes.
    Form(&'a str),
    /// What stands inside.
    Quoted(&'a str),
}

/// Splits at quotes that are not escaped.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut inside = false;
    let mut begin = 0;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' if inside => escaped = !escaped,
            b'"' if !escaped => {
                let part = &text[begin..at];
                parts.push(if inside {
                    Part::Quoted(part)
                } else {
                    Part::Form(part)
                });
                inside = !inside;
                begin = at + 1;
            }
            _ => escaped = false,
        }
    }
    if !inside {
        parts.push(Part::Form(&text[begin..]));
    }
    parts
}

/// Reads every `DatanodeIdProto`; `None` where one of them has another form, or there are too many.
pub(super) fn datanodes(text: &str) -> Option<Vec<Replica>> {
    read_datanodes(&parts(text))
}

fn read_datanodes(parts: &[Part<'_>]) -> Option<Vec<Replica>> {
    let mut nodes = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Part::Form(form) = part else { continue };
        match form.matches("DatanodeIdProto {").count() {
            0 => continue,
            1 if form.ends_with("DatanodeIdProto { ip_addr: ") && nodes.len() < MAX_REPLICAS => {}
            _ => return None,
        }
        let [
            Part::Quoted(address),
            Part::Form(", host_name: "),
            Part::Quoted(name),
            Part::Form(", datanode_uuid: "),
            Part::Quoted(_),
            Part::Form(rest),
            ..,
        ] = &parts[at + 1..]
        else {
            return None;
        };
        let port = rest.strip_prefix(", xfer_port: ")?;
        let digits = port.find(|it: char| !it.is_ascii_digit())?;
        nodes.push(Replica {
            address: (*address).to_owned(),
            name: (*name).to_owned(),
            port: port[..digits].parse().ok()?,
        });
    }
    Some(nodes)
}

/// Reads the copies of every block that begins where the file does: no other one holds its first byte.
pub(super) fn first_block(text: &str) -> Option<Vec<Replica>> {
    const OFFSET: &str = ", offset: ";
    let parts = parts(text);
    let mut first = Vec::new();
    let mut inside = None;
    for (at, part) in parts.iter().enumerate() {
        let Part::Form(form) = part else { continue };
        // Where a block begins to tell of its copies, the one before has ended.
        if let Some((_, rest)) = form.split_once(OFFSET)
            && let Some((number, _)) = rest.split_once(", locs: [")
        {
            let number: u64 = number.parse().ok()?;
            if let Some(from) = inside.take() {
                first.extend(read_datanodes(&parts[from..at])?);
            }
            if number == 0 {
                inside = Some(at);
            }
        }
    }
    if let Some(from) = inside {
        first.extend(read_datanodes(&parts[from..])?);
    }
    // The last block is told of once more, and may be the first.
    let mut copies: Vec<Replica> = Vec::new();
    for replica in first {
        if !copies.contains(&replica) {
            copies.push(replica);
        }
    }
    (copies.len() <= MAX_REPLICAS).then_some(copies)
}

/// Reads class and words of an exception after which the `NameNode` hangs up.
pub(super) fn fatal(text: &str) -> Option<(String, String)> {
    let parts = parts(text);
    let after = |label: &str| {
        parts
            .iter()
            .enumerate()
            .find_map(|(at, part)| match (part, parts.get(at + 1)) {
                (Part::Form(form), Some(Part::Quoted(value))) if form.ends_with(label) => {
                    Some((*value).to_owned())
                }
                _ => None,
            })
    };
    let fatal = parts
        .iter()
        .any(|part| matches!(part, Part::Form(form) if form.contains("status: Fatal")));
    let class = after("exception_class_name: Some(").filter(|_| fatal)?;
    Some((class, after("error_msg: Some(").unwrap_or_default()))
}

/// Reads the methods that a `NameNode` offers, with the service and the host of each.
pub(super) fn offer(text: &str) -> Vec<(String, Option<(String, String)>)> {
    let parts = parts(text);
    let mut methods = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Part::Form(form) = part else { continue };
        if !form.ends_with("SaslAuth { method: ") {
            continue;
        }
        let (Some(Part::Quoted(method)), rest) = (parts.get(at + 1), &parts[at + 1..]) else {
            continue;
        };
        let named = match rest {
            [
                _,
                Part::Form(", mechanism: "),
                Part::Quoted(_),
                Part::Form(", protocol: Some("),
                Part::Quoted(service),
                Part::Form("), server_id: Some("),
                Part::Quoted(host),
                ..,
            ] => Some(((*service).to_owned(), (*host).to_owned())),
            _ => None,
        };
        methods.push(((*method).to_owned(), named));
    }
    methods
}

/// Reads the bytes of `payload: Some([1, 2, 3])`.
pub(super) fn payload(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("payload: Some([")?;
    let (list, _) = rest.split_once(']')?;
    list.split(", ").map(|number| number.parse().ok()).collect()
}

/// Feeds a printed message to every reader of this module.
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for nodes in [datanodes(&text), first_block(&text)].into_iter().flatten() {
        assert!(nodes.len() <= MAX_REPLICAS);
    }
    fatal(&text);
    assert!(offer(&text).len() <= text.len());
    payload(&text);
    // What a peer says stands in quotes, and is never read as a field.
    let quoted = format!("error_msg: {text:?}");
    assert_eq!(datanodes(&quoted), Some(Vec::new()));
    assert_eq!(first_block(&quoted), Some(Vec::new()));
    assert!(offer(&quoted).is_empty() && fatal(&quoted).is_none());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(address: &str) -> String {
        format!(
            "DatanodeInfoProto {{ id: DatanodeIdProto {{ ip_addr: {address:?}, host_name: \"node\", \
             datanode_uuid: \"x\", xfer_port: 9866, info_port: 9864 }}, capacity: Some(1) }}"
        )
    }

    fn block(pool: &str, offset: u64, nodes: &[&str]) -> String {
        let nodes: Vec<String> = nodes.iter().map(|it| node(it)).collect();
        let nodes = nodes.join(", ");
        format!(
            "LocatedBlockProto {{ b: ExtendedBlockProto {{ pool_id: {pool:?}, block_id: 1 }}, \
             offset: {offset}, locs: [{nodes}], corrupt: false, block_token: TokenProto {{ \
             identifier: [116], password: [115], kind: \"k\", service: \"\" }} }}"
        )
    }

    fn addresses(nodes: Option<Vec<Replica>>) -> Option<Vec<String>> {
        Some(nodes?.into_iter().map(|it| it.address).collect())
    }

    #[test]
    fn the_first_block_is_the_one_at_the_beginning() {
        let text = format!(
            "getBlockLocations response: [{}, {}]",
            block("BP", 1000, &["10.0.0.9"]),
            block("BP", 0, &["10.0.0.1", "10.0.0.2"])
        );
        let expected = ["10.0.0.1", "10.0.0.2"].map(str::to_owned);
        assert_eq!(addresses(first_block(&text)), Some(expected.clone().into()));
        let twice = format!(
            "{text}, last_block: Some({})",
            block("BP", 0, &["10.0.0.2", "10.0.0.1"])
        );
        assert_eq!(addresses(first_block(&twice)), Some(expected.into()));
        assert_eq!(first_block("no block"), Some(Vec::new()));
    }

    #[test]
    fn a_string_of_the_peer_is_no_field() {
        let pool = "DatanodeIdProto { ip_addr: \"10.9.9.9\", offset: 0, locs: [";
        let text = block(pool, 0, &["10.0.0.1"]);
        assert_eq!(
            addresses(first_block(&text)),
            Some(vec!["10.0.0.1".to_owned()])
        );
        assert_eq!(
            addresses(datanodes(&text)),
            Some(vec!["10.0.0.1".to_owned()])
        );
    }

    #[test]
    fn what_has_another_form_is_no_list() {
        assert_eq!(datanodes("DatanodeIdProto { address: 1 }"), None);
        let many: Vec<&str> = vec!["10.0.0.1"; MAX_REPLICAS + 1];
        assert_eq!(first_block(&block("BP", 0, &many)), None);
    }

    #[test]
    fn an_offer_names_its_services() {
        let text = "Handling SASL message: RpcSaslProto { version: None, state: Negotiate, token: \
            None, auths: [SaslAuth { method: \"TOKEN\", mechanism: \"DIGEST-MD5\", protocol: \
            Some(\"\"), server_id: Some(\"default\"), challenge: None }, SaslAuth { method: \
            \"KERBEROS\", mechanism: \"GSSAPI\", protocol: Some(\"nn\"), server_id: \
            Some(\"localhost\"), challenge: None }] }";
        let methods = offer(text);
        assert_eq!(methods.len(), 2);
        let service = ("nn".to_owned(), "localhost".to_owned());
        assert_eq!(methods[1], ("KERBEROS".to_owned(), Some(service)));
    }

    #[test]
    fn an_exception_before_the_end_is_read() {
        let text = "RPC header response: RpcResponseHeaderProto { call_id: 4294967293, status: Fatal, \
            server_ipc_version_num: Some(9), exception_class_name: Some(\"a.B\"), error_msg: \
            Some(\"no \\\"way\\\"\"), error_detail: None }";
        let expected = ("a.B".to_owned(), "no \\\"way\\\"".to_owned());
        assert_eq!(fatal(text), Some(expected));
        assert_eq!(fatal(&text.replace("Fatal", "Success")), None);
    }

    #[test]
    fn a_payload_is_read_as_bytes() {
        assert_eq!(
            payload("x { payload: Some([113, 111, 112]), y: 1 }"),
            Some(b"qop".to_vec())
        );
        assert_eq!(payload("x { payload: None }"), None);
    }
}
