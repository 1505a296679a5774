// Pictures of every screen, into the folder that $SHOTS names, for people to look at.

import { test } from "node:test";
import { join } from "node:path";
import { house } from "./support/house.mjs";
import { everyScreen } from "./support/screens.mjs";

const folder = process.env.SHOTS;
const SIZES = { 390: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, 820: { viewport: { width: 820, height: 1100 } }, 1440: { viewport: { width: 1440, height: 900 } } };

if (!folder) {
  test("pictures of every screen", { skip: "SHOTS is not set" });
} else {
  const home = house({ env: { PARLOR__GENERATION__RETRY: "58" } });
  for (const [width, options] of Object.entries(SIZES)) {
    test(`pictures of every screen at ${width} px`, async () => {
      await everyScreen(home, { reducedMotion: "reduce", ...options }, async (name, tab) => {
        for (const colorScheme of ["light", "dark"]) {
          await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          await tab.page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
        }
      });
    });
  }
  test("pictures of a page held open, without JavaScript", async () => {
    for (const [width, options] of Object.entries(SIZES)) {
      const ned = await home.person("Ned", { reducedMotion: "reduce", ...options, javaScriptEnabled: false });
      const tab = await ned.registers();
      const take = (name) => tab.page.screenshot({ path: join(folder, `${name}-${width}-light.png`) });
      await take("plain-new-chat");
      const answer = home.provider.answers("Tell me of the sea.");
      await tab.composer.fill("Tell me of the sea.");
      await tab.sendButton.click();
      await answer.says("The sea is wide.\n\n- salt\n- waves\n\nAnd ");
      await tab.sees("The sea is wide.");
      await take("plain-live");
      await answer.ends();
      await tab.sees("The answer is complete.");
      await take("plain-live-ended");
    }
  });
}
