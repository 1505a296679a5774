//! Static files, from inside the program: named by their hash, kept by browsers for a year, compressed when built.
//! An old page that asks for a name with another hash gets today's file, so that it survives an upgrade.

use super::{
    respond::Failure,
    routes::{Access, Routes},
};
use crate::{base::Error, views};
use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

mod names {
    include!(concat!(env!("OUT_DIR"), "/asset_names.rs"));
}

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/assets"]
struct Files;

const ALL: [&str; 4] = [names::CSS, names::JS, names::ICONS, names::ICON];

/// Tells the templates the names.
pub fn install() {
    let [css, js, icons, icon] = ALL.map(str::to_owned);
    views::assets::install(css, js, icons, icon);
}

pub fn routes(routes: Routes) -> Routes {
    routes.get("/assets/{name}", Access::Plain, serve).get("/favicon.ico", Access::Plain, favicon).get(
        "/manifest.webmanifest",
        Access::Plain,
        manifest,
    )
}

/// What a phone or a desktop needs to keep Parlor among its programs.
async fn manifest() -> impl IntoResponse {
    let manifest = serde_json::json!({
        "name": "Parlor", "short_name": "Parlor", "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
        "background_color": "#fbfaf6", "theme_color": "#14604a",
        "icons": [{ "src": names::ICON, "sizes": "any", "type": "image/svg+xml", "purpose": "any" }],
    });
    let kind = HeaderValue::from_static("application/manifest+json");
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("max-age=86400"))],
        manifest.to_string(),
    )
}

async fn favicon(headers: HeaderMap) -> Result<Response, Failure> {
    let name = names::ICON.trim_start_matches("/assets/").to_owned();
    serve(Path(name), headers).await
}

async fn serve(Path(asked): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let asked = format!("/assets/{asked}");
    let name = ALL.iter().find(|name| stem(name) == stem(&asked)).ok_or(Error::NotFound)?;
    let file = name.trim_start_matches("/assets/");
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let coding = [("br", "br"), ("gzip", "gz")].into_iter().find(|(coding, _)| accepts(accepted, coding));
    let ending = coding.map_or(String::new(), |(_, ending)| format!(".{ending}"));
    let embedded = Files::get(&format!("{file}{ending}")).ok_or(Error::NotFound)?;
    let kind = match file.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    };
    let age = if **name == asked { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = embedded.data.into_owned().into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(age));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some((coding, _)) = coding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok(response)
}

/// The name without its hash: `/assets/app-12ab.css` is `app.css`.
fn stem(name: &str) -> (&str, &str) {
    let (path, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let path = path.trim_start_matches("/assets/");
    (path.split('-').next().unwrap_or(path), ending)
}

fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').map(str::trim).any(|entry| {
        let (name, q) = entry.split_once(';').unwrap_or((entry, ""));
        name.trim() == coding && !matches!(q.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::{accepts, stem};

    #[test]
    fn names_without_hashes() {
        assert_eq!(stem("/assets/app-12ab34.css"), ("app", "css"));
        assert_eq!(stem("/assets/app.css"), ("app", "css"));
        assert_ne!(stem("/assets/app.js"), ("app", "css"));
    }

    #[test]
    fn codings() {
        assert!(accepts("gzip, deflate, br;q=0.9", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("", "gzip"));
    }
}
