//! Files that a report is written to: opened before the work starts, complete or not there.

use std::fmt;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use tempfile::NamedTempFile;

use super::exit::Failure;
use crate::registry;
use crate::report::{Format, HumanOptions, RenderError, Report, render};

/// `--output FORMAT=FILE`.
#[derive(Clone, Debug)]
pub(super) struct Output {
    format: Format,
    path: PathBuf,
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}={}",
            self.format.as_str(),
            self.path.display()
        )
    }
}

impl Output {
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

pub(super) fn parse(text: &str) -> Result<Output, String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("write FORMAT=FILE, such as `junit=report.xml`")?;
    let Ok(format) = Format::from_str(format, false) else {
        let known = Format::ALL.map(Format::as_str);
        return Err(format!(
            "there is no format `{format}` (possible values: {})",
            known.join(", ")
        ));
    };
    Ok(Output {
        format,
        path: PathBuf::from(path),
    })
}

/// A destination that is open.
#[derive(Debug)]
pub(super) struct Open {
    format: Format,
    /// As the user named it.
    path: PathBuf,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    /// Renamed over the destination once it is complete.
    Replace(NamedTempFile, PathBuf),
    /// A pipe or device can not be replaced.
    Direct(File),
}

/// A file that the run reads, and what it is: the sentence that refuses to overwrite it says so.
pub(super) type Input = (&'static str, PathBuf);

/// Opens all destinations, so that one that can not be written is known before anything is dialled.
/// None of them may be a file that the run reads.
pub(super) fn open(outputs: Vec<Output>, inputs: &[Input]) -> Result<Vec<Open>, Failure> {
    let mut opened: Vec<Open> = Vec::with_capacity(outputs.len());
    for output in outputs {
        let is_twice = |open: &&Open| open.path == output.path || is_same(&open.path, &output.path);
        if let Some(first) = opened.iter().find(is_twice) {
            let (path, first) = (output.path.display(), first.path.display());
            return Err(Failure::Usage(format!(
                "`--output` names one file twice: `{first}` and `{path}`"
            )));
        }
        refuse_loss(&format!("--output {output}"), &output.path, inputs)?;
        let sink = sink(&output.path).map_err(|error| cannot_write(&output.path, &error))?;
        opened.push(Open {
            format: output.format,
            path: output.path,
            sink,
        });
    }
    Ok(opened)
}

/// A file that text is written to, open before the work starts.
#[derive(Debug)]
pub(super) struct OpenText {
    path: PathBuf,
    sink: Sink,
}

/// Opens what `--fix` names. It is none of the files that the run reads, and others may see no more of
/// it than of the script it is a copy of.
pub(super) fn open_copy(
    path: PathBuf,
    script: &Path,
    inputs: &[Input],
    outputs: &[PathBuf],
) -> Result<OpenText, Failure> {
    let is_output = |output: &PathBuf| *output == path || is_same(output, &path);
    if outputs.iter().any(is_output) {
        return Err(Failure::Usage(format!(
            "`--fix` and `--output` name the same file `{}`",
            path.display()
        )));
    }
    refuse_loss(&format!("--fix {}", path.display()), &path, inputs)?;
    let opened = sink(&path).and_then(|sink| {
        if let Sink::Replace(file, _) = &sink {
            let permissions = permissions_like(script, &path)?;
            file.as_file().set_permissions(permissions)?;
        }
        Ok(sink)
    });
    let sink = opened.map_err(|error| cannot_write(&path, &error))?;
    Ok(OpenText { path, sink })
}

/// Refuses to overwrite what the run reads, and what is of a registry: without its key all that is
/// sealed in it is lost.
fn refuse_loss(option: &str, path: &Path, inputs: &[Input]) -> Result<(), Failure> {
    if let Some((role, input)) = inputs.iter().find(|(_, it)| is_same(it, path)) {
        return Err(Failure::Usage(format!(
            "`{option}` would overwrite {role} `{}`",
            input.display()
        )));
    }
    match registry::known_by_contents(path) {
        Some(what) => Err(Failure::Usage(format!(
            "`{option}` would overwrite `{}`, which is {what}",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// The folder as it is found and the name of a file that is not there yet.
fn whole(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}

/// Returns what both the script and a file that is replaced allow, and a group only where it is the
/// same one; the owner's alone for a script that is no file.
#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "other systems ask the second file"
)]
fn permissions_like(script: &Path, copy: &Path) -> io::Result<Permissions> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let found = |path: &Path| fs::metadata(path).ok().filter(Metadata::is_file);
    let Some(script) = found(script) else {
        return Ok(Permissions::from_mode(0o600));
    };
    let mut mode = script.permissions().mode() & 0o777;
    if let Some(replaced) = found(copy) {
        mode &= replaced.permissions().mode();
    }
    // A new file has the group of whoever makes it.
    let own = tempfile::tempfile().and_then(|file| file.metadata());
    if own.map_or(true, |own| own.gid() != script.gid()) {
        mode &= !0o070;
    }
    Ok(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permissions_like(_script: &Path, copy: &Path) -> io::Result<Permissions> {
    match fs::metadata(copy) {
        Ok(found) => Ok(found.permissions()),
        Err(_) => Ok(tempfile::tempfile()?.metadata()?.permissions()),
    }
}

impl OpenText {
    /// Writes a text and puts it in place.
    pub(super) fn write(self, text: &str) -> Result<(), Failure> {
        let Self { path, sink } = self;
        let result = match sink {
            Sink::Direct(mut file) => file.write_all(text.as_bytes()),
            Sink::Replace(mut file, destination) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.persist(destination).map_err(|error| error.error))
                .map(drop),
        };
        result.map_err(|error| cannot_write(&path, &error))
    }
}

/// Returns whether both name one regular file, or one that is not there yet; a pipe or a device is
/// not overwritten.
fn is_same(left: &Path, right: &Path) -> bool {
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(found), Ok(other)) => {
            found.is_file()
                && other.is_file()
                && (is_same_inode(&found, &other) || is_same_path(left, right))
        }
        (Err(_), Err(_)) => whole(left) == whole(right),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same_inode(left: &Metadata, right: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(not(unix))]
fn is_same_inode(_left: &Metadata, _right: &Metadata) -> bool {
    false
}

fn is_same_path(left: &Path, right: &Path) -> bool {
    matches!(
        (fs::canonicalize(left), fs::canonicalize(right)),
        (Ok(left), Ok(right)) if left == right
    )
}

fn sink(path: &Path) -> io::Result<Sink> {
    // Through links, so that the file they name is replaced and not the link.
    let destination = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&destination) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            return Ok(Sink::Direct(File::options().write(true).open(destination)?));
        }
        // What the user may not write is not replaced by way of its folder either.
        Ok(_) => drop(File::options().write(true).open(&destination)?),
        Err(_) => {}
    }
    let folder = match destination.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".linkdial-").suffix(".tmp");
    if let Some(permissions) = permissions(&destination) {
        builder.permissions(permissions);
    }
    Ok(Sink::Replace(builder.tempfile_in(folder)?, destination))
}

/// Those of the file that is replaced, else what the user's mask leaves of the usual ones.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn permissions(destination: &Path) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    let existing = fs::metadata(destination).map(|found| found.permissions());
    Some(existing.unwrap_or_else(|_| Permissions::from_mode(0o666)))
}

#[cfg(not(unix))]
fn permissions(_destination: &Path) -> Option<Permissions> {
    None
}

impl Open {
    /// Writes the report and puts it in place.
    pub(super) fn write(self, report: &Report) -> Result<(), Failure> {
        let Self { format, path, sink } = self;
        let write = |file: &mut dyn Write| -> Result<(), RenderError> {
            let mut out = BufWriter::new(file);
            render(report, format, HumanOptions::default(), &mut out)?;
            out.flush()?;
            Ok(())
        };
        let result = match sink {
            Sink::Direct(mut file) => write(&mut file).map_err(io::Error::from),
            Sink::Replace(mut file, destination) => write(file.as_file_mut())
                .map_err(io::Error::from)
                .and_then(|()| file.persist(destination).map_err(|error| error.error))
                .map(drop),
        };
        result.map_err(|error| cannot_write(&path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Broken(match error.kind() {
        io::ErrorKind::NotFound => format!("cannot write `{path}`: there is no such folder"),
        io::ErrorKind::IsADirectory => format!("cannot write `{path}`: it is a folder"),
        _ => format!("cannot write `{path}`: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn open_one(path: &Path) -> Result<Open, Failure> {
        let output = parse(&format!("json={}", path.display())).unwrap();
        open(vec![output], &[]).map(|mut opened| opened.remove(0))
    }

    fn entries(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn unknown_formats_are_told_which_there_are() {
        let reason = parse("xml=x").unwrap_err();
        let known = "human, json, junit, github, sarif, openmetrics, markdown, html";
        assert!(reason.contains(known), "{reason}");
        assert_eq!(Format::value_variants(), Format::ALL);
        for format in Format::ALL {
            let text = format!("{}=x", format.as_str());
            assert_eq!(parse(&text).unwrap().to_string(), text);
        }
        assert!(parse("json").is_err());
        assert!(parse("json=").is_err());
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let open = open_one(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        open.write(&sample::report()).unwrap();
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .starts_with("{\n  \"schema\": 1,")
        );
        assert_eq!(entries(folder.path()), ["report.json"]);
    }

    #[test]
    fn what_the_run_reads_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("links.sql");
        fs::write(&input, "").unwrap();
        let inputs = [("the script", input.clone())];
        let mut names = vec![input.clone(), folder.path().join("./links.sql")];
        #[cfg(unix)]
        {
            let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
            std::os::unix::fs::symlink(&input, &soft).unwrap();
            fs::hard_link(&input, &hard).unwrap();
            names.extend([soft, hard]);
        }
        for name in names {
            let output = parse(&format!("junit={}", name.display())).unwrap();
            let refused = open(vec![output], &inputs).unwrap_err();
            let expected = format!(
                "`--output junit={}` would overwrite the script `{}`",
                name.display(),
                input.display()
            );
            assert_eq!(refused.to_string(), expected);
        }
        let other = parse(&format!("json={}", folder.path().join("a.json").display())).unwrap();
        assert!(open(vec![other], &inputs).is_ok());
        // Nothing of a device is lost.
        #[cfg(unix)]
        {
            let device = [("the script", PathBuf::from("/dev/null"))];
            assert!(open(vec![parse("json=/dev/null").unwrap()], &device).is_ok());
        }
    }

    #[test]
    fn no_file_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("json={}", folder.path().join(name).display());
        let mut pairs = vec![("new", "new"), ("new", "./new"), ("old", "./old")];
        fs::write(folder.path().join("old"), "").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("old", folder.path().join("soft")).unwrap();
            fs::hard_link(folder.path().join("old"), folder.path().join("hard")).unwrap();
            pairs.extend([("old", "soft"), ("hard", "old")]);
        }
        for (left, right) in pairs {
            let outputs = [left, right].map(|name| parse(&path(name)).unwrap());
            let refused = open(outputs.into(), &[]).unwrap_err().to_string();
            assert!(refused.contains("one file twice"), "{refused}");
        }
        let outputs = ["new", "old"].map(|name| parse(&path(name)).unwrap());
        assert_eq!(open(outputs.into(), &[]).unwrap().len(), 2);
    }

    #[test]
    fn a_run_that_ends_early_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(open_one(&folder.path().join("report.json")).unwrap());
        assert_eq!(entries(folder.path()), [""; 0]);
    }

    #[test]
    fn what_can_not_be_written_is_known_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = open_one(&folder.path().join("no/report.json")).unwrap_err();
        assert!(
            missing.to_string().contains("there is no such folder"),
            "{missing}"
        );
        let directory = open_one(folder.path()).unwrap_err();
        assert!(
            directory.to_string().contains("it is a folder"),
            "{directory}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_and_a_file_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("real.json");
        let link = folder.path().join("link.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        open_one(&link).unwrap().write(&sample::report()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&path).unwrap().starts_with('{'));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}
