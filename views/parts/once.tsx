import type { PageContext } from '../page-context.ts';

/** In a form that must not act twice when its button is pressed twice. */
export function Once({ page }: { page: PageContext }) {
  return <input type="hidden" name="once" value={page.formId} />;
}
