//! Images of the servers, built on this machine under the vendors' names and tags.
//!
//! They let a test run in a container where no registry of images can be reached. Their contents
//! come from where the local programs come from.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::container::Engine;
use crate::server::Backend;
use crate::{Error, Scratch, azurite, fake_gcs, install, kafka, minio, nginx, versions};

/// The label of an image that was built here; its value tells from what.
const LABEL: &str = "linkdial.local";

/// How long an engine may take for a look at what it has, or for a new name.
const LOOK: Duration = Duration::from_secs(20);

/// How long an image may take to build, with packages of Debian that come over the network.
const BUILD: Duration = Duration::from_mins(30);

/// How long a new image's program may take to say its version.
const PROBE: Duration = Duration::from_mins(2);

/// How an image is made.
struct Recipe {
    backend: &'static Backend,
    dockerfile: &'static str,
    /// Small files that the Dockerfile copies, by their name there.
    files: &'static [(&'static str, &'static str)],
    /// The versions of what is installed.
    versions: &'static [&'static str],
    /// What a container of it runs to prove that the server can start.
    probe: &'static [&'static str],
    /// Files and folders that the Dockerfile copies, by their name there, installed if needed.
    installed: fn() -> Result<Vec<Installed>, Error>,
}

/// The name in a Dockerfile, and the file or folder of this machine.
type Installed = (&'static str, PathBuf);

/// Every server that has two runtimes.
const RECIPES: &[Recipe] = &[
    Recipe {
        backend: &azurite::BACKEND,
        dockerfile: include_str!("../images/azurite.Dockerfile"),
        files: &[],
        versions: &[versions::AZURITE, versions::NODE],
        probe: &["azurite-blob", "--version"],
        installed: azurite,
    },
    Recipe {
        backend: &fake_gcs::BACKEND,
        dockerfile: include_str!("../images/fake-gcs.Dockerfile"),
        files: &[],
        versions: &[versions::FAKE_GCS_MODULE, versions::FAKE_GCS],
        // After the image's entrypoint.
        probe: &["-h"],
        installed: || Ok(vec![("fake-gcs-server", install::fake_gcs()?)]),
    },
    Recipe {
        backend: &kafka::BACKEND,
        dockerfile: include_str!("../images/kafka.Dockerfile"),
        files: &[("kafka-run", include_str!("../images/kafka-run"))],
        versions: &[versions::KAFKA, versions::SLF4J],
        probe: &[
            "sh",
            "-c",
            "test -x /etc/kafka/docker/run && exec java -cp '/opt/kafka/libs/*' kafka.Kafka --version",
        ],
        installed: || Ok(vec![("libs", kafka::jars()?)]),
    },
    Recipe {
        backend: &minio::BACKEND,
        dockerfile: include_str!("../images/minio.Dockerfile"),
        files: &[],
        versions: &[versions::MINIO_MODULE, versions::MINIO],
        // After the image's entrypoint.
        probe: &["--version"],
        installed: || Ok(vec![("minio", install::minio()?)]),
    },
    Recipe {
        backend: &nginx::BACKEND,
        dockerfile: include_str!("../images/nginx.Dockerfile"),
        files: &[],
        // It is whatever the base image's suite has.
        versions: &[],
        probe: &["nginx", "-v"],
        installed: || Ok(Vec::new()),
    },
];

/// Node.js for any machine, and the tree of packages that the script lies in.
fn azurite() -> Result<Vec<Installed>, Error> {
    let command = install::azurite()?;
    let script = command.get_args().map(Path::new).next();
    let mut folders = script.into_iter().flat_map(Path::ancestors);
    let packages = folders
        .find(|folder| folder.ends_with("node_modules"))
        .expect("npm installs below that name");
    Ok(vec![
        ("node", install::portable_node()?),
        ("node_modules", packages.to_owned()),
    ])
}

/// The image that those stand on which need a C library.
const BASE: &str = "local/debian:bookworm";

/// Debian's suite in it.
const SUITE: &str = "bookworm";

/// Makes an archive of a small Debian, from the mirror that this machine uses.
const DEBOOTSTRAP: &str = r#"
set -eu
PATH=$PATH:/usr/sbin:/sbin
command -v debootstrap >/dev/null || {
    echo 'debootstrap is missing; scripts/prerequisites.sh images installs it'
    exit 1
}
cd "$2"
trap 'rm -rf root' EXIT
trap 'exit 1' HUP INT TERM
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
debootstrap --variant=minbase "$1" root $mirror
rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/var/log/*.log
rm -rf root/usr/share/doc/* root/usr/share/man/* root/usr/share/locale/*
tar -c -f root.tar -C root .
"#;

/// What an engine has under the name of an image.
// Public for this crate's own program alone, like the two types below.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageState {
    /// Nothing.
    Absent,
    /// An image that was not built here: the vendor's.
    Vendor,
    /// An image that was built here, from something else than today.
    Outdated,
    /// An image that was built here, as it would be again.
    Local,
}

impl fmt::Display for ImageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Vendor => "vendor",
            Self::Outdated => "outdated",
            Self::Local => "local",
        })
    }
}

/// The images of the servers that have two runtimes, in one engine.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct LocalImages {
    engine: &'static Engine,
}

/// One of [`LocalImages`].
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct LocalImage {
    recipe: &'static Recipe,
}

impl LocalImage {
    /// The images of all servers that have two runtimes.
    pub fn all() -> impl Iterator<Item = Self> {
        RECIPES.iter().map(|recipe| Self { recipe })
    }

    /// The server's name.
    pub fn server(self) -> &'static str {
        self.recipe.backend.name
    }

    /// The vendor's repository and tag.
    pub fn reference(self) -> String {
        let image = &self.recipe.backend.image;
        format!("{}:{}", image.repository, image.tag)
    }

    fn stands_on_base(self) -> bool {
        self.recipe.dockerfile.contains(BASE)
    }

    /// A digest of everything that the image is made from.
    fn digest(self) -> String {
        let base = self.stands_on_base().then(base_digest).unwrap_or_default();
        let Recipe {
            dockerfile,
            files,
            versions,
            ..
        } = self.recipe;
        let files = files.iter().flat_map(|(name, text)| [*name, *text]);
        let parts = [base.as_str(), dockerfile].into_iter();
        digest(parts.chain(versions.iter().copied()).chain(files))
    }
}

impl fmt::Debug for LocalImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalImage").field(&self.server()).finish()
    }
}

impl LocalImages {
    /// Looks for the engine that the tests would use.
    pub fn find() -> Result<Self, Error> {
        let engine = Engine::find().map_err(|reason| Error::Container {
            doing: "look at images".to_owned(),
            reason: format!("{reason}; scripts/engine.sh start starts an engine"),
        })?;
        check_client(&mut Command::new("docker"))?;
        Ok(Self { engine })
    }

    /// Says what the engine has under the name of an image.
    pub fn state(self, image: LocalImage) -> Result<ImageState, Error> {
        self.look(&image.reference(), &image.digest())
    }

    /// Builds an image unless the engine has the vendor's, or the same already, and installs what
    /// it needs before (minutes, once). Returns whether it has built.
    pub fn build(self, image: LocalImage) -> Result<bool, Error> {
        // Another process may have built it while this one waited.
        let _lock = lock(image.server())?;
        if matches!(self.state(image)?, ImageState::Vendor | ImageState::Local) {
            return Ok(false);
        }
        let installed = (image.recipe.installed)()?;
        if image.stands_on_base() {
            self.provide_base()?;
        }
        let folder = Scratch::new("image")?;
        folder.write("Dockerfile", image.recipe.dockerfile)?;
        for (name, text) in image.recipe.files {
            folder.write(name, text)?;
        }
        for (name, source) in installed {
            let doing = format!("copy {}", source.display());
            // It may be a link to the program of this machine.
            let source = source.canonicalize().map_err(Error::io(&doing))?;
            let mut copy = Command::new("cp");
            copy.arg("-RP").arg(source).arg(folder.path().join(name));
            ask(&doing, Duration::MAX, &copy)?;
        }
        let reference = image.reference();
        let old = self.id(&reference);
        let label = format!("{LABEL}={}", image.digest());
        let mut build = self.docker(["build", "--quiet", "--force-rm"]);
        // Packages come over the network of the machine: an engine may have no other.
        build.args(["--network", "host", "--label", &label]);
        build.arg(folder.path());
        let new = ask(&format!("build {reference}"), BUILD, &build)?;
        let new = new.trim();
        // A broken image gets no name, so it never passes for one that is there.
        let named = self.probe(image, new).and_then(|()| {
            let tag = self.docker(["image", "tag", new, &reference]);
            ask(&format!("name {reference}"), LOOK, &tag)
        });
        if named.is_err() {
            self.remove_unnamed(new);
        }
        named?;
        // What comes from the cache as a whole is the old one.
        if let Some(old) = old.filter(|old| old != new) {
            self.remove_unnamed(&old);
        }
        Ok(true)
    }

    /// Runs the program of an image once, without a network.
    fn probe(self, image: LocalImage, id: &str) -> Result<(), Error> {
        let name = format!("linkdial-probe-{}-{}", image.server(), std::process::id());
        let mut probe = self.docker(["run", "--rm", "--network", "none", "--name", &name, id]);
        probe.args(image.recipe.probe);
        let doing = format!("run the program of the new {}", image.reference());
        let probed = ask(&doing, PROBE, &probe);
        if probed.is_err() {
            // One that ran too long is still there, and any other one has gone.
            let remove = self.docker(["rm", "--force", "--volumes", &name]);
            drop(ask("remove a container", LOOK, &remove));
        }
        probed.map(drop)
    }

    /// The id of what the engine has under a name.
    fn id(self, reference: &str) -> Option<String> {
        let inspect = self.docker(["image", "inspect", "--format", "{{.Id}}", reference]);
        let id = ask("look at images", LOOK, &inspect).ok()?;
        Some(id.trim().to_owned())
    }

    /// Removes an image that has no name. A container may still use it; then it stays.
    fn remove_unnamed(self, id: &str) {
        let names = self.docker(["image", "inspect", "--format", "{{len .RepoTags}}", id]);
        let names = ask("look at images", LOOK, &names);
        if names.is_ok_and(|names| names.trim() == "0") {
            drop(ask("", LOOK, &self.docker(["image", "rm", id])));
        }
    }

    /// Sees to it that the engine has the base image.
    fn provide_base(self) -> Result<(), Error> {
        let _lock = lock("base")?;
        if self.look(BASE, &base_digest())? != ImageState::Local {
            self.build_base()?;
        }
        Ok(())
    }

    /// Makes the base image, which needs the rights of root.
    fn build_base(self) -> Result<(), Error> {
        let folder = Scratch::new("image")?;
        let user = ask("ask for the user", LOOK, Command::new("id").arg("-u"))?;
        let mut make = if user.trim() == "0" {
            Command::new("sh")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "sh"]);
            sudo
        };
        make.args(["-c", DEBOOTSTRAP, "sh", SUITE])
            .arg(folder.path());
        ask(&format!("make {BASE}"), Duration::MAX, &make)?;
        let label = format!("LABEL {LABEL}={}", base_digest());
        let mut import = self.docker(["import", "--change", &label, "--change", "CMD [\"bash\"]"]);
        import.arg(folder.path().join("root.tar")).arg(BASE);
        ask(&format!("import {BASE}"), BUILD, &import).map(drop)
    }

    fn look(self, reference: &str, digest: &str) -> Result<ImageState, Error> {
        let format = "{{json .Config.Labels}}";
        // Unlike a look at one image, a list tells an absent one from an engine that is gone.
        let list = self.docker(["image", "ls", "--quiet", reference]);
        if ask("look at images", LOOK, &list)?.trim().is_empty() {
            return Ok(ImageState::Absent);
        }
        let look = self.docker(["image", "inspect", "--format", format, reference]);
        let labels = ask("look at images", LOOK, &look)?;
        let labels: Value = serde_json::from_str(&labels).unwrap_or_default();
        Ok(match labels[LABEL].as_str() {
            None => ImageState::Vendor,
            Some(own) if own == digest => ImageState::Local,
            Some(_) => ImageState::Outdated,
        })
    }

    fn docker<const N: usize>(self, arguments: [&str; N]) -> Command {
        let mut command = Command::new("docker");
        command.args(["--host", self.engine.host()]).args(arguments);
        // The other builder is a package of its own.
        command.env("DOCKER_BUILDKIT", "0");
        command
    }
}

fn base_digest() -> String {
    digest([SUITE, DEBOOTSTRAP])
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let bytes = digest.finalize();
    let number = bytes[..8]
        .iter()
        .fold(0, |n: u64, byte| n << 8 | u64::from(*byte));
    format!("{number:016x}")
}

/// Lets one process at a time work on an image, until the file is closed.
fn lock(name: &str) -> Result<File, Error> {
    let folder = install::cache()?.join("images");
    let doing = || format!("lock {}", folder.display());
    std::fs::create_dir_all(&folder).map_err(Error::io(doing()))?;
    let file = File::create(folder.join(format!("{name}.lock"))).map_err(Error::io(doing()))?;
    file.lock().map_err(Error::io(doing()))?;
    Ok(file)
}

/// Runs a program to its end, but no longer than this, and returns what it wrote.
fn ask(doing: &str, limit: Duration, command: &Command) -> Result<String, Error> {
    install::output(doing, limit, command).map_err(|error| match error {
        Error::Install { what, reason } => Error::Container {
            doing: what,
            reason,
        },
        other => other,
    })
}

/// Makes sure that there is a `docker` command: other failures are told apart from that one first.
fn check_client(docker: &mut Command) -> Result<(), Error> {
    let reason = match ask("look at images", LOOK, docker.arg("--version")) {
        Ok(_) => return Ok(()),
        Err(Error::Container { reason, .. }) => reason,
        Err(other) => return Err(other),
    };
    Err(Error::Container {
        doing: "look at images".to_owned(),
        reason: format!("{reason}; scripts/prerequisites.sh images installs the docker command"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_tells_everything_apart() {
        assert_ne!(digest(["a", "bc"]), digest(["ab", "c"]));
        let mut digests: Vec<_> = LocalImage::all().map(LocalImage::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), RECIPES.len());
    }

    #[test]
    fn versions_are_part_of_the_digest() {
        for recipe in RECIPES.iter().filter(|recipe| !recipe.versions.is_empty()) {
            let fewer: &'static Recipe = Box::leak(Box::new(Recipe {
                versions: &recipe.versions[1..],
                ..*recipe
            }));
            let [all, fewer] = [recipe, fewer].map(|recipe| LocalImage { recipe }.digest());
            assert_ne!(all, fewer, "{}", recipe.backend.name);
        }
    }

    #[test]
    fn missing_docker_names_its_remedy() {
        let error = check_client(&mut Command::new("no-such-docker")).unwrap_err();
        assert!(
            error.to_string().contains("prerequisites.sh images"),
            "{error}"
        );
    }

    /// What people copy names the versions a second time.
    #[test]
    fn compose_file_has_the_same_versions() {
        let compose = include_str!("../../docs/containers/compose.yaml");
        let node = versions::NODE.split('.').next().unwrap();
        let mut wanted = vec![
            format!("image: node:{node}-slim"),
            format!("- --package=azurite@{}", versions::AZURITE),
        ];
        let others = LocalImage::all().filter(|image| image.server() != azurite::BACKEND.name);
        wanted.extend(others.map(|image| format!("image: {}", image.reference())));
        for wanted in wanted {
            assert!(
                compose.lines().any(|line| line.trim() == wanted),
                "{wanted}"
            );
        }
        let images = compose
            .lines()
            .filter(|line| line.trim().starts_with("image: "));
        assert_eq!(images.count(), RECIPES.len());
    }
}
