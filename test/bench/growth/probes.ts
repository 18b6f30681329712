// What curves measure with: processor time of a piece of work, the cost of many requests, and how long others wait.
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type Exchange } from '../client/connection.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { readThreadTime, type ThreadTime } from '../system/process-tree.ts';

export interface Cost {
  readonly wallMs: number;
  /** Of all threads of the program. */
  readonly processorMs: number;
  /** Of the thread that answers everybody. */
  readonly mainMs: number;
}

/** What `work` costs the program. What it does besides counts, too: let it come to rest before. */
export async function costOf({ pid }: RunningPeer, work: () => Promise<unknown>): Promise<Cost> {
  const before: ThreadTime = readThreadTime(pid);
  const startedAtMs = performance.now();
  await work();
  const wallMs = performance.now() - startedAtMs;
  const after = readThreadTime(pid);
  return { wallMs, processorMs: after.allMs - before.allMs, mainMs: after.mainMs - before.mainMs };
}

/** The exchanges one after the other, on one connection. @returns the cost of one */
export async function costOfEach(peer: RunningPeer, exchanges: readonly Exchange[]): Promise<Cost> {
  const connection = await Connection.open(peer.port);
  try {
    const all = await costOf(peer, async () => {
      for (const exchange of exchanges) await connection.get(exchange);
    });
    const count = exchanges.length;
    return { wallMs: all.wallMs / count, processorMs: all.processorMs / count, mainMs: all.mainMs / count };
  } finally {
    connection.drop();
  }
}

export interface ApiRequest {
  readonly path: string;
  readonly token: string;
  readonly method?: 'GET' | 'DELETE' | 'PATCH';
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks the API; rejects when it does not do what it is asked. */
export async function askApi({ port }: RunningPeer, request: ApiRequest): Promise<string> {
  const { path, token, method = 'GET', body } = request;
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { method, headers, ...sent });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`);
  return text;
}

const ASK_EVERY_MS = 1;
/** What `work` sets off may come a little later. */
const AFTERMATH_MS = 50;

/** How long somebody who asks for nothing but a sign of life waits at most while `work` is done. */
export async function longestWaitDuring(peer: RunningPeer, work: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let longestMs = 0;
  const ask = async () => {
    const askedAtMs = performance.now();
    await (await fetch(`http://127.0.0.1:${peer.port}/healthz`)).text();
    return performance.now() - askedAtMs;
  };
  // The first one opens the connection.
  await ask();
  const asking = (async () => {
    while (!isOver) {
      longestMs = Math.max(longestMs, await ask());
      await sleep(ASK_EVERY_MS);
    }
  })();
  try {
    await work();
    await sleep(AFTERMATH_MS);
  } finally {
    isOver = true;
    await asking;
  }
  return longestMs;
}
