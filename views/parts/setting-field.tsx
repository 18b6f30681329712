import type { FormState } from './field.tsx';

/** One setting as the page shows it. Texts are as they would be written on the command line. */
export type SettingProps = {
  name: string;
  label: string;
  description: string;
  flag: string;
  variable: string;
  placeholder: string;
  input:
    | { kind: 'text' | 'list' | 'switch' | 'size' | 'size or share' | 'time' }
    | { kind: 'number'; least: number; most: number }
    | { kind: 'choice'; choices: readonly string[] };
  texts: readonly string[];
  textsInForce: readonly string[];
  fallbackTexts: readonly string[];
  isSet: boolean;
  isSecret: boolean;
  origin: 'flag' | 'environment' | 'file' | 'database' | 'default';
  place: string | null;
  locked: 'outside' | 'at start' | null;
  /** Below the base path: the page that changes it, because it shows first what a change would do. */
  changedAt: { path: string; title: string } | null;
  takesEffect: 'at once' | 'after a restart';
  isPending: boolean;
};

const examples: Readonly<Record<string, string>> = {
  size: 'A number with a unit, such as 64MiB or 1.5GB.',
  'size or share': 'A size such as 500GB, a share of the disk such as 60%, or auto.',
  time: 'A number with s, m, h or d, such as 90s or 7d.',
  list: 'One a line.',
};

export type SettingFieldProps = { setting: SettingProps; form: FormState; basePath: string };

/** A setting with its input, or with what fixes it outside, or with the way to the page that changes it. */
export function SettingField({ setting, form, basePath }: SettingFieldProps) {
  const { name, label, locked, changedAt, isPending, texts, textsInForce } = setting;
  const error = form.errors[name];
  const isInput = locked === null && changedAt === null;
  return (
    <div class={error ? 'field setting wrong' : 'field setting'}>
      <div>
        {isInput ? <label for={name}>{label}</label> : <span class="setting-label">{label}</span>}
        <p class="hint" id={`${name}-hint`}>
          {setting.description} {isInput ? hintOf(setting) : null}
        </p>
      </div>
      <div>
        {isInput ? <Input setting={setting} form={form} /> : null}
        {locked !== null ? <Locked setting={setting} /> : null}
        {locked === null && changedAt !== null ? (
          <Elsewhere setting={setting} href={basePath + changedAt.path} />
        ) : null}
        {error ? (
          <p class="error" id={`${name}-error`}>
            {error}
          </p>
        ) : null}
        {isInput ? <Origin setting={setting} /> : null}
        {isPending ? (
          <p class="pending">
            <span class="badge attention">Waits for a restart</span> In force now: <Value texts={textsInForce} />. After
            the next start: <Value texts={texts} />.
          </p>
        ) : null}
      </div>
    </div>
  );
}

function hintOf({ input, takesEffect }: SettingProps): string {
  const range = input.kind === 'number' ? `From ${input.least} to ${input.most}.` : (examples[input.kind] ?? '');
  return `${range}${takesEffect === 'at once' ? '' : ' In force after the next start.'}`;
}

/** Where a value that can be changed here comes from, and the way back. */
function Origin({ setting: { name, label, origin, fallbackTexts } }: { setting: SettingProps }) {
  if (origin === 'default') return <p class="setting-origin quiet">Default</p>;
  return (
    <p class="setting-origin">
      <span>
        <strong>Set here.</strong> Default: <Value texts={fallbackTexts} />
      </span>
      <button type="submit" form="reset" name="setting" value={name} aria-label={`Back to the default: ${label}`}>
        Back to the default
      </button>
    </p>
  );
}

function Elsewhere({ setting, href }: { setting: SettingProps; href: string }) {
  const { label, texts, origin, fallbackTexts, changedAt } = setting;
  return (
    <>
      <p class="setting-value">
        <Value texts={texts} />
      </p>
      <p class="setting-origin">
        {origin === 'default' ? (
          <span class="quiet">Default</span>
        ) : (
          <span>
            <strong>Set here.</strong> Default: <Value texts={fallbackTexts} />
          </span>
        )}
        <a href={href} aria-label={`Change on ${changedAt?.title}: ${label}`}>
          Change on {changedAt?.title}
        </a>
      </p>
    </>
  );
}

const places = { flag: 'a flag', environment: 'the environment', file: 'the configuration file' } as const;

function Locked({ setting }: { setting: SettingProps }) {
  const { texts, place, locked, flag, variable, isSecret, isSet, origin } = setting;
  const from = origin === 'database' || origin === 'default' ? null : places[origin];
  return (
    <>
      <p class="setting-value">{isSecret ? isSet ? 'Set, and never shown' : 'Not set' : <Value texts={texts} />}</p>
      <p class="setting-origin">
        {locked === 'outside' ? (
          <span>
            <span class="badge">Locked</span> Fixed by <code>{place}</code>
            {from === null ? null : `, ${from}`}. Change it there and start Larder again.
          </span>
        ) : (
          <span class="quiet">
            Default. Given at the start only:{' '}
            {isSecret ? (
              <>
                <code>{variable}</code> in the environment, or <code>{flag}</code> in the file.
              </>
            ) : (
              <>
                <code>--{flag}</code>, environment or file.
              </>
            )}
          </span>
        )}
      </p>
    </>
  );
}

function Value({ texts }: { texts: readonly string[] }) {
  const shown = texts.filter((text) => text !== '');
  if (shown.length === 0) return <span>none</span>;
  return (
    <span>
      {shown.map((text, index) => (
        <>
          {index > 0 ? ', ' : null}
          <code>{text}</code>
        </>
      ))}
    </span>
  );
}

function Input({ setting, form }: { setting: SettingProps; form: FormState }) {
  const { name, input, texts, isSecret } = setting;
  const error = form.errors[name];
  const common = {
    id: name,
    name,
    'aria-invalid': error ? ('true' as const) : undefined,
    'aria-describedby': error ? `${name}-hint ${name}-error` : `${name}-hint`,
  };
  const typed = form.typed[name];
  const [text = ''] = texts;
  switch (input.kind) {
    case 'switch':
      // The hidden field speaks when the box is not ticked.
      return (
        <p class="switch">
          <input type="hidden" name={name} value="off" />
          <input type="checkbox" {...common} value="on" checked={(typed ?? text).endsWith('on')} />
        </p>
      );
    case 'choice':
      return (
        <select {...common}>
          {input.choices.map((choice) => (
            <option value={choice} selected={choice === (typed ?? text)}>
              {choice}
            </option>
          ))}
        </select>
      );
    case 'list':
      return (
        <textarea {...common} rows={Math.min(6, Math.max(2, texts.length + 1))} spellcheck={false}>
          {typed ?? texts.join('\n')}
        </textarea>
      );
    case 'number':
      return <input {...common} type="number" min={input.least} max={input.most} value={typed ?? text} required />;
    default:
      return (
        <input
          {...common}
          type={isSecret ? 'password' : 'text'}
          value={isSecret ? undefined : (typed ?? text)}
          spellcheck={false}
          autocomplete={isSecret ? 'new-password' : 'off'}
        />
      );
  }
}
