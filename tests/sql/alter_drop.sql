CREATE LINK IF NOT EXISTS m AS MONGODB
CONFIG '{"mongodb.hosts":"h0.example.net:27017, h1.example.net:27017","collection.include.list":"app.*","mongodb.ssl.enabled":"true"}'
CREDENTIALS '{"mongodb.user":"reader","mongodb.password":"p"}';
CREATE TABLES AS INFER PIPELINE AS LOAD DATA LINK m '*' FORMAT AVRO;
CREATE LINK my AS MYSQL CONFIG '{"database.hostname":"db1","database.port":3306}' CREDENTIALS '{"database.user":"repl","database.password":"p"}';
CREATE LINK sales.orders_s3 AS S3 CREDENTIALS '{}' CONFIG '{"region":"us-east-1"}';
CREATE LINK k1 AS KAFKA CREDENTIALS '{"sasl.password":"old"}';
CREATE LINK k2 AS KAFKA CREDENTIALS '{"sasl.password":"old"}';
CREATE LINK empty AS S3 CREDENTIALS '';
ALTER LINK sales.orders_s3 SET CONFIG ::region = 'eu-west-1';
ALTER LINK k1 SET CREDENTIALS ::`sasl.password` = 'new' SET CONFIG '{"security.protocol":"SASL_SSL","sasl.mechanism":"SCRAM-SHA-512"}';
ALTER LINK k1 SET CONFIG ::sasl.mechanism = 'PLAIN';
ALTER LINK empty SET CREDENTIALS ::aws_access_key_id = 'A' SET CONFIG ::x-amz-server-side-encryption = "AES\"256";
ALTER LINK empty SET CREDENTIALS ::aws_secret_access_key = 'S';
-- bad: two SET CONFIG clauses; three SET clauses; a missing link; another kind
ALTER LINK k2 SET CONFIG '{}' SET CONFIG ::a = 'b';
ALTER LINK k2 SET CONFIG '{}' SET CREDENTIALS '{}' SET CONFIG '{}';
ALTER LINK nowhere SET CONFIG '{}';
ALTER LINK k2 AS S3;
ALTER LINK k2 SET CREDENTIALS ::sasl.password = 'secret-marker' junk-marker;
CREATE OR REPLACE LINK k1 AS S3 CREDENTIALS '{}';
DROP LINK sales.orders_s3;      -- second time: missing link, 2332
DROP LINK sales.orders_s3;
DROP LINK nowhere;
DROP LINK IF EXISTS nowhere;
SHOW LINKS ON sales;  SHOW CREATE TABLE t;
