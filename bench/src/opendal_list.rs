//! The peer: OpenDAL lists one prefix with many logins, each over a connection of its own.

use std::sync::Arc;

use opendal::services::S3;
use opendal::{HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Result;
use crate::server::{BUCKET, PREFIX};

/// `ENDPOINT REGION CA-FILE|- COUNT JOBS [ID SECRET]...`
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let [endpoint, region, ca_file, count, jobs, logins @ ..] = options else {
        return Err("usage: opendal-list ENDPOINT REGION CA-FILE COUNT JOBS ID SECRET...".into());
    };
    let (count, jobs) = (count.parse()?, jobs.parse()?);
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(list_all(endpoint, region, ca_file, count, jobs, logins))
}

async fn list_all(
    endpoint: &str,
    region: &str,
    ca_file: &str,
    count: usize,
    jobs: usize,
    logins: &[&str],
) -> Result<()> {
    // One client, so that roots are read once; without idle connections each link dials its own.
    let mut client = reqwest::Client::builder().pool_max_idle_per_host(0);
    if ca_file != "-" {
        let certificate = reqwest::Certificate::from_pem(&std::fs::read(ca_file)?)?;
        client = client.tls_certs_merge([certificate]);
    }
    let transport = ReqwestTransport::new(client.build()?);
    let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport));
    let permits = Arc::new(Semaphore::new(jobs));
    let mut running = JoinSet::new();
    let logins = logins.chunks_exact(2).cycle().take(count);
    for login in logins {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let service = S3::default()
            .endpoint(endpoint)
            .region(region)
            .bucket(BUCKET)
            .access_key_id(login[0])
            .secret_access_key(login[1])
            .disable_config_load()
            .disable_ec2_metadata();
        let operator = Operator::new(service)?.with_context(context.clone());
        running.spawn(async move {
            let listed = operator.list_with(PREFIX).limit(100).await;
            drop(permit);
            listed
        });
    }
    while let Some(listed) = running.join_next().await {
        if listed??.is_empty() {
            return Err("an empty listing".into());
        }
    }
    Ok(())
}
