//! A provider that speaks OpenAI's protocol over real HTTP and does what the test says, answer by answer.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};
use tokio::sync::{Notify, mpsc};

/// What one answer does, step by step.
#[derive(Clone, Debug)]
pub enum Step {
    Text(String),
    Reasoning(String),
    /// Goes on when the test calls [`Provider::release`].
    Hold,
    Finish(&'static str),
    Usage(i64, i64),
    Done,
    /// The connection breaks here.
    Cut,
}

/// One answer to come.
#[derive(Clone, Debug)]
pub enum Script {
    Stream(Vec<Step>),
    Status(u16, Value),
    /// With a Retry-After.
    Later(u16, u32),
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    scripts: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Asked>>,
    release: Notify,
    /// Streams that the other side closed before their end.
    hung_up: Mutex<usize>,
}

pub struct Provider {
    inner: Arc<Inner>,
    port: u16,
}

impl Provider {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let router = Router::new()
            .route("/v1/models", get(models))
            .route("/v1/chat/completions", post(complete))
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The next answer is these pieces, then an orderly end.
    pub fn streams<const N: usize>(&self, pieces: [&str; N]) {
        let mut steps: Vec<Step> = pieces.iter().map(|p| Step::Text((*p).to_owned())).collect();
        steps.extend([Step::Finish("stop"), Step::Usage(11, 7), Step::Done]);
        self.will(Script::Stream(steps));
    }

    pub fn does(&self, steps: impl IntoIterator<Item = Step>) {
        self.will(Script::Stream(steps.into_iter().collect()));
    }

    pub fn refuses(&self, status: u16, message: &str) {
        self.will(Script::Status(status, json!({ "error": { "message": message, "code": status } })));
    }

    /// The next request is refused, to be tried again after so many seconds.
    pub fn refuses_for(&self, status: u16, seconds: u32) {
        self.will(Script::Later(status, seconds));
    }

    fn will(&self, script: Script) {
        self.inner.scripts.lock().unwrap().push_back(script);
    }

    /// Lets one held answer go on.
    pub fn release(&self) {
        self.inner.release.notify_one();
    }

    /// Takes back a release that nobody waited for.
    pub async fn forget_release(&self) {
        let _ = tokio::time::timeout(std::time::Duration::ZERO, self.inner.release.notified()).await;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }

    pub fn hung_up(&self) -> usize {
        *self.inner.hung_up.lock().unwrap()
    }
}

async fn models() -> Json<Value> {
    Json(json!({ "object": "list", "data": [{ "id": "fake-1" }, { "id": "fake-2" }, { "id": "text-embedding-fake" }] }))
}

async fn complete(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let key = key.trim_start_matches("Bearer ").to_owned();
    inner.asked.lock().unwrap().push(Asked { key, headers: headers.clone(), body });
    let script = inner.scripts.lock().unwrap().pop_front();
    let steps = match script {
        Some(Script::Status(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        Some(Script::Later(status, seconds)) => {
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::from_u16(status).unwrap(), after, Json(json!({ "error": {} }))).into_response();
        }
        Some(Script::Stream(steps)) => steps,
        None => vec![Step::Text("unscripted".into()), Step::Finish("stop"), Step::Done],
    };
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    tokio::spawn(play(inner, steps, sender));
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn play(inner: Arc<Inner>, steps: Vec<Step>, sender: mpsc::Sender<Result<Bytes, Infallible>>) {
    let chunk = |delta: Value, finish: Option<&str>| json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    for step in steps {
        let data = match step {
            Step::Text(text) => chunk(json!({ "content": text }), None).to_string(),
            Step::Reasoning(text) => chunk(json!({ "reasoning_content": text }), None).to_string(),
            Step::Finish(reason) => chunk(json!({}), Some(reason)).to_string(),
            Step::Usage(prompt, completion) => {
                json!({ "choices": [], "usage": { "prompt_tokens": prompt, "completion_tokens": completion } })
                    .to_string()
            }
            Step::Done => "[DONE]".to_owned(),
            Step::Cut => return,
            Step::Hold => {
                tokio::select! {
                    () = inner.release.notified() => {}
                    () = sender.closed() => {
                        *inner.hung_up.lock().unwrap() += 1;
                        return;
                    }
                }
                continue;
            }
        };
        if sender.send(Ok(format!("data: {data}\n\n").into())).await.is_err() {
            *inner.hung_up.lock().unwrap() += 1;
            return;
        }
    }
}
