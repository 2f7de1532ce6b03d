//! One byte of one object that a pipeline would read.

use crate::code::Code;
use crate::endpoint::Endpoint;
use crate::probe::{Halt, Probe};
use crate::stage::Stage;

use super::bucket::can_be_asked_for;
use super::{Bucket, Store};

/// Enough names of one listing to find one that the target's wildcard and the link's suffixes let
/// through.
pub const LISTED: i32 = 100;

/// At most so many objects are tried when those before were deleted since the listing.
const TRIES: usize = 3;

/// An object of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Its whole name within the bucket.
    pub key: String,
    /// Whether there is no byte to read.
    pub empty: bool,
    /// Whether it is known to need a restore before it can be read.
    pub offline: bool,
}

impl Object {
    /// Takes the few objects to try: no folder marker, no name that leads
    /// elsewhere, with one of the suffixes; first those that
    /// are online and not empty.
    fn choose(objects: impl IntoIterator<Item = Self>, suffixes: &[String]) -> Vec<Self> {
        let wanted = |object: &Self| {
            !object.key.ends_with('/')
                && can_be_asked_for(&object.key)
                && (suffixes.is_empty()
                    || suffixes.iter().any(|suffix| object.key.ends_with(suffix)))
        };
        let mut chosen: Vec<Self> = objects.into_iter().filter(wanted).collect();
        chosen.sort_by_key(|object| (object.offline, object.empty));
        chosen.truncate(TRIES);
        chosen
    }
}

/// What a listing showed of a target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listing {
    objects: usize,
    truncated: bool,
    candidates: Vec<Object>,
}

impl Listing {
    /// Takes the objects of a page; `truncated` says whether there are more pages. Those that belong
    /// to the target are counted, and the few to read have one of the suffixes, where there are any.
    pub fn new(
        bucket: &Bucket,
        page: impl IntoIterator<Item = Object>,
        truncated: bool,
        suffixes: &[String],
    ) -> Self {
        let page = page.into_iter();
        let objects: Vec<Object> = page.filter(|object| bucket.holds(&object.key)).collect();
        Self {
            objects: objects.len(),
            truncated,
            candidates: Object::choose(objects, suffixes),
        }
    }

    /// Returns how many there are, as a report says it.
    pub fn count(&self) -> String {
        let more = if self.truncated { " or more" } else { "" };
        format!("{}{more}", self.objects)
    }
}

/// Reads one byte of the first object to read that is still there, and notes which one it was.
/// Returns `None` when there is none to read.
pub async fn read<S: Store>(
    probe: &mut Probe,
    endpoint: &Endpoint,
    store: &S,
    listing: &Listing,
) -> Result<Option<S::Answer>, Halt> {
    let Some((last, others)) = listing.candidates.split_last() else {
        probe.skip(Stage::Read, "no object to read");
        probe.note(
            "unproven",
            if listing.truncated {
                "reading was not tried: none of the first objects below the target fits"
            } else {
                "reading was not tried: nothing below the target fits"
            },
        );
        return Ok(None);
    };
    let work = async {
        for object in others {
            match store.read(object).await {
                Err(diagnosis) if diagnosis.code == Code::AccessNotFound => {}
                result => return result.map(|answer| (&object.key, answer)),
            }
        }
        store.read(last).await.map(|answer| (&last.key, answer))
    };
    let (key, answer) = probe.step(endpoint, &[Stage::Read], work).await?;
    probe.note("object", store.resource(key));
    Ok(Some(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Naming;
    use crate::target::Target;

    #[test]
    fn what_can_be_read_comes_first() {
        let object = |key: &str, empty, offline| Object {
            key: key.to_owned(),
            empty,
            offline,
        };
        let listed = || {
            vec![
                object("a.csv", false, true),
                object("in/", true, false),
                object("b.csv", true, false),
                object("c.json", false, false),
                object("d.csv", false, false),
            ]
        };
        let keys = |suffixes: &[&str]| -> Vec<String> {
            let suffixes: Vec<String> = suffixes.iter().map(|&it| it.to_owned()).collect();
            let chosen = Object::choose(listed(), &suffixes);
            chosen.into_iter().map(|object| object.key).collect()
        };
        assert_eq!(keys(&["csv"]), ["d.csv", "b.csv", "a.csv"]);
        assert_eq!(keys(&[]), ["c.json", "d.csv", "b.csv"]);
        assert!(keys(&["parquet"]).is_empty());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_not_read() {
        let long = "x".repeat(1_900_000);
        let keys = ["../victim/a.csv", "in/./a.csv", "..", &long, "in/..a.csv"];
        let listed = keys.map(|key| Object {
            key: key.to_owned(),
            empty: false,
            offline: false,
        });
        let chosen = Object::choose(listed, &[]);
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0].key, "in/..a.csv");
    }

    #[test]
    fn a_listing_counts_what_belongs_to_the_target() {
        let naming = Naming {
            noun: "bucket",
            schemes: &[],
            account_behind: false,
            fault: |_| None,
        };
        let bucket = Bucket::parse(&Target::new("logs/in/*.csv"), &naming).unwrap();
        let object = |key: &str| Object {
            key: key.to_owned(),
            empty: false,
            offline: false,
        };
        let list = |truncated, suffixes: &[String]| {
            let page = ["in/a.csv", "in/b.csv", "in/c.json"].map(object);
            Listing::new(&bucket, page, truncated, suffixes)
        };
        assert_eq!(list(false, &[]).count(), "2");
        let listing = list(true, &["b.csv".to_owned()]);
        assert_eq!(listing.count(), "2 or more");
        assert_eq!(listing.candidates, [object("in/b.csv")]);
    }
}
