//! The curl command that sends a request again.

use super::TlsTrust;
use super::exchange::Request;

/// A command for a POSIX shell; the access token is read from `$TOKEN`.
///
/// `body` is the redacted text that reports show, so a command never holds a secret.
pub(super) fn command(request: &Request, url: &str, body: Option<&str>, tls: &TlsTrust) -> String {
    let mut words = vec!["curl -isS".to_owned()];
    match tls {
        TlsTrust::System => {}
        TlsTrust::ExtraCa(path) => words.push(format!("--cacert {}", quoted(&path.to_string_lossy()))),
        TlsTrust::Only(_) | TlsTrust::Anything => words.push("-k".to_owned()),
    }
    if request.verbatim {
        words.push("--path-as-is".to_owned());
    }
    if url.contains(['{', '}', '[', ']']) {
        words.push("-g".to_owned());
    }
    if request.method != "GET" || body.is_some() {
        words.push(format!("-X {}", request.method));
    }
    if request.token.is_some() {
        words.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    if let Some(value) = &request.authorization {
        words.push(format!("-H {}", quoted(&format!("Authorization: {value}"))));
    }
    let binary = request.body.as_ref().is_some_and(|(bytes, _)| std::str::from_utf8(bytes).is_err());
    let data = body.map(|body| match binary {
        true => format!("--data-binary $'{}'", body.replace('\'', "\\'")),
        false => format!("--data-binary {}", quoted(body)),
    });
    if let (Some((_, kind)), Some(data)) = (&request.body, data) {
        words.push(format!("-H {}", quoted(&format!("Content-Type: {kind}"))));
        words.push(data);
    }
    words.push(quoted(url));
    words.join(" ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Secret;

    #[test]
    fn quotes_and_hides() {
        let request = Request::new("PUT", "/a'b").token(&Secret::new("t")).body("{\"it's\":{}}");
        assert_eq!(
            command(&request, "http://h/a'b", Some("{\"it's\":{}}"), &TlsTrust::Anything),
            r#"curl -isS -k -X PUT -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' --data-binary '{"it'\''s":{}}' 'http://h/a'\''b'"#
        );
    }

    #[test]
    fn a_plain_get_is_short() {
        let request = Request::new("GET", "/../x").verbatim();
        assert_eq!(
            command(&request, "http://h/../x", None, &TlsTrust::System),
            "curl -isS --path-as-is 'http://h/../x'"
        );
    }
}
