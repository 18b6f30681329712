import type { PageContext } from '../page-context.ts';

export type EmptyLibraryProps = { page: PageContext; sourceNames: readonly string[] };

/** Teaches instead of saying "no data": first a source, then an address to play. */
export function EmptyLibrary({ page, sourceNames }: EmptyLibraryProps) {
  const example = sourceNames[0] ?? 'films';
  return (
    <>
      <h2>Nothing is kept yet</h2>
      <p>Whatever a player reads through Larder is kept from its first byte on, and shows up here.</p>
      <ol class="steps">
        {sourceNames.length > 0 ? null : (
          <li>
            Start Larder with a source, a folder on a web server:
            <pre>
              <code>larder serve --source films=https://host/films/</code>
            </pre>
          </li>
        )}
        <li>
          Play a file of {sourceNames.length > 0 ? 'a' : 'that'} source; give a player this address:
          <pre>
            <code>{`${page.playerAddress}/s/${encodeURIComponent(example)}/Some%20Film.mkv`}</code>
          </pre>
        </li>
      </ol>
      {sourceNames.length === 0 ? null : (
        <p>
          Or look into{' '}
          {sourceNames.map((name, index) => (
            <>
              {index === 0 ? '' : ', '}
              <a href={`${page.basePath}/s/${encodeURIComponent(name)}/`}>{name}</a>
            </>
          ))}
          .
        </p>
      )}
    </>
  );
}
