// One line per event on standard error; standard output is for the listening line and command output.

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with `part=` set, e.g. `scheduler`. */
  part(name: string): Log;
}

export interface LogOptions {
  /** Asked for each line, so that it can be changed while running. */
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

/** User information and query strings carry passwords and tokens: neither is ever written. */
export function redactUrls(text: string): string {
  return text.replace(/\b(https?:\/\/)([^\s/"']*@)?([^\s?"']*)(\?[^\s"']*)?/gi, (_, scheme, user, rest, query) => {
    return `${scheme}${user ? '***@' : ''}${rest}${query ? '?***' : ''}`;
  });
}

function formatField(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  const text = redactUrls(value);
  return /^[\w.:/%+@-]+$/.test(text) ? text : JSON.stringify(text);
}

export function createLog(options: LogOptions, partName?: string): Log {
  function write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (ORDER.indexOf(level) < ORDER.indexOf(options.level)) return;
    const time = new Date(options.nowMs()).toISOString();
    let line = `${time} level=${level}`;
    if (partName !== undefined) line += ` part=${partName}`;
    line += ` msg=${JSON.stringify(redactUrls(message))}`;
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) line += ` ${name}=${formatField(value)}`;
    }
    options.write(line);
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warning: (message, fields) => write('warning', message, fields),
    error: (message, fields) => write('error', message, fields),
    part: (name) => createLog(options, name),
  };
}
