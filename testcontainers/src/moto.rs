use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Process, with_port};
use crate::store::{Store, elements};
use crate::wire::Wire;
use crate::{Error, LinkStatement, Login, Scratch, install};

/// How long a start may take on a busy machine; it usually takes two seconds.
const START: Duration = Duration::from_secs(90);

/// The region of the links; moto has all of them.
const REGION: &str = "us-east-1";

/// The role that both users ask for, in moto's only account.
const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/linkdial";

/// moto, the AWS stand-in, as a process with authentication switched on.
///
/// Other than MinIO it knows IAM roles: [`Moto::stranger`] may not assume [`Moto::role_arn`],
/// [`Moto::member`] may, and may list and read the bucket `private` with `top.txt` inside.
#[derive(Debug)]
pub struct Moto {
    // The process first: its folder goes only after it has gone.
    process: Process,
    wire: Wire,
    member: Login,
    stranger: Login,
    _folder: Scratch,
}

impl Moto {
    /// Installs moto if needed (a minute, once), starts it and makes its users (two seconds).
    ///
    /// # Errors
    ///
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Error> {
        let python = install::moto()?;
        with_port(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let folder = Scratch::new("moto")?;
            let mut command = Command::new(&python);
            command.args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ]);
            // Authentication is off until the users are there.
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", "9999");
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            let process = Process::start("moto", &folder, &command)?;
            let wire = Wire { address, tls: None };
            process.wait(START, || wire.healthy("/moto-api/data.json"))?;
            let (member, stranger) = populate(&wire)?;
            Ok(Self {
                process,
                wire,
                member,
                stranger,
                _folder: folder,
            })
        })
    }

    /// The server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("moto: {error}")))
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.wire.address
    }

    /// The address as `endpoint_url` and `sts_endpoint_url`.
    pub fn endpoint_url(&self) -> String {
        self.wire.url()
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The role that [`Moto::member`] may assume.
    pub fn role_arn(&self) -> &'static str {
        ROLE_ARN
    }

    /// A key whose user may assume the role, and list and read `private`.
    pub fn member(&self) -> &Login {
        &self.member
    }

    /// A key whose user has no right at all.
    pub fn stranger(&self) -> &Login {
        &self.stranger
    }

    /// A small client with this login.
    pub fn store_as(&self, login: Login) -> Store {
        Store::new(self.wire.clone(), REGION, login)
    }

    /// A ready `CREATE LINK` for this login.
    pub fn create_link(&self, name: &str, login: &Login) -> LinkStatement {
        LinkStatement::new(name, "S3")
            .credential("aws_access_key_id", login.access_key_id.as_str())
            .credential("aws_secret_access_key", login.secret_access_key.as_str())
            .config("endpoint_url", self.endpoint_url())
            .config("region", REGION)
    }

    /// A ready `CREATE LINK` for this login that assumes the role.
    pub fn role_link(&self, name: &str, login: &Login) -> LinkStatement {
        self.create_link(name, login)
            .credential("role_arn", ROLE_ARN)
    }
}

/// Makes the bucket, the users and the role, and switches authentication on.
fn populate(wire: &Wire) -> Result<(Login, Login), Error> {
    let root = Store::new(wire.clone(), REGION, Login::new("root", "root-secret"));
    root.make_bucket("private")?;
    root.put("private", "top.txt", b"hello\n")?;

    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let read = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:*","s3:*"],"Resource":"*"}]}"#;
    let role = [
        ("RoleName", "linkdial"),
        ("AssumeRolePolicyDocument", trust),
    ];
    iam(&root, "CreateRole", &role)?;
    let role = [
        ("RoleName", "linkdial"),
        ("PolicyName", "read"),
        ("PolicyDocument", read),
    ];
    iam(&root, "PutRolePolicy", &role)?;
    let member = user(&root, "member")?;
    let policy = [
        ("UserName", "member"),
        ("PolicyName", "read"),
        ("PolicyDocument", read),
    ];
    iam(&root, "PutUserPolicy", &policy)?;
    let stranger = user(&root, "stranger")?;

    // With the type of a form moto answers 500 and leaves authentication off.
    let plain = ("content-type".to_owned(), "text/plain".to_owned());
    let reply = wire.send("POST", "/moto-api/reset-auth", &[plain], b"0");
    let reply = reply.map_err(Error::io("switch authentication on"))?;
    if reply.status == 200 {
        return Ok((member, stranger));
    }
    Err(Error::Refused {
        doing: "switch authentication on".to_owned(),
        answer: reply.text(),
    })
}

fn user(root: &Store, name: &str) -> Result<Login, Error> {
    iam(root, "CreateUser", &[("UserName", name)])?;
    let answer = iam(root, "CreateAccessKey", &[("UserName", name)])?;
    let one = |element| {
        elements(&answer, element)
            .into_iter()
            .next()
            .unwrap_or_default()
    };
    Ok(Login::new(one("AccessKeyId"), one("SecretAccessKey")))
}

fn iam(root: &Store, action: &str, parameters: &[(&str, &str)]) -> Result<String, Error> {
    root.action("iam", action, "2010-05-08", parameters)
}
