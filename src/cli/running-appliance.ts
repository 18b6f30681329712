// Starts an appliance for a command and keeps it until a signal comes.
import type { Appliance } from '../appliance.ts';
import type { Configuration } from '../config.ts';
import { STOP_DEADLINE_MS } from '../limits.ts';
import { createLog } from '../log.ts';
import { buildVersion } from '../runtime/embedded.ts';
import type { CommandContext } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';

/** @throws LarderError when it cannot start */
export async function startFromCommand(context: CommandContext, configuration: Configuration): Promise<Appliance> {
  const { clock } = context;
  let level = configuration.settings.logLevel;
  const log = createLog({
    get level() {
      return level;
    },
    write: context.complain,
    nowMs: () => clock.nowMs(),
  });
  for (const warning of configuration.warnings) log.warning(warning);
  const folder = prepareDataFolder(configuration.settings.data);
  // Only now: the appliance imports the database driver, which needs the add-on.
  const { startAppliance } = await import('../appliance.ts');
  const settings = { ...configuration.settings, data: folder.path };
  const appliance = await startAppliance({
    configuration: { ...configuration, settings },
    version: buildVersion,
    processId: context.processId,
    clock,
    log,
    setLogLevel: (wanted) => {
      level = wanted;
    },
    startThread: (role) => context.startThread(role, folder.addonFile),
  });
  context.print(`larder listening on ${addressOf(appliance)}`);
  if (appliance.fingerprint !== null) context.print(`certificate fingerprint (SHA-256): ${appliance.fingerprint}`);
  if (appliance.setupCode !== null) {
    context.print(`set-up code: ${appliance.setupCode}`);
    context.print(`Nobody owns this Larder yet: open its address in a browser and enter the code.`);
  }
  return appliance;
}

export function addressOf(appliance: Appliance): string {
  const host = appliance.host.includes(':') ? `[${appliance.host}]` : appliance.host;
  return `${appliance.scheme}://${host}:${appliance.port}`;
}

/** Waits for a signal, then stops within the deadline. @returns the exit code */
export async function runUntilSignal(context: CommandContext, appliance: Appliance): Promise<number> {
  await context.stopSignal;
  const deadline = new Promise<'late'>((resolve) => context.clock.after(STOP_DEADLINE_MS, () => resolve('late')));
  const result = await Promise.race([appliance.stop().then(() => 'stopped' as const), deadline]);
  if (result === 'late') context.complain('larder: some parts did not stop in time; recorded bytes are safe');
  return 0;
}
