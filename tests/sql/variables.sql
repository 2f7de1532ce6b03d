-- option secret PW=p"w\x
-- option var REGION=eu-west-1
-- option secret CREDS={"aws_access_key_id":"AKIA1","aws_secret_access_key":"from-${NOT_FILLED}"}
CREATE LINK a AS S3 CREDENTIALS '{"aws_access_key_id":"id","aws_secret_access_key":"${PW}"}' CONFIG '{"region":"${REGION}","literal":"$${REGION}","suffixes":["${REGION}-x"]}';
CREATE LINK b AS S3 CREDENTIALS '${CREDS}';
CREATE LINK c AS S3 CREDENTIALS '{"x":"é","aws_secret_access_key":"prefix-secret-marker${NOBODY}"}';
CREATE LINK d AS S3 CREDENTIALS ' ${NOBODY} ';
CREATE LINK e AS S3 CREDENTIALS '{"aws_secret_access_key":"secret-marker${oops"}';
CREATE LINK f AS S3 CREDENTIALS '${CREDS}';
ALTER LINK f SET CREDENTIALS ::aws_access_key_id = '${PW}';
CREATE PIPELINE p AS LOAD DATA LINK c 'bucket' INTO TABLE t;
