//! ENTRANCE for programs that speak a vendor's protocol: OpenAI's, and Anthropic's Messages, under `/v1`. The answer passes
//! through as it comes. What must not live here: who may call what, and what a call costs (domain/calls); another entrance.

mod answer;
mod audio;
mod body;
mod models;

use super::{
    Web,
    ended::{Hold, Pass},
    guard::Left,
    respond::{AsItIs, Failure, problem::Refusal},
    routes::{Access, Routes},
};
use crate::{
    app::App,
    base::Error,
    domain::{
        accounts::Viewer,
        calls::{self, Refused, Wanted},
        programs::{Caller, Scope},
    },
    outside::llm::{
        FaultKind, Provider,
        relay::{Door, Fields, Sent, Unreadable, messages},
    },
};
use answer::Shape;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use body::Body;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub fn routes(routes: Routes) -> Routes {
    let models = Access::Bearer(Some(Scope::Models));
    let routes = routes
        .post("/v1/chat/completions", models, chat)
        .post("/v1/completions", models, completions)
        .post("/v1/responses", models, responses)
        .post("/v1/embeddings", models, embeddings)
        .post("/v1/messages", models, messages);
    models::routes(audio::routes(routes))
}

type Answer = Result<Response, Refusal>;

async fn chat(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    let most = asked.most(&["max_completion_tokens", "max_tokens"])?;
    asked.counting(&web, &caller, Door::Chat, most).await
}

async fn completions(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    let most = asked.most(&["max_tokens"])?;
    asked.counting(&web, &caller, Door::Completions, most).await
}

async fn responses(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    if asked.fields.get("background").map_err(unreadable)? == Some(true) {
        // nobody would be there to count it
        return Err(bad_field("background", "Parlor makes no answers in the background."));
    }
    let most = asked.most(&["max_output_tokens"])?;
    let ask = |_: &Provider, door, model: &str| Ok(asked.for_model(door, model));
    asked.call(&web, &caller, Door::Responses, (most, 1), &ask, Shape::Responses).await
}

async fn embeddings(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    let ask = |_: &Provider, door, model: &str| Ok(asked.for_model(door, model));
    asked.call(&web, &caller, Door::Embeddings, (Some(0), 1), &ask, Shape::AsItIs).await
}

/// In front of any model: one that speaks this protocol hears what was said, for others it is translated.
async fn messages(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    let most = asked.most(&["max_tokens"])?;
    let ask = |provider: &Provider, door, model: &str| {
        if door == Door::Messages {
            return Ok(asked.for_model(door, model));
        }
        let whole = serde_json::from_slice(&asked.body.bytes).map_err(|error| error.to_string())?;
        let body = messages::request(&whole, model, provider.is_the_vendor())?;
        Ok(asked.sent(door, body.to_string().into()))
    };
    asked.call(&web, &caller, Door::Messages, (most, 1), &ask, Shape::Messages(asked.model.clone())).await
}

/// The field of the model, as its provider calls it.
fn named(model: &str) -> (&'static str, String) {
    ("model", Value::from(model).to_string())
}

/// A request in JSON.
struct Asked {
    body: Body,
    fields: Fields,
    model: String,
    streams: bool,
    headers: HeaderMap,
    left: Left,
}

impl Asked {
    async fn read(app: &App, request: Request) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        let left = request.extensions().get::<Left>().cloned().expect("every request has it: http/guard.rs");
        let body = Body::json(app, request).await?;
        let fields = Fields::read(&body.bytes).map_err(unreadable)?;
        let model = fields.get("model").map_err(unreadable)?;
        let model = model.ok_or_else(|| bad_field("model", "Name a model. GET /v1/models lists them."))?;
        let streams = fields.get("stream").map_err(unreadable)?.unwrap_or(false);
        Ok(Self { body, fields, model, streams, headers, left })
    }

    /// The greatest of these fields that are there: which of them counts is for the server to say.
    fn most(&self, names: &[&'static str]) -> Result<Option<u32>, Refusal> {
        let mut most = None;
        for name in names {
            most = most.max(self.fields.get(name).map_err(unreadable)?);
        }
        Ok(most)
    }

    fn sent(&self, door: Door, body: Bytes) -> Sent {
        let beta = self.headers.get("anthropic-beta").filter(|_| door == Door::Messages).cloned();
        Sent { door, content_type: JSON, body, beta }
    }

    /// As it came, for the model by the name that its provider has for it.
    fn for_model(&self, door: Door, model: &str) -> Sent {
        self.sent(door, self.fields.with(&[named(model)]))
    }

    /// A stream is always asked for what was used; whoever did not ask for it does not get it.
    async fn counting(&self, web: &Web, caller: &Caller, door: Door, most: Option<u32>) -> Answer {
        let (n, best_of) = (self.fields.get("n").map_err(unreadable)?, self.fields.get("best_of").map_err(unreadable)?);
        let answers = n.max(best_of).unwrap_or(1);
        let mut options =
            self.fields.get::<Map<String, Value>>("stream_options").map_err(unreadable)?.unwrap_or_default();
        let wants = options.insert("include_usage".to_owned(), json!(true)) == Some(json!(true));
        let more = (self.streams && !wants).then(|| ("stream_options", Value::Object(options).to_string()));
        let shape = if more.is_some() { Shape::stripped() } else { Shape::AsItIs };
        let ask = |_: &Provider, door, model: &str| {
            let changed: Vec<_> = [named(model)].into_iter().chain(more.clone()).collect();
            Ok(self.sent(door, self.fields.with(&changed)))
        };
        self.call(web, caller, door, (most, answers), &ask, shape).await
    }

    async fn call(
        &self,
        web: &Web,
        caller: &Caller,
        door: Door,
        (most_tokens, answers): (Option<u32>, u32),
        ask: &(dyn Fn(&Provider, Door, &str) -> Result<Sent, String> + Send + Sync),
        shape: Shape,
    ) -> Answer {
        let (bytes, images) = calls::measure(&self.body.bytes);
        let (model, streams, left) = (&*self.model, self.streams, &self.left.0);
        let hold = Held::of(web, caller);
        let ended = &hold.ended;
        let wanted = Wanted { door, model, streams, most_tokens, answers, bytes, images, left, ended, ask };
        call(web, &wanted, shape, &hold).await
    }
}

/// Whoever calls, and what they came with, which may end before the answer does.
struct Held {
    viewer: Viewer,
    hold: Option<Arc<Hold>>,
    ended: CancellationToken,
}

impl Held {
    fn of(web: &Web, caller: &Caller) -> Self {
        let hold = Pass::of(caller).map(|pass| Arc::new(web.feeds.hold(pass)));
        let ended = hold.as_ref().map(|hold| hold.ended.clone()).unwrap_or_default();
        Self { viewer: caller.viewer.clone(), hold, ended }
    }
}

/// Makes the call and gives its answer the shape that was asked for.
async fn call(web: &Web, wanted: &Wanted<'_>, shape: Shape, held: &Held) -> Answer {
    match calls::make(&web.app, &web.desk, &held.viewer, wanted).await {
        Ok(made) => answer::answer(wanted, made, shape, held).await,
        Err(refused) => refusal(refused, wanted),
    }
}

/// What came of a call that is not answered.
fn refusal(refused: Refused, wanted: &Wanted<'_>) -> Answer {
    Err(match refused {
        Refused::Error(error) => return Ok(Failure(error).into_response()),
        Refused::NoSuchModel => {
            let shown: String = wanted.model.chars().take(100).collect();
            let sentence = format!("There is no model “{shown}” that you may call. GET /v1/models lists them.");
            Refusal::new(StatusCode::NOT_FOUND, "There is no such model.")
                .with_field("model", &sentence)
                .with_code("model_not_found")
        }
        Refused::NotThere(sentence) => Refusal::new(StatusCode::BAD_REQUEST, &sentence),
        Refused::Said(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            let said = serde_json::from_slice(&body).unwrap_or_default();
            if is_in_shape(&said, wanted.door) {
                let mut response = (status, [(header::CONTENT_TYPE, JSON)], body).into_response();
                response.extensions_mut().insert(AsItIs);
                return Ok(response);
            }
            let words = said["error"]["message"].as_str().or(said["error"].as_str());
            Refusal::new(status, words.unwrap_or("The provider did not accept this request."))
        }
        Refused::Busy(retry_after, sentence) => {
            let error = Error::Limited { retry_after, sentence, allowance: None };
            return Ok(Failure(error).into_response());
        }
        Refused::Failed(kind, sentence) => {
            let status = match kind {
                FaultKind::Silent => StatusCode::GATEWAY_TIMEOUT,
                FaultKind::Key => StatusCode::SERVICE_UNAVAILABLE,
                FaultKind::Refused => StatusCode::BAD_REQUEST,
                _ => StatusCode::BAD_GATEWAY,
            };
            Refusal::new(status, &sentence)
        }
        Refused::Revoked => Refusal::bad_token(),
        Refused::Stopping => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The server is restarting. Ask again."),
        // nobody is there to read it
        Refused::Left => Refusal::new(StatusCode::BAD_REQUEST, "The request was given up."),
    })
}

/// Whether a provider's refusal is as this door's vendor words it, and not only something like it (OpenRouter's `code` is a number):
/// strict clients read nothing else.
fn is_in_shape(said: &Value, door: Door) -> bool {
    let error = &said["error"];
    let is_text = |name: &str| error[name].is_string();
    is_text("message")
        && match door {
            Door::Messages => said["type"] == "error" && is_text("type"),
            _ => ["type", "param", "code"].iter().all(|name| error[*name].is_null() || is_text(name)),
        }
}

/// Why a body is none.
fn unreadable(why: Unreadable) -> Refusal {
    match why {
        Unreadable::Malformed(line, column) => Refusal::malformed(line, column),
        Unreadable::NoObject => Refusal::new(StatusCode::BAD_REQUEST, "Send an object, with the names of its fields."),
        Unreadable::Twice(field) => bad_field(&field, "This field is there twice."),
        Unreadable::Kind(field) => bad_field(field, "What is here is not of the kind that belongs here."),
    }
}

/// Vendors answer 400 where ours would be 422, and their clients know it by that.
fn bad_field(field: &str, sentence: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, sentence).with_field(field, sentence)
}
