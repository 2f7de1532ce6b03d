//! A whole script: which links it leaves defined, and which targets they are used with.

use linkdial_core::{Code, Definition, Intent, KeyPlace, LinkName, Target};

use crate::sql::{Excerpt, Place};

/// What a script comes to.
#[derive(Debug)]
pub struct Script {
    /// The links that are defined at its end, in the order of their (last) CREATE.
    pub links: Vec<ScriptLink>,
    /// Everything that does not parse or is not allowed, in the order of the text.
    pub errors: Vec<ScriptError>,
    /// What was passed over, one entry for each kind of statement.
    pub skipped: Vec<Skipped>,
}

/// One link that the script leaves defined.
#[derive(Debug)]
pub struct ScriptLink {
    /// Its name, with the database of the statement or of the last `USE`.
    pub name: LinkName,
    /// Kind and clauses, variables filled in.
    pub definition: Definition,
    /// Where its statement starts.
    pub place: Place,
    /// What it is used with; one check each, one check without a target where it is empty.
    pub uses: Vec<Use>,
    /// Warnings that a `-- linkdial: ignore CODE reason` comment lowers to notes.
    pub ignored: Vec<(Code, String)>,
    /// `-- linkdial: verify deferred` stands before it.
    pub deferred: bool,
}

/// A target with what all statements that name it do to it.
#[derive(Debug)]
pub struct Use {
    /// As written.
    pub target: Target,
    /// All uses joined.
    pub intent: Intent,
    /// Where the target stands; `None` when it came from the command line.
    pub place: Option<Place>,
}

/// Something in the script that is wrong (exit 2).
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// One of the `sql.*` codes.
    pub code: Code,
    /// The fact.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What could have stood there.
    pub expected: Vec<String>,
    /// Where.
    pub place: Place,
    /// The line with the part to underline.
    pub excerpt: Excerpt,
}

/// Statements of one kind that linkdial passes over.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its first words, such as `CREATE TABLE`.
    pub statement: String,
    /// How many there were.
    pub count: u32,
    /// Where the first one stands.
    pub place: Place,
    /// Why it deserves a look, such as a use of a link that the script does not define.
    pub warning: Option<String>,
}

impl ScriptLink {
    /// Returns where a key of the link stands in the file.
    pub fn locate(&self, _key: &KeyPlace) -> Option<(Place, Excerpt)> {
        None
    }
}
