/** What a browser said of its zone (views/assets/js/zone.js), if the runtime knows it by that name; else UTC. */
export function knownTimeZone(name: string | undefined): string {
  if (name === undefined || name.length > 64) return 'UTC';
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return 'UTC'; // no zone is called so
  }
}
