import { test } from 'bun:test';
import { startHlsLarder, addressesIn, until } from './hls-larder.ts';
import { hlsFolder } from '../support/hls-origin.ts';
import { readdirSync } from 'node:fs';
test('x', async () => {
  console.log(readdirSync(hlsFolder()).join(' '));
  const t0 = performance.now();
  {
  await using fresh = await startHlsLarder();
  console.log('started', performance.now() - t0);
  console.log((await fresh.get(fresh.pathOf('ts'))).text);
  const t=performance.now();
  console.log(await Promise.all([0,1].map(()=>fresh.countFrames(fresh.pathOf('ts')))));
  console.log('played', performance.now()-t);
  for (const r of fresh.origin.requests) console.log(r.method, r.path, r.range, r.status, r.headers['if-range']);
  console.log(fresh.larder.log.join('\n').slice(-3000));
  }
  console.log('all', performance.now() - t0);
}, 20000);
