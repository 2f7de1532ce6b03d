CREATE LINK az AS AZURE CREDENTIALS '{"account_name":"examplestore","account_key":"QUJD"}';
CREATE PIPELINE pa AS LOAD DATA LINK az 'container-a/in/' INTO TABLE t;
CREATE LINK g AS GCS CREDENTIALS '{"access_id":"GOOG1EXAMPLE","secret_key":"s"}';
create link gpub as gcs credentials '{}' description 'public wasm modules';
CREATE FUNCTION f RETURNS TABLE AS WASM FROM LINK gpub 'modules-bucket/f.wasm' WITH WIT FROM LINK gpub 'modules-bucket/f.wit';
