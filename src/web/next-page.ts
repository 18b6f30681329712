// Where to go after signing in. The address stands in a query that anybody can write: it must stay below us.

/** Path and query below the base path; `/` for what is none of ours. */
export function safeNext(text: string | null | undefined): string {
  const base = 'http://page/';
  if (text === null || text === undefined || !text.startsWith('/') || !URL.canParse(text, base)) return '/';
  const { origin, pathname, search } = new URL(text, base);
  // `/.//host` reads as a path, and as another host once it is sent.
  if (origin !== 'http://page' || pathname.startsWith('//')) return '/';
  return pathname + search;
}
