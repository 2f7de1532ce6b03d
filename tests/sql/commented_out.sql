CREATE LINK a # AS S3 CREDENTIALS '{"id"
:"secret-marker", "key":"secret-marker"}';
-- CREATE LINK b AS S3 CREDENTIALS '{
"aws_secret_access_key": "secret-marker"}' CONFIG '{}';
CREATE LINK good AS S3 CONFIG '{}'; -- CREDENTIALS '{"k":"secret-marker"}'
CREATE LINK c AS; -- pw 'secret-marker'
