//! Joins our CSS (in layer order) and JavaScript (htmx first, then ours) into one file each, names all static files by
//! their hash, and prepares Brotli and gzip, for rust-embed to carry. No bundler: concatenation.

use sha2::{Digest, Sha256};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

fn main() {
    for watched in
        ["build.rs", "static", "templates", "migrations", "package-lock.json", "node_modules/htmx.org/package.json"]
    {
        println!("cargo:rerun-if-changed={watched}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("assets");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).expect("OUT_DIR can be written");

    let htmx = root.join("node_modules/htmx.org/dist");
    let css = joined(&root.join("static/css"), Vec::new());
    let js = joined(&root.join("static/js"), [htmx.join("htmx.min.js"), htmx.join("ext/hx-sse.min.js")].into());
    let mut names = String::new();
    for (constant, stem, ending, bytes) in [
        ("CSS", "app", "css", css),
        ("JS", "app", "js", js),
        ("ICONS", "icons", "svg", read(&root.join("static/icons.svg")).into_bytes()),
        ("ICON", "icon", "svg", read(&root.join("static/icon.svg")).into_bytes()),
    ] {
        let hash = Sha256::digest(&bytes).iter().take(6).fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes everything");
            hex
        });
        let name = format!("{stem}-{hash}.{ending}");
        write(&out.join(&name), &bytes);
        write(&out.join(format!("{name}.br")), &brotli(&bytes));
        write(&out.join(format!("{name}.gz")), &gzip(&bytes));
        writeln!(names, "pub const {constant}: &str = \"/assets/{name}\";").expect("a String takes everything");
    }
    let names_file = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("asset_names.rs");
    write(&names_file, names.as_bytes());
}

/// The files named in `order.txt`, after the given ones. A file that is not named is a mistake.
fn joined(folder: &Path, first: Vec<PathBuf>) -> Vec<u8> {
    let order = read(&folder.join("order.txt"));
    let named: Vec<&str> = order.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    for entry in fs::read_dir(folder).expect("the folder exists").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            name == "order.txt" || named.contains(&name.as_str()),
            "{name} is not in {}/order.txt",
            folder.display()
        );
    }
    let files = first.into_iter().chain(named.iter().map(|name| folder.join(name)));
    files.map(|file| read(&file) + "\n").collect::<String>().into_bytes()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| {
        assert!(
            !file.to_string_lossy().contains("node_modules"),
            "{} is missing: run `npm ci --ignore-scripts` in the project's folder (bin/run does it)",
            file.display()
        );
        panic!("{}: {error}", file.display())
    })
}

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, size_hint: bytes.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params).expect("memory takes everything");
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}
