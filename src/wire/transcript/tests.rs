//! What is kept of an exchange, and what is blacked out.

use bytes::Bytes;

use super::*;

fn record(transcript: &Transcript, request: Request, answer: &str) -> Recorded {
    let response = Response { status: 200, headers: vec![], body: answer.to_owned().into() };
    let base = Url::parse("http://localhost:8008").unwrap();
    transcript.record(request, Ok(response), Instant::now(), &base, &TlsTrust::System).recorded.clone()
}

#[test]
fn a_secret_is_blacked_out_in_every_spelling() {
    let transcript = Transcript::default();
    transcript.conceal(&Secret::new("p\"ss/w"));
    let recorded = record(
        &transcript,
        Request::new("POST", "/x?echo=p%22ss%2Fw").body(r#"{"p":"p\"ss/w"}"#),
        r#"you said p"ss/w"#,
    );
    let shown = format!("{recorded:?}");
    assert!(!shown.contains("ss/w") && !shown.contains("ss%2Fw"), "{shown}");
    assert_eq!(recorded.response_body.as_deref(), Some("you said <redacted>"));
}

#[test]
fn tokens_in_answers_are_learned_before_the_answer_is_kept() {
    let transcript = Transcript::default();
    let first = record(&transcript, Request::new("POST", "/login"), r#"{"access_token":"syt_1"}"#);
    assert_eq!(first.response_body.as_deref(), Some(r#"{"access_token":"<redacted>"}"#));
    let echo = record(&transcript, Request::new("GET", "/"), "Bearer syt_1");
    assert_eq!(echo.response_body.as_deref(), Some("Bearer <redacted>"));
}

#[test]
fn the_token_that_was_sent_is_never_kept() {
    let transcript = Transcript::default();
    let request = Request::new("GET", "/").token(&Secret::new("syt_2"));
    let recorded = record(&transcript, request, "syt_2");
    assert!(!format!("{recorded:?}").contains("syt_2"));
    assert!(recorded.curl.unwrap().contains("$TOKEN"));
}

#[test]
fn one_users_secret_is_blacked_out_of_anothers_transcript() {
    let alices = Transcript::default();
    let bobs = alices.beside();
    record(&alices, Request::new("POST", "/login"), r#"{"access_token":"syt_alice"}"#);
    let mut shown = record(&bobs, Request::new("GET", "/"), "by the way, syt_alice");
    bobs.redact(&mut shown);
    assert_eq!(shown.response_body.as_deref(), Some("by the way, <redacted>"));
    assert_eq!(bobs.redact_text("syt_alice"), "<redacted>");
}

#[test]
fn long_bodies_are_cut_and_keep_their_length() {
    let transcript = Transcript::default();
    let recorded = record(&transcript, Request::new("GET", "/"), &"ä".repeat(SHOWN));
    let shown = recorded.response_body.unwrap();
    assert!(shown.len() < SHOWN + 64);
    assert!(shown.ends_with("(16384 bytes in all)"), "{}", &shown[shown.len() - 40..]);
}

#[test]
fn what_the_target_sent_is_kept_once_and_redacted() {
    let transcript = Transcript::default();
    transcript.conceal(&Secret::new("syt_3"));
    let (headers, body) = ([("authorization".to_owned(), "syt_3".to_owned())], Bytes::from("syt_3"));
    let answered = Answered {
        status: Some(404),
        headers: vec![("location".to_owned(), "/syt_3".to_owned())],
        body: Some(Bytes::from("{ \"no\": \"syt_3\" }")),
        length: 17,
        fault: None,
    };
    let received = Received {
        by: "localhost:9000",
        at: Instant::now(),
        method: "GET",
        uri: "/x?y=syt_3",
        headers: &headers,
        body: &body,
        answered: &answered,
    };
    let kept = transcript.receive(&received);
    transcript.receive(&received);
    assert_eq!(transcript.len(), 1);
    assert_eq!(kept.recorded.url, "https://localhost:9000/x?y=<redacted>");
    assert_eq!(kept.recorded.received_by.as_deref(), Some("localhost:9000"));
    assert!(!format!("{:?}", kept.recorded).contains("syt_3"));
    assert_eq!(kept.describe(), r#"404 { "no": "<redacted>" }"#);
    assert_eq!(kept.recorded.response_headers, [("location".to_owned(), "/<redacted>".to_owned())]);
    assert_eq!(kept.recorded.fault, None);
    transcript.receive(&Received { by: "localhost:9001", ..received });
    assert_eq!(transcript.len(), 2);
}

#[test]
fn what_is_no_whole_answer_says_why() {
    let transcript = Transcript::default();
    let silence = Answered { fault: Some("silence"), ..Answered::default() };
    let endless = Answered { status: Some(200), fault: Some("no end"), ..Answered::default() };
    for (answered, by) in [(&silence, "localhost:9000"), (&endless, "localhost:9001")] {
        let at = Instant::now();
        let (body, uri) = (&Bytes::new(), "/x");
        let kept = transcript.receive(&Received { by, at, method: "GET", uri, headers: &[], body, answered });
        assert_eq!((kept.recorded.status, kept.recorded.response_body.as_ref()), (answered.status, None));
        assert_eq!(kept.recorded.fault.as_deref(), answered.fault);
    }
}

#[test]
fn the_beginning_of_a_long_answer_says_how_long_it_is() {
    // Cut in the middle of a character.
    assert_eq!(show(&Secrets::new(), &"aä".as_bytes()[..2], 900), "a… (900 bytes in all)");
    assert_eq!(show(&Secrets::new(), &"aä".as_bytes()[..2], 2), r"a\xc3");
}

#[test]
fn exchanges_stand_in_the_order_in_which_they_were_sent() {
    let transcript = Transcript::default();
    let early = Instant::now();
    record(&transcript, Request::new("GET", "/late"), "");
    let (body, answered) = (&Bytes::new(), &Answered::default());
    let (by, method, uri) = ("localhost:9000", "GET", "/early");
    transcript.receive(&Received { by, at: early, method, uri, headers: &[], body, answered });
    let numbers: Vec<_> = transcript.exchanges().iter().map(|recorded| recorded.number).collect();
    assert_eq!(numbers, [2, 1]);
}

#[test]
fn bodies_without_secrets_keep_their_spelling() {
    let transcript = Transcript::default();
    let recorded = record(&transcript, Request::new("PUT", "/").body(r#"{ "b":{}, "a":{} }"#), "{}");
    assert_eq!(recorded.request_body.as_deref(), Some(r#"{ "b":{}, "a":{} }"#));
}

#[test]
fn what_a_part_sent_and_obeyed_counts_with_the_whole_and_is_not_in_it() {
    let whole = Transcript::default();
    let parts = [whole.part(), whole.part()];
    let base: Url = "http://127.0.0.1:9".parse().unwrap();
    let record = |transcript: &Transcript, status| {
        let answer = Response { status, headers: Vec::new(), body: Default::default() };
        transcript.record(Request::new("GET", "/"), Ok(answer), Instant::now(), &base, &TlsTrust::System);
    };
    record(&whole, 200);
    for part in &parts {
        record(part, 200);
        record(part, 429);
        part.obey(Duration::from_secs(3));
        part.take_back(Duration::from_secs(1));
        assert_eq!((part.sent(), part.obeyed()), ((2, 1), Duration::from_secs(2)));
    }
    record(&whole.beside(), 429);
    assert_eq!((whole.sent(), whole.obeyed(), whole.len()), ((5, 2), Duration::from_secs(4), 1));
}
