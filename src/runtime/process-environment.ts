/** The environment of the process. Read here only; everything else is handed what it needs. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
