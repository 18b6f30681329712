/** What people call a quality, and what lies beside a title and is kept as one: `~poster`, `~sub-2`. */
export function qualityWords(quality: string): string {
  if (quality === '~poster') return 'poster';
  const subtitles = /^~sub-(\d+)$/.exec(quality);
  return subtitles === null ? quality : `subtitles ${subtitles[1]}`;
}
