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

    let contents = cluster.contents().unwrap();
    assert_eq!(contents.end_offsets.len(), 1);
    assert_eq!(contents.end_offsets["orders"], [Some(0); 3]);
    assert!(contents.groups.is_empty() && contents.transactional_ids.is_empty());

    let process = format!("/proc/{}", cluster.pid(2).unwrap());
    cluster.kill(2);
    assert_eq!(cluster.pid(2), None);
    assert!(!Path::new(&process).exists());
    assert!(TcpStream::connect(cluster.addr(2)).is_err());
    for asked in [1, 3] {
        assert_eq!(advertised(&cluster, asked), addresses);
        assert_eq!(cluster.topic(asked, "orders").unwrap(), before);
    }
    let of_living = |leader: &Option<i32>| (*leader != Some(2)).then_some(0);
    let ends: Vec<_> = before.leaders.iter().map(of_living).collect();
    assert_eq!(cluster.end_offsets("orders").unwrap(), ends);
    assert_eq!(cluster.topics().unwrap(), [before]);
    assert!(cluster.groups().unwrap().is_empty());
    assert!(cluster.transactional_ids().unwrap().is_empty());
    assert_eq!(cluster.bootstrap(), bootstrap);
    let link = cluster.create_link("stream");
    assert_eq!(
        cluster.create_pipeline("p", "orders", &link),
        format!("CREATE PIPELINE p AS LOAD DATA LINK stream '{bootstrap}/orders' INTO TABLE t;\n")
    );
}
