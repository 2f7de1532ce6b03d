create link Orderdb.product_S3 as s3
DESCRIPTION 'Products ordered in December'
config '{"region":"us-east-1"}'
credentials '{"aws_access_key_id":"your_access_key_id","aws_secret_access_key":"your_secret_access_key"}';
CREATE LINK azure AS AZURE CONFIG '{}' CREDENTIALS '{"account_name": "your_account","account_key": "encrypted_key"}';
CREATE LINK mylink AS GCS CONFIG '{}' CREDENTIALS '{"access_id": "your_google_access_key","secret_key": "your_google_secret_key"}';
CREATE LINK hdfs AS HDFS CONFIG '{"hadoop.security.authentication": "kerberos","dfs.client.use.datanode.hostname": true}' CREDENTIALS '';
CREATE LINK test AS HTTP CONFIG '{"headers": {"Authorization": "Basic cm9vdDp0ZXN0aW5nCg=="}}';
CREATE LINK kafka AS KAFKA CREDENTIALS '{"sasl.username": "your_sasl_username","sasl.password": "your_sasl_secret_key"}' CONFIG '{"security.protocol": "sasl_ssl","sasl.mechanism": "PLAIN"}';
