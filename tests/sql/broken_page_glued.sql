CREATE LINK Orderdb.product_S3 AS S3CREDENTIALS '{"aws_access_key_id":"id-marker","aws_secret_access_key":"secret-marker"}'CONFIG '{"region":"us-east-1"}'DESCRIPTION 'Products ordered in December';
CREATE LINK [db_name.]connection_name AS AZURECREDENTIALS '{"account_name": "your_account","account_key": "secret-marker"}';
CREATE LINK mylink AS HDFSCREDENTIALS ''CONFIG '{"hadoop.security.authentication": "kerberos"}';
CREATE LINK kafka AS KAFKACONFIG '{"security.protocol": "sasl_ssl"}'CREDENTIALS '{"sasl.password": "secret-marker"}';
CREATE LINK l ASS3 CREDENTIALS '{"a":"secret-marker"}';
CREATE LINK l ASS3CREDENTIALS '{"a":"secret-marker"}';
CREATELINK l AS S3 CREDENTIALS '{"a":"secret-marker"}';
CREATE LINK good AS S3 CREDENTIALS '{}';
