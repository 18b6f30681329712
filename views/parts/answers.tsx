import type { PageContext } from '../page-context.ts';

export type AnswerProps = {
  /** What is asked: 'Playing'. */
  name: string;
  value: string;
  /** One short line more. */
  detail: string;
  /** Something here needs a look. */
  isWaiting: boolean;
  /** Where more of it is, below the base path; null for who may not go there. */
  path: string | null;
};

/** The questions that everybody comes with, each answered in a word that leads to the rest. */
export function Answers({ page, answers }: { page: PageContext; answers: readonly AnswerProps[] }) {
  return (
    <ul class="answers">
      {answers.map((answer) => (
        <li>
          {answer.path === null ? (
            <Answer {...answer} />
          ) : (
            <a href={page.basePath + answer.path}>
              <Answer {...answer} />
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}

function Answer({ name, value, detail, isWaiting }: AnswerProps) {
  return (
    <>
      <span class="quiet">{name}</span>
      <strong>{value}</strong>
      <span class={isWaiting ? 'waiting' : 'quiet'}>{detail}</span>
    </>
  );
}
