CREATE LINK product_S3 AS S3
CREDENTIALS '{
"aws_access_key_id": "id-marker",
"aws_secret_access_key": "secret-marker"
[, "aws_session_token": "token-marker"]
}'
CONFIG ‘{
"region": "your_region",
"endpoint_url": "http://other_endpoint"
}';
CREATE LINK a AS S3 CREDENTIALS ‘{"aws_secret_access_key":"secret-marker"}’ CONFIG “{"region":"x"}”;
CREATE LINK b AS S3 CREDENTIALS '{"aws_secret_access_key":"secret-marker"}’ CONFIG '{"region":"x"}';
CREATE LINK good AS S3 CREDENTIALS '{}';
