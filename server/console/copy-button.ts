// A button that copies, and says whether it worked.
import { copyText } from "./clipboard.ts";

/** How long "Copied" stays, ms. */
const SAID_MS = 4000;

/** `textNow` gives the text at once (browsers let a click copy only without waiting), or throws an error whose message is shown. */
export function makeCopy(button: HTMLButtonElement, result: HTMLOutputElement, textNow: () => string): void {
  let fade: ReturnType<typeof setTimeout> | undefined;

  function say(sentence: string): void {
    clearTimeout(fade);
    result.value = sentence;
    fade = setTimeout(() => {
      result.value = "";
    }, SAID_MS);
  }

  button.addEventListener("click", async () => {
    try {
      say((await copyText(textNow())) ? "Copied." : "The browser did not allow copying. Select the text and copy it.");
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  });
}
