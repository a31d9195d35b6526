//! Programs that answer rightly, wrongly, late, never, and not at all.

mod deviations;

use std::fs;
use std::future::{pending, ready};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use tempfile::TempDir;

use super::*;
use crate::vectors::subject::SUBJECTS;
use crate::vectors::{Verdict, carried};

/// A Python program that answers every case rightly, but for what a few lines make of `answer` before it is said.
struct Program {
    directory: TempDir,
    talking: Talking,
}

const BEFORE: &str = r#"
import json, os, signal, subprocess, sys, time
right = json.load(open(os.path.join(os.path.dirname(__file__), "right.json")))
here = os.path.dirname(__file__)
for line in sys.stdin:
    case = json.loads(line)
    id = case["id"]
    answer = {"id": id, **right[id]}
"#;

const AFTER: &str = r"
    print(json.dumps(answer), flush=True)
";

impl Program {
    /// The lines, in Python; `id` and `answer` are there to be looked at.
    fn new(lines: &str) -> Self {
        let indented: String =
            lines.lines().map(|line| format!("    {}\n", line.trim_start_matches('\n'))).collect();
        Self::whole(&format!("{BEFORE}{indented}{AFTER}"))
    }

    /// A whole program.
    fn whole(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program.py");
        fs::write(&path, text).unwrap();
        fs::write(directory.path().join("right.json"), Value::from(right()).to_string()).unwrap();
        let command = vec!["python3".into(), path.into()];
        Self { directory, talking: Talking { command, per_case: false, timeout: LONG, jobs: 1 } }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// For what is never awaited to its end.
    fn hasty(mut self) -> Self {
        self.talking.timeout = Duration::from_secs(2);
        self
    }

    fn per_case(mut self) -> Self {
        self.talking.per_case = true;
        self
    }

    async fn asked(&self, only: &[&str]) -> Result<ProgramResult, TestError> {
        self.asked_but_for(only, "").await
    }

    async fn asked_but_for(&self, only: &[&str], deviations: &str) -> Result<ProgramResult, TestError> {
        let selection =
            Selection { only: only.iter().map(|id| (*id).to_owned()).collect(), ..Selection::default() };
        let deviations = Deviations::parse("list.toml", deviations).unwrap();
        Test::new(self.talking.clone(), selection, deviations).unwrap().run(pending(), |_| ()).await
    }
}

/// Longer than anything here takes that is awaited.
const LONG: Duration = Duration::from_secs(60);

/// Three cases of which programs get the second wrong.
const THREE: [&str; 3] = ["canonical.null", "canonical.order-non-bmp", "canonical.true"];
const SECOND: &str = "canonical.order-non-bmp";

/// A right answer to every case.
fn right() -> Map<String, Value> {
    let documents = SUBJECTS.iter().map(|row| carried(row.subject.name()));
    let answers = documents.flat_map(|document| {
        let field = document.answer.clone();
        let answer = move |case: &crate::vectors::Case| {
            let mut answer = Map::new();
            let word = if case.result == Verdict::Invalid { "invalid" } else { "valid" };
            answer.insert("result".to_owned(), word.into());
            if let (Some(field), Some(expected)) = (&field, &case.expected) {
                answer.insert(field.clone(), expected[field].clone());
            }
            (case.id.clone(), Value::from(answer))
        };
        document.cases().map(answer).collect::<Vec<_>>()
    });
    answers.collect()
}

fn outcomes(result: &ProgramResult) -> Vec<Outcome> {
    result.cases.iter().map(|case| case.outcome).collect()
}

/// The result of the second of three cases, when the others passed.
fn second(result: &ProgramResult) -> &CaseResult {
    let others = result.cases.iter().filter(|case| case.id != SECOND);
    assert!(
        others.clone().count() == 2 && others.clone().all(|case| case.outcome == Outcome::Passed),
        "{result:#?}"
    );
    result.cases.iter().find(|case| case.id == SECOND).unwrap()
}

#[tokio::test]
async fn right_answers_conform() {
    let result = Program::new("").asked(&[]).await.unwrap();
    assert_eq!(result.verdict, Conformance::Conformant);
    assert_eq!(result.counts.passed, result.counts.selected);
    assert!(result.counts.selected > 900 && result.mistakes.is_empty());
    assert_eq!(result.subjects.len(), SUBJECTS.len());
}

#[tokio::test]
async fn several_conversations_give_the_result_of_one() {
    let mut program = Program::new("");
    let one = program.asked(&["canonical-json", "union"]).await.unwrap();
    program.talking.jobs = 7;
    let seven = program.asked(&["canonical-json", "union"]).await.unwrap();
    assert_eq!(serde_json::to_value(&one.cases).unwrap(), serde_json::to_value(&seven.cases).unwrap());
}

#[tokio::test]
async fn a_program_can_be_started_for_each_case() {
    let once = "import json, os, sys
here = os.path.dirname(__file__)
right = json.load(open(os.path.join(here, 'right.json')))
id = json.loads(sys.stdin.readline())['id']
assert sys.stdin.readline() == '', 'its input ends'
sys.stdout.write(json.dumps({'id': id, **right[id]}))";
    let result = Program::whole(once).per_case().asked(&THREE).await.unwrap();
    assert_eq!((result.verdict, result.counts.passed), (Conformance::Conformant, 3));
    let lockstep = Program::whole(once).hasty().asked(&THREE).await;
    assert!(lockstep.is_err(), "it waits for an end that does not come");
    let looping = Program::new("").per_case().asked(&THREE).await.unwrap();
    assert_eq!(looping.verdict, Conformance::Conformant, "a loop ends with its input");
}

#[tokio::test]
async fn a_wrong_answer_is_put_down_to_its_mistake() {
    let document = carried("canonical-json");
    let wrong = document.cases().find(|case| case.id == SECOND).unwrap().wrong["utf16-order"].clone();
    let program = Program::new(&format!("if id == {SECOND:?}: answer['sha256'] = {wrong}"));
    let result = program.asked(&THREE).await.unwrap();
    let case = second(&result);
    assert_eq!((case.outcome, case.gates), (Outcome::Failed, true));
    assert!(case.mistakes.contains(&"utf16-order".to_owned()), "{case:#?}");
    assert_eq!(result.verdict, Conformance::NonConformant);
}

#[tokio::test]
async fn one_mistake_explains_all_that_it_can() {
    let program = Program::new(
        "wrong = {w['id']: w.get('wrong', {}) for g in json.load(open(os.path.join(here, 'all.json')))['groups'] \
         for w in g['cases']}
if 'utf16-order' in wrong[id]: answer['sha256'] = wrong[id]['utf16-order']",
    );
    let published = crate::vectors::subject::find("canonical-json").unwrap().published;
    fs::write(program.file("all.json"), published).unwrap();
    let result = program.asked(&["canonical-json"]).await.unwrap();
    let names: Vec<&str> = result.mistakes.iter().map(|mistake| mistake.mistake.as_str()).collect();
    assert_eq!(names, ["utf16-order"]);
    assert_eq!(result.mistakes[0].cases.len(), result.counts.failed);
    assert!(result.mistakes[0].phrase.contains("UTF-16") && !result.mistakes[0].effect.is_empty());
}

#[tokio::test]
async fn a_mistake_is_known_where_no_flag_says_that_it_shows() {
    let program = Program::new("if 'sha256' in answer: answer['sha256'] += '='");
    let result = program.asked(&["canonical-json", "capability-hash", "union"]).await.unwrap();
    let names: Vec<&str> = result.mistakes.iter().map(|mistake| mistake.mistake.as_str()).collect();
    assert_eq!(names, ["padded"]);
    assert_eq!(result.mistakes[0].cases.len(), result.counts.failed);
    assert!(result.counts.failed > 200);
}

#[tokio::test]
async fn a_program_that_only_babbles_is_given_up() {
    let error = Program::whole("while True: print('ready', flush=True)").asked(&[]).await.unwrap_err();
    assert!(error.to_string().contains("\"ready\", which is not JSON"), "{error}");
}

#[tokio::test]
async fn an_unknown_answer_is_put_down_to_nothing() {
    let program = Program::new(&format!("if id == {SECOND:?}: answer.update(sha256='?', canonical='{{}}')"));
    let result = program.asked(&THREE).await.unwrap();
    let case = second(&result);
    assert_eq!((case.manner, case.mistakes.as_slice()), (Some(Manner::Other), &[][..]));
    assert_eq!(case.difference.as_ref().map(|difference| difference.at), Some(Some(2)));
    assert!(result.mistakes.is_empty());
}

#[tokio::test]
async fn a_crash_is_put_down_to_its_case_and_is_no_refusal() {
    for (lines, how) in [
        ("print('why', file=sys.stderr); sys.exit(3)", "it ended without an answer, with exit status 3"),
        ("print('why', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)", "signal: 9"),
        ("sys.stderr.write('x' * 1_000_000 + '\\nwhy\\n'); sys.exit(0)", "--per-case"),
        ("print('why', file=sys.stderr, flush=True); os.close(1); os.close(0); sys.exit(1)", "exit status 1"),
    ] {
        let result = Program::new(&format!("if id == {SECOND:?}: {lines}")).asked(&THREE).await.unwrap();
        let case = second(&result);
        assert_eq!((case.outcome, case.manner), (Outcome::Crashed, Some(Manner::Crashed)), "{lines}");
        assert!(case.actual.contains(how), "{lines}: {}", case.actual);
        let stderr = case.stderr.as_deref().unwrap();
        assert!(stderr.ends_with("why") && stderr.len() < 5000, "{lines}: {} bytes", stderr.len());
        assert_eq!(result.verdict, Conformance::NonConformant);
    }
}

#[tokio::test]
async fn a_hang_is_put_down_to_its_case_and_is_no_refusal() {
    for (lines, how) in [
        ("signal.pause()", "it said nothing within 2 s"),
        ("time.sleep(600)", "it said nothing within 2 s"),
        (
            "sys.stdout.write('{\"id\"'); sys.stdout.flush(); signal.pause()",
            "it said 5 bytes and no line feed",
        ),
        ("sys.stdout.write(json.dumps(answer)); continue", "and no line feed"),
        ("os.close(1); signal.pause()", "it closed its output without an answer"),
    ] {
        let result =
            Program::new(&format!("if id == {SECOND:?}:\n    {lines}")).hasty().asked(&THREE).await.unwrap();
        let case = second(&result);
        assert!(case.outcome.is_failure(), "{lines}");
        assert!(case.actual.contains(how), "{lines}: {}", case.actual);
    }
}

#[tokio::test]
async fn garbage_is_put_down_to_its_case_and_is_no_refusal() {
    for (lines, how) in [
        ("print('starting up')", "\"starting up\", which is not JSON"),
        ("print()", "which is not JSON"),
        ("answer['id'] = 'canonical.null'", "it answered about \"canonical.null\""),
        ("del answer['sha256']", "\"valid\" without \"sha256\""),
        ("answer['result'] = 'refused'", "unknown variant `refused`"),
        ("sys.stdout.buffer.write(bytes([255, 10]))", "which is not JSON"),
        ("while True: sys.stdout.write('x' * 65536)", "more than 1048576 bytes without a line feed"),
    ] {
        let result = Program::new(&format!("if id == {SECOND:?}:\n    {lines}")).asked(&THREE).await.unwrap();
        let case = second(&result);
        assert_eq!(case.outcome, Outcome::Garbled, "{lines}");
        assert!(case.actual.contains(how), "{lines}: {}", case.actual);
    }
}

#[tokio::test]
async fn a_program_that_never_says_a_word_is_given_up() {
    let deaf = Program::whole("import signal\nsignal.pause()").hasty();
    for (program, how) in [
        (
            Program::whole("import sys\nprint('no such module', file=sys.stderr)\nsys.exit(1)"),
            "no such module",
        ),
        (Program::whole("import os\nos.close(0)\nos.close(1)"), "gave no answer to any of 5 cases"),
        (deaf, "it said nothing within 2 s"),
    ] {
        let error = program.asked(&[]).await.unwrap_err();
        assert!(matches!(error, TestError::Silent { times: 5, .. }), "{error}");
        assert!(error.to_string().contains(how), "{error}");
    }
    let few = Program::whole("import sys\nsys.exit(1)").asked(&THREE).await.unwrap_err();
    assert!(matches!(few, TestError::Silent { times: 3, .. }), "{few}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let mut program = Program::new("");
    program.talking.command = vec!["/no/such/program".into()];
    let error = program.asked(&[]).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot start \"/no/such/program\": No such file"), "{error}");
}

#[tokio::test]
async fn input_that_is_never_read_hangs_nobody() {
    // Longer than a pipe holds.
    let longest = carried("canonical-json");
    let longest = longest.cases().max_by_key(|case| case.input.to_string().len()).unwrap();
    let program = Program::whole("import signal\nsignal.pause()").hasty();
    let error = program.asked(&[&longest.id]).await.unwrap_err();
    assert!(matches!(error, TestError::Silent { times: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_program_that_hangs_again_and_again_is_given_up() {
    let mut program = Program::new("if id.startswith('union.'): signal.pause()");
    program.talking.timeout = Duration::from_secs(1);
    let result = program.asked(&["canonical.null", "union"]).await.unwrap();
    assert!(result.gave_up && result.counts.untried() > 0);
    assert_eq!((result.counts.passed, result.counts.hung), (1, talk::PATIENCE));
    assert_eq!(result.verdict, Conformance::NonConformant);
    let now_and_then = "if id.startswith('union.') and len(os.listdir(here)) < 5:
    open(os.path.join(here, id), 'w').close()
    signal.pause()";
    let mut program = Program::new(now_and_then);
    program.talking.timeout = Duration::from_secs(1);
    let result = program.asked(&["canonical.null", "union"]).await.unwrap();
    assert!(!result.gave_up && result.counts.hung == 3 && result.counts.untried() == 0);
}

#[tokio::test]
async fn a_program_that_answers_and_stays_has_not_been_silent() {
    let stays = Program::new("print(json.dumps(answer), flush=True); signal.pause()").per_case();
    let result = Program { talking: Talking { timeout: Duration::from_secs(1), ..stays.talking }, ..stays };
    let result = result.asked(&THREE).await.unwrap();
    assert_eq!(outcomes(&result), [Outcome::Hung; 3]);
    assert!(result.cases[0].actual.contains("did not end"), "{}", result.cases[0].actual);
}

#[tokio::test]
async fn a_program_for_one_case_has_to_end() {
    for (lines, outcome) in [
        ("print(json.dumps(answer), flush=True); signal.pause()", Outcome::Hung),
        ("print(json.dumps(answer), flush=True); os.kill(os.getpid(), 9)", Outcome::Crashed),
        ("print(json.dumps(answer), flush=True); sys.exit(1)", Outcome::Passed),
    ] {
        let program = Program::new(&format!("if id == {SECOND:?}: {lines}")).per_case().hasty();
        let result = program.asked(&THREE).await.unwrap();
        assert_eq!(second(&result).outcome, outcome, "{lines}");
    }
}

#[tokio::test]
async fn subjects_can_be_left_out_and_cases_cannot() {
    let all = Program::new("answer = {'id': id, 'result': 'unsupported'}").asked(&THREE).await.unwrap();
    assert_eq!((all.verdict, all.counts.unsupported), (Conformance::Incomplete, 3));
    let whole = "if case['subject'] == 'union': answer = {'id': id, 'result': 'unsupported'}";
    let whole = Program::new(whole).asked(&["union", "canonical.null"]).await.unwrap();
    assert_eq!(whole.verdict, Conformance::Conformant);
    let part = Program::new(&format!("if id == {SECOND:?}: answer = {{'id': id, 'result': 'unsupported'}}"));
    assert_eq!(part.asked(&THREE).await.unwrap().verdict, Conformance::Incomplete);
}

#[tokio::test]
async fn an_interrupt_ends_the_test_and_every_process() {
    let program = Program::new("signal.pause()");
    let selection = Selection::default();
    let test = Test::new(program.talking.clone(), selection, Deviations::default()).unwrap();
    let result = test.run(ready(()), |_| ()).await.unwrap();
    assert!(result.interrupted && result.cases.is_empty());
    assert_eq!(result.counts.untried(), result.counts.selected);
    assert_eq!(result.verdict, Conformance::Incomplete);
}

/// Whether a process that was killed goes, which takes the system a moment.
#[cfg(target_os = "linux")]
fn goes(pid: &str) -> bool {
    let asked = Instant::now();
    while lives(pid) && asked.elapsed() < Duration::from_secs(30) {
        std::thread::yield_now();
    }
    !lives(pid)
}

/// Whether a process is there and does anything.
#[cfg(target_os = "linux")]
fn lives(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whatever_a_program_starts_ends_with_it() {
    let start = "child = subprocess.Popen(['sleep', '600'])
open(os.path.join(here, 'child'), 'w').write(str(child.pid))";
    for end in ["sys.exit(1)", "signal.pause()", "pass", "print('?', flush=True)"] {
        let program =
            Program::new(&format!("if id == {SECOND:?}:\n    {}\n    {end}", start.replace('\n', "\n    ")));
        let result = program.hasty();
        result.asked(&THREE).await.unwrap();
        assert!(goes(&fs::read_to_string(result.file("child")).unwrap()), "{end}");
    }
}
