import type { Child } from 'hono/jsx';
import { formatBytes, formatCount } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';

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
              <Act {...props} verb="fetch" label={`Fetch ${formatBytes(missingBytes)}`}>
                What is not here yet is fetched, behind whatever somebody watches.
              </Act>
              <Act {...props} verb="stop" label="Stop fetching">
                What has come is kept.
              </Act>
              <Act {...props} verb="pin" label={`Pin ${formatBytes(cachedBytes)}`}>
                Never removed to make room.
              </Act>
              <Act {...props} verb="unpin" label="Unpin">
                May make room again.
              </Act>
              <Act {...props} verb="verify" label={`Verify ${formatBytes(cachedBytes)}`}>
                Every byte is compared with its checksum; what is damaged is fetched again when it is wanted.
              </Act>
              <Act {...props} verb="recheck" label="Check with the origin">
                Asks whether it still has the same files.
              </Act>
              <Act {...props} verb="drop" label={`Drop ${formatBytes(cachedBytes)}`} isDangerous>
                Taken off this disk. Can be brought back for ten minutes, unless room is needed before.
              </Act>
            </ul>
          </section>
        </>
      )}
    </Layout>
  );
}

type ActProps = SelectionPageProps & { verb: string; label: string; isDangerous?: boolean; children: Child };

function Act({ page, back, fields, verb, label, isDangerous = false, children }: ActProps) {
  return (
    <li>
      <form method="post" action={`${page.basePath}/library/selection/${verb}`}>
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
