// What a program and all its children cost, read from /proc (Linux only). CPU time includes children that have ended.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// The kernel's unit of CPU time in /proc; 100 on every Linux that Bun supports.
const TICKS_PER_SECOND = 100;

export interface TreeMemory {
  readonly residentBytes: number;
  /** Sum of each process's own high-water mark since `resetPeak`: at least the true peak of the sum. */
  readonly peakResidentBytes: number;
  /** Shared pages counted once (PSS). */
  readonly proportionalBytes: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process or thread ended between listing and reading.
  }
}

// Fields of /proc/PID/stat after the command, which may itself hold spaces and brackets; field 3 is index 0.
function statFields(processId: number): string[] {
  const text = read(`/proc/${processId}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The process and all its descendants, parents first. */
export function listProcessTree(rootPid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const processId = Number(entry);
    if (!Number.isInteger(processId)) continue;
    const parentId = Number(statFields(processId)[1]);
    children.set(parentId, [...(children.get(parentId) ?? []), processId]);
  }
  const tree = [rootPid];
  for (const processId of tree) tree.push(...(children.get(processId) ?? []));
  return tree;
}

/** CPU seconds, user and system, spent so far; steps of 10 ms. */
export function readCpuSeconds(rootPid: number): number {
  let ticks = 0;
  for (const processId of listProcessTree(rootPid)) {
    const fields = statFields(processId);
    for (const index of [11, 12, 13, 14]) ticks += Number(fields[index] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

export interface ThreadTime {
  /** Of the first thread of the root process. */
  readonly mainMs: number;
  /** Of every thread of the tree that is still there. */
  readonly allMs: number;
}

/** Processor time with the scheduler's own precision, for what is too short for steps of 10 ms. */
export function readThreadTime(rootPid: number): ThreadTime {
  let allMs = 0;
  for (const processId of listProcessTree(rootPid)) {
    for (const thread of listThreads(processId)) allMs += threadMs(processId, thread);
  }
  return { mainMs: threadMs(rootPid, String(rootPid)), allMs };
}

// Nanoseconds on a processor come first.
function threadMs(processId: number, thread: string): number {
  return Number(read(`/proc/${processId}/task/${thread}/schedstat`).split(' ', 1)[0]) / 1e6;
}

function listThreads(processId: number): string[] {
  try {
    return readdirSync(`/proc/${processId}/task`);
  } catch {
    return []; // The process ended in between.
  }
}

function kilobytesOf(text: string, label: string): number {
  return Number(new RegExp(`^${label}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

export function readMemory(rootPid: number): TreeMemory {
  let resident = 0;
  let peak = 0;
  let proportional = 0;
  for (const processId of listProcessTree(rootPid)) {
    const status = read(`/proc/${processId}/status`);
    resident += kilobytesOf(status, 'VmRSS');
    peak += kilobytesOf(status, 'VmHWM');
    proportional += kilobytesOf(read(`/proc/${processId}/smaps_rollup`), 'Pss');
  }
  return { residentBytes: resident * 1024, peakResidentBytes: peak * 1024, proportionalBytes: proportional * 1024 };
}

/** Lets the high-water marks start again from the memory in use now. */
export function resetPeak(rootPid: number): void {
  for (const processId of listProcessTree(rootPid)) {
    try {
      writeFileSync(`/proc/${processId}/clear_refs`, '5');
    } catch {
      // Not permitted or gone: the mark then counts from the start of that process.
    }
  }
}

/** Times that each thread was put on or taken off a CPU, by its id. */
export type ContextSwitches = ReadonlyMap<string, number>;

export function readContextSwitches(rootPid: number): ContextSwitches {
  const switches = new Map<string, number>();
  for (const processId of listProcessTree(rootPid)) {
    for (const thread of listThreads(processId)) {
      const status = read(`/proc/${processId}/task/${thread}/status`);
      let count = 0;
      for (const match of status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)/gm)) count += Number(match[1]);
      switches.set(thread, count);
    }
  }
  return switches;
}

/** Wake-ups, for an idle program. A thread that ended in between is counted as one. */
export function countSwitchesBetween(before: ContextSwitches, after: ContextSwitches): number {
  let count = 0;
  for (const [thread, switches] of after) count += switches - (before.get(thread) ?? 0);
  for (const thread of before.keys()) if (!after.has(thread)) count += 1;
  return count;
}
