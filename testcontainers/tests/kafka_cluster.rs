//! Three brokers know each other, and go on when one of them has gone.

use std::net::TcpStream;
use std::path::Path;

use linkdial_testcontainers::KafkaCluster;

#[test]
fn killed_broker_stays_advertised_and_leads_on() {
    let mut cluster = KafkaCluster::start().unwrap();
    let bootstrap = cluster.bootstrap();
    let mut addresses: Vec<_> = bootstrap.split(',').collect();
    addresses.sort_unstable();
    let advertised = |cluster: &KafkaCluster, asked| {
        let mut brokers = cluster.brokers(asked).unwrap();
        brokers.sort();
        brokers
    };
    for asked in 1..=3 {
        assert_eq!(advertised(&cluster, asked), addresses);
    }
    let before = cluster.topic(1, "orders").unwrap();
    let mut leaders: Vec<_> = before.leaders.iter().flatten().copied().collect();
    leaders.sort_unstable();
    assert_eq!(leaders, [1, 2, 3]);

    let process = format!("/proc/{}", cluster.pid(2).unwrap());
    cluster.kill(2);
    assert_eq!(cluster.pid(2), None);
    assert!(!Path::new(&process).exists());
    assert!(TcpStream::connect(cluster.addr(2)).is_err());
    for asked in [1, 3] {
        assert_eq!(advertised(&cluster, asked), addresses);
        assert_eq!(cluster.topic(asked, "orders").unwrap(), before);
    }
    assert_eq!(cluster.bootstrap(), bootstrap);
    let link = cluster.create_link("stream");
    assert_eq!(
        cluster.create_pipeline("p", "orders", &link),
        format!("CREATE PIPELINE p AS LOAD DATA LINK stream '{bootstrap}/orders' INTO TABLE t;\n")
    );
}
