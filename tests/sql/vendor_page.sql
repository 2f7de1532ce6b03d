-- option database=Orderdb
CREATE LINK Orderdb.product_S3 AS S3
CREDENTIALS '{"aws_access_key_id":"your_access_key_id","aws_secret_access_key":"your_secret_access_key"}'
CONFIG '{"region":"us-east-1"}'
DESCRIPTION 'Products ordered in December';
CREATE LINK azure AS AZURE CREDENTIALS '{"account_name": "your_account","account_key": "encrypted_key"}';
CREATE LINK mylink AS GCS CREDENTIALS '{"access_id": "your_google_access_key","secret_key": "your_google_secret_key"}';
CREATE LINK hdfs AS HDFS CREDENTIALS ''CONFIG '{"hadoop.security.authentication": "kerberos","kerberos.user": "user@masked_host","kerberos.keytab": "/opt/software/adkeytabs/user.keytab","dfs.client.use.datanode.hostname": true,"dfs.datanode.kerberos.principal": "hdfs/_HOST@masked_host","dfs.namenode.kerberos.principal": "hdfs/_HOST@masked_host"}';
CREATE LINK test AS HTTP CREDENTIALS '{"headers": {"Authorization": "Basic cm9vdDp0ZXN0aW5nCg=="}}';
CREATE LINK kafka AS KAFKA CONFIG '{"security.protocol": "sasl_ssl","sasl.mechanism": "PLAIN"}'CREDENTIALS '{"sasl.username": "your_sasl_username","sasl.password": "your_sasl_secret_key"}';
