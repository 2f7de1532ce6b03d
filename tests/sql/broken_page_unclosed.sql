CREATE LINK mylink AS GCS
CREDENTIALS '{
"access_id": "id-marker",
"secret_key": "secret-marker"
};

CREATE LINK good AS GCS CREDENTIALS '{"access_id": "a","secret_key": "s"}';
CREATE LINK closes_early AS S3 CREDENTIALS '{"aws_access_key_id":"a","aws_secret_access_key":"it's secret-marker; 'marker'"}';
CREATE LINK `unclosed AS S3 CREDENTIALS '{}';
CREATE PIPELINE p AS LOAD DATA LINK good 'bucket;
CREATE LINK better AS GCS CREDENTIALS '{"access_id": "a","secret_key": "secret-marker"}';
CREDENTIALS '{
"account_name": "your_account_name",
"account_key": "secret-marker"
}';
INSERT INTO t VALUES ('not closed);
SELECT 1;
CREATE LINK last AS S3 CONFIG '{}' CREDENTIALS '{"secret-marker":
