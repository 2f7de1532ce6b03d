//! Hides the wait for the first random number.
//!
//! AWS-LC gathers entropy from the jitter of the processor once in a process, which takes about
//! 30 ms: most of the time of a single dial over TLS. It is drawn on a side thread while the
//! script is read, and given nobody.

use std::sync::Mutex;
use std::thread::JoinHandle;

/// The side thread.
static DRAWING: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

/// Starts drawing when one of the texts may lead to a dial over TLS.
pub(super) fn start<'a>(mut texts: impl Iterator<Item = &'a str>) {
    if texts.any(may_use_tls) {
        draw();
    }
}

/// Starts drawing.
pub(super) fn draw() {
    let draw = || {
        let mut byte = [0];
        let drawn = rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut byte);
        // Without it the first handshake draws its own, and reports its own failure.
        tracing::trace!(good = drawn.is_ok(), "drew the first random number");
    };
    // Without a thread the first handshake waits, and that is all.
    let thread = std::thread::Builder::new()
        .name("warm-up".into())
        .spawn(draw);
    if let (Ok(thread), Ok(mut drawing)) = (thread, DRAWING.lock()) {
        *drawing = Some(thread);
    }
}

/// Waits until the number is drawn. AWS-LC frees its source of entropy when the process ends, and
/// aborts it where a thread still draws from there.
pub(super) fn end() {
    let thread = DRAWING.lock().ok().and_then(|mut drawing| drawing.take());
    if let Some(thread) = thread {
        thread.join().ok();
    }
}

/// A guess that errs on the side of drawing: a clause that names no plain endpoint may mean the
/// vendor's own, which speaks TLS.
fn may_use_tls(text: &str) -> bool {
    text.contains("https://")
        || text.split(';').any(|statement| {
            let clauses = statement.contains("CREDENTIALS") || statement.contains("CONFIG");
            clauses && !statement.contains("http://")
        })
}

#[cfg(test)]
mod tests {
    use super::may_use_tls;

    #[test]
    fn only_plain_endpoints_need_no_tls() {
        let plain =
            r#"CREATE LINK a AS S3 CREDENTIALS '{}' CONFIG '{"endpoint_url": "http://h"}';"#;
        assert!(!may_use_tls(plain));
        assert!(!may_use_tls(&format!("{plain} SELECT 1;")));
        assert!(may_use_tls(&plain.replace("http:", "https:")));
        assert!(may_use_tls(&format!(
            "{plain} CREATE LINK b AS S3 CREDENTIALS '{{}}';"
        )));
    }
}
