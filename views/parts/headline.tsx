import type { PageContext } from '../page-context.ts';

export type HeadlineProps = {
  tone: 'well' | 'attention' | 'failing';
  /** One sentence that says whether it is well. */
  sentence: string;
  /** The one thing to do next, if there is one. */
  advice?: string | null;
  /** Where that can be done, below the base path; null for who may not go there. */
  advicePath?: string | null;
};

const words = { well: 'Well', attention: 'Needs a look', failing: 'Failing' } as const;

export function Headline({ page, tone, sentence, advice, advicePath }: HeadlineProps & { page: PageContext }) {
  return (
    <>
      <p class="headline">
        <span class={`badge ${tone}`}>{words[tone]}</span> {sentence}
      </p>
      {advice ? <p class="advice">{advicePath ? <a href={page.basePath + advicePath}>{advice}</a> : advice}</p> : null}
    </>
  );
}
