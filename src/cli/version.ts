import { buildTarget, buildVersion } from '../runtime/embedded.ts';
import type { Command } from './command.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the version and the target it was built for',
  describe: () => 'Prints one line: the version and the target it was built for.',
  run(context) {
    context.print(`larder ${buildVersion} ${buildTarget}`);
    return Promise.resolve(0);
  },
};
