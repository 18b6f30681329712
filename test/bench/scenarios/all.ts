// Every scenario, in the order in which they are run. A new one is a file beside this and a line here.
import type { Scenario } from '../scenario.ts';
import { coldLatencyFirstByte } from './cold-latency-first-byte.ts';
import { coldThinLine } from './cold-thin-line.ts';
import { coldUnlimited } from './cold-unlimited.ts';
import { idle } from './idle.ts';
import { launch } from './launch.ts';
import { playerOnThinLine } from './player-on-thin-line.ts';
import { seekDrop } from './seek-drop.ts';
import { sixteenClientsOneColdFile } from './sixteen-clients-one-cold-file.ts';
import { twoHundredSlowReaders } from './two-hundred-slow-readers.ts';
import { warmRanges2MiB } from './warm-ranges-2mib.ts';
import { warmRanges64KiB } from './warm-ranges-64kib.ts';
import { warmWholeFile } from './warm-whole-file.ts';

export const SCENARIOS: readonly Scenario[] = [
  coldUnlimited,
  coldLatencyFirstByte,
  seekDrop,
  coldThinLine,
  sixteenClientsOneColdFile,
  warmRanges2MiB,
  warmRanges64KiB,
  warmWholeFile,
  twoHundredSlowReaders,
  playerOnThinLine,
  launch,
  idle,
];
