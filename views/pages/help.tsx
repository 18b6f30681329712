import { Layout } from '../layout.tsx';
import { navigationKeys, navigationOf } from '../navigation.ts';
import type { PageContext } from '../page-context.ts';

/** The keyboard, the words, and where to look when something is wrong. */
export function HelpPage({ page }: { page: PageContext }) {
  const pages = navigationOf(page).flatMap(({ path, label }) => {
    const key = navigationKeys[path];
    return key === undefined ? [] : [{ key, label }];
  });
  return (
    <Layout page={page} title="Help">
      <h1>Help</h1>
      <section class="panel" aria-labelledby="keys">
        <h2 id="keys">Keyboard</h2>
        <p>
          Everything here works with Tab, Enter and Space alone. Besides, single keys lead around, as long as you do not
          type into a field. Who does not want them turns them off below; your account may turn them off on every
          device.
        </p>
        <table class="keys">
          <thead>
            <tr>
              <th scope="col">Keys</th>
              <th scope="col">What they do</th>
            </tr>
          </thead>
          <tbody>
            <Keys keys={['?']} what="This page" />
            <Keys keys={['/']} what="Search: the field of this page, or the library" />
            {pages.map(({ key, label }) => (
              <Keys keys={['g', key]} what={label} />
            ))}
          </tbody>
        </table>
        <p class="actions">
          <button type="button" id="shortcuts-switch" aria-pressed="true" hidden>
            Single keys on this browser
          </button>
        </p>
      </section>
      <section class="panel" aria-labelledby="words">
        <h2 id="words">Words</h2>
        <dl class="words">
          <Word name="Source">Where films come from: a server far away that Larder reads.</Word>
          <Word name="Kept, whole, partly here">
            Bytes on this disk. What is whole plays with the source gone; what is partly here plays as far as it goes.
          </Word>
          <Word name="Pinned">Never removed to make room.</Word>
          <Word name="Makes room">
            When the cache is full, what was not used for longest goes first. What is pinned or being read stays.
          </Word>
          <Word name="Waits">
            A player that has no bytes yet. Its row says for which source, since when, and what ends the wait.
          </Word>
        </dl>
      </section>
      <section class="panel" aria-labelledby="more-help">
        <h2 id="more-help">When something is wrong</h2>
        <ul>
          {page.visitor?.role === 'owner' ? (
            <li>
              <a href={`${page.basePath}/doctor`}>Doctor</a> checks everything that Larder needs, and says what to do.
            </li>
          ) : null}
          <li>
            <a href={`${page.basePath}/connect`}>Connect</a> has the addresses for players.
          </li>
          <li>
            <a href={`${page.basePath}/about`}>About</a> has the version, and what to put into a report.
          </li>
        </ul>
      </section>
    </Layout>
  );
}

function Keys({ keys, what }: { keys: readonly string[]; what: string }) {
  return (
    <tr>
      <td>
        {keys.map((key, index) => (
          <>
            {index > 0 ? ' then ' : null}
            <kbd>{key}</kbd>
          </>
        ))}
      </td>
      <td>{what}</td>
    </tr>
  );
}

function Word({ name, children }: { name: string; children?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
