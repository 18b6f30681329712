// Every curve, in the order in which they are measured.
import type { Curve } from '../curve.ts';
import { fragmentation } from './fragmentation.ts';
import { readers } from './readers.ts';

export const CURVES: readonly Curve[] = [readers, fragmentation];
