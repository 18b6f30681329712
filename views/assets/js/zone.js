// The server writes times as they are where the visitor is: it hears of the zone from here, for the next page.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const base = document.querySelector('.brand')?.getAttribute('href') ?? '/';
if (zone) {
  // biome-ignore lint/suspicious/noDocumentCookie: the cookie store is for secure contexts only, and a NAS is seldom one
  document.cookie = `larder_zone=${zone}; path=${base}; max-age=34560000; samesite=lax`;
}
