//! What programs are told when something is wrong, for the document: RFC 9457. How it comes about is in http/respond.

use serde::Serialize;
use utoipa::{IntoParams, IntoResponses, ToSchema};
use uuid::Uuid;

/// A problem (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    r#type: String,
    /// The status in words.
    title: String,
    status: u16,
    /// What is wrong and what to do, for people.
    detail: String,
    /// The same as in the log.
    request_id: String,
    /// Fields that cannot be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<WrongField>>,
}

/// A field that cannot be taken.
#[derive(Serialize, ToSchema)]
pub struct WrongField {
    /// Its path within the body.
    field: String,
    detail: String,
}

macro_rules! responses {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $status:literal $case:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(IntoResponses)]
        #[expect(dead_code, reason = "for the document alone")]
        pub enum $name {
            $($(#[$each])* #[response(status = $status, content_type = "application/problem+json")] $case(Problem)),+
        }
    };
}

responses! {
    /// Of every address that wants a token.
    Common {
        /// No token, or none that is good.
        401 Unauthorized,
        /// The key does not have the scope.
        403 Forbidden,
        /// Too many requests by nobody who is known.
        429 Flood,
        /// The database does not answer for the moment.
        503 Unavailable,
    }
}

responses! {
    /// Of every address without a token.
    Open {
        /// Too many requests.
        429 Flood,
        /// The database does not answer for the moment.
        503 Unavailable,
    }
}

responses! {
    NotThere {
        /// There is no such thing, or it is somebody else's.
        404 NotFound,
    }
}

responses! {
    /// Of every address that takes a body.
    Body {
        /// No JSON.
        400 Malformed,
        /// Too long.
        413 TooLarge,
        /// Not called JSON.
        415 NotJson,
        /// A field cannot be taken.
        422 Invalid,
    }
}

responses! {
    Wrong {
        /// A part of the query cannot be taken.
        422 Invalid,
    }
}

responses! {
    Conflict {
        /// It contradicts the present state.
        409 Conflict,
    }
}

responses! {
    Closed {
        /// Registration is closed.
        403 Closed,
    }
}

responses! {
    NotIn {
        /// What was shown is not good.
        401 Unauthorized,
    }
}

responses! {
    Limited {
        /// Too much, too fast: `Retry-After` tells when.
        429 Limited,
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub struct ById {
    id: Uuid,
}
