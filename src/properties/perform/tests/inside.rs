//! What a performance makes of answers that no conforming homeserver gives.

use super::super::at_once::Over;
use super::super::came::Came;
use super::super::judge::Fit;
use super::super::story::Place;
use super::stories::{BOB, contested};
use super::*;
use crate::spec::history::{Availability, Step, Whom};
use crate::spec::model::Presence;
use crate::spec::model::order::Done;

async fn cast(theatre: &Theatre, history: &History) -> Cast {
    let stage = Arc::new(Stage::new(theatre.client.clone(), theatre.world.clone()));
    Cast::new(stage, "n1", history).await.unwrap()
}

/// Settles within so long.
fn settling(theatre: &mut Theatre, settle: Duration) {
    Arc::get_mut(&mut theatre.world).unwrap().target.limits.settle = settle;
}

/// How a status of alice that bob is shown fits each world that is left.
fn fits(story: &Story<'_>, shown: Answer) -> Vec<Fit> {
    let act = Act::ReadStatus { by: BOB, of: ALICE };
    let came = Came::bare(shown);
    let fit = |world| story.fit(world, &story.demand(world, &act), &act, &came);
    story.worlds.iter().map(fit).collect()
}

#[tokio::test]
async fn once_a_race_has_settled_its_other_end_is_seen_no_more() {
    let (mut theatre, server) = conforming().await;
    settling(&mut theatre, Duration::from_millis(300));
    let history = contested();
    let cast = cast(&theatre, &history).await;
    let mut story = Story::new(&theatre, &cast, (&history, "n1"), Duration::from_millis(300));
    story.play(&history).await.unwrap();
    assert!(story.told.violation.is_none() && !story.over, "{:?}", story.told.violation);
    let stands = story.worlds[0].in_force(0);
    assert!(story.worlds.iter().all(|world| world.in_force(0) == stands), "two may stand");
    let mut seen = Vec::new();
    for set in &story.sets[..2] {
        let fits = fits(&story, Answer::Hash(set.hash.to_string()));
        let expected =
            if stands == Presence::Union(set.hash.clone()) { Fit::Admitted } else { Fit::Wrong(0) };
        assert!(fits.iter().all(|fit| *fit == expected), "{fits:?}");
        seen.push(expected);
    }
    assert!(seen.contains(&Fit::Admitted) && seen.contains(&Fit::Wrong(0)));
    drop(story);
    server.stop().await;
}

#[tokio::test]
async fn of_more_orders_than_are_searched_it_is_said_and_nothing_is_checked() {
    let (theatre, server) = conforming().await;
    let history = contested();
    let cast = cast(&theatre, &history).await;
    let mut story = Story::new(&theatre, &cast, (&history, "n1"), BRIEFLY);
    let over = |lane: usize, number: usize| Over {
        place: Place { step: 0, lane, act: number },
        began: Duration::ZERO,
        done: Done {
            act: Act::SetStatus { by: PHONE, presence: Availability::Online, forged: None },
            hash: None,
            began: Duration::ZERO,
            ended: Duration::from_secs(1),
            answer: Answer::Accepted,
        },
        came: Came::bare(Answer::Accepted),
    };
    let lanes: Vec<Vec<Over>> =
        (0..4).map(|lane| (0..12).map(|number| over(lane, number)).collect()).collect();
    let stop = story.judge(&lanes, 0, (Duration::ZERO, Duration::from_secs(1))).await.unwrap_err();
    let Stop::Untestable { reason, .. } = stop else { panic!("{stop:?}") };
    assert!(reason.contains("more orders than are searched"), "{reason}");
    assert!(story.told.checked.is_empty(), "{:?}", story.told.checked);
    drop(story);
    server.stop().await;
}

#[tokio::test]
async fn accounts_that_are_used_again_may_still_be_seen_by_those_of_before() {
    let names = ["anna", "bert"];
    let accounts = names.map(|name| reference::Account::new(name, "secret")).to_vec();
    let options = Options { accounts, ..Options::default() };
    let (mut target, server) = built_in::start_alone(options).await.unwrap();
    let account = |user: &str| AccountConfig { user: user.to_owned(), password: Secret::new("secret") };
    target.users = Users::Accounts(names.map(account).to_vec());
    let (mut theatre, server) = theatre((target, server)).await;
    let acts = [sign_up(0), sign_up(1)].into_iter().chain(publish(PHONE, A));
    let history = History { steps: acts.map(Step::One).collect(), ..contested() };
    for (settle, expected) in [(Duration::from_secs(600), Fit::Early(0)), (Duration::ZERO, Fit::Wrong(0))] {
        settling(&mut theatre, settle);
        let cast = cast(&theatre, &history).await;
        let mut story = Story::new(&theatre, &cast, (&history, "n1"), PATIENCE);
        story.play(&history).await.unwrap();
        assert!(!story.worlds[0].sees(Whom::User(1), ALICE));
        let hash = story.sets[A].hash.to_string();
        assert_eq!(fits(&story, Answer::Hash(hash)), [expected]);
        drop(story);
        cast.release().await;
    }
    server.stop().await;
}

#[test]
fn no_secret_is_told_wherever_a_target_puts_it() {
    let transcript = Transcript::default();
    transcript.conceal(&Secret::new("syt_bob_token"));
    let said = || "was syt_bob_token".to_owned();
    let answers = [
        Answer::Hash(said()),
        Answer::Set(said()),
        Answer::Odd(said()),
        Answer::Broken(said()),
        Answer::Rejected(400, Some(said())),
    ];
    let seen = |answer| Seen { step: 0, lane: 0, act: 0, began_us: 0, ended_us: 1, answer };
    let judgement =
        Judgement { holds: false, expected: said(), actual: said(), exchange: None, of_the_session: false };
    let violation = Violation { requirement: "presence.status", judgement, step: 0 };
    let trace = answers.into_iter().map(seen).collect();
    let mut performance = Performance { trace, violation: Some(violation), ..Performance::default() };
    performance.redact(&transcript);
    let told = format!("{:?} {:?}", performance.trace, performance.violation);
    assert!(!told.contains("syt_bob_token") && told.matches("was ").count() == 7, "{told}");
}
