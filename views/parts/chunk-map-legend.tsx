import type { Child } from 'hono/jsx';
import { ChunkMapBar } from './chunk-map.tsx';
import type { ChunkMapRun } from './chunk-map-runs.ts';

const meanings = [
  { state: 'whole', word: 'here' },
  { state: 'partly', word: 'partly here' },
  { state: 'in-flight', word: 'being fetched' },
] as const satisfies readonly { state: ChunkMapRun['state']; word: string }[];

export function ChunkMapLegend() {
  return (
    <ul class="legend" aria-label="Legend of the maps">
      {meanings.map(({ state, word }) => (
        <li>
          <Swatch>
            <ChunkMapBar state={state} start={0} width={24} />
          </Swatch>
          {word}
        </li>
      ))}
      <li>
        <Swatch />
        not here
      </li>
      <li>
        <Swatch>
          <path class="reader-mark" d="M12 0v12" />
        </Swatch>
        a reader
      </li>
    </ul>
  );
}

export function Swatch({ children }: { children?: Child }) {
  return (
    <svg class="chunk-map swatch" viewBox="0 0 24 12" aria-hidden="true">
      {children}
    </svg>
  );
}
