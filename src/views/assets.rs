//! The addresses of the static files, as the templates write them. Set once at start by whoever knows the hashes.

use std::sync::OnceLock;

struct Assets {
    css: String,
    js: String,
    icons: String,
    icon: String,
}

static ASSETS: OnceLock<Assets> = OnceLock::new();

/// Sets the addresses; a second call changes nothing.
pub fn install(css: String, js: String, icons: String, icon: String) {
    let _ = ASSETS.set(Assets { css, js, icons, icon });
}

fn get(pick: fn(&'static Assets) -> &'static str, plain: &'static str) -> &'static str {
    ASSETS.get().map_or(plain, pick)
}

/// The style sheet.
pub fn css() -> &'static str {
    get(|a| &a.css, "/assets/app.css")
}

/// htmx, its feed reader and our behaviours, in one file.
pub fn js() -> &'static str {
    get(|a| &a.js, "/assets/app.js")
}

/// The sprite of all icons.
pub fn icons() -> &'static str {
    get(|a| &a.icons, "/assets/icons.svg")
}

/// The icon in the browser's tab.
pub fn icon() -> &'static str {
    get(|a| &a.icon, "/assets/icon.svg")
}

/// One icon of the sprite, hidden from screen readers: the control around it carries the name.
pub fn draw(name: &str) -> String {
    format!(r##"<svg aria-hidden="true"><use href="{}#i-{name}"/></svg>"##, icons())
}
