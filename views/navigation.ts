// The pages that can be reached from every page, in the order in which they are listed. The first four stand in the
// bar of a small screen, the others behind "More".
import type { PageContext } from './page-context.ts';

export type NavigationEntry = {
  /** Below the base path; also names the section in `Layout`. */
  path: string;
  label: string;
  /** In views/assets/icons.svg. */
  icon: string;
  /** Pages that only owners may open. */
  ownerOnly: boolean;
};

export const primaryCount = 4;

const entries: readonly NavigationEntry[] = [{ path: '/', label: 'Dashboard', icon: 'dashboard', ownerOnly: false }];

export function navigationOf({ visitor }: PageContext): readonly NavigationEntry[] {
  if (visitor === null) return [];
  return entries.filter((entry) => !entry.ownerOnly || visitor.role === 'owner');
}
