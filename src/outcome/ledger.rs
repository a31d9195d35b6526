//! The ledger of one scenario: which requirements were evaluated, and what failed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::spec::requirement::{self, Level};
use crate::wire::{Client, Exchange, Request};

use super::{Finding, Judgement, Stop};

/// What the checks of one requirement came to in one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluated {
    /// Every check held.
    Held,
    /// A check of an optional behaviour found that the target does without it.
    DoneWithout,
    /// A check failed.
    Broken,
}

/// Keeps the checks of one scenario.
#[derive(Debug)]
pub struct Ledger {
    client: Client,
    covers: &'static [&'static str],
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    evaluated: BTreeMap<&'static str, Evaluated>,
    checks: usize,
    findings: Vec<Finding>,
}

impl Ledger {
    /// An empty ledger for a scenario that covers these requirements.
    pub fn new(client: Client, covers: &'static [&'static str]) -> Self {
        Self { client, covers, inner: Mutex::default() }
    }

    /// Keeps a judgement about a requirement; whether it holds.
    ///
    /// A token that died by itself makes the scenario untestable instead.
    pub async fn check(&self, requirement: &'static str, judgement: Judgement) -> Result<bool, Stop> {
        if !self.covers(requirement) {
            let reason = format!("the scenario checks {requirement}, which it does not say it covers");
            return Err(Stop::HarnessFault { reason });
        }
        let Some(rule) = requirement::find(requirement) else {
            return Err(Stop::HarnessFault { reason: format!("there is no requirement {requirement}") });
        };
        if !judgement.holds && rule.level != Level::May {
            self.confirm(&judgement).await?;
        }
        Ok(self.keep(requirement, rule.level, judgement))
    }

    /// Whether the scenario says that it covers a requirement.
    pub fn covers(&self, requirement: &str) -> bool {
        self.covers.contains(&requirement)
    }

    /// What the checks came to, by requirement.
    pub fn evaluated(&self) -> BTreeMap<&'static str, Evaluated> {
        self.lock().evaluated.clone()
    }

    /// How many checks were evaluated.
    pub fn checks(&self) -> usize {
        self.lock().checks
    }

    /// The failed checks.
    pub fn findings(&self) -> Vec<Finding> {
        self.lock().findings.clone()
    }

    /// Says of the latest finding what was done, step by step.
    pub fn tell(&self, history: Vec<String>) {
        if let Some(finding) = self.lock().findings.last_mut() {
            finding.history = history;
        }
    }

    fn keep(&self, requirement: &'static str, level: Level, judgement: Judgement) -> bool {
        let mut inner = self.lock();
        inner.checks += 1;
        let entry = inner.evaluated.entry(requirement).or_insert(Evaluated::Held);
        if judgement.holds {
            return true;
        }
        if level == Level::May {
            *entry = Evaluated::DoneWithout;
            return false;
        }
        *entry = Evaluated::Broken;
        let transcript = self.client.transcript();
        inner.findings.push(Finding {
            requirement: requirement.to_owned(),
            expected: transcript.black_out(&judgement.expected),
            actual: transcript.black_out(&judgement.actual),
            exchange: judgement.exchange.map(|exchange| exchange.recorded.clone()),
            history: Vec::new(),
        });
        false
    }

    /// Whether a failure can be laid at the target's door.
    async fn confirm(&self, judgement: &Judgement) -> Result<(), Stop> {
        match &judgement.exchange {
            Some(exchange)
                if exchange.errcode().as_deref() == Some("M_UNKNOWN_TOKEN") && !judgement.of_the_session =>
            {
                self.confirm_session(exchange).await
            }
            _ => Ok(()),
        }
    }

    /// A live token was refused: if it is dead everywhere the session ended, which is another matter.
    async fn confirm_session(&self, exchange: &Arc<Exchange>) -> Result<(), Stop> {
        let Some(token) = &exchange.request.token else { return Ok(()) };
        let whoami = Request::new("GET", "/_matrix/client/v3/account/whoami").token(token);
        let answer = self.client.send(whoami).await;
        match answer.is_token_refused() {
            true => Err(Stop::untestable("the session ended by itself during the scenario", exchange)),
            false => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
