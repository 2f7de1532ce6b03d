//! Links, targets, grants and the record, as they are written and read.

use linkdial_core::{Code, Outcome};

use super::*;

#[test]
fn a_link_comes_back_as_it_was_stored() {
    let scratch = Scratch::new();
    let link = name("orders");
    let targets = [
        StoredTarget {
            intent: Intent::WRITE,
            format: Some("AVRO".to_owned()),
            registry: Some("http://u:p@registry:8081".to_owned()),
            user: Some((UserKind::Pipeline, name("load"))),
            ..target("h:9092/topic")
        },
        StoredTarget {
            intent: Intent::READ.and(Intent::WRITE),
            user: Some((UserKind::Function, LinkName::new(None, "f"))),
            ..target("https://u:s3cret@h/p?sig=abc")
        },
    ];
    let state = State::Deferred {
        at: "2026-11-22T16:00:00.123456789Z".parse().unwrap(),
        by: "größe 'quoted'".to_owned(),
    };
    let ignored = [(Code::DefineUnknownKey, "it is \"fine\"".to_owned())];
    let dial = Entry {
        verdict: Some(Outcome::Warn),
        code: Some(Code::DefineUnknownKey),
        ..entry(Action::Dial, &link)
    };
    let revision = {
        let registry = scratch.open();
        registry
            .commit(&Change {
                name: &link,
                expected: None,
                link: Some(NewLink {
                    secrets: &[],
                    kind: Kind::Kafka,
                    credentials: &Secret::new("{\"password\": \"x\"}"),
                    config: &Secret::new("{\"a\": \"ü\"}"),
                    shown_config: "{\"a\":\"ü\"}".to_owned(),
                    description: "orders; of 'all' shops",
                    ignored: &ignored,
                    state: state.clone(),
                }),
                targets: &targets,
                record: &[dial.clone(), entry(Action::Create, &link)],
            })
            .unwrap()
    };
    assert_eq!(revision, 2);

    let registry = scratch.open();
    assert!(registry.new_key().is_none());
    let known = registry.read(&link).unwrap();
    assert_eq!(known.targets, targets);
    let stored = known.link.unwrap();
    assert_eq!(stored.name, link);
    assert_eq!(stored.kind, Kind::Kafka);
    assert_eq!(stored.credentials.expose(), "{\"password\": \"x\"}");
    assert_eq!(stored.config.expose(), "{\"a\": \"ü\"}");
    assert_eq!(stored.description, "orders; of 'all' shops");
    assert_eq!(stored.ignored, ignored);
    assert_eq!(stored.state, state);
    assert_eq!(stored.revision, 2);

    let mut seen = Vec::new();
    registry
        .list(None, |link| {
            seen.push(link);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].name, link);
    assert_eq!(seen[0].kind, Kind::Kafka);
    assert_eq!(seen[0].description, "orders; of 'all' shops");
    assert_eq!(seen[0].config, "{\"a\":\"ü\"}");
    assert_eq!(seen[0].state, state);

    let lines = record(&registry);
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].number, lines[1].number), (1, 2));
    assert_eq!(lines[0].entry.who, "ada");
    assert_eq!(lines[0].entry.action, Action::Dial);
    assert_eq!(lines[0].entry.link.as_ref(), Some(&link));
    assert_eq!(lines[0].entry.verdict, Some(Outcome::Warn));
    assert_eq!(lines[0].entry.code, Some(Code::DefineUnknownKey));
    assert_eq!(lines[1].entry.action, Action::Create);
    assert_eq!(lines[1].entry.verdict, None);
}

#[test]
fn only_the_revision_that_was_read_is_changed() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let link = name("orders");
    let conflict = |result: Result<u64, RegistryError>| match result.unwrap_err() {
        RegistryError::Conflict(name) => assert_eq!(name, link),
        other => panic!("{other}"),
    };
    conflict(put(&registry, &link, Some(1), "{}", &[]));
    assert_eq!(put(&registry, &link, None, "{}", &[]).unwrap(), 1);
    conflict(put(&registry, &link, None, "{}", &[]));
    assert_eq!(put(&registry, &link, Some(1), "{}", &[]).unwrap(), 2);
    conflict(put(&registry, &link, Some(1), "{}", &[]));
    conflict(take(&registry, &link, 1));
    assert_eq!(take(&registry, &link, 2).unwrap(), 3);
    conflict(take(&registry, &link, 3));
    // A name that comes back does not get an old revision back.
    assert_eq!(put(&registry, &link, None, "{}", &[]).unwrap(), 4);
    assert_eq!(record(&registry).len(), 4);
}

#[test]
fn targets_outlive_a_dropped_link() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let link = name("orders");
    let user = (UserKind::Pipeline, name("load"));
    let used = StoredTarget {
        user: Some(user.clone()),
        ..target("bucket/a")
    };
    put(
        &registry,
        &link,
        None,
        "{}",
        &[used.clone(), target("bucket/b")],
    )
    .unwrap();
    registry
        .commit(&Change {
            name: &link,
            expected: Some(1),
            link: None,
            targets: std::slice::from_ref(&used),
            record: &[entry(Action::Drop, &link)],
        })
        .unwrap();
    let known = registry.read(&link).unwrap();
    assert!(known.link.is_none());
    assert_eq!(known.targets, [used]);
    assert_eq!(registry.links_of_user(user.0, &user.1).unwrap(), [link]);
    assert!(listed(&registry, None).is_empty());
}

#[test]
fn targets_change_without_their_link() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let user = name("load");
    let used = StoredTarget {
        user: Some((UserKind::Pipeline, user.clone())),
        ..target("bucket/a")
    };
    // A function with the same name is somebody else.
    let other = StoredTarget {
        user: Some((UserKind::Function, user.clone())),
        ..target("bucket/b")
    };
    let (first, second) = (name("a"), name("b"));
    let both = [used.clone(), other.clone()];
    put(&registry, &first, None, "{}", &both).unwrap();
    put(&registry, &second, None, "{}", std::slice::from_ref(&other)).unwrap();
    let links = registry.links_of_user(UserKind::Pipeline, &user);
    assert_eq!(links.unwrap(), std::slice::from_ref(&first));

    let entry = Entry::new("bob", Action::Targets, Some(first.clone()), "fewer".into());
    let left = std::slice::from_ref(&other);
    let stale = registry.set_targets(&first, Some(9), left, &entry);
    assert!(matches!(stale, Err(RegistryError::Conflict(name)) if name == first));
    assert_eq!(registry.read(&first).unwrap().targets, both);

    let number = registry.set_targets(&first, Some(1), left, &entry).unwrap();
    let known = registry.read(&first).unwrap();
    assert_eq!(known.targets, [other]);
    assert_eq!((number, known.link.unwrap().revision), (3, 3));
    let lines = record(&registry);
    assert_eq!(lines[2].entry.action, Action::Targets);
    assert_eq!(lines[2].entry.who, "bob");
    assert!(
        registry
            .links_of_user(UserKind::Pipeline, &user)
            .unwrap()
            .is_empty()
    );

    // Those of a pipeline outlive the link.
    let gone = name("gone");
    let entry = Entry::new("bob", Action::Targets, Some(gone.clone()), "kept".into());
    registry
        .set_targets(&gone, None, std::slice::from_ref(&used), &entry)
        .unwrap();
    let known = registry.read(&gone).unwrap();
    assert!(known.link.is_none());
    assert_eq!(known.targets, [used]);
}

#[test]
fn links_are_listed_by_database_and_name() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    for (database, link) in [("b", "a"), ("a", "é"), ("a", "z"), ("B", "x"), ("a", "Z")] {
        let link = LinkName::new(Some(database), link);
        put(&registry, &link, None, "{}", &[]).unwrap();
    }
    assert_eq!(listed(&registry, None), ["B.x", "a.Z", "a.z", "a.é", "b.a"]);
    assert_eq!(listed(&registry, Some("a")), ["a.Z", "a.z", "a.é"]);
    assert!(listed(&registry, Some("c")).is_empty());

    let mut seen = 0;
    let first = |_| {
        seen += 1;
        ControlFlow::Break(())
    };
    registry.list(None, first).unwrap();
    assert_eq!(seen, 1);
    // The rest that nobody asked for does not get in the way.
    assert_eq!(listed(&registry, Some("B")), ["B.x"]);
}

#[test]
fn a_name_in_another_letter_case_is_similar() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let link = LinkName::new(Some("Shop"), "Größe");
    put(&registry, &link, None, "{}", &[]).unwrap();
    let similar = |database, name| {
        let wanted = LinkName::new(Some(database), name);
        registry.similar(&wanted).unwrap()
    };
    assert_eq!(similar("shop", "GRÖSSE"), None);
    assert_eq!(similar("shop", "GRÖßE"), Some(link.clone()));
    assert_eq!(similar("Shop", "größe"), Some(link.clone()));
    assert_eq!(similar("Shop", "Größe"), None);
    let other = LinkName::new(Some("shop"), "größe");
    put(&registry, &other, None, "{}", &[]).unwrap();
    assert_eq!(similar("Shop", "Größe"), Some(other));
    assert!(
        registry
            .read(&LinkName::new(Some("SHOP"), "größe"))
            .unwrap()
            .link
            .is_none()
    );
}

#[test]
fn grants_count_what_is_new() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let grant = |permission, database: Option<&str>| Grant {
        user: "ada".to_owned(),
        permission,
        database: database.map(str::to_owned),
    };
    let show = grant(Permission::ShowLink, Some("shop"));
    let create = grant(Permission::CreateLink, None);
    let both = [show.clone(), create.clone()];
    assert_eq!(registry.grant("root", &both).unwrap(), 2);
    assert_eq!(registry.grant("root", &both).unwrap(), 0);
    assert_eq!(
        registry.grants("ada").unwrap(),
        [create.clone(), show.clone()]
    );
    assert!(registry.grants("Ada").unwrap().is_empty());
    let elsewhere = grant(Permission::ShowLink, Some("other"));
    let revoked = registry.revoke("root", &[show, elsewhere]);
    assert_eq!(revoked.unwrap(), 1);
    assert_eq!(registry.grants("ada").unwrap(), [create]);
    let lines: Vec<_> = record(&registry)
        .into_iter()
        .map(|line| (line.entry.action, line.entry.detail.unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            (Action::Grant, "SHOW LINK ON shop.* TO ada".to_owned()),
            (Action::Grant, "CREATE LINK ON *.* TO ada".to_owned()),
            (Action::Revoke, "SHOW LINK ON shop.* FROM ada".to_owned()),
        ]
    );
}

#[test]
fn a_dial_alone_leaves_the_revision() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let link = name("orders");
    put(&registry, &link, None, "{}", &[]).unwrap();
    registry
        .add_to_record(&[entry(Action::Dial, &link)])
        .unwrap();
    assert_eq!(put(&registry, &link, Some(1), "{}", &[]).unwrap(), 3);
}

#[test]
fn a_damaged_link_can_be_replaced_dropped_and_used() {
    let scratch = Scratch::new();
    let registry = scratch.open();
    let [replaced, dropped, used, strange] = ["a", "b", "c", "d"].map(name);
    for link in [&replaced, &dropped, &used, &strange] {
        put(&registry, link, None, "{}", &[target("bucket/a")]).unwrap();
    }
    // One text that no key opens, and one of a key that is gone.
    sql(
        &registry,
        "UPDATE links SET sealed = 'AAAA' WHERE link <> 'd'; \
         UPDATE links SET key_id = 'gone' WHERE link = 'd'",
    );
    for (link, revision) in [(&replaced, 1), (&dropped, 2), (&used, 3), (&strange, 4)] {
        let known = registry.read(link).unwrap();
        assert!(known.link.is_none());
        assert_eq!(known.damaged, Some(revision));
        assert_eq!(known.targets, [target("bucket/a")]);
    }
    let stale = put(&registry, &replaced, None, "{}", &[]);
    assert!(matches!(stale, Err(RegistryError::Conflict(_))));
    assert_eq!(
        put(&registry, &replaced, Some(1), "{\"k\": 1}", &[]).unwrap(),
        5
    );
    assert_eq!(credentials(&registry, &replaced), "{\"k\": 1}");
    assert_eq!(registry.read(&replaced).unwrap().damaged, None);

    assert_eq!(take(&registry, &dropped, 2).unwrap(), 6);
    assert_eq!(registry.read(&dropped).unwrap().damaged, None);

    let entry = Entry::new("bob", Action::Targets, Some(used.clone()), "more".into());
    let targets = [target("bucket/a"), target("bucket/b")];
    let number = registry.set_targets(&used, Some(3), &targets, &entry);
    assert_eq!(number.unwrap(), 7);
    let known = registry.read(&used).unwrap();
    assert_eq!(known.damaged, Some(7));
    assert_eq!(known.targets, targets);
}
