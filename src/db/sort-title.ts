/** Longer titles are told apart by their rows' ids. */
const SORT_TITLE_MAX = 200;
/** Digits of the largest number that sorts as a number. */
const NUMBER_DIGITS = 10;

/**
 * What a title is sorted by: without case, accents, an English article and marks in front, and with numbers in their
 * order, so that `The Episode 2` stands before `Épisode 10`.
 */
export function foldTitle(title: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/^[^\p{L}\p{N}]+/u, '');
  const bare = plain.replace(/^(?:the|an?)\s+(?=\S)/, '');
  return bare.replace(/\d+/g, (digits) => digits.padStart(NUMBER_DIGITS, '0')).slice(0, SORT_TITLE_MAX);
}
