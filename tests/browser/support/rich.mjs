// A long answer with everything that a page can render. The same text every time.

const paragraph = (n) =>
  `Paragraph ${n} speaks of *many* things: **bold words**, ~~what was struck out~~, \`inline code\`, a [link](https://example.org/page?n=${n}), ` +
  `an address such as https://example.net/${n}, the reading room (読書室), غرفة القراءة, 🪑📚👩‍👩‍👧‍👦 and a naïve café; 5 * ${n} = ${5 * n}, and a < b && c > d.`;

const list = (n) => `1. First step of list ${n},
2. with inner points:
   - one thing,
   - another thing:
     - deeper still \`${n}\`,
     - and **bold** at the end;
   - [x] done inside
3. and an end.

- [x] A task that is done
- [ ] One that is not
- plain ${n}`;

const table = (n) => `| Name | Amount | Centre | Note |
|:-----|-------:|:------:|------|
| first ${n} | 1,${n}00 | *mid* | \`code\` |
| second | 2 | **strong** | [link](https://example.org/${n}) |
| third 🧮 | 3 | — | a \\| b |`;

const rust = (n) => `\`\`\`rust
/// Says "hello" ${n} times, ünïcödé included.
fn main() {
    let greeting = "Hello, 世界 <&>";
    for n in 1..=${n} { println!("{n}: {greeting}"); } // a comment
}
\`\`\``;

const python = (n) => `~~~python
def total(values: list[int]) -> int:
    """Sum of all values."""

    return sum(values) + ${n}  # ✓
~~~`;

const quote = (n) => `> Quoted words of part ${n}, with *stress*.
>
> > And a quotation inside,
> > of two lines.
>
> - and a list`;

const FORMULAS = String.raw`Euler's $e^{i\pi} + 1 = 0$, and the roots \(x_{1,2}\) of a square:

$$
x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
$$`;

const part = (n) => [`## Part ${n}: *a* title with \`code\``, paragraph(n), list(n), table(n), rust(n), quote(n), python(n), `### Closing ${n}`, paragraph(n + 100)].join("\n\n");

export const RICH = [
  "# The whole of it",
  "It begins with a footnote[^one] and a line\nthat goes on  \nafter a break.",
  FORMULAS,
  ...Array.from({ length: 14 }, (_, n) => part(n + 1)),
  "---",
  "And a last sentence with a second footnote[^two]. <b>Not bold</b> &amp; ![a picture](https://example.com/picture.png)",
  "[^one]: The first note, *stressed*.\n[^two]: The second note 🪑.",
].join("\n\n") + "\n";

/** The text in pieces of changing lengths, cut anywhere. */
export function pieces(text, sizes = [3, 17, 1, 40, 220, 7, 90]) {
  const out = [];
  for (let from = 0, turn = 0; from < text.length; turn++) {
    let to = from + sizes[turn % sizes.length];
    // a model's tokens are whole code points: JSON cannot carry half a pair
    if (text.charCodeAt(to - 1) >= 0xd800 && text.charCodeAt(to - 1) < 0xdc00) to++;
    out.push(text.slice(from, to));
    from = to;
  }
  return out;
}
