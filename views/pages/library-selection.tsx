import type { Child } from 'hono/jsx';
import { formatBytes, formatCount } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { Once } from '../parts/once.tsx';

export type SelectionPageProps = {
  page: PageContext;
  /** Below the base path: the list that it was selected from. */
  back: string;
  itemCount: number;
  entryCount: number;
  cachedBytes: number;
  missingBytes: number;
  unknownCount: number;
  isCut: boolean;
  /** Whether the rest can be kept. */
  fit: { kind: 'fits' | 'replaces' | 'held' | 'beyond'; bytes: number };
  /** The filter that shows it; null when titles say what it is. */
  filterWords: string | null;
  /** Of the first of them; empty when a filter says which. */
  titles: readonly string[];
  /** What says which, as hidden fields. */
  fields: readonly (readonly [name: string, value: string])[];
};

/** What acting on many would touch, before it is done. */
export function SelectionPage(props: SelectionPageProps) {
  const { page, back, itemCount, entryCount, cachedBytes, missingBytes, titles } = props;
  const items = formatCount(itemCount, 'item');
  const heading = itemCount === 0 ? 'Nothing is selected' : `Act on ${items}`;
  return (
    <Layout page={page} title={heading} section="/library">
      <h1>{heading}</h1>
      <p>
        <a href={`${page.basePath}${back}`}>Back to the list</a>
      </p>
      {itemCount === 0 ? (
        <section class="panel">
          <p>Tick titles in the list first, or act on all that a filter shows.</p>
        </section>
      ) : (
        <>
          <section class="panel" aria-label="What is selected">
            {props.filterWords === null ? null : <p>{props.filterWords}</p>}
            <dl class="facts">
              <div class="fact">
                <dt>On this disk</dt>
                <dd>{formatBytes(cachedBytes)}</dd>
              </div>
              <div class="fact">
                <dt>Entries</dt>
                <dd>{entryCount.toLocaleString('en')}</dd>
              </div>
              <div class="fact">
                <dt>Not here yet</dt>
                <dd>
                  {formatBytes(missingBytes)}
                  {props.unknownCount > 0 ? ` and ${formatCount(props.unknownCount, 'item')} of unknown size` : ''}
                </dd>
              </div>
            </dl>
            {props.isCut ? (
              <p class="waiting">More items have these words than are looked at: only the newest of them are meant.</p>
            ) : null}
            {titles.length === 0 ? null : (
              <ul class="chosen">
                {titles.map((title) => (
                  <li>{title}</li>
                ))}
                {itemCount > titles.length ? <li class="quiet">and {itemCount - titles.length} more</li> : null}
              </ul>
            )}
          </section>
          <section class="panel" aria-label="What to do with it">
            <ul class="rows acts">
              {props.fit.kind === 'beyond' || (missingBytes === 0 && props.unknownCount === 0) ? null : (
                <Act
                  {...props}
                  verb="fetch"
                  label={missingBytes === 0 ? 'Fetch' : `Fetch ${formatBytes(missingBytes)}`}
                >
                  What is not here yet is fetched, behind whatever somebody watches. {describeFit(props)}
                </Act>
              )}
              {props.fit.kind === 'beyond' ? <li class="waiting">{describeFit(props)}</li> : null}
              <Act {...props} verb="stop" label="Stop fetching">
                What has come is kept.
              </Act>
              {entryCount === 0 ? null : (
                <Act {...props} verb="pin" label={cachedBytes === 0 ? 'Pin' : `Pin ${formatBytes(cachedBytes)}`}>
                  Never removed to make room.
                </Act>
              )}
              <Act {...props} verb="unpin" label="Unpin">
                May make room again.
              </Act>
              {cachedBytes === 0 ? null : (
                <Act {...props} verb="verify" label={`Verify ${formatBytes(cachedBytes)}`}>
                  Every byte is compared with its checksum; what is damaged is fetched again when it is wanted.
                </Act>
              )}
              <Act {...props} verb="recheck" label="Check with the origin">
                Asks whether it still has the same files.
              </Act>
              {cachedBytes === 0 ? null : (
                <Act {...props} verb="drop" label={`Drop ${formatBytes(cachedBytes)}`} isDangerous>
                  Taken off this disk. Can be brought back for ten minutes, unless room is needed before.
                </Act>
              )}
            </ul>
          </section>
        </>
      )}
    </Layout>
  );
}

function describeFit({ fit, missingBytes }: SelectionPageProps): string {
  const bytes = formatBytes(fit.bytes);
  switch (fit.kind) {
    case 'fits':
      return missingBytes === 0 ? '' : 'There is room for it.';
    case 'replaces':
      return `There is not room for all of it: the oldest ${bytes} in the cache would go.`;
    case 'held':
      return `${bytes} of it do not fit: what would have to go is pinned or in use.`;
    case 'beyond':
      return `All of it cannot be fetched: it is ${bytes} more than the cache holds. Select less, or make the cache larger on the page Storage.`;
  }
}

type ActProps = SelectionPageProps & { verb: string; label: string; isDangerous?: boolean; children: Child };

function Act({ page, back, fields, verb, label, isDangerous = false, children }: ActProps) {
  return (
    <li>
      <form method="post" action={`${page.basePath}/library/selection/${verb}`}>
        <Once page={page} />
        <input type="hidden" name="back" value={back} />
        {fields.map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button type="submit" class={isDangerous ? 'danger' : undefined}>
          {label}
        </button>
      </form>
      <p>{children}</p>
    </li>
  );
}
