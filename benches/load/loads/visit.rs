//! A first visit with an empty cache: what the front page and all it refers to weigh on the wire.

use crate::{
    client::{Visitor, http},
    report::Report,
    world::World,
};
use anyhow::ensure;
use reqwest::{Response, header};
use std::collections::BTreeSet;

/// What was loaded.
#[derive(Default)]
struct Seen {
    files: BTreeSet<String>,
    requests: usize,
    bytes: usize,
    elsewhere: BTreeSet<String>,
}

/// The way in for a stranger; then, in the same cache, the front room after signing up.
pub async fn visit(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let mut stranger = Visitor { http: http()?, base: world.parlor_url.clone(), cookie: String::new() };
    let mut seen = Seen::default();
    page(&stranger, "/", &mut seen).await?;
    report.aim("first visit, the way in: bytes", seen.bytes as f64 / 1e3, "kB", 60.);
    report.aim("first visit, the way in: requests", seen.requests as f64, "", 10.);
    stranger.cookie.clone_from(&Visitor::register(&world.parlor_url, "stranger").await?.cookie);
    let mut fresh = Seen::default();
    page(&stranger, "/", &mut fresh).await?;
    report.aim("first visit with a session, the front room: bytes", fresh.bytes as f64 / 1e3, "kB", 60.);
    report.aim("first visit with a session, the front room: requests", fresh.requests as f64, "", 10.);
    fresh.elsewhere.append(&mut seen.elsewhere);
    report.aim("references to other origins", fresh.elsewhere.len() as f64, "", 0.);
    for file in fresh.files.union(&seen.files) {
        eprintln!("    {file}");
    }
    Ok(())
}

/// A page after its redirects, and everything that it names and a browser loads.
async fn page(visitor: &Visitor, path: &str, seen: &mut Seen) -> anyhow::Result<()> {
    let mut path = path.to_owned();
    for _ in 0..5 {
        let answer = get(visitor, &path, "br, gzip").await?;
        let next = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).map(str::to_owned);
        weigh(answer, &path, seen).await?;
        let Some(next) = next else { break };
        path = next;
    }
    // once more as plain text, which is not counted
    let mut texts = vec![get(visitor, &path, "identity").await?.text().await?];
    while let Some(text) = texts.pop() {
        for reference in references(&text) {
            if reference.starts_with("http") || reference.starts_with("//") {
                seen.elsewhere.insert(reference);
            } else if !seen.files.contains(&reference) {
                weigh(get(visitor, &reference, "br, gzip").await?, &reference, seen).await?;
                if std::path::Path::new(&reference).extension().is_some_and(|e| e == "css") {
                    texts.push(get(visitor, &reference, "identity").await?.text().await?);
                }
                seen.files.insert(reference);
            }
        }
    }
    Ok(())
}

async fn get(visitor: &Visitor, path: &str, coding: &str) -> anyhow::Result<Response> {
    let request = visitor.http.get(format!("{}{path}", visitor.base)).header(header::ACCEPT_ENCODING, coding);
    let answer = request.header(header::COOKIE, &visitor.cookie).send().await?;
    ensure!(!answer.status().is_client_error() && !answer.status().is_server_error(), "{path}: {}", answer.status());
    Ok(answer)
}

/// The answer's head and body as they travel.
async fn weigh(answer: Response, path: &str, seen: &mut Seen) -> anyhow::Result<()> {
    let head: usize = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let status = "HTTP/1.1 200 OK\r\n\r\n".len();
    let coding =
        answer.headers().get(header::CONTENT_ENCODING).map_or("plain", |c| c.to_str().unwrap_or_default()).to_owned();
    let body = answer.bytes().await?.len();
    eprintln!("    {path}: {} + {body} bytes, {coding}", head + status);
    seen.requests += 1;
    seen.bytes += head + status + body;
    Ok(())
}

/// What `src`, `href` of links and sprites, and `url()` name: files, not pages.
fn references(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (before, after) in [("src=\"", '"'), ("href=\"", '"'), ("url(\"", '"'), ("url(", ')'), ("@import \"", '"')] {
        for part in text.split(before).skip(1) {
            let reference = part.split(after).next().unwrap_or_default().trim_matches(['"', '\'']);
            let file = reference.split(['#', '?']).next().unwrap_or_default();
            let other = file.starts_with("http") || file.starts_with("//");
            let ours = file.starts_with("/assets/") || (before != "href=\"" && file.starts_with('/'));
            // a link of the text is not loaded; there is none to another origin on these pages
            if other || ours {
                found.push(file.to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
