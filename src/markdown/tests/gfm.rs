//! GFM's extensions, section by section: what the specification means, in examples of our own, and GitHub's footnotes.
//! Where we go another way on purpose, `deviations` says so.

use super::{check, short};
use crate::markdown::render;

/// The text is one paragraph with this in it.
#[track_caller]
fn line(text: &str, expected: &str) {
    check(text, &format!("<p>{expected}</p>"));
}

/// The table alone, without what every one of ours has around it.
#[track_caller]
fn table(text: &str, expected: &str) {
    let html = short(&render(text, "m1"))
        .replace("<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">", "")
        .replace("</table></div>", "</table>")
        .replace(" class=\"align-", " a=\"")
        .replace("<thead><tr>", "")
        .replace("</tr></thead>", "");
    assert_eq!(html, expected, "{text:?}");
}

#[test]
fn tables() {
    table(
        "| a | b |\n| - | - |\n| 1 | 2 |",
        "<table><th>a</th><th>b</th><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    );
    // no pipes at the ends, any number of marks, and white space that does not count
    table(
        "a|b\n:-:|-----------:\n1 |   2",
        "<table><th a=\"center\">a</th><th a=\"right\">b</th><tbody><tr><td a=\"center\">1</td><td a=\"right\">2</td></tr></tbody></table>",
    );
    // a pipe in a cell is escaped, in code as well
    table(
        "| a\\|b |\n|---|\n| `c\\|d` **e\\|f** |",
        "<table><th>a|b</th><tbody><tr><td><code>c|d</code> <strong>e|f</strong></td></tr></tbody></table>",
    );
    // the first blank line ends it, and so does the beginning of another block
    table(
        "| a |\n|---|\n| 1 |\n> b",
        "<table><th>a</th><tbody><tr><td>1</td></tr></tbody></table><blockquote><p>b</p></blockquote>",
    );
    table(
        "| a |\n|---|\n| 1 |\nb\n\nc",
        "<table><th>a</th><tbody><tr><td>1</td></tr><tr><td>b</td></tr></tbody></table><p>c</p>",
    );
    // as many cells in the line of marks as in the header
    table("| a | b |\n|---|\n| 1 |", "<p>| a | b |\n|---|\n| 1 |</p>");
    // what is missing is empty, what is too much is left out
    table(
        "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |",
        "<table><th>a</th><th>b</th><tbody><tr><td>1</td><td></td></tr><tr><td>1</td><td>2</td></tr></tbody></table>",
    );
    table("| a |\n|---|", "<table><th>a</th><tbody></tbody></table>");
    // blocks cannot stand in cells
    table("| - a |\n|---|\n| # b |", "<table><th>- a</th><tbody><tr><td># b</td></tr></tbody></table>");
    // in a quotation and in a list
    table(
        "> | a |\n> |---|\n> | 1 |",
        "<blockquote><table><th>a</th><tbody><tr><td>1</td></tr></tbody></table></blockquote>",
    );
    table("- | a |\n  |---|\n  | 1 |", "<ul><li><table><th>a</th><tbody><tr><td>1</td></tr></tbody></table></li></ul>");
    // running text before it stays a paragraph
    table("text\n| a |\n|---|", "<p>text</p><table><th>a</th><tbody></tbody></table>");
}

const DONE: &str = "<input type=\"checkbox\" disabled checked aria-label=\"Done\"> ";
const TO_DO: &str = "<input type=\"checkbox\" disabled aria-label=\"To do\"> ";

#[test]
fn task_list_items() {
    let item = |mark: &str, text: &str| format!("<li class=\"task\">{mark}{text}</li>");
    check("- [ ] a\n- [x] b\n- [X] c", &format!("<ul>{}{}{}</ul>", item(TO_DO, "a"), item(DONE, "b"), item(DONE, "c")));
    check("1. [x] a\n2. b", &format!("<ol>{}<li>b</li></ol>", item(DONE, "a")));
    check(
        "* [x] a\n  * [ ] b\n* c",
        &format!("<ul>{}<li>c</li></ul>", item(DONE, &format!("a<ul>{}</ul>", item(TO_DO, "b")))),
    );
    check("- [ ] *a* `b`", &format!("<ul>{}</ul>", item(TO_DO, "<em>a</em> <code>b</code>")));
    // only one of three marks, only with white space behind, only at the beginning of an item
    check("- [-] a\n- [  ] b\n- [x]c\n- d [x]", "<ul><li>[-] a</li><li>[  ] b</li><li>[x]c</li><li>d [x]</li></ul>");
    line("[x] a", "[x] a");
    check("> - [x] a", &format!("<blockquote><ul>{}</ul></blockquote>", item(DONE, "a")));
    check("- [ ] a\n\n- b", &format!("<ul><li class=\"task\"><p>{TO_DO}a</p></li><li><p>b</p></li></ul>"));
}

#[test]
fn strikethrough() {
    line("~~a~~ b ~c~", "<del>a</del> b <del>c</del>");
    line("a~~b~~c", "a<del>b</del>c");
    line("~~a *b* c~~", "<del>a <em>b</em> c</del>");
    line("**~~a~~**", "<strong><del>a</del></strong>");
    // not over the end of a paragraph
    check("a ~~b\n\nc~~ d", "<p>a ~~b</p><p>c~~ d</p>");
    // as many at the end as at the beginning, and never three
    line("~~a~ b", "~~a~ b");
    line("a ~~~b~~~", "a ~~~b~~~");
    // not beside white space on the inner side
    line("~~ a ~~", "~~ a ~~");
    line("`~~a~~`", "<code>~~a~~</code>");
    line("\\~~a~~", "~~a~~");
}

#[test]
fn autolinks() {
    let link = |url: &str| format!("<a href=\"{url}\">{url}</a>");
    let www = |url: &str| format!("<a href=\"http://{url}\">{url}</a>");
    let mail = |url: &str| format!("<a href=\"mailto:{url}\">{url}</a>");
    // www. begins one, after white space, a line's beginning, or one of * _ ~ (
    for text in ["www.example.org", "www.a-b.example.org/c?d=e#f", "www.example", "WWW.Example.org", "www.e-x.org:80/a"]
    {
        line(text, &www(text));
        line(&format!("see {text} there"), &format!("see {} there", www(text)));
        line(&format!("({text})"), &format!("({})", www(text)));
        line(&format!("**{text}**"), &format!("<strong>{}</strong>", www(text)));
        line(&format!("~~{text}~~"), &format!("<del>{}</del>", www(text)));
    }
    // no name, an empty segment, and no underscore in the last two
    for text in ["www.", "www..org", "awww.example.org", "/www.example.org", "www.a.b_c.org", "www.a.b.c_d", "xwww."] {
        line(text, text);
    }
    line("www._a.example.org", &www("www._a.example.org"));
    // http and https, also within a word's punctuation; names without a dot are for one's own network
    for text in
        ["http://example.org", "https://example.org/a/b?c=(d)", "http://localhost:3000/a", "https://e.org/~a_b*c"]
    {
        line(&text.replace('*', "\\*"), &link(text));
        line(&format!("a ({text})."), &format!("a ({}).", link(text)));
    }
    for text in
        ["http://", "https:// a", "ftp://example.org", "http://a_b.org", "xhttp://example.org", "http:/example.org"]
    {
        line(text, text);
    }
    // what ends an address: white space and <
    line("https://example.org<b>a</b>", &format!("{}<b>a</b>", link("https://example.org")));
    line("https://example.org/a<3", &format!("{}&lt;3", link("https://example.org/a")));
    // trailing punctuation does not belong to it, in the middle it does
    for mark in ["?", "!", ".", ",", ":", "*", "_", "~", "?!", "...", "'"] {
        let text = format!("https://example.org/a{mark}b{mark}");
        let expected = format!("{}{mark}", link(&format!("https://example.org/a{mark}b")));
        // those that would be markup are escaped
        let escaped = if "*_~".contains(mark) { text.replace(mark, &format!("\\{mark}")) } else { text };
        line(&escaped, &expected);
    }
    // closing parentheses only as far as they were opened
    line("www.example.org/a(b)", &www("www.example.org/a(b)"));
    line("(www.example.org/a(b))", &format!("({})", www("www.example.org/a(b)")));
    line("www.example.org/a(b)))", &format!("{}))", www("www.example.org/a(b)")));
    line("www.example.org/a)b", &www("www.example.org/a)b"));
    line("(https://example.org/a((b).", &format!("({}.", link("https://example.org/a((b)")));
    // what looks like an entity at the end
    line("www.example.org?a=b&copy=c", &www("www.example.org?a=b&amp;copy=c"));
    line("www.example.org?a=b&amp;hl;", &format!("{}&amp;hl;", www("www.example.org?a=b")));
    // addresses for letters
    for text in ["a@b.org", "a.b+c-d_e@f-g.org", "a1@b.c.d"] {
        line(text, &mail(text));
        line(&format!("{text}. x"), &format!("{}. x", mail(text)));
        line(&format!("mailto:{text}"), &format!("<a href=\"mailto:{text}\">mailto:{text}</a>"));
    }
    for text in ["a@b", "a@b.org-", "a@b.org_", "@b.org", "a@.org", "a@b..org", "mailto:a"] {
        line(&text.replace('_', "\\_"), text);
    }
    line("a@b.org..c", &format!("{}..c", mail("a@b.org")));
    // never in a link or in code
    line("[www.example.org](https://e.org)", "<a href=\"https://e.org\">www.example.org</a>");
    line("`www.example.org`", "<code>www.example.org</code>");
    line("[a@b.org https://x.org][1]\n\n[1]: https://e.org", "<a href=\"https://e.org\">a@b.org https://x.org</a>");
}

#[test]
fn disallowed_raw_html() {
    for name in ["title", "textarea", "style", "xmp", "iframe", "noembed", "noframes", "script", "plaintext"] {
        for text in [
            format!("a <{name}>b</{name}> c"),
            format!("<{name}>\nb\n</{name}>\n\nc"),
            format!("<div><{name} a=b>c</div>"),
            format!("> <{}>b", name.to_uppercase()),
            format!("- a <strong><{name}/>b</strong>"),
        ] {
            let html = render(&text, "m1").to_ascii_lowercase();
            assert!(!html.contains(&format!("<{name}")) && !html.contains(&format!("</{name}")), "{text:?}: {html}");
        }
    }
    // other raw HTML stays what it is
    line("a <strong>b</strong> <sub>c</sub>", "a <strong>b</strong> <sub>c</sub>");
    check(
        "<details>\n<summary>a</summary>\n\n**b**\n\n</details>",
        "<section><details>\n<summary>a</summary>\n</details></section><p><strong>b</strong></p>",
    );
}

/// A text with footnotes: the running text and the notes, with links as `[1]` and `↩1.1` (number and mention).
#[track_caller]
fn notes(text: &str, expected: &str) {
    let mut html = short(&render(text, "m1"));
    for number in 1..5 {
        for time in 1..5 {
            html = html
                .replace(&format!("<sup><a href=\"#m1-fn-{number}\" id=\"m1-fnref-{number}-{time}\" aria-label=\"Footnote {number}\">{number}</a></sup>"), &format!("[{number}]"))
                .replace(&format!(" <a href=\"#m1-fnref-{number}-{time}\" aria-label=\"Back to mention {time} of footnote {number}\">↩</a>"), &format!("↩{number}.{time}"));
        }
        html = html.replace(&format!("<li id=\"m1-fn-{number}\">"), "<li>");
    }
    let html =
        html.replace("<section class=\"footnotes\" aria-label=\"Footnotes\"><ol>", "||").replace("</ol></section>", "");
    assert_eq!(html, expected, "{text:?}");
}

#[test]
fn footnotes() {
    notes("a[^1]\n\n[^1]: b", "<p>a[1]</p>||<li><p>b</p>↩1.1</li>");
    // by the order in which they are mentioned, and once for all mentions
    notes(
        "a[^z] b[^y] c[^z]\n\n[^y]: Y\n[^z]: Z",
        "<p>a[1] b[2] c[1]</p>||<li><p>Z</p>↩1.1↩1.2</li><li><p>Y</p>↩2.1</li>",
    );
    // one that is nowhere mentioned is not shown, one that is nowhere written is text
    notes("a[^x]\n\n[^y]: Y", "<p>a[^x]</p>");
    // a note may stand before its mention, hold several blocks, and mention another
    notes("[^n]: one\n\n    two\n\na[^n]", "<p>a[1]</p>||<li><p>one</p><p>two</p>↩1.1</li>");
    notes("a[^n]\n\n[^n]: b[^m]\n[^m]: c", "<p>a[1]</p>||<li><p>b[2]</p>↩1.1</li><li><p>c</p>↩2.1</li>");
    // labels of any case, as with links
    notes("a[^Note]\n\n[^nOTE]: b", "<p>a[1]</p>||<li><p>b</p>↩1.1</li>");
    // the first of two
    notes("a[^n]\n\n[^n]: b\n[^n]: c", "<p>a[1]</p>||<li><p>b</p>↩1.1</li>");
    // not in code, not with a space, and anywhere that text may stand
    notes(
        "`[^n]` \\[^n] **b[^n]**\n\n[^n]: c",
        "<p><code>[^n]</code> [^n] <strong>b[1]</strong></p>||<li><p>c</p>↩1.1</li>",
    );
    notes("# a[^n]\n\n- b[^n]\n\n[^n]: c", "<h3>a[1]</h3><ul><li>b[1]</li></ul>||<li><p>c</p>↩1.1↩1.2</li>");
}

/// Other ways than GFM's, on purpose.
#[test]
fn deviations() {
    let link = |url: &str| format!("<a href=\"{url}\">{url}</a>");
    // a double quote and the punctuation of wide scripts end an address; a bracket counts like a parenthesis
    line(
        "\"https://e.org\": \"https://e.org/b\"",
        &format!("&quot;{}&quot;: &quot;{}&quot;", link("https://e.org"), link("https://e.org/b"))
            .replace("&quot;", "&quot;"),
    );
    line("見https://e.org。次", &format!("見{}。次", link("https://e.org")));
    line("\\[https://e.org/a]", &format!("[{}]", link("https://e.org/a")));
    line(
        "見www.e.org 'www.e.org'",
        "見<a href=\"http://www.e.org\">www.e.org</a> '<a href=\"http://www.e.org\">www.e.org</a>'",
    );
    // no addresses but those of the web and of letters
    line("xmpp:a@b.org", "xmpp:a@b.org");
    // what GFM shows of a disallowed element as text is left out, tag and, in a block, all that is in it
    line("a <script>b", "a b");
    check("<script>\nb\n</script>", "");
    // the box of a task says what it is, and a table without rows has an empty body, which rows are appended to
    check("- [x] a", &format!("<ul><li class=\"task\">{DONE}a</li></ul>"));
}
