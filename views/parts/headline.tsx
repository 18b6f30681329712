export type HeadlineProps = {
  tone: 'well' | 'attention' | 'failing';
  /** One sentence that says whether it is well. */
  sentence: string;
  /** The one thing to do next, if there is one. */
  advice?: string | null;
};

const words = { well: 'Well', attention: 'Needs a look', failing: 'Failing' } as const;

export function Headline({ tone, sentence, advice }: HeadlineProps) {
  return (
    <>
      <p class="headline">
        <span class={`badge ${tone}`}>{words[tone]}</span> {sentence}
      </p>
      {advice ? <p class="advice">{advice}</p> : null}
    </>
  );
}
