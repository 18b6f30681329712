// What somebody typed into the search field, as words to look for. Nothing that is typed is an error: what is no letter
// and no digit separates words, and what is too long is cut.

const QUERY_MAX = 256;
const WORDS_MAX = 8;
const WORD_MAX = 64;

export function readSearchWords(query: string): string[] {
  // Before it is looked at in any other way: somebody pasted a book.
  const text = query.slice(0, QUERY_MAX).normalize('NFC').toLowerCase();
  const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? [];
  return [...new Set(words.map((word) => word.slice(0, WORD_MAX)))].slice(0, WORDS_MAX);
}
