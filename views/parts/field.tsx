/** What was typed, and what was wrong with it, both by field name. */
export type FormState = {
  typed: Readonly<Record<string, string>>;
  errors: Readonly<Record<string, string>>;
};

export const emptyForm: FormState = { typed: {}, errors: {} };

export type FieldProps = {
  name: string;
  label: string;
  form: FormState;
  /** Shown until something else is typed. */
  value?: string;
  type?: 'text' | 'password' | 'url' | 'number' | 'search';
  hint?: string;
  autocomplete?: string;
  required?: boolean;
  disabled?: boolean;
  inputmode?: 'numeric' | 'decimal' | 'url' | 'text';
  placeholder?: string;
  /** Of a password: a button that shows what was typed. */
  reveal?: boolean;
};

/** A label, its input, what it means, and what was wrong with it: each tied to the input for screen readers. */
export function Field(props: FieldProps) {
  const { name, label, form, value = '', type = 'text', hint, required = false, reveal = false, ...input } = props;
  const error = form.errors[name];
  const described = `${hint ? `${name}-hint ` : ''}${error ? `${name}-error` : ''}`.trim();
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for={name}>{label}</label>
      {hint ? (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      ) : null}
      <input
        id={name}
        name={name}
        type={type}
        value={type === 'password' ? undefined : (form.typed[name] ?? value)}
        required={required}
        aria-invalid={error ? 'true' : undefined}
        aria-describedby={described === '' ? undefined : described}
        {...input}
      />
      {reveal ? (
        <button type="button" class="reveal" data-reveals={name} aria-controls={name} aria-pressed="false" hidden>
          Show
        </button>
      ) : null}
      {error ? (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}

/** On top of a form that was not taken: how many things are wrong, each a link to its field. */
export function FormErrors({ form, labels }: { form: FormState; labels: Readonly<Record<string, string>> }) {
  const errors = Object.entries(form.errors);
  if (errors.length === 0) return null;
  return (
    <div class="notice failed" role="alert">
      <strong>Not saved: </strong>
      {errors.length === 1 ? 'one thing is to be put right.' : `${errors.length} things are to be put right.`}
      <ul>
        {errors.map(([name, message]) => (
          <li>
            <a href={`#${name}`}>{labels[name] ?? name}</a>: {withoutLabel(message, labels[name])}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A message that begins with its label says it a second time behind the link. */
function withoutLabel(message: string, label: string | undefined): string {
  return label !== undefined && message.startsWith(`${label}: `) ? message.slice(label.length + 2) : message;
}
