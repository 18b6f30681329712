// Everything that a running Larder looks at when somebody asks how it is, in the order in which it is shown.
import type { Clock } from '../../clock.ts';
import { clockCheck } from './clock-check.ts';
import { type DatabaseState, databaseCheck } from './database-check.ts';
import { diskChecks } from './disk-checks.ts';
import type { Check } from './finding.ts';
import { addressFamilies, interfaceAddresses, portAnswers } from './network-checks.ts';
import {
  type ForwardingState,
  forwardingCheck,
  secretKeyCheck,
  settingsCheck,
  type ThreadState,
  threadCheck,
} from './running-checks.ts';
import { type KnownSource, knownSources } from './source-checks.ts';

export interface ApplianceCheckServices {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: () => number;
  readonly newestUseMs: () => Promise<number>;
  readonly database: () => DatabaseState;
  readonly threads: () => ThreadState;
  readonly forwarding: () => ForwardingState;
  readonly sources: () => readonly KnownSource[];
  readonly pendingSettings: () => readonly string[];
  readonly settingMistakes: () => readonly string[];
  /** Why the key that seals secrets could not be kept; null when it is. */
  readonly keyNotKeptBecause: string | null;
  readonly clock: Clock;
}

export function applianceChecks(services: ApplianceCheckServices): readonly Check[] {
  const { clock, host } = services;
  return [
    knownSources(services.sources, clock),
    ...diskChecks(services.dataFolder, clock),
    databaseCheck(clock, services.database),
    secretKeyCheck(services.keyNotKeptBecause),
    clockCheck(clock, services.newestUseMs),
    // The port is known once it is listened on, and checks run later than that.
    { name: 'port', title: 'Port', run: () => portAnswers(host, services.port()).run() },
    addressFamilies(host, interfaceAddresses),
    forwardingCheck(services.forwarding, clock),
    threadCheck(services.threads),
    settingsCheck(services.pendingSettings, services.settingMistakes),
  ];
}
