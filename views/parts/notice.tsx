export type NoticeProps = {
  tone: 'done' | 'failed';
  /** What happened, to what. */
  text: string;
  /** What to do about it. */
  hint?: string | null;
  /** Where to do it. */
  link?: { href: string; label: string; newTab?: boolean };
};

/** The answer to an action; its place on the page is announced to screen readers. */
export function Notice({ tone, text, hint, link }: NoticeProps) {
  return (
    <p class={`notice ${tone}`}>
      <strong>{tone === 'done' ? 'Done: ' : 'Not done: '}</strong>
      {text}
      {hint ? ` ${hint}` : null}
      {link ? (
        <>
          {' '}
          <a href={link.href} target={link.newTab ? '_blank' : undefined}>
            {link.label}
          </a>
        </>
      ) : null}
    </p>
  );
}
