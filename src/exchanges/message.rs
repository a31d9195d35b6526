//! HTTP/1.1 as text, and what can be told of it without a server.

use percent_encoding::percent_decode_str;

use super::{Exchange, Exchanges};
use crate::spec::capability::CapabilitySet;

/// A message: its first line, its headers, its body.
pub(super) fn message(first: &str, headers: &[(&str, String)], body: Option<&str>) -> String {
    let mut out = format!("{first}\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        out.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    out.push_str(body.unwrap_or_default());
    out
}

/// An exchange that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The exchange's id.
    pub exchange: String,
    /// `request` or `response`.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Checks what can be told without a server: bodies are as long as they say, and every set hashes to the hash it goes
/// by. What does not hold.
pub fn check(exchanges: &Exchanges) -> Vec<Fault> {
    let mut faults = Vec::new();
    for exchange in &exchanges.exchanges {
        for (field, text) in [("request", &exchange.request), ("response", &exchange.response)] {
            if let Err(message) = is_as_long_as_it_says(text) {
                faults.push(Fault { exchange: exchange.id.clone(), field, message });
            }
        }
        if let Some((field, hash, set)) = set_under_hash(exchange) {
            let found = CapabilitySet::parse(set.as_bytes()).map(|set| set.hash().to_string());
            if found.as_deref().ok() != Some(hash.as_str()) {
                let found = found.unwrap_or_else(|error| error.to_string());
                let message = format!("its set goes by {hash}, and hashes to: {found}");
                faults.push(Fault { exchange: exchange.id.clone(), field, message });
            }
        }
    }
    faults
}

fn is_as_long_as_it_says(message: &str) -> Result<(), String> {
    let (head, body) = message.split_once("\r\n\r\n").ok_or("there is no empty line after its headers")?;
    let lengths = head.split("\r\n").filter_map(|line| line.strip_prefix("Content-Length: "));
    let said =
        lengths.last().map_or(Ok(0), |length| length.parse::<usize>().map_err(|error| error.to_string()))?;
    if said == body.len() {
        Ok(())
    } else {
        Err(format!("Content-Length is {said}, its body has {} bytes", body.len()))
    }
}

/// The set that goes by the hash in the path: the body of an upload that was taken, or of an answer.
fn set_under_hash(exchange: &Exchange) -> Option<(&'static str, String, &str)> {
    let path = exchange.request.split(' ').nth(1)?;
    let hash = percent_decode_str(path.split_once("/sets/")?.1).decode_utf8().ok()?.into_owned();
    if !exchange.response.starts_with("HTTP/1.1 200") {
        return None;
    }
    let (field, message) = match exchange.request.starts_with("PUT") {
        true => ("request", &exchange.request),
        false => ("response", &exchange.response),
    };
    Some((field, hash, message.split_once("\r\n\r\n")?.1))
}
