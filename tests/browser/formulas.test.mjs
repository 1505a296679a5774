// Formulas, as they come and as they stay: by MathML alone, without a font or a script of anybody's.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { pieces } from "./support/rich.mjs";

const home = house();
const LESSON = String.raw`The roots of $ax^2 + bx + c = 0$ are

\[
x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
- 0
\]

where \(a \neq 0\). It costs $5 or $10.

1. A wide one:
   $$a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + a_{10} + a_{11} + a_{12} + a_{13} + a_{14} + a_{15} + a_{16} + a_{17} + a_{18} = b$$
2. In a line: $c_1 + c_2 + c_3 + c_4 + c_5 + c_6 + c_7 + c_8 + c_9 + c_{10} + c_{11} + c_{12} + c_{13} + c_{14} + c_{15} = d$

| a | b |
|---|---|
| $\alpha$ | \(\beta\) |

And $\frac{a$ is none.
`;

test("formulas come whole, stay as they are, and scroll by themselves where they are wide", async () => {
  const eva = await home.person("Eva", { viewport: { width: 390, height: 844 } });
  const tab = await eva.registers();
  const answer = home.provider.answers("Teach me.");
  await tab.asksInNewChat("Teach me.");
  const [first, second] = [LESSON.slice(0, LESSON.indexOf("\n- 0")), LESSON.slice(LESSON.indexOf("\n- 0"))];
  for (const piece of pieces(first)) await answer.says(piece);
  await tab.sees("The roots of", tab.answer);
  assert.equal(await tab.prose.getByText("frac").count(), 0, "half a formula is not shown");
  for (const piece of pieces(second)) await answer.says(piece);
  await answer.ends();
  await tab.seesEnd();
  for (const moment of ["as it came", "after a reload"]) {
    assert.equal(await tab.prose.locator("math").count(), 7, moment);
    assert.equal(await tab.prose.locator("math[display=block]").count(), 2, moment);
    assert.equal(await tab.prose.locator("mfrac").count(), 1, moment);
    await tab.sees("It costs $5 or $10.");
    await tab.sees("\\frac{a");
    await tab.fitsItsWidth();
    for (const wide of await tab.prose.getByRole("group", { name: "Formula" }).all()) {
      assert.ok(await wide.evaluate((e) => e.clientWidth <= document.documentElement.clientWidth), "no wider than the page");
    }
    const last = tab.prose.getByRole("group", { name: "Formula" }).last();
    assert.ok(await last.evaluate((e) => e.scrollWidth > e.clientWidth), "the rest of it is reached by scrolling");
    await tab.reloads();
  }
  eva.hasNothingToComplainAbout();
});
