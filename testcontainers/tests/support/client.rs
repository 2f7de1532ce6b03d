//! A client of HTTP services.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

/// A client that follows no redirect.
pub(crate) fn client(tls: &Arc<rustls::ClientConfig>) -> reqwest::Client {
    // Only the first call of a process installs it; the others say so and are right.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls.as_ref().clone())
        .build()
        .unwrap()
}
