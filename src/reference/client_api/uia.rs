//! The user-interactive authentication dance (client-server API, "User-Interactive Authentication API"):
//! 401 with flows and a session; the request again with proof; until every stage is completed.

use serde_json::{Map, Value, json};

use super::auth::{random_name, user_name};
use crate::reference::errors::MatrixError;
use crate::reference::http::{Reply, required, text};
use crate::reference::server::Server;
use crate::reference::state::UserKey;

/// What a request has to prove: one flow, all of whose stages must be completed.
pub(super) struct Demand<'a> {
    /// The request that the proof is for: proof for one is none for another.
    pub(super) purpose: &'a str,
    /// The stages, in order.
    pub(super) stages: &'static [&'static str],
    /// Parameters of the stages.
    pub(super) params: Value,
}

impl Demand<'_> {
    /// Lets a request through, or says what it has yet to prove. `check` judges one stage's proof.
    pub(super) fn meet(
        &self,
        server: &Server,
        body: &Map<String, Value>,
        check: impl Fn(&str, &Map<String, Value>) -> Result<(), MatrixError>,
    ) -> Result<(), Reply> {
        let Some(auth) = body.get("auth").filter(|auth| !auth.is_null()) else {
            return Err(self.begin(server, None)?);
        };
        let auth = auth.as_object().ok_or_else(|| MatrixError::bad_json("auth must be an object"))?;
        let session = text(auth, "session")?.unwrap_or_default();
        if !server.with(|state, now| state.is_authenticating(now, session, self.purpose)) {
            let error = MatrixError::unknown("Unknown or expired authentication session");
            return Err(self.begin(server, Some(error))?);
        }
        let Some(kind) = text(auth, "type")? else {
            // A client that has completed its stages elsewhere asks with the session alone.
            return self.conclude(server, session);
        };
        let Some(stage) = self.stages.iter().find(|stage| **stage == kind) else {
            let error = MatrixError::unrecognized("This stage is not part of any flow");
            return Err(self.challenge(server, session, Some(error)));
        };
        check(stage, auth).map_err(|error| self.challenge(server, session, Some(error)))?;
        server.with(|state, _| state.complete_stage(session, stage));
        self.conclude(server, session)
    }

    fn begin(&self, server: &Server, error: Option<MatrixError>) -> Result<Reply, MatrixError> {
        let session = random_name::<12>()?;
        server.with(|state, now| state.begin_authentication(now, session.clone(), self.purpose));
        Ok(self.challenge(server, &session, error))
    }

    fn conclude(&self, server: &Server, session: &str) -> Result<(), Reply> {
        let completed = server.with(|state, _| state.completed_stages(session));
        if self.stages.iter().all(|stage| completed.contains(stage)) {
            server.with(|state, _| state.end_authentication(session));
            return Ok(());
        }
        Err(self.challenge(server, session, None))
    }

    fn challenge(&self, server: &Server, session: &str, error: Option<MatrixError>) -> Reply {
        let mut body = json!({
            "session": session,
            "flows": [{ "stages": self.stages }],
            "params": self.params,
            "completed": server.with(|state, _| state.completed_stages(session)),
        });
        if let Some(error) = error {
            body["errcode"] = error.errcode.into();
            body["error"] = error.message.into();
        }
        Reply::json(401, &body)
    }
}

/// Lets a request through whose sender knows the user's password.
pub(super) fn prove_owner(
    server: &Server,
    user: UserKey,
    body: &Map<String, Value>,
    purpose: &str,
) -> Result<(), Reply> {
    let user_id = server.with(|state, _| state.user_id(user).clone());
    let purpose = format!("{user_id} {purpose}");
    let demand = Demand { purpose: &purpose, stages: &["m.login.password"], params: json!({}) };
    demand.meet(server, body, |_, auth| {
        let (name, password) = (user_name(auth)?, required(auth, "password")?);
        match server.with(|state, _| state.authenticate(&name, password))? == user {
            true => Ok(()),
            false => Err(MatrixError::forbidden("Invalid username or password")),
        }
    })
}
