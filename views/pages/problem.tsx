import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';

export type ProblemPageProps = {
  page: PageContext;
  /** The HTTP status, shown small: the words come first. */
  status: number;
  title: string;
  whatHappened: string;
  /** What the reader can do, one step each; may name a setting. */
  whatToDo: readonly string[];
  /** A line to paste, such as an environment variable with its value. */
  snippet?: string;
};

/** An error as a page: what happened and what to do, never a bare status. */
export function ProblemPage({ page, status, title, whatHappened, whatToDo, snippet }: ProblemPageProps) {
  return (
    <Layout page={page} title={title}>
      <article class="panel problem">
        <h1>{title}</h1>
        <p>{whatHappened}</p>
        {whatToDo.length === 0 ? null : <h2>What to do</h2>}
        <ul>
          {whatToDo.map((step) => (
            <li>{step}</li>
          ))}
        </ul>
        {snippet === undefined ? null : (
          <pre>
            <code>{snippet}</code>
          </pre>
        )}
        <p class="quiet">
          Status {status}. <a href={`${page.basePath}/`}>To the first page</a>
        </p>
      </article>
    </Layout>
  );
}
