// What a player calls itself, as people know it. A guess from the User-Agent, and nothing but a name for the eye.

/** The first that fits names the player; `$1` is its version. Special ones stand before those that they pretend to be. */
const PLAYERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bVLC\/(\d+(?:\.\d+)*)/i, 'VLC $1'],
  [/\bKodi\/(\d+(?:\.\d+)?)/i, 'Kodi $1'],
  [/\bmpv\b(?:[/ ](\d+(?:\.\d+)*))?/i, 'mpv $1'],
  [/\bInfuse\b/i, 'Infuse'],
  [/\bJellyfin\b/i, 'Jellyfin'],
  [/\bPlex\w*\//i, 'Plex'],
  [/\bstremio\b/i, 'Stremio'],
  [/\bExoPlayer(?:Lib)?\/(\d+(?:\.\d+)*)/i, 'ExoPlayer $1'],
  [/\bAndroidXMedia3\/(\d+(?:\.\d+)*)/i, 'Android player $1'],
  [/\bAppleCoreMedia\b/i, 'Apple player'],
  [/\bRoku\b/i, 'Roku'],
  [/\b(?:SMART-TV|Tizen)\b/i, 'Samsung TV'],
  [/\bWeb0S\b|\bwebOS\b|\bLG NetCast\b/i, 'LG TV'],
  [/\bBRAVIA\b/i, 'Sony TV'],
  [/\bPlayStation (\d)/i, 'PlayStation $1'],
  [/\bXbox\b/i, 'Xbox'],
  [/\bCrKey\b/i, 'Chromecast'],
  [/\bLavf\/(\d+(?:\.\d+)?)/i, 'FFmpeg $1'],
  [/\bEdg(?:A|iOS)?\/(\d+)/, 'Edge $1'],
  [/\bOPR\/(\d+)/, 'Opera $1'],
  [/\bFirefox\/(\d+)/, 'Firefox $1'],
  [/\bHeadlessChrome\/(\d+)/, 'Chrome $1'],
  [/\bChrome\/(\d+)/, 'Chrome $1'],
  [/\bVersion\/(\d+)[.\d]* (?:Mobile\/\w+ )?Safari\b/, 'Safari $1'],
];

const NAME_MAX = 60;

/** `VLC/3.0.20 LibVLC/3.0.20` → `VLC 3.0.20`; null for a player that says nothing of itself. */
export function playerName(userAgent: string): string | null {
  for (const [pattern, name] of PLAYERS) {
    const match = pattern.exec(userAgent);
    if (match !== null) return name.replace('$1', match[1] ?? '').trim();
  }
  // Whatever it is: its first product.
  const product = /^([\w.+-]+)(?:\/([\w.+-]+))?/.exec(userAgent);
  if (product === null || userAgent === 'unknown') return null;
  return (product[2] === undefined ? product[1]! : `${product[1]} ${product[2]}`).slice(0, NAME_MAX);
}
