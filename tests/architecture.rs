//! The rules of the house that a machine can hold: who may import whom, where SQL may stand, how long files may be.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The floors, from the ground. A file may use its own floor's wing and every floor below.
const FLOORS: [(&str, usize); 11] = [
    ("base", 0),
    ("outside", 1),
    ("markdown", 2),
    ("domain/feed", 3),
    ("app", 4),
    ("domain", 5),
    ("views", 6),
    ("http", 7),
    ("jobs", 7),
    ("agent", 7),
    ("cli", 8),
];

/// The order inside `domain`: a room may use those of a lower number.
const ROOMS: &[(&str, usize)] = &[
    ("feed", 0),
    ("tokens", 1),
    ("audit", 1),
    ("mail", 1),
    ("tries", 1),
    ("accounts", 2),
    ("catalog", 3),
    ("invitations", 4),
    ("outbox", 4),
    ("system", 4),
    ("own", 4),
    ("files", 4),
    ("ledger", 4),
    ("groups", 4),
    ("limits", 4),
    ("programs", 4),
    ("prompts", 4),
    ("providers", 4),
    ("calls", 5),
    ("chats", 5),
    ("generation", 6),
    ("export", 7),
    ("import", 8),
    ("takeout", 8),
    ("people", 9),
];

/// Files with SQL that are not named `store`: single-file features and the ground floor.
const MAY_HOLD_SQL: &[&str] = &[
    "src/base/cache.rs",
    "src/base/crypto.rs",
    "src/base/db/migrate.rs",
    "src/base/db/mod.rs",
    "src/base/db/pooler.rs",
    "src/base/presence.rs",
    "src/base/queue.rs",
    "src/base/sessions.rs",
    "src/domain/tokens.rs",
];

fn sources() -> BTreeMap<String, String> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut found);
    assert!(found.len() > 30, "the sources were not found");
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            // tests beside the code may look wherever they like
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            (name, code)
        })
        .collect()
}

fn is_test_code(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// All paths below `crate::` that a file names, as `a/b/c`; nested braces are followed.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        expand(&code[at + "crate::".len()..], "", &mut found);
    }
    found
}

/// Reads one use tree and returns how much of the text it took.
fn expand(text: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let path = text[..end].trim_end_matches("::").replace("::", "/");
    let here = if prefix.is_empty() { path } else { format!("{prefix}/{path}") };
    let here = here.trim_end_matches('/').to_owned();
    if !text[end..].starts_with('{') {
        found.push(here);
        return end;
    }
    let mut at = end + 1;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
        if text[at..].starts_with('}') || at >= text.len() {
            return at + 1;
        }
        let took = expand(&text[at..], &here, found);
        if took == 0 {
            return at + 1;
        }
        at += took;
    }
}

fn floor(path: &str) -> Option<usize> {
    FLOORS
        .iter()
        .filter(|(name, _)| {
            path == *name || path.starts_with(&format!("{name}/")) || path.strip_suffix(".rs") == Some(name)
        })
        .map(|(_, floor)| *floor)
        .find(|_| true)
}

fn wing(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn use_trees_are_read() {
    let code = "use crate::{app::App, domain::{feed::{self, store}, chats}};\nlet x = crate::base::Error::NotFound;";
    let expected = ["app/App", "domain/feed/self", "domain/feed/store", "domain/chats", "base/Error/NotFound"];
    assert_eq!(imports(code), expected);
}

#[test]
fn imports_go_down_only() {
    for (file, code) in sources() {
        let place = file.strip_prefix("src/").unwrap();
        let Some(mine) = floor(place) else {
            assert!(["lib.rs", "main.rs"].contains(&place), "{file} stands on no floor: give it one");
            continue;
        };
        for used in imports(&code).iter().filter(|_| !is_test_code(&file)) {
            if used == "MIGRATOR" {
                continue;
            }
            let theirs = floor(used).unwrap_or_else(|| panic!("{file} uses crate::{used}, which has no floor"));
            let same_wing = wing(place) == wing(used);
            assert!(
                theirs < mine || (theirs == mine && same_wing),
                "{file} (floor {mine}) looks up to {used} (floor {theirs})"
            );
        }
    }
}

#[test]
fn rooms_of_the_domain_keep_their_order() {
    let number = |room: &str| ROOMS.iter().find(|(name, _)| *name == room).map(|(_, n)| *n);
    for (file, code) in sources() {
        let Some(place) = file.strip_prefix("src/domain/").filter(|p| *p != "mod.rs") else { continue };
        let mine = number(wing(place)).unwrap_or_else(|| panic!("{file} is in a room without a number"));
        for used in imports(&code) {
            let Some(room) = used.strip_prefix("domain/").map(wing) else { continue };
            let theirs = number(room).unwrap_or_else(|| panic!("{file} uses {used}, a room without a number"));
            assert!(theirs < mine || room == wing(place), "{file} looks up to {used}");
        }
    }
}

/// `pages`, `api`, `feed`, `health` and `assets` do not know one another: what they share goes to the files between.
#[test]
fn entrances_do_not_import_one_another() {
    const ENTRANCES: [&str; 6] = ["pages", "api", "feed", "health", "metrics", "assets"];
    for (file, code) in sources() {
        let Some(place) = file.strip_prefix("src/http/").filter(|p| *p != "mod.rs") else { continue };
        let relative = code.lines().filter_map(|l| l.trim().strip_prefix("use super::"));
        let named = imports(&code).into_iter().filter_map(|u| u.strip_prefix("http/").map(str::to_owned));
        let named: Vec<String> = if place.contains('/') {
            named.collect()
        } else {
            named.chain(relative.map(|r| r.replace("::", "/"))).collect()
        };
        for used in named {
            let other = used.split(['/', ';', '{', ',']).next().unwrap();
            assert!(!ENTRANCES.contains(&other) || other == wing(place), "{file} uses the entrance {other}");
        }
    }
}

#[test]
fn each_floor_keeps_to_its_trade() {
    let rules: [(&str, &[&str]); 4] = [
        ("src/domain/", &["axum", "askama", "StatusCode", "crate::views"]),
        ("src/outside/", &["sqlx"]),
        ("src/views/", &["sqlx", "axum", "crate::domain"]),
        ("src/markdown/", &["sqlx", "axum", "std::fs", "std::net", "tokio", "Instant", "SystemTime"]),
    ];
    for (file, code) in sources().into_iter().filter(|(file, _)| !is_test_code(file)) {
        for (place, words) in rules.iter().filter(|(place, _)| file.starts_with(place)) {
            for word in *words {
                assert!(!code.contains(word), "{file} in {place} speaks of {word}");
            }
        }
        assert!(
            !code.contains("apalis::") && !code.contains("apalis_sql") || file == "src/base/queue.rs",
            "{file} knows apalis"
        );
    }
}

#[test]
fn sql_stands_in_stores() {
    for (file, code) in sources() {
        let allowed = file.ends_with("store.rs") || file.contains("/store/") || MAY_HOLD_SQL.contains(&file.as_str());
        assert!(allowed || !code.contains("sqlx::query"), "{file} holds SQL; it belongs into a store");
    }
}

#[test]
fn every_file_says_what_lives_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in sources().keys() {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert!(text.starts_with("//!"), "{file} does not say what lives in it");
        let lines = text.lines().count();
        let reason = text.lines().take_while(|l| l.starts_with("//!")).any(|l| l.contains("one file"));
        assert!(lines <= 600 || reason, "{file} has {lines} lines");
    }
}

#[test]
fn templates_styles_and_behaviours_stay_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = |dir: &str, ending: &str, most: usize| {
        let mut folders = vec![root.join(dir)];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().flatten().map(|e| e.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == ending) {
                    seen += 1;
                    let lines = fs::read_to_string(&path).unwrap().lines().count();
                    assert!(lines <= most, "{} has {lines} lines; at most {most}", path.display());
                }
            }
        }
        assert!(seen > 0, "nothing in {dir}");
    };
    check("templates/pages", "html", 120);
    check("templates/partials", "html", 40);
    check("static/css", "css", 200);
    check("static/js", "js", 60);
}

/// The budget of the contract: all behaviours together, as they travel.
#[test]
fn behaviours_are_at_most_15_kb_compressed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/js");
    let order = fs::read_to_string(folder.join("order.txt")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for name in order.lines() {
        encoder.write_all(&fs::read(folder.join(name)).unwrap()).unwrap();
    }
    let bytes = encoder.finish().unwrap().len();
    assert!((5_000..=15_000).contains(&bytes), "{bytes} bytes");
}

/// S4: what a program sends is refused when a field is not known.
#[test]
fn s4_bodies_of_programs_refuse_what_they_do_not_know() {
    let mut seen = 0;
    for (file, code) in sources().into_iter().filter(|(file, _)| file.starts_with("src/http/api/")) {
        let lines: Vec<_> = code.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].starts_with("#[derive(") && pair[0].contains("Deserialize"))
        {
            assert!(pair[1].contains("deny_unknown_fields"), "{file}: `{}` lacks deny_unknown_fields", pair[1]);
            seen += 1;
        }
    }
    assert!(seen > 10, "no body was found");
}
