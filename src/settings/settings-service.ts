// The settings of a running appliance: what is in force, where each value comes from, and changes made by people. What
// flags, environment or file fix stays fixed; everything else may be changed here, is kept in the database, and is in
// force at once or after the next start, as the option says.
import type { Clock } from '../clock.ts';
import { type Configuration, type SettingOrigin, withStored } from '../config.ts';
import { describeError, LarderError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Input } from '../option-values.ts';
import {
  describeValue,
  displayTexts,
  options,
  type SettingGroup,
  type SettingName,
  type Settings,
  settingNames,
} from '../options.ts';

/** Where changes are kept, by the name of the setting. */
export interface SettingsStore {
  all(): Promise<ReadonlyMap<string, unknown>>;
  /** All of them or none; null forgets one. */
  change(values: ReadonlyMap<string, unknown>, nowMs: number): Promise<void>;
}

export interface SettingsServices {
  /** From flags, environment and file, without what is stored. */
  readonly configuration: Configuration;
  readonly store: SettingsStore;
  readonly noteEvent: (kind: string, subject: string, text: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SettingState {
  readonly name: SettingName;
  readonly label: string;
  readonly group: SettingGroup;
  readonly description: string;
  /** As it is written on the command line, without the dashes; also its name in the configuration file. */
  readonly flag: string;
  readonly variable: string;
  readonly placeholder: string;
  readonly input: Input;
  readonly repeatable: boolean;
  /** The value that is wanted, as it would be written; empty for a secret. */
  readonly texts: readonly string[];
  /** What is in force now; differs from `texts` while a restart is waited for. */
  readonly textsInForce: readonly string[];
  readonly fallbackTexts: readonly string[];
  /** Whether it has another value than its default; all that is told of a secret. */
  readonly isSet: boolean;
  readonly isSecret: boolean;
  readonly origin: SettingOrigin;
  /** What fixes it outside: `--port`, `LARDER_PORT`, `port in FILE`; null when nothing does. */
  readonly place: string | null;
  /** Why it cannot be changed here: something outside fixes it, or it can only be given at a start. */
  readonly locked: 'outside' | 'at start' | null;
  readonly takesEffect: 'at once' | 'after a restart';
  /** Stored, and in force after the next start only. */
  readonly isPending: boolean;
}

/** New values by name, as texts; null goes back to the default. */
export type SettingChanges = Readonly<Record<string, readonly string[] | null>>;

export interface SettingProblem {
  readonly name: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export type SettingsCheck =
  | { readonly ok: true; readonly changed: readonly SettingName[]; readonly restartNeeded: readonly SettingName[] }
  /** Nothing was changed. */
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

type Listener = (settings: Settings) => void | Promise<void>;

export class SettingsService {
  readonly #services: SettingsServices;
  /** Outside and stored: what the next start begins with. */
  #wanted: Configuration;
  #inForce: Settings;
  readonly #listeners: { readonly names: readonly SettingName[]; readonly listener: Listener }[] = [];
  /** Changes go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(services: SettingsServices, stored: ReadonlyMap<string, unknown>) {
    this.#services = services;
    this.#wanted = withStored(services.configuration, stored);
    this.#inForce = this.#wanted.settings;
  }

  /** In force now. Ask each time: it is another object after a change. */
  get current(): Settings {
    return this.#inForce;
  }

  /** Mistakes found in what is stored. */
  get warnings(): readonly string[] {
    const { configuration } = this.#services;
    return this.#wanted.warnings.filter((warning) => !configuration.warnings.includes(warning));
  }

  /** Changes with every change: for ETags and for pages that may be out of date. */
  get revision(): string {
    return JSON.stringify(settingNames.map((name) => [this.#textsOf(name, this.#wanted.settings), this.#origin(name)]));
  }

  /** Calls `listener` after one of `names` has changed and is in force. */
  onChange(names: readonly SettingName[], listener: Listener): void {
    this.#listeners.push({ names, listener });
  }

  list(): SettingState[] {
    return settingNames.map((name) => this.get(name));
  }

  get(name: SettingName): SettingState {
    const option = options[name];
    const origin = this.#origin(name);
    const texts = this.#textsOf(name, this.#wanted.settings);
    const textsInForce = this.#textsOf(name, this.#inForce);
    return {
      name,
      label: option.label,
      group: option.group,
      description: option.description,
      flag: option.flag,
      variable: option.variable,
      placeholder: option.placeholder,
      input: option.input,
      repeatable: option.repeatable,
      texts,
      textsInForce,
      fallbackTexts: displayTexts(name, option.fallback),
      isSet: origin !== 'default',
      isSecret: option.secret === true,
      origin,
      place: this.#wanted.places[name] ?? null,
      locked: this.#lockOf(name),
      takesEffect: option.takesEffect,
      isPending: !isSame(this.#write(name, this.#wanted.settings), this.#write(name, this.#inForce)),
    };
  }

  /** What `change` would do or refuse, without doing it. */
  check(changes: SettingChanges): SettingsCheck {
    const problems: SettingProblem[] = [];
    const changed: SettingName[] = [];
    for (const [name, texts] of Object.entries(changes)) {
      const problem = this.#problemOf(name, texts);
      if (problem !== null) problems.push(problem);
      else if (this.#isChange(name as SettingName, texts)) changed.push(name as SettingName);
    }
    if (problems.length > 0) return { ok: false, problems };
    return { ok: true, changed, restartNeeded: changed.filter((name) => this.#needsRestart(name, changes[name]!)) };
  }

  /**
   * Keeps the changes, all or none, and puts those into force that need no restart.
   * @param by who did it, for the event
   * @throws what the store throws; nothing is changed then
   */
  change(changes: SettingChanges, by: string | null = null): Promise<SettingsCheck> {
    const result = this.#last.then(() => this.#change(changes, by));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #change(changes: SettingChanges, by: string | null): Promise<SettingsCheck> {
    const checked = this.check(changes);
    if (!checked.ok || checked.changed.length === 0) return checked;
    const { configuration, store, clock } = this.#services;
    const values = new Map<string, unknown>();
    for (const name of checked.changed) values.set(name, this.#storedFormOf(name, changes[name] ?? null));
    await store.change(values, clock.nowMs());
    const before = this.#wanted;
    this.#wanted = withStored(configuration, await store.all());
    const live = checked.changed.filter((name) => options[name].takesEffect === 'at once');
    this.#inForce = pick(this.#inForce, this.#wanted.settings, live);
    for (const name of checked.changed) this.#tell(name, before.settings, by);
    await this.#notify(live);
    return checked;
  }

  #problemOf(name: string, texts: readonly string[] | null): SettingProblem | null {
    if (!isSettingName(name)) {
      return {
        name,
        message: `there is no setting ${JSON.stringify(name)}`,
        hint: `settings are ${settingNames.join(', ')}`,
      };
    }
    const { flag, label, repeatable, parse } = options[name];
    const locked = this.#lockOf(name);
    // Sending back what stands there is no change: a form holds every field.
    if (locked !== null && texts !== null && isSame(texts, this.#textsOf(name, this.#wanted.settings))) return null;
    if (locked === 'outside') {
      const place = this.#wanted.places[name];
      return { name, message: `${label} is fixed by ${place}`, hint: 'change it there and start Larder again' };
    }
    if (locked === 'at start') {
      const hint = `give it as --${flag}, as ${options[name].variable} or in the configuration file, and start Larder again`;
      return { name, message: `${label} can only be set when Larder is started`, hint };
    }
    if (texts === null) return null;
    if (!repeatable && texts.length !== 1) return { name, message: `${label} takes one value`, hint: undefined };
    try {
      parse(texts, label);
      return null;
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      return { name, message: error.message, hint: error.hint };
    }
  }

  #isChange(name: SettingName, texts: readonly string[] | null): boolean {
    if (this.#lockOf(name) !== null) return false;
    if (texts === null) return this.#origin(name) === 'database';
    const written = writeValue(name, options[name].parse(texts, name) as Settings[typeof name]);
    return !isSame(written, this.#write(name, this.#wanted.settings));
  }

  #needsRestart(name: SettingName, texts: readonly string[] | null): boolean {
    if (options[name].takesEffect === 'at once') return false;
    const value = texts === null ? options[name].fallback : options[name].parse(texts, name);
    return !isSame(writeValue(name, value as Settings[typeof name]), this.#write(name, this.#inForce));
  }

  #storedFormOf(name: SettingName, texts: readonly string[] | null): unknown {
    if (texts === null) return null;
    const written = writeValue(name, options[name].parse(texts, name) as Settings[typeof name]);
    return options[name].repeatable ? written : written[0]!;
  }

  #lockOf(name: SettingName): SettingState['locked'] {
    if (this.#wanted.places[name] !== undefined) return 'outside';
    return options[name].stored ? null : 'at start';
  }

  #origin(name: SettingName): SettingOrigin {
    return this.#wanted.origins[name];
  }

  /** What may be seen. */
  #textsOf(name: SettingName, settings: Settings): readonly string[] {
    return displayTexts(name, settings[name]);
  }

  /** For comparing: never leaves this class. */
  #write(name: SettingName, settings: Settings): readonly string[] {
    return writeValue(name, settings[name]);
  }

  #tell(name: SettingName, before: Settings, by: string | null): void {
    const { noteEvent, log } = this.#services;
    const { label, secret, takesEffect } = options[name];
    const from = describeValue(name, before[name]);
    const to = describeValue(name, this.#wanted.settings[name]);
    const what = secret === true ? `${label} was changed` : `${label} was changed from ${from} to ${to}`;
    const who = by === null ? '' : ` by ${by}`;
    const when = takesEffect === 'at once' ? '' : '; it is in force after the next start';
    log.info('a setting was changed', { setting: name, ...(by === null ? {} : { by }) });
    void noteEvent('setting', options[name].flag, `${what}${who}${when}.`);
  }

  async #notify(changed: readonly SettingName[]): Promise<void> {
    for (const { names, listener } of this.#listeners) {
      if (!names.some((name) => changed.includes(name))) continue;
      try {
        await listener(this.#inForce);
      } catch (error) {
        // The change is stored and stays: the next start has it in any case.
        this.#services.log.error('a changed setting could not be put into force', {
          settings: names.join(' '),
          error: describeError(error),
        });
      }
    }
  }
}

function isSettingName(name: string): name is SettingName {
  return (settingNames as readonly string[]).includes(name);
}

function writeValue<Name extends SettingName>(name: Name, value: Settings[Name]): readonly string[] {
  const format: (value: Settings[Name]) => readonly string[] = options[name].format;
  return format(value);
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}

function pick(from: Settings, to: Settings, names: readonly SettingName[]): Settings {
  const picked = Object.fromEntries(names.map((name) => [name, to[name]]));
  return { ...from, ...(picked as Partial<Settings>) };
}
