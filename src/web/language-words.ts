// Languages of subtitles as people call them.

const names = new Intl.DisplayNames('en', { type: 'language' });

/** "English" of `en` or `eng`, "Portuguese (Brazil)" of `pt-BR`; the code itself where it is none that is known. */
export function languageName(code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // no code at all: servers pass on what files say
  }
}

export interface SubtitleFacts {
  readonly language: string | null;
  readonly title: string | null;
  readonly isForced: boolean;
}

/** "English, forced, for the hard of hearing": a title is what its source calls it. */
export function subtitleLabel({ language, title, isForced }: SubtitleFacts): string {
  const name = language === null ? null : languageName(language);
  const own = title !== null && title.trim() !== '' && title !== name ? title : null;
  const parts = [name, isForced && !/forced/i.test(own ?? '') ? 'forced' : null, own].filter((part) => part !== null);
  return parts.length === 0 ? 'Unknown language' : parts.join(', ');
}
