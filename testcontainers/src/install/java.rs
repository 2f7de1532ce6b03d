//! Java of this machine, and jars that Maven fetches.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;
use crate::{Error, versions};

/// What to install where Java or Maven is missing.
const PACKAGES: &str = "on Debian install maven and default-jre-headless, \
                        or openjdk-17-jre-headless where the default is older";

/// The `java` of `JAVA_HOME` or of the path, when it is new enough.
pub(crate) fn java() -> Result<PathBuf, Error> {
    let home = std::env::var_os("JAVA_HOME").filter(|home| !home.is_empty());
    let home = home.map(|home| Path::new(&home).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = home.into_iter().chain(std::env::split_paths(&path));
    let mut seen = "there is none".to_owned();
    for java in folders.map(|folder| folder.join("java")) {
        let Ok(output) = Command::new(&java).arg("-version").output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&output.stderr);
        match java_version(&text) {
            Some(version) if version >= versions::JAVA_AT_LEAST => return Ok(java),
            _ => {
                let first = text.lines().next().unwrap_or_default();
                seen = format!("{} says `{first}`", java.display());
            }
        }
    }
    Err(Error::Install {
        what: format!("a server that needs Java {}", versions::JAVA_AT_LEAST),
        reason: format!("no such java in JAVA_HOME or on the path ({seen}); {PACKAGES}"),
    })
}

/// Reads the first line of `java -version`: `openjdk version "17.0.15" 2025-04-15`.
fn java_version(text: &str) -> Option<u32> {
    let version = text.split('"').nth(1)?;
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?;
    major.parse().ok()
}

/// Puts artifacts, as `group:name:version`, and all that they need into `libs` below `folder`.
pub(crate) fn maven_jars(artifacts: &[&str], folder: &Path) -> Result<(), Error> {
    let what = artifacts.join(" and ");
    let pom = folder.join("pom.xml");
    std::fs::write(&pom, project(artifacts)).map_err(Error::io("write pom.xml"))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "-f"]).arg(&pom).arg(format!(
        "org.apache.maven.plugins:maven-dependency-plugin:{}:copy-dependencies",
        versions::MAVEN_DEPENDENCY_PLUGIN
    ));
    maven.arg("-DincludeScope=runtime");
    let libs = std::path::absolute(folder.join("libs")).map_err(Error::io("find the cache"))?;
    maven.arg(format!("-DoutputDirectory={}", libs.display()));
    run(&what, &maven).map_err(|error| match error {
        // Maven's own failures are long enough without a hint that does not apply.
        Error::Install { what, reason } if reason.starts_with("mvn: ") => Error::Install {
            what,
            reason: format!("{reason}; {PACKAGES}"),
        },
        other => other,
    })
}

fn project(artifacts: &[&str]) -> String {
    let mut dependencies = String::new();
    for artifact in artifacts {
        let mut parts = artifact.split(':');
        let mut part = || parts.next().unwrap_or_default();
        writeln!(
            dependencies,
            "<dependency><groupId>{}</groupId><artifactId>{}</artifactId>\
             <version>{}</version></dependency>",
            part(),
            part(),
            part()
        )
        .expect("a string takes everything");
    }
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>linkdial</groupId>\
         <artifactId>server</artifactId><version>1</version><packaging>pom</packaging>\n\
         <dependencies>\n{dependencies}</dependencies></project>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_java_is_read() {
        let read = |version| java_version(&format!("openjdk version \"{version}\" 2025-04-15\n"));
        assert_eq!(read("17.0.15"), Some(17));
        assert_eq!(read("25-ea"), Some(25));
        assert_eq!(read("1.8.0_292"), Some(1));
        assert_eq!(java_version("The operation couldn't be completed."), None);
    }

    #[test]
    fn project_names_each_artifact() {
        let text = project(&["a:b:1", "c:d:2"]);
        assert!(
            text.contains("<groupId>c</groupId><artifactId>d</artifactId><version>2</version>"),
            "{text}"
        );
        assert_eq!(text.matches("<dependency>").count(), 2);
    }
}
