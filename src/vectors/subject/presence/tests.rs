use serde_json::{Value, json};

use super::*;
use crate::vectors::carried;
use crate::vectors::subject::find;

const A: &str = r#"{"m.cap.voip.v1":{},"m.cap.webrtc.v1":{}}"#;
const B: &str = r#"{"m.cap.stickers.v1":{},"m.cap.voip.v1":{}}"#;
const C: &str = r#"{"m.cap.location.v1":{}}"#;

/// A history from words: user and device, then `+` for a login, `^` for an upload, `=` for a declare, `-` for a
/// logout, `--` for one everywhere, `x` for the deletion of a device; and a user with `?` for a look at the status.
fn history(words: &str) -> History {
    let set = |name: &str| match name {
        "A" => A,
        "B" => B,
        "C" => C,
        _ => "{}",
    };
    let step = |word: &str| {
        if let Some(user) = word.strip_suffix('?') {
            return json!({"act": "status", "user": user});
        }
        let (who, act) = word.split_at(2);
        let (user, device) = who.split_at(1);
        let (act, more) = act.split_at(if act.starts_with("--") { 2 } else { 1 });
        match act {
            "+" => json!({"act": "login", "user": user, "device": device}),
            "^" => json!({"act": "upload", "user": user, "device": device, "set": set(more)}),
            "=" => json!({"act": "declare", "user": user, "device": device, "set": set(more)}),
            "-" => json!({"act": "logout", "user": user, "device": device}),
            "--" => json!({"act": "logout-all", "user": user, "device": device}),
            _ => json!({"act": "delete-device", "user": user, "device": device, "deleted": more}),
        }
    };
    let steps: Vec<Value> = words.split_whitespace().map(step).collect();
    serde_json::from_value(json!({ "steps": steps })).unwrap()
}

/// The last status of a history, with a mistake or without: names of its sets, by their hashes.
fn last(words: &str, mistake: Option<&str>) -> Option<String> {
    let made = mistake.map(|name| Mistake::find(name).unwrap());
    let statuses = follow(&history(words), made).unwrap();
    hashes(&statuses, &[]).pop().unwrap()
}

fn union(sets: &[&str]) -> Option<String> {
    let sets: Vec<_> = sets.iter().map(|set| CapabilitySet::parse(set.as_bytes()).unwrap()).collect();
    Some(CapabilitySet::union(&sets).hash().to_string())
}

/// The worked timeline of docs/protocol.md, section 9.5, in its own hashes.
#[test]
fn follows_the_timeline_of_the_protocol() {
    let words = "aP+ aP=A aP^A aP=A aL+ aL^B aL=B aT+ aT^C aT=C aP=B aL- aP+ aPxT";
    let statuses = hashes(&follow(&history(words), None).unwrap(), &[]);
    let beginnings: Vec<_> =
        statuses.iter().map(|hash| hash.as_deref().map_or("none", |hash| &hash[..8])).collect();
    let expected = [
        "none", "none", "none", "DX230Twx", "DX230Twx", "DX230Twx", "gpngsZJB", "gpngsZJB", "gpngsZJB",
        "3gOy1Xhx", "xSM1+JMs", "xSM1+JMs", "pORt0IlG", "none",
    ];
    assert_eq!(beginnings, expected);
}

#[test]
fn each_mistake_shows_what_its_name_says() {
    let declared = "aP+ aP^A aP=A aL+ aL^C aL=C";
    let same = "aP+ aP^A aP=A aL+ aL^A aL=A";
    let after = |history: &str, then: &str| format!("{history} {then}");
    // The mistake, the history, and the sets whose union it shows; none for no hash.
    let table: &[(&str, String, &[&str])] = &[
        ("upload-declares", "aP+ aP^A".to_owned(), &[A]),
        ("known-per-user", "bP+ bP^A aL+ aL=A".to_owned(), &[]),
        ("known-per-session", "aP+ aP^A aL+ aL=A".to_owned(), &[]),
        ("known-once", after(declared, "aP=C"), &[A, C]),
        ("forgotten-with-session", "aP+ aP^A aL+ aP- aL=A".to_owned(), &[]),
        ("refused-declare-counts", "aP+ aP=A".to_owned(), &[A]),
        ("refused-declare-clears", after(declared, "aP=B"), &[C]),
        ("refused-declare-waits", "aP+ aP=A aP^A".to_owned(), &[A]),
        ("redeclare-adds", after(declared, "aP=C"), &[A, C]),
        ("first-declare-stands", after(declared, "aP=C"), &[A, C]),
        ("dead-session-declares", "aP+ aP^A aP- aP=A".to_owned(), &[A]),
        ("empty-set-refused", "aP+ aP^E aP=E".to_owned(), &[]),
        ("empty-set-ignored", after(declared, "aP^E aP=E"), &[A, C]),
        ("empty-set-clears", after(declared, "aP^E aP=E"), &["{}"]),
        ("empty-union-null", "aP+ aP^E aP=E".to_owned(), &[]),
        ("last-declared-only", declared.to_owned(), &[C]),
        ("first-declared-only", declared.to_owned(), &[A]),
        ("intersection", declared.to_owned(), &["{}"]),
        ("names-subtracted", "aP+ aP^A aP=A aL+ aL^B aL=B aP-".to_owned(), &[r#"{"m.cap.stickers.v1":{}}"#]),
        ("same-set-leaves-together", after(same, "aP-"), &[]),
        ("users-mixed", "aP+ aP^A aP=A bL+".to_owned(), &[A]),
        ("device-ids-shared", "aP+ aP^A aP=A bP+ a?".to_owned(), &[]),
        ("device-ids-folded", "aP+ aP^A aP=A ap+".to_owned(), &[]),
        ("relogin-keeps-set", "aP+ aP^A aP=A aP+".to_owned(), &[A]),
        ("login-drops-all", "aP+ aP^A aP=A aL+".to_owned(), &[]),
        ("logout-keeps", after(declared, "aP-"), &[A, C]),
        ("logout-drops-all", after(declared, "aP-"), &[]),
        ("deletion-keeps", after(declared, "aLxP"), &[A, C]),
        ("deletion-ends-asker", after(declared, "aLxP"), &[A]),
        ("deletion-by-id-alone", "aP+ aP^A aP=A bP+ bL+ bLxP a?".to_owned(), &[]),
        ("logout-all-keeps", after(declared, "aP--"), &[A, C]),
        ("logout-all-ends-asker", after(declared, "aP--"), &[C]),
        ("logout-all-spares-asker", after(declared, "aP--"), &[A]),
        ("last-hash-stays", "aP+ aP^A aP=A aP-".to_owned(), &[A]),
        ("declare-alone-recomputes", after(declared, "aP-"), &[A, C]),
    ];
    for (mistake, history, sets) in table {
        let shown = if sets.is_empty() { None } else { union(sets) };
        assert_eq!(last(history, Some(mistake)), shown, "{mistake}");
        assert_ne!(last(history, None), shown, "{mistake}");
    }
}

#[test]
fn other_texts_than_the_union_are_hashed() {
    let hash = |text: String| Some(hash_of(text));
    let declared = "aP+ aP^A aP=A aL+ aL^C aL=C";
    assert_eq!(last(declared, Some("concatenated")), hash(format!("{A}{C}")));
    let unsorted = r#"{"m.cap.voip.v1":{},"m.cap.webrtc.v1":{},"m.cap.location.v1":{}}"#;
    assert_eq!(last(declared, Some("union-unsorted")), hash(unsorted.to_owned()));
    let mut list = [hash_of(A.to_owned()), hash_of(C.to_owned())];
    list.sort();
    assert_eq!(last(declared, Some("hashes-hashed")), hash(json!(list).to_string()));
}

fn hash_of(text: String) -> String {
    crate::spec::hash::CapabilityHash::of(text.as_bytes()).to_string()
}

#[test]
fn nothing_declared_is_none_or_the_empty_set_alike_for_a_reason() {
    let empty = union(&["{}"]);
    let solution = Presence.solve(&history("aP+ aP^A aP=A aP-"));
    let of_a = union(&[A]);
    assert_eq!(solution.expected.unwrap().statuses, [None, None, of_a.clone(), None]);
    assert_eq!(
        solution.also,
        [
            json!([empty, empty, of_a, null]),
            json!([null, null, of_a, empty]),
            json!([empty, empty, of_a, empty]),
        ]
    );
    assert_eq!(Presence.solve(&history("aP+ aP^A aP=A")).also.len(), 1);
}

#[test]
fn a_history_is_refused_that_names_no_set() {
    let broken = json!({"steps": [{"act": "upload", "user": "a", "device": "P", "set": "[]"}]});
    let solution = Presence.solve(&serde_json::from_value(broken).unwrap());
    assert_eq!(solution.failure, Some("not-a-set"));
    let unknown = json!({"steps": [{"act": "login", "user": "a", "device": "P", "set": "{}"}]});
    assert!(serde_json::from_value::<History>(unknown).is_err());
}

/// What the notes of the file promise.
#[test]
fn no_history_rests_on_what_a_server_may_choose() {
    for case in carried("presence").cases() {
        assert!(case.also.len() <= 3, "{}: too many right answers", case.id);
        let history: History = serde_json::from_value(case.input.clone()).unwrap();
        let (mut uploaded, mut unions) = (Vec::new(), vec![CapabilitySet::default().hash()]);
        let mut server = Server::new(None);
        for step in &history.steps {
            if let Step::Declare { set, .. } = step {
                let set = CapabilitySet::parse(set.as_bytes()).unwrap();
                assert!(
                    uploaded.contains(&set) || !unions.contains(&set.hash()),
                    "{}: a union is declared",
                    case.id
                );
            }
            if let Step::Upload { set, .. } = step {
                uploaded.push(CapabilitySet::parse(set.as_bytes()).unwrap());
            }
            if let Status::Hash(hash) = server.take(step).unwrap() {
                unions.push(hash);
            }
        }
    }
}

#[test]
fn every_mistake_has_its_name_once() {
    let names: std::collections::BTreeSet<_> = Mistake::ALL.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), Mistake::ALL.len());
    let told = carried("presence").mistakes.len();
    assert_eq!(told, find("presence").unwrap().subject.mistakes().len());
}
