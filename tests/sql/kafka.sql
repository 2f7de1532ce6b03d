CREATE LINK k0 AS KAFKA CONFIG '{"security.protocol":"PLAINTEXT"}' CREDENTIALS '{}';
CREATE LINK k1 AS KAFKA CONFIG '{"security.protocol":"SASL_SSL","sasl.mechanism":"PLAIN"}' CREDENTIALS '{"sasl.username":"key1","sasl.password":"secret1"}';
CREATE LINK k2 AS KAFKA CONFIG '{"sasl.username":"u","sasl.mechanism":"SCRAM-SHA-256","security.protocol":"SASL_SSL","ssl.ca.location":"/etc/ssl/certs/ca.pem"}' CREDENTIALS '{"sasl.password":"p"}';
CREATE LINK k3 AS KAFKA CONFIG '{"security.protocol":"ssl","ssl.ca.location":"/certs/ca.pem","ssl.certificate.location":"/certs/c.pem","ssl.key.location":"/certs/c.key"}' CREDENTIALS '{"ssl.key.password":"p"}';
CREATE LINK k4 AS KAFKA CONFIG '{"security.protocol":"sasl_plaintext","sasl.mechanism":"GSSAPI","sasl.kerberos.service.name":"kafka"}' CREDENTIALS '{}';
CREATE LINK k5 AS KAFKA CONFIG '{"sasl.mechanism":"OAUTHBEARER","sasl.oauthbearer.method":"oidc","sasl.oauthbearer.client.id":"c"}' CREDENTIALS '{"sasl.oauthbearer.client.secret":"s"}';
CREATE LINK k6 AS KAFKA CONFIG '{"security.protocol":"plaintext","spoof.dns":{"broker-1.internal:9092":"proxy.example.com:19092"},"operation.timeout.ms":"5000"}' CREDENTIALS '{}';
CREATE OR REPLACE AGGREGATOR PIPELINE IF NOT EXISTS pk AS LOAD DATA LINK k1 'b1.example.com:9092,b2.example.com:9092/orders' INTO TABLE t FORMAT AVRO SCHEMA REGISTRY 'https://registry.example.com:8081' (a <- a);
CREATE PIPELINE pk2 AS LOAD DATA LINK k0 'redpanda/events' INTO TABLE t FORMAT JSON (a <- a);
