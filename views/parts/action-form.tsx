import type { Child } from 'hono/jsx';
import type { PageContext } from '../page-context.ts';

export type ActionFormProps = {
  page: PageContext;
  /** Below the base path. */
  action: string;
  label: string;
  /** What it is about, for who hears the button without what stands around it. */
  name: string;
  title?: string;
  tone?: 'danger' | 'primary';
  /** Hidden fields. */
  children?: Child;
};

/** One button that does something: a real form, answered in place where there is JavaScript. */
export function ActionForm({ page, action, label, name, title, tone, children }: ActionFormProps) {
  const address = `${page.basePath}${action}`;
  return (
    <form method="post" action={address} hx-post={address} hx-swap="none">
      {children}
      <button type="submit" class={tone} aria-label={`${label}: ${name}`} title={title}>
        {label}
      </button>
    </form>
  );
}
