// Finding and making elements with their types, so that a renamed class is an error at once and not a silent nothing.

/** The one element at `selector`; throws when the page has none of that kind. */
export function find<T extends Element>(root: ParentNode, selector: string, kind: new () => T): T {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} at ${selector}`);
  return found;
}

/** A new element with a class and children; text is never read as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** Shows a sentence in a `role="alert"` paragraph, or takes it away; the control it speaks of is marked for screen readers. */
export function showProblem(at: HTMLElement, sentence: string | undefined, control?: HTMLElement): void {
  at.textContent = sentence ?? "";
  at.hidden = sentence === undefined;
  if (sentence === undefined) control?.removeAttribute("aria-invalid");
  else control?.setAttribute("aria-invalid", "true");
}
