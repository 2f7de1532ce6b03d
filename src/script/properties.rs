//! Properties of variables: what fills a string stays inside of it.

use linkdial_core::clause::{Member, Node, Value};
use linkdial_core::{Clause, ClauseName};
use proptest::prelude::*;

use super::variables::{Variables, fill};

/// The structure of a clause: keys and types in their order, strings and numbers left out.
fn structure(members: &[Member]) -> String {
    let inside: Vec<String> = members
        .iter()
        .map(|member| format!("{:?}:{}", member.key, of_node(&member.value)))
        .collect();
    format!("{{{}}}", inside.join(","))
}

fn of_node(node: &Node) -> String {
    match &node.value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(of_node).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => structure(members),
        other => other.type_name().to_owned(),
    }
}

/// JSON whose strings hold variables, unfinished ones too.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        any::<String>(),
        Just("${A}".to_owned()),
        Just("x${A}y${B}".to_owned()),
        Just("$${A} ${A}".to_owned()),
        Just("${NOBODY}".to_owned()),
        Just("${".to_owned()),
    ];
    let leaf = prop_oneof![
        text.clone().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn filling_never_changes_the_structure(
        values in proptest::collection::btree_map("[a-zA-Z${}_\"é]{0,6}", json(), 0..5),
        a in prop_oneof![any::<String>(), Just("\", \"other\": \"x".to_owned()), Just("${B}".to_owned())],
        b in any::<String>(),
    ) {
        let text = serde_json::Value::Object(values.into_iter().collect()).to_string();
        let mut clause = Clause::parse(ClauseName::Credentials, text.as_str());
        prop_assert!(clause.faults().is_empty());
        let before = structure(clause.members());
        let mut variables = Variables::default();
        variables.set("A", a.as_str(), true);
        variables.set("B", b.as_str(), false);
        let unbound = fill(&mut clause, &variables);
        prop_assert_eq!(structure(clause.members()), before.as_str());
        for fault in &unbound {
            prop_assert!(text.get(fault.span.clone()).is_some(), "{:?}", fault.span);
        }
        // What is filled is written as JSON again with the same structure, and filled no further.
        let again = Clause::parse(ClauseName::Credentials, clause.to_json().expose());
        prop_assert!(again.faults().is_empty());
        prop_assert_eq!(structure(again.members()), before);
        prop_assert_eq!(again.to_json(), clause.to_json());
    }

    #[test]
    fn a_variable_is_its_value_and_nothing_else(value in any::<String>()) {
        let text = r#"{"key": "before ${A} after $${A}"}"#;
        let mut clause = Clause::parse(ClauseName::Credentials, text);
        let mut variables = Variables::default();
        variables.set("A", value.as_str(), true);
        prop_assert!(fill(&mut clause, &variables).is_empty());
        let node = clause.get("key").unwrap();
        let Value::String(filled) = &node.value else { panic!("no string") };
        prop_assert_eq!(filled.expose(), format!("before {value} after ${{A}}"));
        prop_assert!(node.secret);
    }
}
