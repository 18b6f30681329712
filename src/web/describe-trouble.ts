// What is wrong with the disk, as a sentence.
import { formatSentence } from '../../views/format.ts';
import type { SpaceTrouble } from '../offline/space-keeper.ts';

export function describeTrouble(trouble: SpaceTrouble | null): { sentence: string; hint: string | null } | null {
  if (trouble === null) return null;
  const sentence = `Nothing can be cached: ${trouble.why}; streams go on uncached.`;
  return { sentence, hint: trouble.hint === null ? null : formatSentence(trouble.hint) };
}
