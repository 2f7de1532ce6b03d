CREATE LINK a AS S3 CREDENTIALS '{"k":"secret-marker","n":123456,"o":{"p":["secret-marker",true]}}' CONFIG '{"x-amz-server-side-encryption-customer-key":"secret-marker","region":"shown"}' junk;
CREATE LINK a AS S3 CREDENTIALS '{"k":"secret-marker' junk;
CREATE LINK a AS S3 CONFIG '{"token":"secret-marker",' junk;
CREATE LINK a AS S3 CONFIG '{"region":"shown",' junk;
CREATE LINK a AS S3 CREDENTIALS '{
"k": "secret-marker"} ' junk 'secret-marker';
CREATE LINK a AS S3 junk CREDENTIALS ‘{"k":"secret-marker"}’;
CREATE LINK a AS S3 /* CREDENTIALS '{"k":"secret-marker"}' */ junk;
ALTER LINK a SET CREDENTIALS ::k = 'secret-marker' junk;
ALTER LINK a SET CONFIG ::password = 'secret-marker' junk;
ALTER LINK a SET CONFIG ::password = secretmarker junk;
ALTER LINK a SET CONFIG ::region = 'shown' junk;
CREATE LINK a AS S3 CREDENTIALS '{"k":"it's secret-marker; secret-marker "}' CONFIG '{}';
CREATE LINK a AS S3 CREDENTIALS '{"aws_access_key_id":"id-marker-id-marker-id-marker","aws_secret_access_key":"secret-marker"}' CONFIG '{"region":"us-east-1","endpoint_url":"https://storage.example.com:9000","suffixes":["csv","json","parquet"]}' DESCRIPTION 'a long one' wrong CONFIG '{"disable_gunzip":"true"}';
CREATE EXTERNAL FUNCTION f() AS REMOTE LINK a SERVICE "https://user:secret-marker@example.com/?t=secret-marker";
CREATE LINK a AS S3 CREDENTIALS '{"k":"secret-marker
