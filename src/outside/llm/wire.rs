//! The network under all protocols: the client, what a status means, an answer as it comes, and faults that quote no key.
//! What must not live here: what is said in a protocol.

use super::{
    Chunks, Fault, FaultKind, Listed,
    answer::{Dialect, Form, Reader, message},
};
use crate::base::config::{self, Hidden};
use anyhow::anyhow;
use reqwest::{
    RequestBuilder, Response, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{net::IpAddr, str::FromStr, time::Duration};

/// How much of an error's body is read, and for how long: the status alone says what to do.
const MAX_ERROR_BODY: usize = 16 * 1024;
const ERROR_BODY_WITHIN: Duration = Duration::from_secs(2);

/// A list of models may be so long: OpenRouter's has 350 and 600 kB.
const MAX_LIST: usize = 8 * 1024 * 1024;

/// The one way to make a client for providers. `proxy` as in the settings: empty, the environment says.
///
/// # Errors
/// TLS or proxy settings that cannot be used.
pub fn http_client(proxy: &Hidden) -> anyhow::Result<reqwest::Client> {
    Ok(builder(proxy)?.build()?)
}

/// The same for an address that came by a form: no name leads it to an address of the link alone (S22).
///
/// # Errors
/// TLS settings that cannot be used.
pub fn careful_client() -> anyhow::Result<reqwest::Client> {
    Ok(builder(&Hidden::default())?.dns_resolver(Careful).build()?)
}

#[expect(clippy::disallowed_methods, reason = "the one place that may")]
fn builder(proxy: &Hidden) -> anyhow::Result<reqwest::ClientBuilder> {
    // no total timeout: an answer may take minutes; silence is measured where the answer is read
    let builder = reqwest::Client::builder();
    let builder = match proxy.expose() {
        "" => builder,
        config::Provider::NO_PROXY => builder.no_proxy(),
        // what is wrong with it may quote it, and it may hold a password
        url => builder.proxy(reqwest::Proxy::all(url).map_err(|_| anyhow!("the proxy's address is not one"))?),
    };
    Ok(builder
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none()) // a key goes only to the host it was stored with
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION"))))
}

/// Looks names up, and leaves out what is of the link alone: there clouds tell each machine its secrets.
struct Careful;

impl Resolve for Careful {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<_> = found.filter(|address| !is_of_the_link(address.ip())).collect();
            if good.is_empty() {
                return Err("no address that may be asked".into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

fn is_of_the_link(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local(),
        // the second is where a cloud tells them by IPv6
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[..6] == [0xfd00, 0xec2, 0, 0, 0, 0],
    }
}

/// The host of an address that a form may have, with scheme and port; nothing for what is none, or may not be asked.
#[must_use]
pub fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str()?.trim_matches(['[', ']']);
    let of_the_link = host.parse().is_ok_and(is_of_the_link);
    (["http", "https"].contains(&url.scheme()) && plain && !of_the_link).then(|| url.origin().ascii_serialization())
}

/// The headers of the settings.
///
/// # Errors
/// One that is none; the settings were checked for that.
pub fn headers(with: &config::Provider) -> anyhow::Result<HeaderMap> {
    let each = with
        .headers
        .iter()
        .map(|(name, value)| Ok((HeaderName::from_str(name)?, HeaderValue::from_str(value.expose())?)));
    each.collect()
}

/// Where requests go, without a slash at the end, and whether that is the vendor's own.
pub fn base_url(with: &config::Provider, vendor: &str) -> (String, bool) {
    let url = with.base_url.as_deref().unwrap_or(vendor).trim_end_matches('/');
    (url.to_owned(), url == vendor)
}

/// A server that is shown its key in a header.
pub struct Place {
    http: reqwest::Client,
    base_url: String,
    headers: HeaderMap,
    shows_key: HeaderName,
    pub is_the_vendor: bool,
}

impl Place {
    /// `vendor`: the address without another in the settings.
    ///
    /// # Errors
    /// A header that is none; the settings were checked for that.
    pub fn new(
        http: reqwest::Client,
        with: &config::Provider,
        vendor: &str,
        shows_key: &'static str,
    ) -> anyhow::Result<Self> {
        let (base_url, is_the_vendor) = base_url(with, vendor);
        let shows_key = HeaderName::from_static(shows_key);
        Ok(Self { http, base_url, headers: headers(with)?, shows_key, is_the_vendor })
    }

    /// A header of each request, unless the settings have another one of its name.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.entry(name).or_insert(HeaderValue::from_static(value));
        self
    }

    /// The same for a path where a key is shown as OpenAI's are.
    pub fn post_bearer(&self, path: &str, key: &Hidden) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base_url)).headers(self.headers.clone()).bearer_auth(key.expose())
    }

    pub fn post(&self, path: &str, key: &Hidden) -> RequestBuilder {
        self.keyed(self.http.post(format!("{}{path}", self.base_url)), key)
    }

    /// What a list says, page by page. `read` tells the models on a page and what to ask for the next one with.
    pub async fn list<D: Dialect, P: DeserializeOwned>(
        &self,
        path: &str,
        (size, next): (&str, &str),
        key: &Hidden,
        read: impl Fn(P) -> (Vec<Listed>, Option<String>),
    ) -> Result<Vec<Listed>, Fault> {
        let (mut models, mut after) = (Vec::new(), None);
        // a server that says without end that there is more is believed ten times
        for _ in 0..10 {
            let request = self.http.get(format!("{}{path}", self.base_url)).query(&[(size, "1000")]);
            let request = if let Some(after) = &after { request.query(&[(next, after)]) } else { request };
            let (more, following) = read(document::<D, P>(self.keyed(request, key), key).await?);
            models.extend(more);
            after = following.filter(|after| !after.is_empty());
            if after.is_none() {
                break;
            }
        }
        Ok(models)
    }

    fn keyed(&self, request: RequestBuilder, key: &Hidden) -> RequestBuilder {
        let request = request.headers(self.headers.clone());
        // the settings were checked for keys that are no values of headers
        let Ok(mut value) = HeaderValue::from_str(key.expose()) else { return request };
        value.set_sensitive(true);
        if value.is_empty() { request } else { request.header(&self.shows_key, value) }
    }
}

/// Sends what asks for an answer, and returns when it has begun.
pub async fn open<D: Dialect>(request: RequestBuilder, key: &Hidden) -> Result<Chunks, Fault> {
    let response = request.send().await.map_err(unreachable)?;
    let response = succeeded::<D>(response, key).await?;
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let form = Form::of(content_type.unwrap_or_default())?;
    Ok(stream(response, Reader::<D>::new(form)))
}

/// A JSON document of a bounded length.
pub async fn document<D: Dialect, T: DeserializeOwned>(request: RequestBuilder, key: &Hidden) -> Result<T, Fault> {
    let response = request.send().await.map_err(unreachable)?;
    let mut response = succeeded::<D>(response, key).await?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&part);
        if body.len() > MAX_LIST {
            return Err(Fault::new(FaultKind::Garbled, format!("a document of more than {MAX_LIST} bytes")));
        }
    }
    serde_json::from_slice(&body).map_err(|error| Fault::new(FaultKind::Garbled, error.to_string()))
}

/// The answer as it comes. Nothing is read that nobody asks for: what we do not take waits in the connection, and then at
/// the provider. Dropping it closes the connection.
fn stream(response: Response, reader: Reader<impl Dialect>) -> Chunks {
    Box::pin(futures::stream::unfold((response, reader), |(mut response, mut reader)| async move {
        loop {
            if let Some(item) = reader.next() {
                return Some((item, (response, reader)));
            }
            if reader.is_over() {
                return None;
            }
            // one that sends comments without end keeps nobody from looking at a deadline
            tokio::task::coop::consume_budget().await;
            match response.chunk().await {
                Ok(Some(bytes)) => reader.push(&bytes),
                Ok(None) => reader.end(),
                Err(error) => reader.fail(Fault::new(FaultKind::Cut, chain(&error.without_url()))),
            }
        }
    }))
}

/// Turns what is not a success into a fault.
async fn succeeded<D: Dialect>(mut response: Response, key: &Hidden) -> Result<Response, Fault> {
    if response.status().is_success() { Ok(response) } else { Err(refused::<D>(&mut response, key).await.0) }
}

/// What is not a success: the fault, which keeps `Retry-After`, and the beginning of what was said.
pub async fn refused<D: Dialect>(response: &mut Response, key: &Hidden) -> (Fault, Vec<u8>) {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|v| v.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(part)) = response.chunk().await {
            body.extend_from_slice(&part[..part.len().min(MAX_ERROR_BODY - body.len())]);
            if body.len() >= MAX_ERROR_BODY {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(ERROR_BODY_WITHIN, read).await;
    (without(key, refusal::<D>(status, retry_after, &body)), body)
}

/// A page of HTML is no message.
fn refusal<D: Dialect>(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Fault {
    let (said, error) = match serde_json::from_slice::<Value>(body) {
        // some send a list of one
        Ok(Value::Array(list)) => (None, list.into_iter().next().unwrap_or_default()),
        Ok(value) => (None, value),
        Err(_) => (Some(format!("{} bytes that are not JSON", body.len())), Value::Null),
    };
    let error = error.get("error").unwrap_or(&error);
    let said = said.or_else(|| message(error)).unwrap_or_else(|| "no message".to_owned());
    Fault {
        kind: D::kind(error, Some(status.as_u16())),
        detail: format!("{status}: {said}"),
        retry_after: retry_after.or_else(|| D::retry_after(error)),
    }
}

/// What a status means, wherever it stands: in the response, or as the `code` of an error inside a stream.
pub fn kind_of(status: u16) -> FaultKind {
    match status {
        401 | 403 => FaultKind::Key,
        429 => FaultKind::Busy,
        // a proxy that wants another password says 407
        300..=399 | 407 => FaultKind::Unreachable,
        500.. => FaultKind::Broken,
        _ => FaultKind::Refused,
    }
}

/// Some providers quote the key that they refuse; a log never holds one.
fn without(key: &Hidden, mut fault: Fault) -> Fault {
    if !key.expose().is_empty() {
        fault.detail = fault.detail.replace(key.expose(), "(the key)");
    }
    fault
}

/// The same of bytes that are passed on.
pub fn without_key(key: &Hidden, body: Vec<u8>) -> Vec<u8> {
    let (Ok(text), false) = (str::from_utf8(&body), key.expose().is_empty()) else { return body };
    if text.contains(key.expose()) { text.replace(key.expose(), "(the key)").into_bytes() } else { body }
}

/// `without_url`: an address may carry credentials.
pub fn unreachable(error: reqwest::Error) -> Fault {
    Fault::new(FaultKind::Unreachable, chain(&error.without_url()))
}

pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::llm::answer::Answer;

    /// A protocol that adds nothing.
    #[derive(Default)]
    struct Plain;

    impl Dialect for Plain {
        type Said = Value;
        const LAST_WORD: &str = "end";

        fn said(&mut self, _: Value, _: &mut Answer) {}

        fn kind(_: &Value, status: Option<u16>) -> FaultKind {
            status.map_or(FaultKind::Broken, kind_of)
        }
    }

    #[test]
    fn what_a_status_means() {
        for (status, kind) in [
            (302, FaultKind::Unreachable),
            (400, FaultKind::Refused),
            (401, FaultKind::Key),
            (403, FaultKind::Key),
            (404, FaultKind::Refused),
            (407, FaultKind::Unreachable),
            (429, FaultKind::Busy),
            (500, FaultKind::Broken),
            (529, FaultKind::Broken),
        ] {
            assert_eq!(kind_of(status), kind, "{status}");
        }
    }

    #[test]
    fn of_an_error_only_its_message_is_kept() {
        let said = |body: &str| refusal::<Plain>(StatusCode::BAD_REQUEST, None, body.as_bytes()).detail;
        for (body, message) in [
            (r#"{"error":{"message":"no credit","code":7}}"#, "\"no credit\""),
            (r#"{"error":"no credit"}"#, "\"no credit\""),
            (r#"{"message":"no credit"}"#, "\"no credit\""),
            (r#"[{"error":{"message":"no credit"}}]"#, "\"no credit\""),
            ("[]", "no message"),
            (r#"{"detail":"?"}"#, "no message"),
            ("<h1>Oops</h1>", "13 bytes that are not JSON"),
        ] {
            assert_eq!(said(body), format!("400 Bad Request: {message}"), "{body}");
        }
        let long = said(&format!(r#"{{"message":"{}"}}"#, "x".repeat(1000)));
        assert_eq!(long.len(), "400 Bad Request: ".len() + 300);
    }

    #[test]
    fn a_key_is_not_quoted() {
        let quoted = |key: &str| without(&Hidden::from(key), Fault::new(FaultKind::Key, "not sk-1, sk-1!")).detail;
        assert_eq!(quoted("sk-1"), "not (the key), (the key)!");
        assert_eq!(quoted(""), "not sk-1, sk-1!");
    }
}
