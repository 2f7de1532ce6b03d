-- run database=shop
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-readonly", "aws_secret_access_key": "lab-readonly-secret"}'
  CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1"}';
CREATE PIPELINE p AS LOAD DATA LINK store 'private/*' INTO TABLE t;
-- run database=shop
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token", "X-Shop": "1"}}';
ALTER LINK store SET CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1", "s3_force_path_style": "true"}';
ALTER LINK store SET CONFIG ::region = 'us-east-1';
ALTER LINK store SET CONFIG ::disable_gunzip = 'true';
ALTER LINK store SET CREDENTIALS ::aws_secret_access_key = 'lab-writer-secret'
  SET CONFIG ::multipart_chunk_size_mb = '16';
ALTER LINK store SET CREDENTIALS '{"aws_access_key_id": "lab-writer", "aws_secret_access_key": "lab-writer-secret"}'
  SET CONFIG ::multipart_chunk_size_mb = '16';
SHOW CREATE LINK store;
-- run database=shop
-- A wrong secret leaves the old one.
ALTER LINK store SET CREDENTIALS ::aws_secret_access_key = 'm4rked';
CHECK LINK store;
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CHECK LINK score;
-- run database=shop defer
-- linkdial: verify deferred
CREATE LINK bus AS KAFKA CONFIG '{"security.protocol": "SASL_SSL"}' CREDENTIALS '{"sasl.username": "u", "sasl.password": "m4rked"}';
ALTER LINK bus SET CONFIG ::sasl.mechanism = 'PLAIN';
ALTER LINK bus SET CONFIG ::`ssl.ca.location` = '/certs/ca.pem' SET CREDENTIALS ::`sasl.password` = 'm4rked-too';
SHOW CREATE LINK bus;
-- linkdial: verify deferred
ALTER LINK store SET CONFIG ::x-amz-server-side-encryption = 'AES256';
SHOW CREATE LINK store;
-- run database=shop
ALTER LINK store SET CONFIG '{}' SET CONFIG '{}';
ALTER LINK store SET CONFIG ::region = 'a' SET CONFIG ::region = 'b';
ALTER LINK store SET CONFIG '{}' SET CREDENTIALS '{}' SET CONFIG '{}';
ALTER LINK store;
ALTER LINK nothing SET CONFIG '{}';
ALTER LINK store SET CONFIG '{"region": }';
CHECK LINK store;
