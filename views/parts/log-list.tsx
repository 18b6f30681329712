import { formatMoment } from '../format.ts';
import type { PageContext } from '../page-context.ts';

export type LogLineProps = {
  id: string;
  atMs: number;
  level: 'debug' | 'info' | 'warning' | 'error';
  part: string | null;
  message: string;
  /** `name=value` each. */
  fields: readonly string[];
};

const tones = { debug: 'neutral', info: 'neutral', warning: 'attention', error: 'failing' } as const;

/** Newest first. */
export function LogList({ page, lines }: { page: PageContext; lines: readonly LogLineProps[] }) {
  return (
    <ol class="rows log">
      {lines.map((line) => (
        <li>
          <time datetime={new Date(line.atMs).toISOString()}>{formatMoment(line.atMs, page.timeZone)}</time>{' '}
          <span class={`badge ${tones[line.level]}`}>{line.level}</span>{' '}
          {line.part === null ? null : <span class="quiet">{line.part}</span>} {line.message}{' '}
          <code>{line.fields.join(' ')}</code>
        </li>
      ))}
    </ol>
  );
}
