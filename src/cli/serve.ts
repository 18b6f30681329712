import { readConfiguration } from '../config.ts';
import type { Command } from './command.ts';
import { optionHelp } from './option-help.ts';
import { runUntilSignal, startFromCommand } from './running-appliance.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'start the appliance (the default command)',
  describe: () => `Serves every file of its sources at http://HOST:PORT/s/SOURCE/PATH, and the page at /.

  larder serve --data /srv/larder --source films=https://host/films/

${optionHelp()}`,
  async run(context) {
    const configuration = readConfiguration({
      args: context.args,
      environment: context.environment,
      readFile: context.readFile,
    });
    return runUntilSignal(context, await startFromCommand(context, configuration));
  },
};
