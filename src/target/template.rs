//! The table of keys as people read it: a commented target file, and the table of `docs/target.md`.

use std::fmt::Write as _;

use url::Url;

use crate::spec::binding::{Binding, Operation};

use super::keys::{ACCOUNT, KEYS, Key, Otherwise, SECTIONS};

/// Comments are wrapped to this many characters.
const WIDTH: usize = 100;

/// A target file for `url` in which every key is explained, and everything but the URL commented out:
/// `#key = value` is a default, and `#   key = value` an example of a key without one.
pub fn target_file(url: &Url) -> String {
    let mut text = String::from(
        "# A target file for capcheck: capcheck run --target capcheck.toml\n#\n\
         # \"#key = value\" is the default: taking the # away changes nothing.\n\
         # \"#   key = value\" is an example: without the key there is no value.\n",
    );
    for section in [""].into_iter().chain(SECTIONS) {
        if !section.is_empty() {
            let _ = write!(text, "\n[{section}]\n");
        }
        for key in KEYS.iter().filter(|key| key.section == section) {
            text.push('\n');
            explain(&mut text, key);
            let _ = match (key.name, key.otherwise) {
                _ if is_the_target(key) => writeln!(text, "url = \"{}\"", url.as_str().trim_end_matches('/')),
                (name, Otherwise::Default(value)) => writeln!(text, "#{name} = {value}"),
                (name, Otherwise::Absent { example, .. }) => writeln!(text, "#   {name} = {example}"),
            };
        }
    }
    text
}

/// The `[binding]` section of a target file for a homeserver that is bound so.
pub fn binding_section(binding: &Binding) -> String {
    let presence = &binding.presence;
    let routes = Operation::ALL.map(|operation| (operation.name(), binding.route(operation).to_string()));
    let rest = [
        ("presence_event", presence.event.clone()),
        ("presence_field", presence.field.clone()),
        ("presence_sync_path", presence.sync_path.clone()),
        ("presence_status", presence.status.to_string()),
        ("presence_edu", presence.edu.clone()),
        ("refusal_errcode", binding.refusal.errcode.clone()),
        ("unstable_feature", binding.unstable_feature.clone()),
    ];
    let mut text = "[binding]\n".to_owned();
    for (name, value) in routes.into_iter().chain(rest) {
        // Strings of JSON are strings of TOML.
        let _ = writeln!(text, "{name} = {}", serde_json::Value::from(value));
    }
    let _ = writeln!(text, "refusal_status = {}", binding.refusal.status);
    text
}

/// The one key whose value is known.
fn is_the_target(key: &Key) -> bool {
    (key.section, key.name) == ("", "url")
}

fn explain(text: &mut String, key: &Key) {
    comment(text, key.meaning);
    comment(text, &format!("Must be {}.", key.kind.expected()));
    if let Otherwise::Absent { means, .. } = key.otherwise
        && !means.is_empty()
        && !is_the_target(key)
    {
        comment(
            text,
            &match means.strip_prefix("required") {
                Some(rest) => format!("Required{rest}."),
                None => format!("Without it: {means}."),
            },
        );
    }
    if key.name == "accounts" {
        for part in KEYS.iter().filter(|part| part.section == ACCOUNT) {
            comment(text, &format!("  {}: {}", part.name, part.meaning));
        }
    }
}

fn comment(text: &mut String, sentence: &str) {
    let mut line = String::from("#");
    for word in sentence.split(' ') {
        if line.len() + 1 + word.len() > WIDTH && line.len() > 1 {
            text.push_str(&line);
            text.push_str("\n#");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// The table of all keys, as `docs/target.md` holds it.
pub fn markdown() -> String {
    let mut text = String::from("| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in KEYS {
        let name = match key.section {
            "" => format!("`{}`", key.name),
            ACCOUNT => format!("`[users]` `accounts` `{}`", key.name),
            section => format!("`[{section}]` `{}`", key.name),
        };
        let default = match key.otherwise {
            Otherwise::Default(value) => format!("`{value}`"),
            Otherwise::Absent { means: "", .. } => "none".to_owned(),
            Otherwise::Absent { means, .. } => format!("none: {means}"),
        };
        let cells = [name, key.kind.expected(), default, key.meaning.to_owned()];
        let _ = writeln!(text, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::config::Target;
    use super::super::file;
    use super::*;
    use crate::reference::{Options, Variant};

    fn parse(text: &str) -> Target {
        file::parse(text, Path::new(""), "capcheck.toml", &|_| None).unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    fn template() -> String {
        target_file(&Url::parse("http://127.0.0.1:8008").unwrap())
    }

    #[test]
    fn as_it_stands_it_is_the_bare_url() {
        assert_eq!(parse(&template()), Target::from_url("http://127.0.0.1:8008").unwrap());
    }

    #[test]
    fn the_section_of_a_binding_says_all_of_it() {
        let elsewhere = Options::default().taking([Variant::BoundElsewhere].into_iter().collect()).binding;
        for binding in [elsewhere, Binding::default()] {
            let text = format!("url = \"http://127.0.0.1:8008\"\n\n{}", binding_section(&binding));
            assert_eq!(parse(&text).binding, binding, "{text}");
            let said = KEYS.iter().filter(|key| key.section == "binding");
            assert!(said.clone().all(|key| text.contains(&format!("\n{} = ", key.name))), "{text}");
        }
    }

    #[test]
    fn every_default_can_be_uncommented_and_changes_nothing() {
        let defaults = KEYS.iter().filter(|k| matches!(k.otherwise, Otherwise::Default(_))).count();
        let mut uncommented = 0;
        let text: Vec<String> = template()
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => {
                    uncommented += 1;
                    rest.to_owned()
                }
                _ => line.to_owned(),
            })
            .collect();
        assert_eq!(uncommented, defaults);
        assert_eq!(parse(&text.join("\n")), Target::from_url("http://127.0.0.1:8008").unwrap());
    }

    #[test]
    fn every_key_is_explained_in_its_section() {
        let text = template();
        for key in KEYS.iter().filter(|k| k.section != ACCOUNT) {
            let section = match key.section {
                "" => text.split("\n[").next().unwrap(),
                name => text.split(&format!("\n[{name}]\n")).nth(1).unwrap().split("\n[").next().unwrap(),
            };
            let line = |l: &&str| l.trim_start_matches(['#', ' ']).starts_with(&format!("{} = ", key.name));
            assert_eq!(section.lines().filter(line).count(), 1, "{}", key.place());
        }
    }

    #[test]
    fn lines_stay_readable() {
        let too_long =
            |line: &&str| line.starts_with("# ") && !line.contains(" = ") && line.chars().count() > WIDTH;
        assert_eq!(template().lines().find(too_long), None);
    }
}
