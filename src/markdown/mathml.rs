//! Formulas as MathML: LaTeX through pulldown-latex, then through a wall of its own that lets MathML Core pass and
//! nothing that links, runs, styles or holds other languages.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};

use super::links::escape;

/// Around a formula that may be wider than the page: it scrolls by itself.
const WIDE: &str = " tabindex=\"0\" role=\"group\" aria-label=\"Formula\">";
/// One in a line that is longer than this (bytes of LaTeX) may be.
const NARROW: usize = 64;
/// Commands and groups that may nest: so many are read where we are, more on a stack of their own, and none beyond.
const MARKS_HERE: usize = 32;
const MARKS_MAX: usize = 1000;
/// Stack for one within another; 16 to 32 kB in a debug build, less than 2 kB in a release.
const BYTES_PER_MARK: usize = 48 * 1024;
/// What models write and pulldown-latex does not know.
const ALSO_KNOWN: &str = concat!(
    r"\def\boxed#1{\begin{array}{|c|}\hline #1 \\\hline\end{array}}\def\tag#1{\qquad(\mathrm{#1})}",
    r"\def\label#1{}\def\nonumber{}\def\notag{}\def\hfill{\quad}\def\bm#1{\boldsymbol{#1}}\def\mathscr#1{\mathcal{#1}}",
    r"\let\mbox\text\let\textrm\text\let\textit\text\let\texttt\text",
    r"\def\blacksquare{■}\def\qed{□}\def\llbracket{⟦}\def\rrbracket{⟧}",
);

static WALL: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut wall = ammonia::Builder::empty();
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("math", HashSet::from(["display"])),
        ("mi", HashSet::from(["mathvariant"])),
        (
            "mo",
            HashSet::from([
                "stretchy",
                "symmetric",
                "minsize",
                "maxsize",
                "lspace",
                "rspace",
                "largeop",
                "movablelimits",
            ]),
        ),
        ("mfrac", HashSet::from(["linethickness"])),
        ("mspace", HashSet::from(["width", "height", "depth"])),
        ("mover", HashSet::from(["accent"])),
        ("munder", HashSet::from(["accentunder"])),
        ("munderover", HashSet::from(["accent", "accentunder"])),
    ]);
    // pulldown-latex's names for how the cells of an environment stand
    let environments = [
        "menv-alignlike",
        "menv-align",
        "menv-arraylike",
        "menv-cases",
        "menv-multline",
        "menv-cells-left",
        "menv-cells-right",
    ];
    let cells = [
        "cell-left",
        "cell-right",
        "menv-left-solid",
        "menv-right-solid",
        "menv-left-dashed",
        "menv-right-dashed",
        "menv-border-only",
    ];
    wall.tags(HashSet::from([
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "mroot",
        "mstyle",
        "mpadded",
        "mphantom",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mmultiscripts",
        "mprescripts",
        "mtable",
        "mtr",
        "mtd",
    ]))
    .tag_attributes(attributes)
    .generic_attributes(HashSet::from(["displaystyle", "scriptlevel"]))
    .allowed_classes(HashMap::from([
        ("mtable", HashSet::from(environments)),
        ("mtr", HashSet::from(["menv-hline", "menv-hdashline"])),
        ("mtd", HashSet::from(cells)),
        ("mo", HashSet::from(["small"])),
        ("mrow", HashSet::from(["mop-negated"])),
    ]))
    .link_rel(None)
    .url_schemes(HashSet::new());
    wall
});

/// Writes the formula; one that is not LaTeX as it was written, as code.
pub(super) fn write(tex: &str, display: bool, out: &mut String) {
    match convert(tex, display) {
        Some(formula) if display || tex.len() > NARROW => {
            out.push_str(if display { "<span class=\"formula\"" } else { "<span class=\"formula formula--line\"" });
            out.push_str(WIDE);
            out.push_str(&formula);
            out.push_str("</span>");
        }
        Some(formula) => out.push_str(&formula),
        None => {
            out.push_str("<code>");
            escape(tex.trim(), out);
            out.push_str("</code>");
        }
    }
}

/// The formula as MathML, if it is one as it stands, with what [`ALSO_KNOWN`] brings, or as lines under each other.
fn convert(tex: &str, display: bool) -> Option<String> {
    let known = || format!("{ALSO_KNOWN}{tex}");
    let lines = || format!("{ALSO_KNOWN}\\begin{{gathered}}{tex}\\end{{gathered}}");
    let made = mathml(tex, display).or_else(|| mathml(&known(), display)).or_else(|| mathml(&lines(), display))?;
    let clean = WALL.clean(&made).to_string().replace(" class=\"\"", "");
    (clean.starts_with("<math") && clean.ends_with("</math>")).then_some(clean)
}

fn mathml(tex: &str, display: bool) -> Option<String> {
    let display_mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let work = || {
        let storage = Storage::new();
        let events: Vec<_> = Parser::new(tex, &storage).collect::<Result<_, _>>().ok()?;
        let events = events.into_iter().map(Ok::<_, Infallible>);
        let mut made = String::new();
        push_mathml(&mut made, events, RenderConfig { display_mode, ..RenderConfig::default() }).ok()?;
        Some(made)
    };
    // It has places that say `unreachable`, and goes a call deeper with each argument: a text must not decide what a
    // process lives through.
    let marks = tex.bytes().filter(|byte| b"\\{^_".contains(byte)).count();
    if marks > MARKS_MAX {
        None
    } else if marks > MARKS_HERE {
        let roomy = std::thread::Builder::new().stack_size(MARKS_MAX * BYTES_PER_MARK);
        std::thread::scope(|scope| roomy.spawn_scoped(scope, work).ok()?.join().ok()?)
    } else {
        catch_unwind(work).ok()?
    }
}
