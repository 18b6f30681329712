// What rounds of kill -9 are told.
import type { FilmBounds } from './film.ts';

export interface KillRoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly filmCount: number;
  readonly films: FilmBounds;
  /** A kill may cost at most this much of each fetch job that ran. */
  readonly boundBytes: number;
  /** From listening to the kill, at most. */
  readonly killWithinMs: number;
  /** Empty; the data and a scratch file are made in it. */
  readonly folder: string;
  readonly report: (line: string) => void;
}
