//! Matrix errors as data (Matrix specification, client-server API, "Standard error response").

use std::borrow::Cow;

use serde_json::{Value, json};

use super::http::Reply;
use super::variants::{Variant, VariantSet};

/// An error that a Matrix client can read: a status, a code for programs and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MatrixError {
    pub(crate) status: u16,
    pub(crate) errcode: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
}

/// Names the constructors of the errors that this server answers with.
macro_rules! errors {
    ($($name:ident = $status:literal $errcode:literal;)*) => {
        impl MatrixError {
            $(pub(crate) fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self { status: $status, errcode: Cow::Borrowed($errcode), message: message.into() }
            })*
        }
    };
}

errors! {
    missing_token = 401 "M_MISSING_TOKEN";
    unknown_token = 401 "M_UNKNOWN_TOKEN";
    unauthorized = 401 "M_UNAUTHORIZED";
    forbidden = 403 "M_FORBIDDEN";
    not_found = 404 "M_NOT_FOUND";
    unrecognized = 404 "M_UNRECOGNIZED";
    wrong_method = 405 "M_UNRECOGNIZED";
    not_json = 400 "M_NOT_JSON";
    bad_json = 400 "M_BAD_JSON";
    invalid_param = 400 "M_INVALID_PARAM";
    missing_param = 400 "M_MISSING_PARAM";
    too_large = 413 "M_TOO_LARGE";
    limit_exceeded = 403 "M_RESOURCE_LIMIT_EXCEEDED";
    user_in_use = 400 "M_USER_IN_USE";
    invalid_username = 400 "M_INVALID_USERNAME";
    guest_access = 403 "M_GUEST_ACCESS_FORBIDDEN";
    room_in_use = 400 "M_ROOM_IN_USE";
    unknown = 400 "M_UNKNOWN";
    unsupported_version = 400 "M_UNSUPPORTED_ROOM_VERSION";
    internal = 500 "M_UNKNOWN";
    stopping = 503 "M_UNKNOWN";
    bad_gateway = 502 "M_UNKNOWN";
    gateway_timeout = 504 "M_UNKNOWN";
}

impl MatrixError {
    /// What stands in the body.
    pub(crate) fn body(&self) -> Value {
        json!({ "errcode": self.errcode, "error": self.message })
    }

    /// The error where any 4xx with any code would do, as freedoms have it; never the token's errors, nor
    /// anything that a client must tell apart (docs/protocol.md, section 7).
    pub(crate) fn any_4xx(self, variants: VariantSet) -> Self {
        if variants.has(Variant::ErrorsForbidden) {
            let errcode = self.errcode.replacen("M_", "ORG.EXAMPLE_", 1).into();
            Self { status: 403, errcode, ..self }
        } else if variants.has(Variant::ErrorsConflict) {
            Self { status: 422, errcode: "M_UNKNOWN".into(), ..self }
        } else {
            self
        }
    }

    /// The refusal of a set that is not known: recognisable whatever its status is, unlike any other error
    /// of the same operation.
    pub(crate) fn any_refusal(self, variants: VariantSet) -> Self {
        if variants.has(Variant::ErrorsForbidden) {
            Self { status: 403, errcode: "ORG.EXAMPLE_SET_MISSING".into(), ..self }
        } else if variants.has(Variant::ErrorsConflict) {
            Self { status: 409, ..self }
        } else {
            self
        }
    }
}

impl From<MatrixError> for Reply {
    fn from(error: MatrixError) -> Self {
        Reply::json(error.status, &error.body())
    }
}
