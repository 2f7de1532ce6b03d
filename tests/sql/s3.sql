-- good: static pair
CREATE LINK sales.orders_s3 AS S3
CREDENTIALS '{"aws_access_key_id":"AKIAEXAMPLE0000001","aws_secret_access_key":"abc/def+ghi"}'
CONFIG '{"region":"us-east-1"}' DESCRIPTION 'orders';
-- good: clauses swapped, temporary pair
CREATE OR REPLACE LINK orders_s3 AS S3 CONFIG '{"region":"eu-west-1"}'
CREDENTIALS '{"aws_access_key_id":"ASIAEXAMPLE0000001","aws_secret_access_key":"s","aws_session_token":"t"}';
-- good: role
CREATE LINK r AS S3 CREDENTIALS '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s","role_arn":"arn:aws:iam::123456789012:role/reader"}' CONFIG '{"region":"us-east-1"}';
-- good: role only / pod identity
CREATE LINK r2 AS S3 CREDENTIALS '{"role_arn":"arn:aws:iam::123456789012:role/reader"}' CONFIG '{"region":"us-east-1","creds_mode":"eks_irsa"}';
CREATE LINK pub AS S3 CREDENTIALS '{}' CONFIG '{ "region": "us-east-1" }';
CREATE LINK minio AS S3 CREDENTIALS '{"aws_access_key_id":"root","aws_secret_access_key":"Pass1!"}' CONFIG '{"endpoint_url":"http://minio:9000"}';
CREATE LINK k AS S3 CREDENTIALS '{"aws_access_key_id":"A","aws_secret_access_key":"s"}' CONFIG '{"region":"us-east-1","x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"alias/k1"}';
-- good: secret with a quote and a backslash: value s'cr\et
CREATE OR REPLACE LINK `db`.`ln` AS S3 CREDENTIALS '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"s\'cr\\\\et"}' CONFIG '{"endpoint_url":"https://store.example","region":"us-east-1"}';
-- bad: both clauses
CREATE OR REPLACE LINK IF NOT EXISTS x AS S3 CREDENTIALS '{}';
-- bad: trailing comma; array; duplicate clause
CREATE LINK bad1 AS S3 CREDENTIALS '{"aws_access_key_id":"A",}';
CREATE LINK bad2 AS S3 CREDENTIALS '["a"]';
CREATE LINK bad3 AS S3 CONFIG '{}' CREDENTIALS '{}' CONFIG '{"region":"x"}';
CREATE PIPELINE p AS LOAD DATA LINK orders_s3 'bucket-a/2024/orders.*' INTO TABLE t FIELDS TERMINATED BY ',';
SELECT * FROM t INTO LINK orders_s3 'bucket-a/out/part_1' WITH COMPRESSION;
BACKUP DATABASE sales TO LINK orders_s3 "bucket-b/backups";
RESTORE DATABASE sales FROM LINK orders_s3 "bucket-b/backups";
