// The entry of every thread but the main one. Must stay beside main.ts: a compiled binary finds it by that address.
import { parentPort, workerData } from 'node:worker_threads';
import { runDownloadThread } from './chunks/download-thread.ts';
import { systemClock } from './clock.ts';
import { collectGarbage } from './runtime/collect-garbage.ts';
import { prepareNativeAddon } from './runtime/native-addon.ts';

const port = parentPort!;
const { role, addonFile } = workerData as { role: 'download' | 'upkeep'; addonFile: string | null };

if (role === 'download') {
  port.on(
    'message',
    runDownloadThread(systemClock, (message) => port.postMessage(message)),
  );
} else {
  prepareNativeAddon(addonFile);
  // Loaded here only: download threads never load the database driver.
  const { runUpkeepThread } = await import('./upkeep/upkeep-thread.ts');
  port.on(
    'message',
    runUpkeepThread((message) => {
      port.postMessage(message);
      // It ends by itself: a thread that is ended from outside while the driver works takes the process with it.
      port.close();
    }, collectGarbage),
  );
}
