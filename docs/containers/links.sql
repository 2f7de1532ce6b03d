-- Links to the servers of compose.yaml, each dialled by: linkdial verify links.sql
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-root", "aws_secret_access_key": "lab-root-secret"}'
  CONFIG '{"endpoint_url": "http://127.0.0.1:9000", "region": "us-east-1"}';

CREATE LINK web AS HTTP CREDENTIALS '{"headers": {}}';
CREATE EXTERNAL FUNCTION score(a INT) RETURNS INT
  AS REMOTE SERVICE "http://127.0.0.1:8080/" FORMAT JSON LINK web;
