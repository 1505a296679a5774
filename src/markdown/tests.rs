//! The rendering of whole texts, as tables.

use super::{plain, render};

mod commonmark;
mod gfm;
mod math;

/// Without what every line would repeat.
fn short(html: &str) -> String {
    html.replace(" dir=\"auto\"", "")
        .replace(" rel=\"noopener noreferrer nofollow\"", "")
        .replace(" target=\"_blank\"", "")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(short(&render(text, "m1")), expected, "{text:?}");
}

/// What of a text ends in the code element, with its chrome checked.
#[track_caller]
fn check_code(text: &str, label: &str, expected: &str) {
    let html = render(text, "m1");
    let head = format!(
        "<figure class=\"code\"><figcaption><span>{label}</span><button class=\"icon copy\" type=\"button\" \
         data-behavior=\"copy\" aria-label=\"Copy code\"><svg aria-hidden=\"true\"><use href=\"{}\"></use></svg></button>\
         </figcaption><pre tabindex=\"0\"><code>",
        super::COPY_ICON
    );
    assert_eq!(html, format!("{head}{expected}</code></pre></figure>"));
}

#[test]
fn blocks() {
    check("", "");
    check(" \n\n", "");
    check("a\nb  \nc\\\nd", "<p>a\nb<br>c<br>d</p>");
    check("# a\n\n## b\n\n### c\n\n#### d\n\n###### f", "<h3>a</h3><h4>b</h4><h5>c</h5><h6>d</h6><h6>f</h6>");
    check("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>");
    check("- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>");
    check("7. a\n\n8. b", "<ol start=\"7\"><li><p>a</p></li><li><p>b</p></li></ol>");
    check("a ~~b~~ *c* **d** `e<`", "<p>a <del>b</del> <em>c</em> <strong>d</strong> <code>e&lt;</code></p>");
    check("---", "<hr>");
    check("a\r\n\r\nb\rc\0", "<p>a</p><p>b\nc\u{fffd}</p>");
    assert!(render("مرحبا", "m1").starts_with("<p dir=\"auto\">"));
}

#[test]
fn tasks() {
    check(
        "- [x] a\n- [ ] b\n- c",
        "<ul><li class=\"task\"><input type=\"checkbox\" disabled checked aria-label=\"Done\"> a</li>\
         <li class=\"task\"><input type=\"checkbox\" disabled aria-label=\"To do\"> b</li><li>c</li></ul>",
    );
}

#[test]
fn tables() {
    check(
        "| a | b | c | d |\n|---|:--|:-:|--:|\n| 1 | `2` |",
        "<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>a</th>\
         <th class=\"align-left\">b</th><th class=\"align-center\">c</th><th class=\"align-right\">d</th></tr></thead><tbody>\
         <tr><td>1</td><td class=\"align-left\"><code>2</code></td><td class=\"align-center\"></td>\
         <td class=\"align-right\"></td></tr></tbody></table></div>",
    );
}

#[test]
fn footnotes() {
    check(
        "a[^x] b[^y] c[^x] d[^none]\n\n[^y]: why\n[^x]: ex\n[^z]: never",
        "<p>a<sup><a href=\"#m1-fn-1\" id=\"m1-fnref-1-1\" aria-label=\"Footnote 1\">1</a></sup> \
         b<sup><a href=\"#m1-fn-2\" id=\"m1-fnref-2-1\" aria-label=\"Footnote 2\">2</a></sup> \
         c<sup><a href=\"#m1-fn-1\" id=\"m1-fnref-1-2\" aria-label=\"Footnote 1\">1</a></sup> d[^none]</p>\
         <section class=\"footnotes\" aria-label=\"Footnotes\"><ol><li id=\"m1-fn-1\"><p>ex</p> \
         <a href=\"#m1-fnref-1-1\" aria-label=\"Back to mention 1 of footnote 1\">↩</a> \
         <a href=\"#m1-fnref-1-2\" aria-label=\"Back to mention 2 of footnote 1\">↩</a></li>\
         <li id=\"m1-fn-2\"><p>why</p> <a href=\"#m1-fnref-2-1\" aria-label=\"Back to mention 1 of footnote 2\">↩</a></li></ol></section>",
    );
    assert!(render("a[^x]\n\n[^x]: b", "\"><script>").contains("id=\"script-fn-1\""));
}

#[test]
fn links() {
    let link = |url: &str, text: &str| format!("<a href=\"{url}\">{text}</a>");
    let cases = [
        ("[a](https://x.org \"t\")", "<a href=\"https://x.org\" title=\"t\">a</a>".to_owned()),
        ("<https://x.org>", link("https://x.org", "https://x.org")),
        ("<me@x.org>", link("mailto:me@x.org", "me@x.org")),
        ("x https://x.org/a?b=c&d.", format!("x {}.", link("https://x.org/a?b=c&amp;d", "https://x.org/a?b=c&amp;d"))),
        ("(https://x.org/a_(b))", format!("({})", link("https://x.org/a_(b)", "https://x.org/a_(b)"))),
        (
            "www.x.org, me@x.org!",
            format!("{}, {}!", link("http://www.x.org", "www.x.org"), link("mailto:me@x.org", "me@x.org")),
        ),
        (
            "https://x.org/a_b_c_d **www.y.z**",
            format!(
                "{} <strong>{}</strong>",
                link("https://x.org/a_b_c_d", "https://x.org/a_b_c_d"),
                link("http://www.y.z", "www.y.z")
            ),
        ),
        ("HTTPS://X.org;", format!("{};", link("HTTPS://X.org", "HTTPS://X.org"))),
        ("https://x.org&amp;copy;", format!("{}&amp;copy;", link("https://x.org", "https://x.org"))),
        ("見https://x.org。次", format!("見{}。次", link("https://x.org", "https://x.org"))),
        ("`https://x.org`", "<code>https://x.org</code>".to_owned()),
        ("[https://a.b](https://x.org)", link("https://x.org", "https://a.b")),
        ("xwww.a.b ahttps://x.org www. http:// a@b @c.d", "xwww.a.b ahttps://x.org www. http:// a@b @c.d".to_owned()),
        (
            "[a](/logout) [b](//x.org) [c](#d) [e](javascript:f) [g](data:h) [i](JavaScript&#58;j)",
            "a b c e g i".to_owned(),
        ),
        ("[a](ftp://x.org) [b]( <java\tscript:x> )", "a b".to_owned()),
        ("[a](https://x.org/\"onx=y)", link("https://x.org/%22onx=y", "a")),
        ("<http://[::1]:80/ä[b]>", link("http://[::1]:80/%C3%A4%5Bb%5D", "http://[::1]:80/ä[b]")),
    ];
    for (text, expected) in cases {
        check(text, &format!("<p>{expected}</p>"));
    }
    let html = render("https://x.org", "m1");
    assert!(html.contains("rel=\"noopener noreferrer nofollow\" target=\"_blank\""), "{html}");
}

#[test]
fn images_are_links() {
    check("![a *b*](https://x.org/c.png \"t\")", "<p><a href=\"https://x.org/c.png\" title=\"t\">a b</a></p>");
    check("![](https://x.org/c.png)", "<p><a href=\"https://x.org/c.png\">https://x.org/c.png</a></p>");
    check("[![a](https://x.org/c.png)](https://y.org)", "<p><a href=\"https://y.org\">a</a></p>");
    check("![a<b](data:image/png;base64,x)", "<p>a&lt;b</p>");
    check(
        "x <img src=\"https://x.org/c.png\" alt='\"><b>' onerror=a>",
        "<p>x <a href=\"https://x.org/c.png\">&quot;&gt;&lt;b&gt;</a></p>",
    );
    check(
        "<div><img src=https://x.org/c.png></div>",
        "<section><div><a href=\"https://x.org/c.png\">https://x.org/c.png</a></div></section>",
    );
}

#[test]
fn code() {
    check_code(
        "```rust\nfn f() { let a = \"b\\n\"; 1 } // c\n```",
        "rust",
        "<span class=\"k\">fn</span> <span class=\"f\">f</span>() { <span class=\"k\">let</span> a = \
         <span class=\"s\">&quot;b\\n&quot;</span>; <span class=\"n\">1</span> } <span class=\"c\">// c</span>\n",
    );
    check_code("~~~no-such <b>\n<a> & b\n~~~", "no-such", "&lt;a&gt; &amp; b\n");
    check_code("```\nopen", "text", "open");
    check_code("    indented", "text", "indented");
    check_code("```a\"><script>\n```", "a&quot;&gt;&lt;script&gt;", "");
    let long = format!("```rust\nlet a;\n{}\n```", "x".repeat(5000));
    assert!(!render(&long, "m1").contains("class=\"k\""), "a very long line stays plain");
    let much = format!("```rust\n{}```", "let a;\n".repeat(10_000));
    assert!(!render(&much, "m1").contains("class=\"k\""), "very much code stays plain");
    for language in
        ["js", "ts", "tsx", "py", "sh", "c++", "cs", "java", "go", "sql", "json", "yaml", "toml", "kt", "swift"]
    {
        let html = render(&format!("```{language}\nclass x {{ return \"a\" 12 true }}\n```"), "m1");
        assert!(html.contains("<span class=\""), "{language}: {html}");
    }
}

#[test]
fn raw_html() {
    check("a <b>b <i>c</b> d</i>", "<p>a <b>b <i>c</i></b> d</p>");
    check("**a <b>b** c</b>", "<p><strong>a <b>b</b></strong> c</p>");
    check("a <u>b\n\nc</u>", "<p>a <u>b</u></p><p>c</p>");
    check("<div>a\n\nb</div></div>", "<section><div>a\n</div></section><p>b</p>");
    check("- <div>a\n- b", "<ul><li><section><div>a\n</div></section></li><li>b</li></ul>");
    check("H<sub>2</sub>O<br>x <kbd>k</kbd>", "<p>H<sub>2</sub>O<br>x <kbd>k</kbd></p>");
    check("<script>alert(1)</script>", "");
    check("<!-- a -->\n\nb <!-- c -->", "<p>b </p>");
    check("<h1>a</h1>", "<section>a</section>");
    check("x <div>y</div> <p>z", "<p>x y z</p>");
    check(
        "a <a href=https://x.org>b https://y.org</a> [c <a href=https://z.org>d</a>](https://w.org)",
        "<p>a <a href=\"https://x.org\">b https://y.org</a> <a href=\"https://w.org\">c d</a></p>",
    );
}

/// What a text tries; nothing of it may be in the output as markup.
const ATTACKS: [&str; 34] = [
    "<script>alert(1)</script>",
    "x <script>alert(1)</script> y",
    "<ScRiPt src=https://x.org/a.js>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://x.org/a alt=a onerror=alert(1)>",
    "a <b onclick=alert(1) style=\"color:red\" class=composer id=send name=x data-behavior=copy>b</b>",
    "<div onclick=alert(1) style=\"color:red\" class=composer id=send name=x data-behavior=copy>b</div>",
    "<div hx-get=/admin hx-trigger=load hx-on:load=alert(1)>x</div>",
    "a <span hx-get=/admin hx-trigger=load data-hx-post=/x>b</span>",
    "<hx-partial hx-target=body hx-swap=outerHTML>x</hx-partial>",
    "a <hx-partial hx-target=body>x</hx-partial>",
    "<template><img src=x onerror=alert(1)></template>",
    "<svg><script>alert(1)</script><use href=data:x></svg>",
    "<svg/onload=alert(1)>",
    "<math><annotation-xml encoding=text/html><img src=x onerror=alert(1)></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<iframe src=https://x.org srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<form action=/logout method=post><button>x</button><input name=y></form>",
    "a <form action=/logout><button type=submit>x</button>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "a <a href=\"java&#10;script:alert(1)\">x</a> <a href=\"data:text/html,x\">y</a>",
    "[x](javascript:alert(1)) [y](<java&#x0A;script:alert(1)>) ![z](javascript:alert(1))",
    "<meta http-equiv=refresh content=\"0;url=https://x.org\"><link rel=stylesheet href=https://x.org/a.css><base href=https://x.org>",
    "<style>@import url(https://x.org/a.css)</style>",
    "<video src=https://x.org/a autoplay onplay=alert(1)></video><audio src=https://x.org/b>",
    "<object data=https://x.org/a></object><embed src=https://x.org/b>",
    "</div></div></article></main><h1>mine</h1>",
    "- a\n\n  </li></ul></div><h1>mine</h1>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<div title=\"\n\n```x\" onclick=alert(1) y=\"\ncode\n```\n\n\">",
    "- <div title=\"\n\n  ```\n  \" onmouseover=alert(1) y=\"\n  ```\n\n  \">",
    "a <![CDATA[ > <div title=\" ]]> b <? > <div onclick=alert(1)> ?> c",
    "```\"><img/src=x/onerror=alert(1)>\n</code></pre></figure><script>alert(1)</script>\n```",
    "| <img src=x onerror=alert(1)> |\n|---|\n| </table></div><script>alert(1)</script> |",
];

#[test]
fn s18_attacks() {
    for attack in ATTACKS {
        for text in [
            attack.to_owned(),
            format!("> {}", attack.replace('\n', "\n> ")),
            format!("- x\n- {}\n\nend", attack.replace('\n', "\n  ")),
        ] {
            let html = render(&text, "m1");
            for tag in tags(&html) {
                harmless(tag, &text);
            }
            assert_eq!(wall(&html), wall(&wall(&html)));
            assert_eq!(wall(&html), normal(&html), "a browser reads it as it is written: {text:?}");
        }
    }
}

#[test]
fn persons_are_plain() {
    let check = |text: &str, expected: &str| assert_eq!(short(&plain(text)), expected);
    check("", "");
    check("a <b> & \"c\"\n**d**\r\n\n", "<p>a &lt;b&gt; &amp; &quot;c&quot;<br>**d**</p>");
    check("see www.x.org.\n\n> y", "<p>see <a href=\"http://www.x.org\">www.x.org</a>.<br><br>&gt; y</p>");
    check("javascript:alert(1) <script>", "<p>javascript:alert(1) &lt;script&gt;</p>");
}

/// The start tags of our output, where `<` and `>` are nothing but tags.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).filter(|tag| !tag.starts_with('/'))
}

/// Whether the tag is one that this module can write.
#[track_caller]
pub(super) fn harmless(tag: &str, text: &str) {
    let ours = [
        "figure class=\"code\"",
        "button class=\"icon copy\" type=\"button\" data-behavior=\"copy\" aria-label=\"Copy code\"",
        "svg aria-hidden=\"true\"",
        "use href=\"/assets/icons.svg#i-copy\"",
        "pre tabindex=\"0\"",
        "li class=\"task\"",
        "div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"",
        "span class=\"formula formula--line\" tabindex=\"0\" role=\"group\" aria-label=\"Formula\"",
        "span class=\"formula\" tabindex=\"0\" role=\"group\" aria-label=\"Formula\"",
        "section class=\"footnotes\" aria-label=\"Footnotes\"",
        "input type=\"checkbox\" disabled checked aria-label=\"Done\"",
        "input type=\"checkbox\" disabled aria-label=\"To do\"",
        "span class=\"k\"",
        "span class=\"s\"",
        "span class=\"f\"",
        "span class=\"c\"",
        "span class=\"n\"",
    ];
    if ours.contains(&tag) {
        return;
    }
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{tag} of {text:?}");
    for never in [
        "script", "style", "template", "svg", "iframe", "form", "button", "input", "img", "h1", "h2", "video", "object",
    ] {
        assert_ne!(name, never, "of {text:?}");
    }
    // Values are quoted and hold no quote, so every second piece is a name.
    for name in
        attributes.split('"').step_by(2).map(|name| name.trim().trim_end_matches('=')).filter(|name| !name.is_empty())
    {
        let known = [
            "dir",
            "href",
            "rel",
            "target",
            "title",
            "lang",
            "start",
            "colspan",
            "rowspan",
            "open",
            "datetime",
            "aria-label",
            "display",
            "stretchy",
            "symmetric",
            "minsize",
            "maxsize",
            "mathvariant",
            "movablelimits",
            "width",
        ];
        let aligned = name == "class" && attributes.contains("class=\"align-");
        let table = name == "class" && tag.starts_with('m');
        let note = name == "id" && attributes.contains("id=\"m1-fn");
        assert!(known.contains(&name) || aligned || table || note, "{name} in {tag} of {text:?}");
    }
    if let Some((_, url)) = tag.split_once("href=\"") {
        assert!(
            ["http://", "https://", "mailto:", "#m1-fn"].iter().any(|good| url.to_ascii_lowercase().starts_with(good)),
            "{tag} of {text:?}"
        );
    }
}

/// Through a browser's parser and out again, without what our own chrome adds to attributes.
pub(super) fn wall(html: &str) -> String {
    let names = || {
        tags(html)
            .flat_map(|tag| tag.split('"').step_by(2).flat_map(str::split_whitespace))
            .map(|name| name.trim_end_matches('='))
    };
    let elements: std::collections::HashSet<&str> =
        tags(html).map(|tag| tag.split(' ').next().unwrap_or(tag)).collect();
    let mut wall = ammonia::Builder::empty();
    wall.tags(elements).generic_attributes(names().filter(|name| *name != "rel").collect());
    wall.rm_clean_content_tags(["script", "style"]).link_rel(None).add_url_schemes(["http", "https", "mailto"]);
    wall.add_generic_attributes(["rel"]);
    normal(&wall.clean(html).to_string())
}

/// Spelling on which our writer and the parser's differ.
fn normal(html: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    for (at, piece) in html.split('<').enumerate() {
        let Some((tag, text)) = piece.split_once('>').filter(|_| at > 0) else {
            pieces.push(piece.replace("&quot;", "\"").replace("&nbsp;", "\u{a0}"));
            continue;
        };
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes: Vec<String> =
            attributes.split_inclusive("\" ").map(|each| each.trim().replace("=\"\"", "")).collect();
        if attributes.iter().any(|each| each.contains("disabled")) {
            attributes = vec!["task".to_owned()];
        }
        attributes.sort();
        let text = text.replace("&quot;", "\"").replace("&nbsp;", "\u{a0}");
        pieces.push(format!("{name} {}>{text}", attributes.join(" ").replace("&nbsp;", "\u{a0}")));
    }
    pieces.join("<")
}
