// Every curve, in the order in which they are measured.
import type { Curve } from '../curve.ts';
import { entries } from './entries.ts';
import { fileSize } from './file-size.ts';
import { fragmentation } from './fragmentation.ts';
import { readers } from './readers.ts';

export const CURVES: readonly Curve[] = [readers, entries, fileSize, fragmentation];
