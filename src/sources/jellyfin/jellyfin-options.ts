// What an owner chooses for a Jellyfin source, and by which device the server knows us.
import { LarderError } from '../../errors.ts';
import { parseLadder, parseTranscodeWay, type TranscodeWay } from '../ladder.ts';
import type { Rung, SourceOptions } from '../media-source.ts';
import { fieldsOf } from './dto-fields.ts';

export interface JellyfinOptions {
  /**
   * A sign-in replaces the token that the same device had before (SessionManager.cs, GetAuthorizationToken): each source
   * is a device of its own and stays the same one.
   */
  readonly deviceId: string;
  readonly transcode: TranscodeWay;
  /** Highest first; empty where nothing is to be converted. */
  readonly ladder: readonly Rung[];
}

const KNOWN = new Set(['deviceId', 'transcode', 'ladder']);
const DEVICE_ID = /^[\w.-]{1,128}$/;

/**
 * What is not given stays as it was before.
 * @throws LarderError `invalid`
 */
export function parseJellyfinOptions(
  value: unknown,
  before: SourceOptions | null,
  randomId: () => string,
): SourceOptions {
  const fields = fieldsOf(value ?? {});
  if (fields === null) {
    throw new LarderError('invalid', 'the options are not an object', { hint: 'give {"transcode": "growing"}' });
  }
  const unknown = Object.keys(fields).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new LarderError(
      'invalid',
      `there is no option ${JSON.stringify(unknown.slice(0, 40))} of a Jellyfin source`,
      {
        hint: 'there are transcode and ladder',
      },
    );
  }
  const merged = { ...before, ...fields };
  const deviceId = merged.deviceId ?? before?.deviceId ?? randomId();
  if (typeof deviceId !== 'string' || !DEVICE_ID.test(deviceId)) {
    throw new LarderError('invalid', 'the device id cannot be sent', { hint: 'leave it out: one is made' });
  }
  parseLadder(merged.ladder);
  const hasLadder = merged.ladder !== undefined && merged.ladder !== null;
  return {
    deviceId,
    transcode: parseTranscodeWay(merged.transcode),
    ...(hasLadder ? { ladder: merged.ladder } : {}),
  };
}

/** Of options that were parsed before they were stored. */
export function readJellyfinOptions({ deviceId, transcode, ladder }: SourceOptions): JellyfinOptions {
  const way = parseTranscodeWay(transcode);
  return {
    deviceId: typeof deviceId === 'string' ? deviceId : '',
    transcode: way,
    ladder: way === 'off' ? [] : parseLadder(ladder),
  };
}
