-- A link that a broken statement is about is left out; its uses are no slips.
CREATE LINK kept AS S3 CREDENTIALS '{}';
CREATE LINK altered AS S3 CREDENTIALS '{}' CONFIG '{"region":"us-east-1"}';
CREATE LINK replaced AS S3 CREDENTIALS '{}';
CREATE LINK unbound AS S3 CREDENTIALS '{}';
CREATE LINK again AS S3 CREDENTIALS '{}';
CREATE LINK dropped AS S3 CREDENTIALS '{}';
CREATE LINK other AS S3 CREDENTIALS '{}';
ALTER LINK altered SET CONFIG '{"region":"eu-west-1"}' SET;
CREATE OR REPLACE LINK replaced AS S4 CREDENTIALS '{}';
CREATE OR REPLACE LINK unbound AS S3 CREDENTIALS '{"a":"${NOTHING}"}';
ALTER LINK again SET REGION '{}';
CREATE OR REPLACE LINK again AS S3 CREDENTIALS '{}' CONFIG '{"region":"eu-west-1"}';
DROP LINK dropped junk;
CREATE LINK db.other AS S3;
CREATE PIPELINE p AS LOAD DATA LINK altered 'bucket' INTO TABLE t;
CREATE PIPELINE q AS LOAD DATA LINK ketp 'bucket' INTO TABLE t;
CREATE PIPELINE r AS LOAD DATA LINK elsewhere 'bucket' INTO TABLE t;
