use std::path::Path;

use super::*;
use crate::target::file;

fn noted(binding: &str, versions: Value) -> Vec<String> {
    let text = format!("url = 'http://127.0.0.1'\n[binding]\n{binding}");
    let target = file::parse(&text, Path::new(""), "capcheck.toml", &|_| None).unwrap();
    let mut features = Features::default();
    note_versions(&mut features, &target, &versions);
    features.notes
}

#[test]
fn the_flag_is_missed_where_clients_would_rely_on_it() {
    let usual = "org.matrix.capability_sets";
    let flag = |name: &str, value: Value| json!({ "unstable_features": { name: value } });
    let missed = [format!("GET /versions does not list {usual}: true under unstable_features")];
    assert_eq!(noted("", flag(usual, json!(true))), [""; 0]);
    assert_eq!(noted("", flag(usual, json!(false))), missed);
    assert_eq!(noted("", json!({})), missed);
    let elsewhere = "declare = 'PUT /elsewhere'\n";
    assert_eq!(noted(elsewhere, json!({})), [""; 0]);
    // Only other homeservers ask there.
    assert_eq!(noted("fed_server_set = 'GET /elsewhere/{hash}'", json!({})), missed);
    let named = format!("{elsewhere}unstable_feature = 'x'");
    assert_eq!(noted(&named, flag("x", json!(true))), [""; 0]);
    assert_eq!(noted(&named, flag(usual, json!(true))).len(), 1);
}
