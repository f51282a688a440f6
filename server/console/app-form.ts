// The application at the top of the page: its key and, for whoever has it, its secret.
import { find } from "./dom.ts";

export interface AppForm {
  readonly appKey: string;
  readonly secret: string;
  /** The secret may be seen on the page. */
  readonly secretShown: boolean;
  onChange(listener: () => void): void;
}

/** Takes over the form; the secret stays in its field. */
export function createAppForm(form: HTMLFormElement, start: { readonly appKey: string; readonly secret: string }): AppForm {
  const appKey = find(form, "[name=app_key]", HTMLInputElement);
  const secret = find(form, "[name=secret]", HTMLInputElement);
  const show = find(form, "#show-secret", HTMLButtonElement);
  const listeners: (() => void)[] = [];
  const changed = () => {
    for (const listener of listeners) listener();
  };
  appKey.value = start.appKey;
  secret.value = start.secret;

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", changed);
  show.addEventListener("click", () => {
    const shown = secret.type === "password";
    secret.type = shown ? "text" : "password";
    show.setAttribute("aria-pressed", String(shown));
    show.textContent = shown ? "Hide" : "Show";
    changed();
  });

  return {
    get appKey() {
      return appKey.value;
    },
    get secret() {
      return secret.value;
    },
    get secretShown() {
      return secret.type === "text";
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
