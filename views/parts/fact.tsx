import type { Child } from 'hono/jsx';

export type FactProps = {
  name: string;
  title?: string | undefined;
  width?: 'normal' | 'wide' | 'full';
  /** In front of the name: what stands for it in a map. */
  mark?: Child;
  children?: Child;
};

/** One name with its value inside a `<dl class="facts">`; the width is reserved, so that live values shift nothing. */
export function Fact({ name, title, width = 'normal', mark, children }: FactProps) {
  return (
    <div class={`fact ${width}`} title={title}>
      <dt>
        {mark}
        {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
