//! One message to a KDC and its answer, over TCP and, where TCP is refused or silent, over UDP.

use std::time::Duration;

use linkdial_core::net::{Datagram, Net, Resolved, name_protocol};
use linkdial_core::{Code, Diagnosis, Endpoint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::kdc_answer::Answer;

/// The longest answer, in bytes. The largest tickets, those with hundreds of groups, have some 64 KiB.
const MAX_ANSWER: usize = 256 * 1024;

/// A KDC that says nothing over TCP for so long is asked over UDP as well.
const PATIENCE: Duration = Duration::from_secs(1);

/// A KDC that refused over TCP has so long to answer over UDP.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// The answer does not fit in a datagram.
const TOO_BIG: i64 = 52;

/// An answer, and how it came.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) transport: &'static str,
    pub(crate) address: String,
}

/// Asks a KDC within the caller's deadline, which is `limit` from now.
pub(crate) async fn ask(
    net: &Net,
    kdc: &Endpoint,
    resolved: &Resolved,
    request: &[u8],
    limit: Duration,
) -> Result<Answered, Diagnosis> {
    let started = Instant::now();
    let stream = over_stream(net, kdc, resolved, request);
    let datagram = async {
        sleep(PATIENCE.min(limit / 3)).await;
        over_datagram(net, kdc, resolved, request).await
    };
    tokio::pin!(stream, datagram);
    let mut failed = None;
    let refused = loop {
        tokio::select! {
            answered = &mut stream => match answered {
                Err(refused) if is_unreachable(refused.code) => break refused,
                answered => return answered,
            },
            answered = &mut datagram, if failed.is_none() => match answered {
                Ok(answered) => return Ok(answered),
                Err(failure) => failed = Some(failure),
            },
        }
    };
    if let Some(failure) = failed {
        return Err(refused.evidence("udp", failure.message));
    }
    // Ends before the deadline does, or what TCP said would be lost.
    let left = limit.saturating_sub(started.elapsed());
    let last = over_datagram(net, kdc, resolved, request);
    match timeout(LAST_PATIENCE.min(left / 2), last).await {
        Ok(answered) => answered.map_err(|failure| refused.evidence("udp", failure.message)),
        Err(_) => Err(refused.evidence("udp", "silent")),
    }
}

/// Returns whether a finding means that nobody answered, so that another way may help.
pub(crate) const fn is_unreachable(code: Code) -> bool {
    matches!(
        code,
        Code::AuthenticateKdcUnreachable
            | Code::AuthenticateTimedOut
            | Code::ConnectRefused
            | Code::ConnectReset
            | Code::ConnectTimedOut
            | Code::ConnectUnreachable
    )
}

/// Gives the finding that a KDC does not answer its own code; every other finding stays.
pub(crate) fn unreachable(kdc: &Endpoint, realm: &str, finding: Diagnosis) -> Diagnosis {
    if !is_unreachable(finding.code) {
        return finding;
    }
    let silent = matches!(
        finding.code,
        Code::AuthenticateTimedOut | Code::ConnectTimedOut
    );
    let tcp = if silent { "silent" } else { &finding.message };
    let renamed = Diagnosis::new(
        Code::AuthenticateKdcUnreachable,
        format!("the KDC {kdc} of the realm {realm} does not answer"),
    )
    .evidence("kdc", kdc)
    .evidence("realm", realm)
    .evidence("tcp", tcp);
    let renamed = finding
        .evidence
        .iter()
        .fold(renamed, |it, (name, value)| it.evidence(name, value));
    renamed.hint("check that the KDC runs, and that port 88 is open from here for TCP and UDP")
}

/// Returns the finding of an answer that has the form of one and answers something else.
pub(crate) fn not_ours(kdc: &Endpoint) -> Diagnosis {
    Diagnosis::new(
        Code::AccessNotThisService,
        format!("{kdc} gives an answer that belongs to no request of ours"),
    )
    .hint("something between this machine and the KDC answers in its place")
}

async fn over_stream(
    net: &Net,
    kdc: &Endpoint,
    resolved: &Resolved,
    request: &[u8],
) -> Result<Answered, Diagnosis> {
    let connected = net.connect(kdc, resolved).await?;
    let address = connected.address().to_string();
    let mut stream = connected.into_plain(kdc);
    let cut = |error: std::io::Error| {
        Diagnosis::new(Code::ConnectReset, format!("{kdc} cut the connection"))
            .evidence("error", error.kind())
    };
    let length = u32::try_from(request.len()).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.extend_from_slice(request);
    stream.write_all(&message).await.map_err(cut)?;
    stream.flush().await.map_err(cut)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(cut)?;
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > MAX_ANSWER {
        return Err(foreign(kdc, &head));
    }
    // The buffer grows as its bytes come, whatever length the head claims.
    let mut bytes = Vec::new();
    let mut body = stream.take(length as u64);
    body.read_to_end(&mut bytes).await.map_err(cut)?;
    if bytes.len() < length {
        return Err(cut(std::io::ErrorKind::UnexpectedEof.into()));
    }
    let answer = Answer::read(&bytes).ok_or_else(|| foreign(kdc, &bytes))?;
    Ok(Answered {
        answer,
        transport: "TCP",
        address,
    })
}

async fn over_datagram(
    net: &Net,
    kdc: &Endpoint,
    resolved: &Resolved,
    request: &[u8],
) -> Result<Answered, Diagnosis> {
    let Datagram { bytes, address } = net.exchange(kdc, resolved, request).await?;
    let answer = Answer::read(&bytes).ok_or_else(|| foreign(kdc, &bytes))?;
    if let Answer::Error(error) = &answer
        && error.code == TOO_BIG
    {
        let what = format!("{kdc} has an answer that is too long for UDP");
        return Err(Diagnosis::new(Code::AuthenticateKdcUnreachable, what));
    }
    Ok(Answered {
        answer,
        transport: "UDP",
        address: address.to_string(),
    })
}

fn foreign(kdc: &Endpoint, bytes: &[u8]) -> Diagnosis {
    let shown = bytes[..bytes.len().min(48)].escape_ascii();
    let protocol = if bytes.starts_with(b"HTTP") {
        "HTTP"
    } else {
        name_protocol(bytes)
    };
    Diagnosis::new(
        Code::AccessNotThisService,
        format!("{kdc} gives answers that are not Kerberos"),
    )
    .evidence("protocol", protocol)
    .evidence("first_bytes", shown)
    .hint("this is another service: check host and port of the KDC in krb5.conf or DNS")
}
