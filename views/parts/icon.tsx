import type { PageContext } from '../page-context.ts';

/** A picture of the sprite views/assets/icons.svg, for the eye only: words stand beside it. */
export function Icon({ page, name }: { page: PageContext; name: string }) {
  return (
    <svg class="icon" aria-hidden="true" width="20" height="20">
      <use href={`${page.basePath}/assets/icons.svg?v=${encodeURIComponent(page.assetVersion)}#${name}`} />
    </svg>
  );
}
