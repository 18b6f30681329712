import { formatBytes, formatCount } from '../format.ts';

export type FolderPageProps = {
  basePath: string;
  assetVersion: string;
  source: string;
  /** Decoded; empty for the source itself. */
  folder: string;
  /** Goes behind each link: empty, or begins with `?`. */
  query: string;
  entries: readonly { name: string; isFolder: boolean; sizeBytes: number | null; modifiedAtMs: number | null }[];
  isFromMemory: boolean;
  isCut: boolean;
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const UNITS = ['B', 'K', 'M', 'G'];

/**
 * Players read this page by patterns: one link in a line, its text the name it leads to, then the time and the size as
 * lighttpd writes them.
 */
export function FolderPage(props: FolderPageProps) {
  const { basePath, assetVersion, source, folder, query, entries, isFromMemory, isCut } = props;
  const path = folder === '' ? source : `${source}/${folder}`;
  return (
    <html lang="en" dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`Index of /${path}/`}</title>
        <link
          rel="icon"
          type="image/svg+xml"
          href={`${basePath}/assets/icon.svg?v=${encodeURIComponent(assetVersion)}`}
        />
        <link rel="stylesheet" href={`${basePath}/assets/larder.css?v=${encodeURIComponent(assetVersion)}`} />
      </head>
      <body>
        <main id="main" class="folder">
          <h1>{path.slice(path.lastIndexOf('/') + 1)}</h1>
          <p class="quiet">
            {folder === '' ? null : (
              <>
                <a href={`../${query}`}>One folder up</a> · {path} ·{' '}
              </>
            )}
            {countEntries(entries)}
          </p>
          {isFromMemory ? (
            <p class="notice failed">
              The source does not list this folder now. These are the films and music in it that Larder knows of.
            </p>
          ) : null}
          {isCut ? <p class="notice failed">There is more in this folder than is shown here.</p> : null}
          {entries.length === 0 ? (
            <p>This folder is empty.</p>
          ) : (
            <table class="panel flush">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Changed (UTC)</th>
                  <th scope="col">Size</th>
                </tr>
              </thead>
              <tbody>
                {'\n'}
                {entries.map((entry) => (
                  <Row entry={entry} query={query} />
                ))}
              </tbody>
            </table>
          )}
        </main>
      </body>
    </html>
  );
}

function Row({ entry, query }: { entry: FolderPageProps['entries'][number]; query: string }) {
  const { name, isFolder, sizeBytes, modifiedAtMs } = entry;
  const slash = isFolder ? '/' : '';
  return (
    <>
      <tr>
        <td class="n">
          <a href={`${encodeName(name)}${slash}${query}`}>{`${name}${slash}`}</a>
        </td>
        <td class="m">{modifiedAtMs === null ? '' : stampOf(modifiedAtMs)}</td>
        {isFolder || sizeBytes === null ? (
          <td class="s">-</td>
        ) : (
          <td class="s" data-size={sizeBytes} title={formatBytes(sizeBytes)}>
            {shortSize(sizeBytes)}
          </td>
        )}
      </tr>
      {'\n'}
    </>
  );
}

function countEntries(entries: FolderPageProps['entries']): string {
  const folderCount = entries.filter((entry) => entry.isFolder).length;
  return `${formatCount(folderCount, 'folder')}, ${formatCount(entries.length - folderCount, 'file')}`;
}

/** Nothing in it is markup, nor ends an attribute. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll("'", '%27');
}

function stampOf(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return `${text.slice(0, 4)}-${MONTHS[Number(text.slice(5, 7)) - 1]}-${text.slice(8, 10)} ${text.slice(11, 19)}`;
}

function shortSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${UNITS[unit]}`;
}
