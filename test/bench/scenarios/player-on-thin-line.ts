// What a viewer feels: a film of 8 Mbit/s over a line of 12 Mbit/s, from the start, with four jumps forward and one
// back to where the film began. All peers at the same time, each with a line of its own.
import { type Film, watchFrom } from '../client/player.ts';
import type { Scenario } from '../scenario.ts';
import { randomFrom } from '../statistics.ts';
import { freshFiles, GiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = 2 * GiB;
const BYTES_PER_SECOND = 1e6;
const WATCH_SECONDS = 4;
const SEEK_COUNT = 4;
const MOST_ROUNDS = 2;

export const playerOnThinLine: Scenario = {
  name: 'player-on-thin-line',
  description:
    'A player of an 8 Mbit/s film with a start buffer of 2 s, origin with 80 ms a request and a line of 12 Mbit/s: ' +
    `4 s from the start, 4 s after each of ${SEEK_COUNT} jumps to untouched places, then back to the start. All peers ` +
    `at the same time, at most ${MOST_ROUNDS} rounds.`,
  metrics: [
    { samples: 'startMs', label: 'start', unit: 'ms', decimals: 0 },
    { samples: 'seekMs', label: 'seek', unit: 'ms', decimals: 0 },
    { samples: 'seekMs', label: 'seek, slowest', unit: 'ms', decimals: 0, statistic: (all) => Math.max(...all) },
    { samples: 'backMs', label: 'back to the start', unit: 'ms', decimals: 1 },
    { samples: 'stalledMs', label: 'picture stood still, in all', unit: 'ms', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 6: start and seeks within 1.45 s, back within 10 ms, no stall',
      holds: (figureOf) =>
        figureOf('larder', 'start') <= 1450 &&
        figureOf('larder', 'seek, slowest') <= 1450 &&
        figureOf('larder', 'back to the start') <= 10 &&
        figureOf('larder', 'picture stood still, in all') === 0,
    },
  ],
  limitSeconds: 240,
  async run(run) {
    const rounds = Math.min(MOST_ROUNDS, run.rounds);
    const files = freshFiles('film', rounds, SIZE_BYTES);
    const shape = { latencyMs: 80, lineBytesPerSecond: 1.5e6 };
    const subjects = await run.startSubjects({ files, shape }, WARM_UP_FILE);
    await run.together(
      subjects,
      async ({ peer }, round) => {
        const random = randomFrom(run.seed * 1000 + round);
        const buffers = { startBufferSeconds: 2, mostBufferedSeconds: 10 };
        const film: Film = { file: files[round]!, bytesPerSecond: BYTES_PER_SECOND, ...buffers };
        const first = await watchFrom(peer, film, 0, WATCH_SECONDS);
        let stalledMs = first.stalledMs;
        for (let seek = 0; seek < SEEK_COUNT; seek++) {
          // One jump into each part of the film, none near its end.
          const share = (seek + 0.2 + 0.6 * random()) / (SEEK_COUNT + 0.5);
          const viewing = await watchFrom(peer, film, Math.floor(share * SIZE_BYTES), WATCH_SECONDS);
          run.record(peer.name, { seekMs: viewing.startMs });
          stalledMs += viewing.stalledMs;
        }
        const back = await watchFrom(peer, film, 0, 1);
        return { startMs: first.startMs, backMs: back.startMs, stalledMs: stalledMs + back.stalledMs };
      },
      rounds,
    );
  },
};
