// Looks at everything Larder needs, and says what is wrong and what to do about it.
import { readConfiguration } from '../config.ts';
import { buildTarget, buildVersion } from '../runtime/embedded.ts';
import { clockCheck } from '../upkeep/doctor/clock-check.ts';
import { stoppedDatabaseCheck } from '../upkeep/doctor/database-check.ts';
import { diskChecks } from '../upkeep/doctor/disk-checks.ts';
import { worstOf } from '../upkeep/doctor/doctor.ts';
import { type Check, type CheckedFinding, runChecks } from '../upkeep/doctor/finding.ts';
import { addressFamilies, interfaceAddresses, portIsFree } from '../upkeep/doctor/network-checks.ts';
import { declaredSourcesAnswer } from '../upkeep/doctor/source-checks.ts';
import type { Command } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';
import { optionHelp } from './option-help.ts';

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'ERROR  ', unknown: 'unknown' } as const;

export const doctor: Command = {
  name: 'doctor',
  summary: 'check disk, database, port and sources, and say what to do',
  describe: () => `Checks the data folder, its disk, the clock, the database, the port and the declared sources. Changes
nothing but a file that it writes and removes. Exits with 1 when something is wrong. A running Larder shows the same,
and more, on its page Doctor.

${optionHelp()}`,
  async run(context) {
    const { clock } = context;
    const { settings, warnings } = readConfiguration(context);
    context.print(`larder ${buildVersion} ${buildTarget}`);
    for (const warning of warnings) context.print(`${MARKS.warning} ${warning}`);

    const [folder, unusable] = openFolder(settings.data);
    const folderChecks: readonly Check[] =
      folder === null
        ? [{ name: 'data-folder', title: 'Data folder', run: () => Promise.reject(unusable) }]
        : [
            ...diskChecks(folder, clock),
            stoppedDatabaseCheck(async () => (await import('../db/inspect.ts')).inspectDatabase(folder)),
          ];
    const findings = await runChecks(
      [
        ...folderChecks,
        clockCheck(clock, () => Promise.resolve(0)),
        portIsFree(settings.host, settings.port),
        addressFamilies(settings.host, interfaceAddresses),
        declaredSourcesAnswer(settings.source, clock),
      ],
      clock,
    );
    for (const finding of findings) for (const line of linesOf(finding)) context.print(line);
    return worstOf(findings) === 'failed' ? 1 : 0;
  },
};

function openFolder(setting: string): [string, null] | [null, unknown] {
  try {
    return [prepareDataFolder(setting).path, null];
  } catch (error) {
    return [null, error];
  }
}

function linesOf({ state, detail, hint }: CheckedFinding): string[] {
  const line = `${MARKS[state]} ${detail}`;
  return hint === null ? [line] : [line, `        → ${hint}`];
}
