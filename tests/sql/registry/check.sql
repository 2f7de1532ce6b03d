-- run database=shop
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-readonly", "aws_secret_access_key": "lab-readonly-secret"}'
  CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1"}';
CREATE PIPELINE p AS LOAD DATA LINK store 'private/team/a/' INTO TABLE t;
CREATE PIPELINE q AS LOAD DATA LINK store 'empty' INTO TABLE t;
-- run
CHECK LINK shop.store;
CHECK LINK shop.store ON 'private/other/';
CHECK LINK shop.store ON 'private' FOR READ;
CHECK LINK shop.store ON 'private' FOR WRITE;
CHECK LINK shop.store ON 'locked';
CHECK LINK shop.nothing;
USE shop;
CHECK LINK store ON 'empty';
-- run plan
CHECK LINK shop.store;
