import { CopyField } from './copy-field.tsx';

export type NoticeProps = {
  tone: 'done' | 'failed';
  /** What happened, to what. */
  text: string;
  /** What to do about it. */
  hint?: string | null;
  /** Where to do it. */
  /** Shown this once, to be copied. */
  secret?: { label: string; value: string };
  link?: { href: string; label: string; newTab?: boolean };
};

/** The answer to an action; its place on the page is announced to screen readers. */
export function Notice({ tone, text, hint, link, secret }: NoticeProps) {
  return (
    <div class={`notice ${tone}`}>
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
      <button type="button" class="dismiss" data-dismiss="">
        Close
      </button>
      {secret ? <CopyField id="notice-secret" label={secret.label} value={secret.value} /> : null}
    </div>
  );
}
