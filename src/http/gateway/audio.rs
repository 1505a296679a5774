//! Speech from text, and text from speech, of models that have it.

use super::{Answer, Asked, Held, Shape, bad_field, body::Body, call};
use crate::{
    domain::{
        calls::Wanted,
        programs::{Caller, Scope},
    },
    http::{
        Web,
        guard::Left,
        respond::problem::Refusal,
        routes::{Access, Routes},
    },
    outside::llm::{
        Provider,
        relay::{Door, Sent},
    },
};
use axum::{
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State},
    http::{HeaderValue, StatusCode, header},
};
use bytes::{BufMut as _, Bytes, BytesMut};

pub fn routes(routes: Routes) -> Routes {
    let models = Access::Bearer(Some(Scope::Models));
    routes.post("/v1/audio/speech", models, speech).post("/v1/audio/transcriptions", models, transcribe)
}

async fn speech(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let asked = Asked::read(&web.app, request).await?;
    let ask = |_: &Provider, door, model: &str| Ok(asked.for_model(door, model));
    asked.call(&web, &caller, Door::Speech, (None, 1), &ask, Shape::AsItIs).await
}

/// A form with a file. It is written anew for the provider, since the name of the model in it is another one there.
async fn transcribe(State(web): State<Web>, caller: Caller, request: Request) -> Answer {
    let left = request.extensions().get::<Left>().cloned().expect("every request has it: http/guard.rs");
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let body = Body::read(&web.app, request).await?;
    let form = Form::read(kind, body.bytes.clone()).await?;
    let streams = form.parts.iter().any(|part| part.name == "stream" && part.bytes.as_ref() == b"true");
    let ask = |_: &Provider, door, model: &str| Ok(form.sent(door, model));
    let (model, left, hold) = (&*form.model, &left.0, Held::of(&web, &caller));
    let wanted = Wanted {
        door: Door::Transcriptions,
        model,
        streams,
        most_tokens: None,
        answers: 1,
        bytes: 0,
        images: 0,
        left,
        ended: &hold.ended,
        ask: &ask,
    };
    call(&web, &wanted, Shape::AsItIs, &hold).await
}

struct Form {
    model: String,
    parts: Vec<Part>,
}

struct Part {
    name: String,
    file_name: Option<String>,
    kind: Option<String>,
    bytes: Bytes,
}

impl Form {
    async fn read(kind: Option<HeaderValue>, bytes: Bytes) -> Result<Self, Refusal> {
        let broken = || Refusal::new(StatusCode::BAD_REQUEST, "Send a form, with `Content-Type: multipart/form-data`.");
        let mut request = Request::new(axum::body::Body::from(bytes));
        request.headers_mut().insert(header::CONTENT_TYPE, kind.ok_or_else(broken)?);
        DefaultBodyLimit::disable().apply(&mut request); // it has been read, within its bound
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
        let (mut model, mut parts) = (None, Vec::new());
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            // as it is sent on: or else one could become `model` on its way
            let name = plain(field.name().unwrap_or_default());
            let (file_name, kind) = (field.file_name().map(str::to_owned), field.content_type().map(str::to_owned));
            let bytes = field.bytes().await.map_err(|_| broken())?;
            if name == "model" {
                model = String::from_utf8(bytes.to_vec()).ok();
            } else {
                parts.push(Part { name, file_name, kind, bytes });
            }
        }
        let model = model.ok_or_else(|| bad_field("model", "Name a model. GET /v1/models lists them."))?;
        Ok(Self { model, parts })
    }

    fn sent(&self, door: Door, model: &str) -> Sent {
        // no part holds it: 128 random bits
        let boundary = uuid::Uuid::new_v4().simple().to_string();
        let mut body = BytesMut::new();
        let model = Part {
            name: "model".to_owned(),
            file_name: None,
            kind: None,
            bytes: Bytes::copy_from_slice(model.as_bytes()),
        };
        for part in self.parts.iter().chain([&model]) {
            part.write(&boundary, &mut body);
        }
        body.put_slice(format!("--{boundary}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        let content_type = HeaderValue::from_str(&kind).expect("hexadecimal digits are plain");
        Sent { door, content_type, body: body.freeze(), beta: None }
    }
}

impl Part {
    fn write(&self, boundary: &str, body: &mut BytesMut) {
        let file = self.file_name.as_ref().map(|name| format!("; filename=\"{}\"", plain(name))).unwrap_or_default();
        let kind = self.kind.as_ref().map(|kind| format!("Content-Type: {}\r\n", plain(kind))).unwrap_or_default();
        let name = &self.name;
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n{kind}\r\n");
        body.put_slice(head.as_bytes());
        body.put_slice(&self.bytes);
        body.put_slice(b"\r\n");
    }
}

/// Nothing that could end a quotation or a line.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '"').collect()
}
