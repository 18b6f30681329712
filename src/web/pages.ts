// Every page there is, in one list.

import { addAboutPages } from './pages/about.tsx';
import { addAccountPages } from './pages/account.tsx';
import { addActivityPages } from './pages/activity.tsx';
import { addConnectPages } from './pages/connect.tsx';
import { addDashboardPage } from './pages/dashboard.tsx';
import { addDoctorPages } from './pages/doctor.tsx';
import { addEntryActions } from './pages/entry-actions.ts';
import { addEventPages } from './pages/events.tsx';
import { addHelpPage } from './pages/help.tsx';
import { addItemPages } from './pages/item.tsx';
import { addLibraryPages } from './pages/library.tsx';
import { addLoginPages } from './pages/login.tsx';
import { addPlaylist } from './pages/playlist.ts';
import { addSettingsPages } from './pages/settings.tsx';
import { addSetupPages } from './pages/setup.tsx';
import { addSetupPlay } from './pages/setup-play.tsx';
import { addSetupSourceStep } from './pages/setup-source.tsx';
import { addSetupStorageStep } from './pages/setup-storage.tsx';
import { addShellPages } from './pages/shell.tsx';
import { addSourcePages } from './pages/sources.tsx';
import { addStoragePages } from './pages/storage.tsx';
import { addUserPages } from './pages/users.tsx';
import type { Routes } from './routes.ts';
import type { WebServices } from './services.ts';

export function addPages(routes: Routes, services: WebServices): void {
  addDashboardPage(routes, services);
  addActivityPages(routes, services);
  addEntryActions(routes, services);
  addLibraryPages(routes, services);
  addItemPages(routes, services);
  addSettingsPages(routes, services);
  addConnectPages(routes, services);
  addDoctorPages(routes, services);
  addAboutPages(routes, services);
  addHelpPage(routes);
  addSourcePages(routes, services);
  addSetupSourceStep(routes, services);
  addLoginPages(routes, services);
  addAccountPages(routes, services);
  addUserPages(routes, services);
  addSetupPages(routes, services);
  addSetupPlay(routes, services);
  addSetupStorageStep(routes, services);
  addPlaylist(routes, services);
  addStoragePages(routes, services);
  addEventPages(routes, services);
  addShellPages(routes);
}
