// Asks over pinned connections and says what came of it. The servers of pinned-fetch.test.ts are the other side.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import type { ClientCertificate } from '../../src/sources/client-certificate.ts';
import { PinnedFetch } from '../../src/sources/pinned-fetch.ts';

export interface PinnedFetchPlan {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Speaks for another name. */
  readonly otherPort: number;
  readonly clientCertificate: ClientCertificate;
}

export interface PinnedFetchFindings {
  readonly byName: string;
  readonly byNameOverTls: string;
  readonly withoutAuthority: string;
  readonly ofAnotherName: string;
  readonly refused: string;
  readonly nextAddress: string;
  readonly rounds: readonly { readonly aheadBytes: number; readonly bodyBytes: number; readonly afterAbort: string }[];
  readonly connectionsForTen: number;
  readonly broken: string;
}

const MIB = 1024 * 1024;

async function findOut({ httpPort, httpsPort, otherPort, clientCertificate }: PinnedFetchPlan) {
  const fetch = new PinnedFetch(systemClock);
  const request = (
    url: string,
    {
      abort = new AbortController(),
      addresses = ['127.0.0.1'],
      certificate = clientCertificate as typeof clientCertificate | null,
    } = {},
  ) =>
    fetch.request({
      url: new URL(url),
      addresses,
      clientCertificate: certificate,
      method: 'GET',
      headers: { 'accept-encoding': 'identity' },
      body: null,
      signal: abort.signal,
      onConnected: () => undefined,
    });
  const text = async (url: string, options?: Parameters<typeof request>[1]) => {
    try {
      return await (await request(url, options)).text();
    } catch (error) {
      return `failed: ${(error as { code?: string }).code ?? (error as Error).name}`;
    }
  };
  const plain = `http://films.test:${httpPort}`;
  const secure = `https://films.test:${httpsPort}`;
  const first = {
    byName: await text(`${plain}/host`),
    byNameOverTls: await text(`${secure}/host`),
    withoutAuthority: await text(`${secure}/host`, { certificate: null }),
    ofAnotherName: await text(`https://films.test:${otherPort}/host`),
    refused: await text(`${plain}/host`, { addresses: ['127.0.0.9'] }),
    nextAddress: await text(`${secure}/host`, { addresses: ['127.0.0.9', '127.0.0.1'] }),
    broken: await text(`${secure}/broken`),
  };
  const rounds = [];
  for (const base of [plain, secure]) {
    const abort = new AbortController();
    const response = await request(`${base}/endless`, { abort });
    // Turns of both sides' event loops, in which everything could come that nobody holds back.
    for (let turn = 0; turn < 200; turn++) await text(`${plain}/host`);
    const aheadBytes = Number(await text(`${plain}/sent`));
    let bodyBytes = 0;
    let afterAbort = 'it went on';
    try {
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        bodyBytes += bytes.length;
        if (bodyBytes > 32 * MIB) abort.abort();
        if (bodyBytes > 48 * MIB) break;
      }
    } catch (error) {
      afterAbort = (error as Error).name;
    }
    await text(`${plain}/closed`); // answers when the endless one is hung up
    rounds.push({ aheadBytes, bodyBytes, afterAbort });
  }
  await text(`${plain}/count-from-here`);
  for (let count = 0; count < 10; count++) await text(`${secure}/host`);
  return { ...first, rounds, connectionsForTen: Number(await text(`${plain}/count`)) };
}

const findings: PinnedFetchFindings = await findOut(workerData as PinnedFetchPlan);
parentPort?.postMessage(findings);
