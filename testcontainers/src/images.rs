//! Images of the servers, built on this machine under the vendors' names and tags.
//!
//! They let a test run in a container where no registry of images can be reached. Their contents
//! come from where the local programs come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::container::Engine;
use crate::server::Backend;
use crate::{Error, Scratch, azurite, install, kafka, minio, nginx, versions};

/// The label of an image that was built here; its value tells from what.
const LABEL: &str = "linkdial.local";

/// How an image is made.
struct Recipe {
    backend: &'static Backend,
    dockerfile: &'static str,
    /// Small files that the Dockerfile copies, by their name there.
    files: &'static [(&'static str, &'static str)],
    /// The version of what is installed.
    version: &'static str,
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
        version: versions::AZURITE,
        installed: azurite,
    },
    Recipe {
        backend: &kafka::BACKEND,
        dockerfile: include_str!("../images/kafka.Dockerfile"),
        files: &[("kafka-run", include_str!("../images/kafka-run"))],
        version: versions::KAFKA,
        installed: || Ok(vec![("libs", kafka::jars()?)]),
    },
    Recipe {
        backend: &minio::BACKEND,
        dockerfile: include_str!("../images/minio.Dockerfile"),
        files: &[],
        version: versions::MINIO,
        installed: || Ok(vec![("minio", install::minio()?)]),
    },
    Recipe {
        backend: &nginx::BACKEND,
        dockerfile: include_str!("../images/nginx.Dockerfile"),
        files: &[],
        // The base image's only one.
        version: SUITE,
        installed: || Ok(Vec::new()),
    },
];

/// The program of Node.js, and the tree of packages that the script lies in.
fn azurite() -> Result<Vec<Installed>, Error> {
    let command = install::azurite()?;
    let script = command.get_args().map(Path::new).next();
    let mut folders = script.into_iter().flat_map(Path::ancestors);
    let packages = folders
        .find(|folder| folder.ends_with("node_modules"))
        .expect("npm installs below that name");
    Ok(vec![
        ("node", PathBuf::from(command.get_program())),
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
#[derive(Debug, Clone, Copy)]
pub struct LocalImages {
    engine: &'static Engine,
}

/// One of [`LocalImages`].
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
            version,
            ..
        } = self.recipe;
        let files = files.iter().flat_map(|(name, text)| [*name, *text]);
        digest(
            [base.as_str(), dockerfile, version]
                .into_iter()
                .chain(files),
        )
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
        Ok(Self { engine })
    }

    /// Says what the engine has under the name of an image.
    pub fn state(self, image: LocalImage) -> Result<ImageState, Error> {
        self.look(&image.reference(), &image.digest())
    }

    /// Builds an image, whatever the engine has, and installs what it needs before (minutes, once).
    pub fn build(self, image: LocalImage) -> Result<(), Error> {
        let installed = (image.recipe.installed)()?;
        if image.stands_on_base() && self.look(BASE, &base_digest())? != ImageState::Local {
            self.build_base()?;
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
            run(&doing, &mut copy)?;
        }
        let reference = image.reference();
        let mut old = self.docker(["image", "inspect", "--format", "{{.Id}}", &reference]);
        let old = run("look at images", &mut old).ok();
        let label = format!("{LABEL}={}", image.digest());
        let mut build = self.docker(["build", "--quiet", "--force-rm"]);
        // Packages come over the network of the machine: an engine may have no other.
        build.args(["--network", "host", "--label", &label, "--tag", &reference]);
        build.arg(folder.path());
        run(&format!("build {reference}"), &mut build)?;
        if let Some(old) = old {
            // A container may still use it; then it stays without a name.
            drop(run("", &mut self.docker(["image", "rm", old.trim()])));
        }
        Ok(())
    }

    /// Makes the base image, which needs the rights of root.
    fn build_base(self) -> Result<(), Error> {
        let folder = Scratch::new("image")?;
        let user = run("ask for the user", Command::new("id").arg("-u"))?;
        let mut make = if user.trim() == "0" {
            Command::new("sh")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "sh"]);
            sudo
        };
        make.args(["-c", DEBOOTSTRAP, "sh", SUITE])
            .arg(folder.path());
        run(&format!("make {BASE}"), &mut make)?;
        let label = format!("LABEL {LABEL}={}", base_digest());
        let mut import = self.docker(["import", "--change", &label, "--change", "CMD [\"bash\"]"]);
        import.arg(folder.path().join("root.tar")).arg(BASE);
        run(&format!("import {BASE}"), &mut import).map(drop)
    }

    fn look(self, reference: &str, digest: &str) -> Result<ImageState, Error> {
        let format = "{{json .Config.Labels}}";
        // Unlike a look at one image, a list tells an absent one from an engine that is gone.
        let mut list = self.docker(["image", "ls", "--quiet", reference]);
        if run("look at images", &mut list)?.trim().is_empty() {
            return Ok(ImageState::Absent);
        }
        let mut look = self.docker(["image", "inspect", "--format", format, reference]);
        let labels = run("look at images", &mut look)?;
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

/// Runs a program to its end and returns what it wrote to standard output.
fn run(doing: &str, command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String| Error::Container {
        doing: doing.to_owned(),
        reason: format!("{program}: {reason}"),
    };
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let lines: Vec<_> = words.lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(failed(format!("{}\n{tail}", output.status)))
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
}
