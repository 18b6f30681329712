// The last lines of the log, for the live log on the pages. In memory only, and without secrets: what is written here
// was redacted before.
import type { Clock } from '../clock.ts';
import { type Log, type LogFields, type LogLevel, redactUrls } from '../log.ts';

export interface LogLine {
  /** Grows by one with each line. */
  readonly id: number;
  readonly atMs: number;
  readonly level: LogLevel;
  readonly part: string | null;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

export interface LogFilter {
  /** This level and what is more severe. */
  readonly level?: LogLevel | undefined;
  readonly part?: string | undefined;
  /** In the message or a field, whatever its case. */
  readonly text?: string | undefined;
}

const LINES_MAX = 1_000;
/** Longer texts are cut: a stack is read in the log itself. */
const TEXT_MAX = 500;
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

export class LogRing {
  readonly #clock: Clock;
  readonly #level: () => LogLevel;
  readonly #lines: LogLine[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();
  #lastId = 0;

  /** @param level - lines below it are not kept */
  constructor(clock: Clock, level: () => LogLevel) {
    this.#clock = clock;
    this.#level = level;
  }

  get newestId(): number {
    return this.#lastId;
  }

  /** A log that writes to `log` and is kept here as well. */
  around(log: Log, part: string | null = null): Log {
    const both =
      (level: LogLevel) =>
      (message: string, fields?: LogFields): void => {
        log[level](message, fields);
        this.#keep(level, part, message, fields);
      };
    return {
      debug: both('debug'),
      info: both('info'),
      warning: both('warning'),
      error: both('error'),
      part: (name) => this.around(log.part(name), name),
    };
  }

  /** Newest first, from behind the line `before`. */
  list(filter: LogFilter, limit: number, before: number | null): LogLine[] {
    const lowest = logLevels.indexOf(filter.level ?? 'debug');
    const text = filter.text?.toLowerCase();
    const found: LogLine[] = [];
    for (let index = this.#lines.length - 1; index >= 0 && found.length < limit; index--) {
      const line = this.#lines[index]!;
      if (before !== null && line.id >= before) continue;
      if (logLevels.indexOf(line.level) < lowest) continue;
      if (filter.part !== undefined && line.part !== filter.part) continue;
      if (text !== undefined && !textOf(line).includes(text)) continue;
      found.push(line);
    }
    return found;
  }

  /** Parts of which there is a line, by name. */
  parts(): string[] {
    return [...new Set(this.#lines.flatMap(({ part }) => (part === null ? [] : [part])))].sort();
  }

  /** @returns ends it */
  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #keep(level: LogLevel, part: string | null, message: string, fields: LogFields = {}): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.#level())) return;
    const kept: Record<string, string | number | boolean | null> = {};
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) kept[name] = typeof value === 'string' ? shorten(redactUrls(value)) : value;
    }
    const id = ++this.#lastId;
    const line = { id, atMs: this.#clock.nowMs(), level, part, message: shorten(redactUrls(message)), fields: kept };
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
    for (const listener of [...this.#listeners]) listener(line);
  }
}

function shorten(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function textOf({ message, fields }: LogLine): string {
  return [message, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' ').toLowerCase();
}
