//! The form of `krb5.conf`: sections, relations, subsections.
//!
//! MIT's manual page of `krb5.conf` tells the form. The first value of a relation counts, later ones
//! of the same name are further values.

use std::collections::BTreeSet;
use std::path::Path;

use linkdial_core::read_file;

/// All files of one configuration together are not longer, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// So many files may be included, and so deep.
const MAX_FILES: usize = 64;
const MAX_DEPTH: usize = 8;

/// So deep may subsections stand in each other, and so many relations may there be: every relation
/// keeps its path.
const MAX_PATH: usize = 8;
const MAX_RELATIONS: usize = 20_000;

/// Sections and relations of a configuration, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    /// Path of section and subsections, name, value.
    relations: Vec<(Vec<String>, String, String)>,
    /// Every file that was read, in order.
    pub(crate) files: Vec<String>,
}

/// Why a configuration can not be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) file: String,
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
    /// The file that was asked for is not there.
    pub(crate) missing: bool,
}

/// A file that is being read.
struct Source {
    file: String,
    lines: std::vec::IntoIter<String>,
    /// The line read last, from 1.
    number: usize,
    /// Section and subsections that are open.
    path: Vec<String>,
    depth: usize,
}

impl Profile {
    /// Reads a file and what it includes, each include in its place.
    pub(crate) async fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut profile = Self::default();
        let mut bytes = 0;
        let mut sources = vec![load(path, 0, &mut bytes).await?];
        profile.files.push(path.display().to_string());
        while let Some(source) = sources.last_mut() {
            let Some(line) = source.lines.next() else {
                sources.pop();
                continue;
            };
            source.number += 1;
            let Some(included) = Included::read(line.trim()) else {
                let taken = profile.take(&mut source.path, line.trim());
                taken.map_err(|what| source.broken(what))?;
                continue;
            };
            let depth = source.depth + 1;
            let files = included.files().await;
            if depth > MAX_DEPTH || profile.files.len() + files.len() > MAX_FILES {
                return Err(source.broken("it includes too many files, or too deep"));
            }
            // The first one is read first.
            for file in files.iter().rev() {
                sources.push(load(Path::new(file), depth, &mut bytes).await?);
            }
            profile.files.extend(files);
        }
        Ok(profile)
    }

    /// Takes lines in that include nothing, and asks for what they say.
    pub(crate) fn fuzz(text: &str) {
        let mut profile = Self::default();
        let mut path = Vec::new();
        for line in text.lines() {
            drop(Included::read(line.trim()));
            if profile.take(&mut path, line.trim()).is_err() {
                break;
            }
        }
        assert!(profile.relations.len() <= MAX_RELATIONS);
        profile.switch(&["libdefaults"], "dns_lookup_kdc");
        for realm in profile.subsections("realms") {
            profile.all(&["realms", realm], "kdc").count();
        }
        profile.section("domain_realm");
    }

    /// Takes one line in.
    fn take(&mut self, path: &mut Vec<String>, line: &str) -> Result<(), &'static str> {
        if line.is_empty() || line.starts_with(['#', ';']) {
            return Ok(());
        }
        if path.len() > MAX_PATH || self.relations.len() >= MAX_RELATIONS {
            return Err("it has too many settings, or too deep ones");
        }
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default().trim();
            *path = vec![section.to_owned()];
        } else if line.starts_with('}') {
            if path.len() < 2 {
                return Err("a `}` closes nothing");
            }
            path.pop();
        } else if line.starts_with("module ") {
            // A plug-in of the library brings its own settings: nothing to be read here.
        } else if let Some((name, value)) = line.split_once('=') {
            // A `*` behind the name only forbids other files to add to it.
            let name = name.trim().trim_end_matches('*').trim();
            let value = value.trim();
            if path.is_empty() {
                return Err("a relation stands outside of every section");
            }
            if let Some(inline) = value.strip_prefix('{') {
                self.open(path, name, inline.trim());
            } else {
                let value = unquoted(value);
                self.relations.push((path.clone(), name.to_owned(), value));
            }
        } else {
            return Err("it is neither a section nor `name = value`");
        }
        Ok(())
    }

    /// Opens a subsection; one that stands in one line is closed again.
    fn open(&mut self, path: &mut Vec<String>, name: &str, inline: &str) {
        path.push(unquoted(name));
        if let Some((relation, _)) = inline.split_once('}') {
            if let Some((name, value)) = relation.split_once('=') {
                let value = unquoted(value.trim());
                self.relations
                    .push((path.clone(), name.trim().to_owned(), value));
            }
            path.pop();
        }
    }

    /// Returns every value of a relation.
    pub(crate) fn all<'a>(&'a self, path: &[&str], name: &str) -> impl Iterator<Item = &'a str> {
        let relations = self.relations.iter();
        let fitting = relations.filter(move |(place, known, _)| place == path && known == name);
        fitting.map(|(_, _, value)| value.as_str())
    }

    /// Returns the value of a relation that counts.
    pub(crate) fn first<'a>(&'a self, path: &[&str], name: &str) -> Option<&'a str> {
        self.all(path, name).next()
    }

    /// Returns a switch; `None` where it is not set or is no word for yes or no.
    pub(crate) fn switch(&self, path: &[&str], name: &str) -> Option<bool> {
        let value = self.first(path, name)?.to_ascii_lowercase();
        match value.as_str() {
            "y" | "yes" | "true" | "t" | "1" | "on" => Some(true),
            "n" | "no" | "false" | "nil" | "0" | "off" => Some(false),
            _ => None,
        }
    }

    /// Returns the relations of a section with their values.
    pub(crate) fn section(&self, section: &str) -> Vec<(&str, &str)> {
        let relations = self.relations.iter();
        let fitting =
            relations.filter(|(path, ..)| matches!(path.as_slice(), [it] if it == section));
        fitting
            .map(|(_, name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// Returns the names of the subsections of a section, each once, in order.
    pub(crate) fn subsections<'a>(&'a self, section: &str) -> Vec<&'a str> {
        let mut known = BTreeSet::new();
        let names = self
            .relations
            .iter()
            .filter_map(|(path, ..)| match path.as_slice() {
                [first, name, ..] if first == section => Some(name.as_str()),
                _ => None,
            });
        names.filter(|name| known.insert(*name)).collect()
    }
}

impl Source {
    fn broken(&self, what: &str) -> Unreadable {
        Unreadable {
            file: self.file.clone(),
            line: Some(self.number),
            what: what.to_owned(),
            missing: false,
        }
    }
}

/// A directive that pulls in another file, or the files of a folder.
struct Included {
    path: String,
    folder: bool,
}

impl Included {
    fn read(line: &str) -> Option<Self> {
        let (word, path) = line.split_once(char::is_whitespace)?;
        let path = path.trim().to_owned();
        let folder = match word {
            "include" => false,
            "includedir" => true,
            _ => return None,
        };
        // `include = x` is a relation.
        (!path.starts_with('=')).then_some(Self { path, folder })
    }

    /// Returns the files, by name: of a folder those that MIT takes, whose names are letters,
    /// digits, `-` and `_`, or end in `.conf`. A folder that is not there includes nothing.
    async fn files(self) -> Vec<String> {
        if !self.folder {
            return vec![self.path];
        }
        let mut files = Vec::new();
        let Ok(mut entries) = tokio::fs::read_dir(&self.path).await else {
            return files;
        };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
            let conf = name
                .strip_suffix(".conf")
                .is_some_and(|it| !it.starts_with('.'));
            if (conf || name.chars().all(plain)) && files.len() <= MAX_FILES {
                files.push(entry.path().display().to_string());
            }
        }
        files.sort();
        files
    }
}

async fn load(path: &Path, depth: usize, bytes: &mut usize) -> Result<Source, Unreadable> {
    let shown = path.display().to_string();
    let left = (MAX_BYTES - *bytes) as u64;
    let read = read_file(path, left).await.map_err(|error| Unreadable {
        file: shown.clone(),
        line: None,
        what: error.to_string(),
        missing: depth == 0 && error.kind() == std::io::ErrorKind::NotFound,
    })?;
    *bytes = MAX_BYTES.min(*bytes + read.len());
    let text = String::from_utf8_lossy(&read);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Ok(Source {
        file: shown,
        lines: lines.into_iter(),
        number: 0,
        path: Vec::new(),
        depth,
    })
}

/// Takes quotes off, with what a backslash means inside.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_number_of_settings_are_bounded() {
        let mut deep = Profile::default();
        let mut path = vec!["realms".to_owned()];
        let opened = (0..100).try_for_each(|_| deep.take(&mut path, "a = {"));
        assert!(opened.is_err());
        let mut many = Profile::default();
        let mut path = vec!["realms".to_owned()];
        let taken = (0..=MAX_RELATIONS).try_for_each(|_| many.take(&mut path, "a = b"));
        assert!(taken.is_err());
        assert_eq!(many.relations.len(), MAX_RELATIONS);
    }
}
