//! Formulas: where they are found, what becomes of them, and what must never come of them.

use pulldown_cmark::Event;

use super::{check, harmless, normal, short, tags, wall};
use crate::markdown::doc::Doc;
use crate::markdown::render;

/// The LaTeX of every formula in the text, those by themselves with `$$` before.
fn formulas(text: &str) -> Vec<String> {
    let doc = Doc::parse(text);
    let formula = |event: &Event| match event {
        Event::InlineMath(tex) => Some(tex.to_string()),
        Event::DisplayMath(tex) => Some(format!("$${tex}")),
        _ => None,
    };
    doc.events.iter().filter_map(|(event, _)| formula(event)).collect()
}

#[test]
fn where_formulas_are() {
    let cases: &[(&str, &[&str])] = &[
        (r"$x$ and \(y\), $$z$$ and \[w\]", &["x", "y", "$$z", "$$w"]),
        // what Markdown would make of their insides, it does not
        (r"$a_1 * b_2$ and $c_1 * d_2$", &["a_1 * b_2", "c_1 * d_2"]),
        (r"\(x^*\) and \(y^*\), $\|x\|$, $a\_b$, $<b>$, $[a](b)$", &["x^*", "y^*", r"\|x\|", r"a\_b", "<b>", "[a](b)"]),
        ("$$\na\n= b\n=\n- c\n+ d\n# e\n$$", &["$$\na\n= b\n=\n- c\n+ d\n# e\n"]),
        ("Thus:\n\\[\na \\\\\n- b\n\\]\nand so on", &["$$\na \\\\\n- b\n"]),
        ("1. First\n   $$\n   a\n   - b\n   $$\n2. $c$", &["$$\na\n- b\n", "c"]),
        ("> $$\n> a\n> - b\n> $$\n> and $c$", &["$$\na\n- b\n", "c"]),
        ("| a $x$ | $y$ |\n|---|---|\n| $z | w$ |", &["x", "y"]),
        ("# A $x$\n\n**b $y$** and [a $z$](https://x.org)", &["x", "y", "z"]),
        ("漢$x$字", &["x"]),
        (r"$\$5$ and \\(no\\) and \\\(z\)", &[r"\$5", "z"]),
        // prices, shells and pages of other addresses are none
        ("from $5 to $10, $5-$10, US$5 and 5$ or $ 5 $, $HOME/$1", &[]),
        (r"\$x\$ and `$x$` and \`$y$\`", &["y"]),
        ("```sh\necho $A $B\n$$\n```\n\n    $c$\n\n<div>\n$d$\n$$e$$\n</div>", &[]),
        ("[a](https://x.org/$b$c) <https://x.org/$d$> <i title=\"$e$\">f</i>", &[]),
        // one that does not end is none
        ("$x and\n\ny$, \\(z\n\nw\\), $$\na\n\nb\n$$", &[]),
        ("$a\nb$ \\(c\nd\\)", &[]),
        (r"\[\] \( \) $$$$ $$ $$", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(formulas(text), *expected, "{text:?}");
    }
}

#[test]
fn bounds() {
    let long = |open: &str, bytes: usize, close: &str| formulas(&format!("{open}{}{close}", "x".repeat(bytes))).len();
    assert_eq!((long("$", 512, "$"), long("$", 513, "$")), (1, 0));
    assert_eq!((long("\\(", 512, "\\)"), long("\\(", 513, "\\)")), (1, 0));
    assert_eq!((long("$$\n", 4095, "$$"), long("$$\n", 4096, "$$")), (1, 0));
}

#[test]
fn become_mathml() {
    let block = |inside: &str| {
        format!(
            "<p><span class=\"formula\" tabindex=\"0\" role=\"group\" aria-label=\"Formula\">\
             <math display=\"block\">{inside}</math></span></p>"
        )
    };
    check("So $a<b$.", "<p>So <math display=\"inline\"><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>.</p>");
    check("$$\\frac{a}{2}$$", &block("<mfrac><mrow><mi>a</mi></mrow><mrow><mn>2</mn></mrow></mfrac>"));
    // lines under each other, without an environment
    check("\\[a\\\\b\\]", &block("<mtable><mtr><mtd><mi>a</mi></mtd></mtr><mtr><mtd><mi>b</mi></mtd></mtr></mtable>"));
    // what models write most around a result
    assert!(short(&render(r"$$\boxed{42} \tag{1}$$", "m1")).contains("<mn>42</mn>"));
    // what is no LaTeX stays as it was written
    check(r"$\frac{a$ and $\nosuch{}$", "<p><code>\\frac{a</code> and <code>\\nosuch{}</code></p>");
    check("![a $x$](https://x.org/y.png)", "<p><a href=\"https://x.org/y.png\">a x</a></p>");
}

/// Formulas that would bring in what the wall is there for.
const ATTACKS: [&str; 9] = [
    r"$\text{<script>alert(1)</script>}$",
    r"$\operatorname{<img src=x onerror=alert(1)>}$",
    r"$\mathrm{\text{</math><img src=x onerror=alert(1)>}}$",
    r"$\href{javascript:alert(1)}{x}$",
    r#"$\color{red" onmouseover="alert(1)}x$"#,
    r"$\htmlStyle{color:red}{x}$ $\class{a}{x}$ $\cssId{a}{x}$ $\includegraphics{https://x.org}$",
    r"$\style{x}{y}$ $\unicode{x3c}script\unicode{x3e}$",
    r"<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<math><maction href='https://x.org' actiontype='statusline'>x</maction><mglyph src='https://x.org'></math>",
];

#[test]
fn s18_formulas() {
    for attack in ATTACKS {
        let html = render(attack, "m1");
        for tag in tags(&html) {
            harmless(tag, attack);
        }
        assert_eq!(wall(&html), normal(&html), "a browser reads it as it is written: {attack:?}");
        assert!(!html.contains("style=") && !html.contains("annotation-xml") && !html.contains("maction"), "{html}");
    }
}

#[test]
fn s20_no_formula_ends_the_process() {
    let stack = std::thread::Builder::new().stack_size(2 << 20);
    let all = move || {
        for deep in [r"\sqrt", r"\frac1", "x^{", r"\left(", r"\begin{matrix}", r"\hat", r"\text{", "{", r"\not", "_"] {
            for count in [20, 60, 300, 680] {
                let ends = "}".repeat(deep.matches('{').count() * count);
                assert!(render(&format!("$$\n{}x{ends}\n$$", deep.repeat(count)), "m1").contains('x'), "{deep}");
            }
        }
        // its reader stops at what it takes for impossible
        check(r"$\begin{array}{|}a\end{array}$", "<p><code>\\begin{array}{|}a\\end{array}</code></p>");
        let bomb =
            r"\def\a{\b\b}\def\b{\c\c}\def\c{\d\d}\def\d{\e\e}\def\e{\f\f}\def\f{\g\g}\def\g{\h\h}\def\h{xxxxxxxxxx}";
        assert!(render(&format!("$${bomb}\\a\\a\\a\\a$$"), "m1").len() < 1 << 20);
    };
    stack.spawn(all).expect("a thread").join().expect("all of them are lived through");
}
