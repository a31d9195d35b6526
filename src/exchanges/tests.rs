//! What is recorded is what is published, and what contradicts itself is found.

use super::*;
use crate::vectors::to_text;

#[tokio::test]
async fn what_is_recorded_is_what_is_published() {
    let recorded = record().await.unwrap();
    assert!(
        to_text(&recorded) == PUBLISHED,
        "vectors/exchanges.json is stale: `capcheck vectors generate vectors`"
    );
    assert_eq!(check(&recorded), []);
}

#[tokio::test]
async fn every_operation_is_shown_taken_and_refused() {
    let recorded = record().await.unwrap();
    for operation in crate::spec::binding::Operation::ALL {
        let of_it = || recorded.exchanges.iter().filter(|exchange| exchange.operation == operation.name());
        let is_taken = |exchange: &Exchange| exchange.response.starts_with("HTTP/1.1 200 OK\r\n");
        assert!(of_it().any(is_taken) && !of_it().all(is_taken), "{operation}");
    }
    for exchange in &recorded.exchanges {
        let text = format!("{}{}", exchange.request, exchange.response);
        assert!(!text.contains("localhost") && !text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn an_exchange_that_contradicts_itself_is_named() {
    let recorded = record().await.unwrap();
    let altered = |id: &str, from: &str, to: &str| {
        let mut exchanges = recorded.clone();
        let exchange = exchanges.exchanges.iter_mut().find(|exchange| exchange.id == id).unwrap();
        let (request, response) = (exchange.request.clone(), exchange.response.clone());
        exchange.request = request.replace(from, to);
        exchange.response = response.replace(from, to);
        assert!((request, response) != (exchange.request.clone(), exchange.response.clone()), "{from}");
        check(&exchanges)
    };
    let shorter = altered("exchange.declare-refused", "M_NOT_FOUND", "M_NOT_FOUN");
    assert!(
        shorter[0].field == "response" && shorter[0].message.starts_with("Content-Length is"),
        "{shorter:?}"
    );
    let other = altered("exchange.upload", "m.cap.voip.v1", "m.cap.viop.v1");
    assert!(other[0].field == "request" && other[0].message.starts_with("its set goes by"), "{other:?}");
    let served = altered("exchange.fed-resolve", "m.cap.voip.v1", "m.cap.viop.v1");
    assert!(served[0].field == "response", "{served:?}");
}
