-- Every kind: two are dialled, six are of no use to a build without their provider.
USE shop;
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-readonly", "aws_secret_access_key": "lab-readonly-secret"}'
  CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1"}'
  DESCRIPTION 'orders of the shop';
CREATE PIPELINE p AS LOAD DATA LINK store 'private/team/a/' INTO TABLE t;
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
CREATE LINK wrong AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-readonly", "aws_secret_access_key": "m4rked"}'
  CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1"}';
CREATE PIPELINE q AS LOAD DATA LINK wrong 'private' INTO TABLE t;
CREATE LINK nobody AS S3 CREDENTIALS '{"aws_access_key_id": "a", "aws_secret_access_key": "m4rked"}'
  CONFIG '{"endpoint_url": "http://{closed}"}';
CREATE LINK blob AS AZURE CREDENTIALS '{"account_name": "shop", "account_key": "bTRya2Vk"}';
CREATE LINK bucket AS GCS CREDENTIALS '{"access_id": "GOOG1EXAMPLE", "secret_key": "m4rked"}'
  CONFIG '{"endpoint_url": "http://{closed}"}';
CREATE LINK files AS HDFS CREDENTIALS '' CONFIG '{"dfs.client.use.datanode.hostname": true}';
CREATE LINK bus AS KAFKA CONFIG '{"security.protocol": "PLAINTEXT"}' CREDENTIALS '{}';
CREATE LINK documents AS MONGODB CONFIG '{"mongodb.hosts": "h0:27017"}'
  CREDENTIALS '{"mongodb.user": "reader", "mongodb.password": "m4rked"}';
CREATE LINK rows AS MYSQL CONFIG '{"database.hostname": "db1", "database.port": 3306}'
  CREDENTIALS '{"database.user": "repl", "database.password": "m4rked"}';
SELECT LINK, TYPE, STATE FROM information_schema.LINKS;
-- run database=shop
-- linkdial: verify deferred
CREATE LINK bus AS KAFKA CONFIG '{"security.protocol": "PLAINTEXT"}' CREDENTIALS '{}';
CREATE LINK blob AS AZURE CREDENTIALS '{"account_name": "shop", "account_key": "bTRya2Vk"}';
-- run database=shop defer
CREATE LINK blob AS AZURE CREDENTIALS '{"account_name": "shop", "account_key": "bTRya2Vk"}';
CREATE LINK bucket AS GCS CREDENTIALS '{"access_id": "GOOG1EXAMPLE", "secret_key": "m4rked"}'
  CONFIG '{"endpoint_url": "http://{closed}"}';
CREATE LINK files AS HDFS CREDENTIALS '' CONFIG '{"dfs.client.use.datanode.hostname": true}';
CREATE LINK documents AS MONGODB CONFIG '{"mongodb.hosts": "h0:27017"}'
  CREDENTIALS '{"mongodb.user": "reader", "mongodb.password": "m4rked"}';
CREATE LINK rows AS MYSQL CONFIG '{"database.hostname": "db1", "database.port": 3306}'
  CREDENTIALS '{"database.user": "repl", "database.password": "m4rked"}';
CREATE LINK nobody AS S3 CREDENTIALS '{"aws_access_key_id": "a", "aws_secret_access_key": "m4rked"}'
  CONFIG '{"endpoint_url": "http://{closed}"}';
CREATE LINK no_json AS S3 CREDENTIALS '{"aws_access_key_id": }';
SHOW LINKS;
