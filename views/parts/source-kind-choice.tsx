import type { PageContext } from '../page-context.ts';
import { type SourceKind, sourceKinds } from './source-kinds.ts';

/** The first question about a new source, as links: its answer stands in the address of the page. */
export function SourceKindChoice({ page, path, chosen }: { page: PageContext; path: string; chosen: SourceKind }) {
  return (
    <nav class="kinds" aria-label="Kind of source">
      <ul>
        {Object.entries(sourceKinds).map(([kind, { name, what }]) => (
          <li>
            <a href={`${page.basePath}${path}?kind=${kind}`} aria-current={kind === chosen ? 'true' : undefined}>
              <strong>{name}</strong>
              <span>{what}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
