//! Programs: they speak JSON, keep no cookies, and show what they were given at the door.

use super::{TestApp, people::PASSWORD};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Program {
    client: Client,
    address: String,
    pub bearer: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let path = response.url().path().to_owned();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self { status, headers, text, json };
        if answer.status.is_client_error() || answer.status.is_server_error() {
            if path.starts_with("/v1/") { answer.is_a_vendors(&path) } else { answer.is_a_problem() }
        }
        answer
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn word(&self, field: &str) -> String {
        self.json[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {}", self.text)).to_owned()
    }

    /// The first field that a problem names.
    pub fn field(&self) -> &str {
        self.json["errors"][0]["field"].as_str().unwrap_or_default()
    }

    /// An error as OpenAI's client reads it, or Anthropic's; a provider's own words are passed on.
    fn is_a_vendors(&self, path: &str) {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let error = &self.json["error"];
        assert!(error["message"].as_str().is_some_and(|words| !words.is_empty()), "{}", self.text);
        if path.starts_with("/v1/messages") {
            assert_eq!(self.json["type"], "error", "{}", self.text);
            assert!(error["type"].is_string(), "{}", self.text);
        }
    }

    /// RFC 9457, for every error that a program ever gets.
    fn is_a_problem(&self) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["type"], "about:blank", "{}", self.text);
        assert_eq!(self.json["status"], self.status.as_u16(), "{}", self.text);
        assert_eq!(self.json["title"], self.status.canonical_reason().unwrap(), "{}", self.text);
        assert!(!self.word("detail").is_empty(), "{}", self.text);
        assert_eq!(self.json["request_id"], self.header("x-request-id"), "{}", self.text);
        if self.status == StatusCode::UNAUTHORIZED {
            assert!(self.header("www-authenticate").starts_with("Bearer"), "{self:?}");
        }
    }
}

impl Program {
    #[expect(clippy::disallowed_methods, reason = "a program of a test")]
    pub fn new(address: &str) -> Self {
        super::crypto_provider();
        Self { client: Client::new(), address: address.to_owned(), bearer: None }
    }

    /// The same one, showing this.
    pub fn with(&self, bearer: &str) -> Self {
        Self { bearer: Some(bearer.to_owned()), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        match &self.bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        }
    }

    pub async fn sends(request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn gets(&self, path: &str) -> Answer {
        Self::sends(self.request(Method::GET, path)).await
    }

    pub async fn deletes(&self, path: &str) -> Answer {
        Self::sends(self.request(Method::DELETE, path)).await
    }

    pub async fn posts(&self, path: &str, body: &Value) -> Answer {
        Self::sends(self.request(Method::POST, path).json(body)).await
    }

    /// What `/api/auth/me` says of whoever shows this.
    pub async fn is(&self, bearer: &str) -> StatusCode {
        self.with(bearer).gets("/api/auth/me").await.status
    }

    /// Signs in for somebody; the answer with the tokens.
    pub async fn signs_in(&self, name: &str) -> Answer {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
        let answer = self.posts("/api/auth/login", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer
    }

    pub async fn refreshes(&self, token: &str) -> Answer {
        self.posts("/api/auth/refresh", &json!({ "refresh_token": token })).await
    }

    /// Makes a key; the answer with it.
    pub async fn makes_key(&self, name: &str, scopes: &[&str]) -> Answer {
        self.posts("/api/keys", &json!({ "name": name, "scopes": scopes })).await
    }
}

/// A program of somebody new, with a token of theirs.
pub async fn program_of_new(test: &TestApp, name: &str) -> Program {
    test.person(name).await;
    let program = test.program();
    program.with(&program.signs_in(name).await.word("access_token"))
}

/// The same with a key that may do so much.
pub async fn key_of_new(test: &TestApp, name: &str, scopes: &[&str]) -> Program {
    let person = program_of_new(test, name).await;
    person.with(&person.makes_key("mine", scopes).await.word("key"))
}

/// One that calls models, and looks after its keys.
pub async fn caller_of_new(test: &TestApp, name: &str) -> Program {
    key_of_new(test, name, &["models", "keys"]).await
}

/// A request of chat completions.
pub fn chat(model: &str, more: &Value) -> Value {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}
