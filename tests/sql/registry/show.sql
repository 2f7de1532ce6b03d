-- run database=shop defer
-- linkdial: verify deferred
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "m4rked"}'
  CONFIG '{"region": "eu-central-1", "x-amz-server-side-encryption-customer-key": "bTRya2Vk"}'
  DESCRIPTION 'it''s "quoted"';
-- linkdial: verify deferred
CREATE LINK public AS S3 CREDENTIALS '{}' CONFIG '{"region": "us-east-1"}';
CREATE LINK blob AS AZURE CREDENTIALS '{"account_name": "shop", "account_key": "bTRya2Vk"}';
-- linkdial: verify deferred
CREATE LINK bucket AS GCS CREDENTIALS '{}' DESCRIPTION 'public';
CREATE LINK files AS HDFS CREDENTIALS '' CONFIG '{"dfs.client.use.datanode.hostname": true}';
CREATE LINK bus AS KAFKA CREDENTIALS '{"sasl.username": "u"}'
  CONFIG '{"sasl.password": "m4rked", "spoof.dns": {"a:9092": "b:19092"}}';
CREATE LINK documents AS MONGODB CONFIG '{"mongodb.hosts": "h0:27017"}'
  CREDENTIALS '{"mongodb.user": "reader", "mongodb.password": "m4rked"}';
CREATE LINK rows AS MYSQL CONFIG '{"database.hostname": "db1", "database.port": 3306}'
  CREDENTIALS '{"database.user": "repl", "database.password": "m4rked"}';
CREATE LINK other.score AS HTTP CREDENTIALS '{"headers": {"X-Api-Key": "m4rked"}}';
-- run database=shop
SHOW CREATE LINK store;
SHOW CREATE LINK public;
SHOW CREATE LINK blob;
SHOW CREATE LINK bucket;
SHOW CREATE LINK files;
SHOW CREATE LINK bus;
SHOW CREATE LINK documents;
SHOW CREATE LINK rows;
SHOW CREATE LINK other.score;
SHOW CREATE LINK score;
-- run
SHOW LINKS ON shop;
SHOW LINKS ON other;
-- run
SELECT * FROM information_schema.LINKS;
SELECT LINK, STATE FROM information_schema.LINKS WHERE DATABASE_NAME = 'other';
SELECT link, database_name FROM information_schema.links WHERE link = "bus";
SELECT LINK FROM information_schema.LINKS WHERE TYPE = 'S3';
SELECT LINK FROM information_schema.LINKS WHERE TYPE LIKE '%S%' AND LINK LIKE 'r_ws';
SELECT LINK FROM information_schema.LINKS WHERE DATABASE_NAME LIKE 'sh%' AND DATABASE_NAME = 'shop' AND LINK LIKE 'b%';
SELECT LINK FROM information_schema.LINKS WHERE DATABASE_NAME = 'shop' AND DATABASE_NAME = 'other';
SELECT LINK FROM information_schema.LINKS WHERE LINK = 'nothing';
-- run database=shop
-- Its output is no statement to run: the secrets are not in it.
CREATE LINK `shop`.`store` AS S3 CREDENTIALS <CREDENTIALS REDACTED> CONFIG "{\"region\":\"eu-central-1\"}";
CREATE OR REPLACE LINK `shop`.`bus` AS KAFKA CREDENTIALS "{}" CONFIG "{\"sasl.password\":\"<REDACTED>\"}";
ALTER LINK store SET CREDENTIALS <CREDENTIALS REDACTED>;
ALTER LINK bus SET CONFIG "{\"sasl.password\":\"<REDACTED>\"}";
ALTER LINK bus SET CONFIG ::sasl.password = '<REDACTED>';
-- What lacks none is.
-- linkdial: verify deferred
CREATE LINK `shop`.`public` AS S3 CREDENTIALS "{}" CONFIG "{\"region\":\"us-east-1\"}";
