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

const entries: readonly NavigationEntry[] = [
  { path: '/', label: 'Dashboard', icon: 'dashboard', ownerOnly: false },
  { path: '/activity', label: 'Activity', icon: 'activity', ownerOnly: true },
  { path: '/library', label: 'Library', icon: 'library', ownerOnly: false },
  { path: '/sources', label: 'Sources', icon: 'sources', ownerOnly: true },
  { path: '/storage', label: 'Storage', icon: 'storage', ownerOnly: true },
  { path: '/events', label: 'Events', icon: 'events', ownerOnly: true },
  { path: '/users', label: 'Users', icon: 'users', ownerOnly: true },
  { path: '/settings', label: 'Settings', icon: 'settings', ownerOnly: true },
  { path: '/connect', label: 'Connect', icon: 'connect', ownerOnly: false },
  { path: '/doctor', label: 'Doctor', icon: 'doctor', ownerOnly: true },
  { path: '/about', label: 'About', icon: 'about', ownerOnly: false },
  { path: '/account', label: 'Account', icon: 'account', ownerOnly: false },
];

/** Typed behind "g", the key leads to the page (help page, views/assets/js/shortcuts.js). */
export const navigationKeys: Readonly<Record<string, string>> = {
  '/': 'd',
  '/activity': 'a',
  '/library': 'l',
  '/sources': 's',
  '/storage': 't',
  '/events': 'e',
  '/users': 'u',
  '/settings': 'p',
  '/connect': 'c',
  '/doctor': 'h',
  '/about': 'i',
  '/account': 'm',
};
export function navigationOf({ visitor }: PageContext): readonly NavigationEntry[] {
  if (visitor === null) return [];
  return entries.filter((entry) => !entry.ownerOnly || visitor.role === 'owner');
}
