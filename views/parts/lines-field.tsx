import type { FormState } from './field.tsx';

/** Secret text of several lines: what was typed is never sent back. */
export function LinesField(props: { name: string; label: string; form: FormState; hint: string; rows?: number }) {
  const { name, label, form, hint, rows = 3 } = props;
  const error = form.errors[name];
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for={name}>{label}</label>
      <p class="hint" id={`${name}-hint`}>
        {hint}
      </p>
      <textarea
        id={name}
        name={name}
        rows={rows}
        spellcheck={false}
        autocomplete="off"
        aria-describedby={error ? `${name}-hint ${name}-error` : `${name}-hint`}
        aria-invalid={error ? 'true' : undefined}
      ></textarea>
      {error ? (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}
