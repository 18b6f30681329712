/** What a component gives back; hono's own type of it has no public name. */
export type Rendered = { toString(): string | Promise<string> };

/** The text of a fragment, such as a LiveUpdate. */
export function renderFragment(content: Rendered): string {
  const text = content.toString();
  // No view is asynchronous, so that a page is one moment of the engine; hono allows for both.
  if (typeof text !== 'string') throw new TypeError('A view must not be asynchronous');
  return text;
}

/** The text of a whole page. The doctype is here because JSX cannot say it. */
export function renderPage(page: Rendered): string {
  return `<!doctype html>${renderFragment(page)}`;
}
