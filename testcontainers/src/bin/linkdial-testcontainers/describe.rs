//! What `up` tells of a server: a script for people, an object for programs.

use std::net::SocketAddr;
use std::path::Path;

use linkdial_testcontainers::{
    Azurite, Certificates, FakeGcs, Hdfs, HdfsCluster, HdfsPair, HdfsPath, HdfsUser, HttpEndpoint,
    Kafka, KafkaListener, KafkaUser, Kdc, LinkStatement, Login, Minio, Moto, Nginx, Runtime,
    S3Server, SSE_C_KEY, SchemaRegistry, SecuredHdfs, SecuredKafka, ServiceAccount, User,
    Whereabouts,
};
use serde_json::{Map, Value, json};

/// A server with what a client needs to reach it.
#[derive(Debug)]
pub(crate) struct Description {
    /// The name that people know it by.
    title: &'static str,
    runtime: Runtime,
    /// Its process or container; without one it is inside this process.
    whereabouts: Option<Whereabouts>,
    address: SocketAddr,
    /// Addresses and credentials, under the names that clients give them.
    settings: Map<String, Value>,
    links: Vec<Link>,
}

/// A ready link.
#[derive(Debug)]
struct Link {
    remark: String,
    target: Option<&'static str>,
    statement: LinkStatement,
    /// A statement that uses it.
    user: Option<String>,
}

impl Description {
    fn new(
        title: &'static str,
        runtime: Runtime,
        whereabouts: impl Into<Option<Whereabouts>>,
        address: SocketAddr,
    ) -> Self {
        Self {
            title,
            runtime,
            whereabouts: whereabouts.into(),
            address,
            settings: Map::new(),
            links: Vec::new(),
        }
    }

    fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    fn set_ca_file(self, file: Option<&Path>) -> Self {
        match file {
            Some(file) => self.set("ca_file", file.display().to_string()),
            None => self,
        }
    }

    /// Adds what clients of Kerberos need.
    fn set_realm(self, kdc: &Kdc) -> Self {
        self.set("realm", kdc.realm())
            .set("kdc", kdc.addr().to_string())
            .set("krb5_conf", kdc.krb5_conf().display().to_string())
    }

    fn link(
        mut self,
        remark: &str,
        target: impl Into<Option<&'static str>>,
        statement: LinkStatement,
    ) -> Self {
        self.push(remark, target.into(), statement, None);
        self
    }

    /// Adds a link for each way to log in, and for some answers, each with a function that uses it.
    fn functions(mut self, create: impl Fn(&str, &str, &LinkStatement) -> String) -> Self {
        let wrong = ("Authorization", "Bearer not-the-token".to_owned());
        for (name, path, header) in [
            ("basic", "/basic", HttpEndpoint::basic()),
            ("bearer", "/bearer", HttpEndpoint::bearer()),
            ("api_key", "/header", HttpEndpoint::api_key()),
            ("wrong_token", "/bearer", wrong),
            ("post_only", "/function", HttpEndpoint::bearer()),
            ("busy", "/429", HttpEndpoint::bearer()),
            ("login_page", "/login", HttpEndpoint::bearer()),
        ] {
            let link = HttpEndpoint::create_link(name, [header]);
            let function = create(&format!("f_{name}"), path, &link);
            self.push(path, None, link, Some(function));
        }
        self
    }

    /// Adds links for users of MinIO who get in.
    fn users(self, login: fn(User) -> Login, link: impl Fn(&str, &Login) -> LinkStatement) -> Self {
        let link = |name, user| link(name, &login(user));
        self.link("may do everything", "private", link("root", User::Root))
            .link(
                "lists and reads",
                "private/team",
                link("readonly", User::ReadOnly),
            )
            .link("writes too", "private/team", link("writer", User::Writer))
            .link(
                "team/a alone",
                "private/team/a/",
                link("prefix", User::Prefix),
            )
    }

    /// Adds links for users of MinIO who are refused.
    fn refused_users(
        self,
        login: fn(User) -> Login,
        link: impl Fn(&str, &Login) -> LinkStatement,
    ) -> Self {
        let wrong = Login::new(login(User::ReadOnly).access_key_id, "not-the-secret");
        self.link(
            "refused: the secret is wrong",
            "private",
            link("wrong_secret", &wrong),
        )
        .link(
            "refused: no right to list",
            "private",
            link("nolist", &login(User::NoList)),
        )
        .link(
            "refused: the user is disabled",
            "private",
            link("disabled", &login(User::Disabled)),
        )
    }

    fn push(
        &mut self,
        remark: &str,
        target: Option<&'static str>,
        statement: LinkStatement,
        user: Option<String>,
    ) {
        self.links.push(Link {
            remark: remark.to_owned(),
            target,
            statement,
            user,
        });
    }

    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime
    }

    pub(crate) fn whereabouts(&self) -> Option<&Whereabouts> {
        self.whereabouts.as_ref()
    }

    /// What clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The whereabouts in words.
    pub(crate) fn place(&self) -> String {
        match &self.whereabouts {
            Some(whereabouts) => whereabouts.to_string(),
            None => format!("in process {}", std::process::id()),
        }
    }

    /// A script for `linkdial verify`.
    pub(crate) fn script(&self) -> String {
        let mut text = format!("-- {}, {}\n", self.title, self.place());
        for (name, value) in &self.settings {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            text.extend(["-- ", name.as_str(), ": ", value.as_str(), "\n"]);
        }
        text.push('\n');
        for link in &self.links {
            add(&mut text, &link.remark, link.target, &link.statement);
            if let Some(user) = &link.user {
                text.extend([user, "\n"]);
            }
        }
        text
    }

    /// The same for a program.
    pub(crate) fn json(&self, name: &str) -> Value {
        let links: Vec<_> = self
            .links
            .iter()
            .map(|link| {
                json!({
                    "name": link.statement.name(),
                    "remark": link.remark,
                    "target": link.target,
                    "statement": link.statement.to_string(),
                    "use": link.user,
                })
            })
            .collect();
        json!({
            "name": name,
            "title": self.title,
            "runtime": self.runtime.to_string(),
            "whereabouts": self.place(),
            "address": self.address.to_string(),
            "settings": self.settings,
            "links": links,
        })
    }
}

/// Appends a link with its target, ready for `linkdial verify`.
pub(crate) fn add(script: &mut String, remark: &str, target: Option<&str>, link: &LinkStatement) {
    let target = target.map(|target| format!("-- linkdial: target '{target}'\n"));
    let link = link.to_string();
    script.extend([
        "-- ",
        remark,
        "\n",
        &target.unwrap_or_default(),
        &link,
        "\n",
    ]);
}

/// `temporary` is a key with a session token.
pub(crate) fn minio(minio: &Minio, temporary: &Login) -> Description {
    let root = User::Root.login();
    let description = Description::new("MinIO", minio.runtime(), minio.whereabouts(), minio.addr())
        .set("endpoint_url", minio.endpoint_url())
        .set("region", minio.region())
        .set("aws_access_key_id", root.access_key_id)
        .set("aws_secret_access_key", root.secret_access_key)
        .set_ca_file(minio.ca_file());
    let link = |name: &str, login: &Login| minio.create_link(name, login);
    let mut description = description
        .users(User::login, link)
        .link(
            "a key with a session token, for 15 minutes",
            "private",
            minio.create_link("temporary", temporary),
        )
        .link(
            "without credentials",
            "public",
            minio.anonymous_link("anonymous"),
        );
    if minio.ca_file().is_some() {
        let link = minio.encrypted_link("customer_key", &User::ReadOnly.login(), SSE_C_KEY);
        description = description.link("objects under a customer's key", "sse-c", link);
    }
    description.refused_users(User::login, link)
}

/// `minio` has the region that links to GCS sign for.
pub(crate) fn minio_gcs(minio: &Minio) -> Description {
    let root = User::Root.hmac_login();
    let anonymous = minio.anonymous_gcs_link("anonymous");
    let link = |name: &str, login: &Login| minio.create_gcs_link(name, login);
    Description::new(
        "MinIO as Google Cloud Storage",
        minio.runtime(),
        minio.whereabouts(),
        minio.addr(),
    )
    .set("endpoint_url", minio.endpoint_url())
    .set("region", minio.region())
    .set("access_id", root.access_key_id)
    .set("secret_key", root.secret_access_key)
    .set_ca_file(minio.ca_file())
    .users(User::hmac_login, link)
    .link("without credentials", "public", anonymous)
    .refused_users(User::hmac_login, link)
}

pub(crate) fn fake_gcs(fake: &FakeGcs) -> Description {
    let account = ServiceAccount::shared();
    Description::new(
        "fake-gcs-server",
        fake.runtime(),
        fake.whereabouts(),
        fake.addr(),
    )
    .set("endpoint_url", fake.endpoint_url())
    .set(ServiceAccount::LINK_KEY, account.json())
    .set_ca_file(fake.ca_file())
    .link(
        "without credentials",
        "public/team",
        fake.anonymous_link("anonymous"),
    )
    .link(
        "a service account; its token is not checked",
        "public/team",
        fake.service_account_link("service_account", account),
    )
}

pub(crate) fn moto(moto: &Moto) -> Description {
    let process = Whereabouts::Process(moto.pid());
    let member = moto.member();
    Description::new("moto", Runtime::Local, process, moto.addr())
        .set("endpoint_url", moto.endpoint_url())
        .set("aws_access_key_id", member.access_key_id.as_str())
        .set("aws_secret_access_key", member.secret_access_key.as_str())
        .set("role_arn", moto.role_arn())
        .link(
            "its own rights",
            "private",
            moto.create_link("member", member),
        )
        .link("through a role", "private", moto.role_link("role", member))
        .link(
            "refused: may not assume the role",
            "private",
            moto.role_link("role_refused", moto.stranger()),
        )
}

pub(crate) fn s3(server: &S3Server) -> Description {
    let login = S3Server::login();
    let link = server.create_link("demo", &login);
    Description::new("S3 server", Runtime::Local, None, server.addr())
        .set("endpoint_url", server.endpoint_url())
        .set("aws_access_key_id", login.access_key_id)
        .set("aws_secret_access_key", login.secret_access_key)
        .set("folder", server.folder().display().to_string())
        .link("may do everything", "demo/orders/", link)
}

pub(crate) fn http(endpoint: &HttpEndpoint) -> Description {
    let tls = endpoint.url("/").starts_with("https");
    let ca_file = tls.then(|| Certificates::shared().ca_file());
    Description::new("HTTP service", Runtime::Local, None, endpoint.addr())
        .set("url", endpoint.url("/"))
        .set_ca_file(ca_file)
        .functions(|function, path, link| endpoint.create_function(function, path, link))
}

pub(crate) fn nginx(nginx: &Nginx) -> Description {
    Description::new("nginx", nginx.runtime(), nginx.whereabouts(), nginx.addr())
        .set("url", nginx.url("/"))
        .set_ca_file(nginx.ca_file())
        .functions(|function, path, link| nginx.create_function(function, path, link))
}

/// `token` is of a shared access to read and list.
pub(crate) fn azurite(azurite: &Azurite, token: &str) -> Description {
    let account = azurite.account();
    let link = |name| azurite.create_link(name, &account);
    let wrong = azurite.create_link("wrong_key", &account.with_wrong_key());
    Description::new(
        "Azurite",
        azurite.runtime(),
        azurite.whereabouts(),
        azurite.addr(),
    )
    .set("endpoint_url", azurite.endpoint_url())
    .set("account_name", azurite.account_name())
    .set("account_key", azurite.account_key())
    .set("connection_string", azurite.connection_string())
    .set_ca_file(azurite.ca_file())
    .link("may do everything", "private/team", link("blobs"))
    .link(
        "a shared access signature that lists and reads, for an hour",
        "private/team",
        azurite.shared_access_link("shared_access", token),
    )
    .link("refused: the key is wrong", "private", wrong)
}

pub(crate) fn kafka(kafka: &Kafka) -> Description {
    let link = kafka.create_link("events");
    let pipeline = kafka.create_pipeline("read_orders", "orders", &link);
    let mut description =
        Description::new("Kafka", kafka.runtime(), kafka.whereabouts(), kafka.addr())
            .set("bootstrap_servers", kafka.bootstrap())
            .set("topic", "orders");
    description.push("without a login", None, link, Some(pipeline));
    description
}

impl Description {
    fn of_hdfs(title: &'static str, cluster: &HdfsCluster) -> Self {
        let processes = cluster.whereabouts();
        Self::new(title, Runtime::Local, processes, cluster.addr())
            .set("url", cluster.url("/"))
            .set("path", HdfsPath::Orders.path())
    }

    /// Adds a link with a pipeline that reads a path through it.
    fn reader(
        mut self,
        cluster: &HdfsCluster,
        remark: &str,
        path: impl AsRef<str>,
        link: LinkStatement,
    ) -> Self {
        let pipeline = cluster.create_pipeline(&format!("read_by_{}", link.name()), path, &link);
        self.push(remark, None, link, Some(pipeline));
        self
    }
}

pub(crate) fn hdfs(hdfs: &Hdfs) -> Description {
    let link = |name| hdfs.create_link(name);
    Description::of_hdfs("HDFS", hdfs)
        .reader(hdfs, "a file", HdfsPath::Orders, link("file"))
        .reader(hdfs, "a folder", HdfsPath::Data, link("folder"))
        .reader(
            hdfs,
            "refused: no right to read",
            HdfsPath::PrivateFile,
            link("private_file"),
        )
        .reader(
            hdfs,
            "refused: there is no such path",
            "/nowhere",
            link("nowhere"),
        )
}

pub(crate) fn secured_hdfs(hdfs: &SecuredHdfs) -> Description {
    let link = |name, user| hdfs.create_link_for(name, user);
    let alice = hdfs.keytab(HdfsUser::Alice).display().to_string();
    Description::of_hdfs("HDFS with Kerberos", hdfs)
        .set_realm(hdfs.kdc())
        .set("principal", hdfs.kdc().principal(HdfsUser::Alice.name()))
        .set("keytab", alice)
        .reader(
            hdfs,
            "the owner: verify with --krb5-conf and the file above",
            HdfsPath::PrivateFile,
            link("owner", HdfsUser::Alice),
        )
        .reader(
            hdfs,
            "another user",
            HdfsPath::Orders,
            link("other", HdfsUser::Bob),
        )
        .reader(
            hdfs,
            "refused: no right to read",
            HdfsPath::PrivateFile,
            link("no_right", HdfsUser::Bob),
        )
        .reader(
            hdfs,
            "refused: without a login",
            HdfsPath::Orders,
            hdfs.plain_link("no_login"),
        )
}

pub(crate) fn hdfs_pair(pair: &HdfsPair) -> Description {
    let namenodes = [1, 2].map(|number| pair.namenode(number).addr().to_string());
    Description::of_hdfs("HDFS with two NameNodes", pair)
        .set("namenodes", namenodes.to_vec())
        .reader(
            pair,
            "a file, by whichever NameNode is active",
            HdfsPath::Orders,
            pair.create_link("files"),
        )
}

/// Whose keytab is shown.
pub(crate) const PRINCIPAL: &str = "alice";

pub(crate) fn kdc(kdc: &Kdc, keytab: &Path) -> Description {
    let process = Whereabouts::Process(kdc.pid());
    Description::new("MIT Kerberos", Runtime::Local, process, kdc.addr())
        .set_realm(kdc)
        .set("principal", kdc.principal(PRINCIPAL))
        .set("keytab", keytab.display().to_string())
}

pub(crate) fn schema_registry(registry: &SchemaRegistry) -> Description {
    let (user, password) = SchemaRegistry::login();
    Description::new("schema registry", Runtime::Local, None, registry.addr())
        .set("url", registry.url(""))
        .set("username", user)
        .set("password", password)
}

pub(crate) fn secured_kafka(kafka: &SecuredKafka) -> Description {
    let mut description = Description::new(
        "Kafka with users",
        kafka.runtime(),
        kafka.whereabouts(),
        kafka.addr(),
    )
    .set("bootstrap_servers", kafka.bootstrap())
    .set("topic", "orders")
    .set_realm(kafka.kdc());
    let alice = KafkaUser::Alice;
    for (name, listener, user, remark) in [
        ("tls", KafkaListener::Tls, alice, "TLS without a login"),
        (
            "mutual_tls",
            KafkaListener::MutualTls,
            alice,
            "TLS with a client certificate",
        ),
        ("plain", KafkaListener::Plain, alice, "SASL PLAIN"),
        (
            "scram_256",
            KafkaListener::ScramSha256,
            alice,
            "TLS with SCRAM-SHA-256",
        ),
        (
            "scram_512",
            KafkaListener::ScramSha512,
            alice,
            "TLS with SCRAM-SHA-512",
        ),
        (
            "oauth",
            KafkaListener::OauthBearer,
            alice,
            "refused: TLS with OAUTHBEARER and an unsigned token",
        ),
        (
            "oidc",
            KafkaListener::Oidc,
            alice,
            "TLS with OAUTHBEARER and a token of an issuer",
        ),
        (
            "kerberos",
            KafkaListener::Gssapi,
            alice,
            "Kerberos: verify with --krb5-conf and the file above",
        ),
        (
            "nobody",
            KafkaListener::Plain,
            KafkaUser::Nobody,
            "refused: no right to see the topic",
        ),
        (
            "closed_port",
            KafkaListener::ClosedPort,
            alice,
            "refused: the advertised port is closed",
        ),
        (
            "unresolvable",
            KafkaListener::UnresolvableName,
            alice,
            "refused: nobody can resolve the advertised name",
        ),
        (
            "mute",
            KafkaListener::Mute,
            alice,
            "refused: the advertised broker says nothing",
        ),
    ] {
        let link = kafka.create_link_for(name, listener, user);
        let pipeline =
            kafka.create_pipeline_for(&format!("read_by_{name}"), listener, "orders", &link);
        description.push(remark, None, link, Some(pipeline));
    }
    description
}
