import { formatBytes, formatDuration, formatMoment } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { CopyField } from '../parts/copy-field.tsx';

export type AboutProps = {
  version: string;
  commit: string | null;
  target: string;
  runtime: string;
  schema: number;
  uptimeMs: number;
  startedAtMs: number;
  updating: string;
  /** For owners only; null for everybody else. */
  inside: {
    system: string;
    dataFolder: string;
    databaseFile: string;
    chunkFolder: string;
    memoryBytes: number;
    installation: string;
    /** To paste into a report: nothing in it is private. */
    report: string;
  } | null;
};

export function AboutPage({ page, about }: { page: PageContext; about: AboutProps }) {
  const { inside } = about;
  return (
    <Layout page={page} title="About" section="/about">
      <h1>About</h1>
      <section class="panel" aria-labelledby="this-larder">
        <h2 id="this-larder">This Larder</h2>
        <dl class="about">
          <Row name="Version">
            {about.version}
            {about.commit === null ? null : (
              <>
                {' '}
                (<code>{about.commit}</code>)
              </>
            )}
          </Row>
          <Row name="Made for">{about.target}</Row>
          <Row name="Runtime">{about.runtime}</Row>
          <Row name="Database schema">{about.schema}</Row>
          <Row name="Runs for">
            {formatDuration(about.uptimeMs)}, since{' '}
            <time datetime={new Date(about.startedAtMs).toISOString()}>
              {formatMoment(about.startedAtMs, page.timeZone)}
            </time>
          </Row>
          {inside === null ? null : (
            <>
              <Row name="Memory">{formatBytes(inside.memoryBytes)}</Row>
              <Row name="Machine">{inside.system}</Row>
              <Row name="Data folder">
                <code>{inside.dataFolder}</code>
              </Row>
              <Row name="Database">
                <code>{inside.databaseFile}</code>
              </Row>
              <Row name="Cached bytes">
                <code>{inside.chunkFolder}</code>
              </Row>
            </>
          )}
        </dl>
      </section>
      {inside === null ? null : (
        <>
          <section class="panel" aria-labelledby="update">
            <h2 id="update">A newer version</h2>
            <p>
              Larder never looks for updates by itself: it asks nobody but your sources. This one runs as{' '}
              {article(inside.installation)}. {about.updating} The database is backed up before it is changed.
            </p>
          </section>
          <section class="panel" aria-labelledby="report-heading">
            <h2 id="report-heading">For a report</h2>
            <p>Copy this into an issue. It holds no names, addresses, paths or secrets.</p>
            <CopyField
              id="report"
              label="For a report"
              value={inside.report}
              lines={inside.report.split('\n').length}
            />
          </section>
        </>
      )}
      <section class="panel" aria-labelledby="licences">
        <h2 id="licences">Licences</h2>
        <p>
          Larder is under the MIT licence. <a href={`${page.basePath}/about/licences`}>Licences of what is inside</a>
        </p>
      </section>
    </Layout>
  );
}

function article(installation: string): string {
  if (installation === 'container') return 'a container';
  return installation === 'binary' ? 'one executable' : 'a program from its sources';
}

function Row({ name, children }: { name: string; children?: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children as string}</dd>
    </div>
  );
}

export type LicenceProps = { name: string; version: string; licence: string; text: string };

export function LicencesPage({ page, licences }: { page: PageContext; licences: readonly LicenceProps[] }) {
  return (
    <Layout page={page} title="Licences" section="/about">
      <h1>Licences</h1>
      <p>
        What is inside Larder, with thanks to those who made it. <a href={`${page.basePath}/about`}>Back to About</a>
      </p>
      <div class="panel licences">
        {licences.map(({ name, version, licence, text }) => (
          <details>
            <summary>
              {name} {version} <span class="quiet">{licence}</span>
            </summary>
            <pre tabindex={0}>{text}</pre>
          </details>
        ))}
      </div>
    </Layout>
  );
}
