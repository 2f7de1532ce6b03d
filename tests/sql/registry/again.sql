-- run database=shop
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
-- run database=shop
-- The same in other words: nothing is dialled.
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CONFIG '{}' CREDENTIALS '{ "headers" : {"Authorization":"Bearer lab-token"} }';
CREATE LINK IF NOT EXISTS score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
CREATE LINK IF NOT EXISTS score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CREATE LINK IF NOT EXISTS score AS S3 CREDENTIALS '{}';
CREATE OR REPLACE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
-- run database=shop
-- Another definition.
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CREATE LINK score AS S3 CREDENTIALS '{}';
CREATE OR REPLACE LINK score AS S3 CREDENTIALS '{}';
CREATE OR REPLACE LINK IF NOT EXISTS score AS HTTP CREDENTIALS '{}';
CREATE OR REPLACE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CHECK LINK score;
CREATE OR REPLACE LINK score AS HTTP DESCRIPTION 'scores'
  CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
SELECT LINK, DESCRIPTION FROM information_schema.LINKS;
-- run database=shop
CREATE LINK IF NOT EXISTS echo AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/'
CREATE LINK IF NOT EXISTS echo AS HTTP CREDENTIALS '{}';
-- run database=shop
-- What is kept differs from what is dialled: only the new target is.
-- linkdial: target 'http://{http}/echo'
CREATE LINK echo AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/404'
CREATE LINK echo AS HTTP CREDENTIALS '{}';
-- run database=shop
-- linkdial: ignore define.unknown-key on purpose
CREATE LINK echo AS HTTP CREDENTIALS '{}';
