// What a process had the kernel write, from /proc/PID/io (Linux; proc_pid_io(5)).
import { readFileSync } from 'node:fs';

export interface ProcessIo {
  /** Bytes that it handed to write calls of any kind, sockets included. */
  readonly writtenBytes: number;
  /**
   * Pages that it dirtied and that a disk is to take, in bytes: a page that is written again before the disk had it
   * counts once, one that is written again afterwards twice. What a file system writes for itself is not in it.
   */
  readonly diskBytes: number;
  /** Of these, pages that the disk never had to take because their file was cut or removed before. */
  readonly cancelledBytes: number;
}

/** @throws Error when `text` is not of that form */
export function parseProcessIo(text: string): ProcessIo {
  const figure = (name: string) => {
    const value = new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`/proc/PID/io has no ${name}: ${text}`);
    return Number(value);
  };
  return {
    writtenBytes: figure('wchar'),
    diskBytes: figure('write_bytes'),
    cancelledBytes: figure('cancelled_write_bytes'),
  };
}

export function readProcessIo(pid: number): ProcessIo {
  return parseProcessIo(readFileSync(`/proc/${pid}/io`, 'utf8'));
}
