// Every page there is, in one list.
import { addEntryActions } from './pages/entry-actions.ts';
import { addHomePage } from './pages/home.tsx';
import { addShellPages } from './pages/shell.tsx';
import type { Routes } from './routes.ts';
import type { WebServices } from './services.ts';

export function addPages(routes: Routes, services: WebServices): void {
  addHomePage(routes, services);
  addEntryActions(routes, services);
  addShellPages(routes);
}
