/** What stands around the bare machine's processor: RAM and its hole, device pages, ports, tables in memory, breakpoints. */

import { RAM_HOLE } from '#spec/bare/boot.ts';
import type { BareConfig, BareEvent } from '#spec/bare/machine.ts';
import type { Cpu } from '../cpu/cpu.ts';
import type { Outside } from '../cpu/platform.ts';
import { inspectData, inspectPort, watchesData } from '../cpu/system/debug.ts';
import { spaceOf, walkTables } from '../cpu/system/paging.ts';
import type { Devices, Fault, Processor } from '../cpu/system/processor.ts';
import { loadSegment } from '../cpu/system/segments.ts';
import { checkPort } from '../cpu/system/tss.ts';
import type { Board } from '../device/board.ts';
import { readMemory, readPort, writeMemory, writePort } from '../device/ports.ts';

/** Devices take at most four bytes at a time. */
const MOST = 4;
const pieceOf = (left: number): 1 | 2 | 4 => (left >= MOST ? MOST : left >= 2 ? 2 : 1);

const outsideOf = (board: Board): Outside => ({
  covers: (maddr) => maddr >= RAM_HOLE.start && maddr < RAM_HOLE.end,
  read: (maddr, bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const size = pieceOf(bytes.length - at);
      const value = readMemory(board, maddr + at, size);
      for (let n = 0; n < size; n++) view.setUint8(at + n, (value >>> (8 * n)) & 0xff);
      at += size;
    }
  },
  write: (maddr, bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const size = pieceOf(bytes.length - at);
      let value = 0;
      for (let n = 0; n < size; n++) value |= bytes[at + n] << (8 * n);
      writeMemory(board, maddr + at, size, value >>> 0);
      at += size;
    }
  },
});

export class Surroundings implements Processor {
  readonly bare = true;
  readonly outside: Outside;
  readonly devices: Devices;
  nmiBlocked = false;
  halted = false;
  hits = 0;
  stepless = false;
  traps = 0;
  late: Fault | null = null;
  tscOffset = 0n;
  wantsTsc: bigint | null = null;
  readonly walk = walkTables;
  readonly space = spaceOf;
  readonly loadSegment = loadSegment;
  readonly watches = watchesData;
  readonly inspect = inspectData;
  readonly checkPort = checkPort;
  private readonly board: Board;
  private readonly values: readonly bigint[];
  private taken = 0;
  private readonly told: (event: BareEvent) => void;

  constructor(config: BareConfig, board: Board, told: (event: BareEvent) => void) {
    this.board = board;
    this.devices = board.lapic;
    this.outside = outsideOf(board);
    this.values = config.random.map(BigInt);
    this.told = told;
  }

  tell(event: BareEvent): void {
    this.told(event);
  }

  readPort(c: Cpu, port: number, size: number): number {
    inspectPort(c, port, size);
    return readPort(this.board, port, size);
  }

  writePort(c: Cpu, port: number, size: number, value: number): void {
    inspectPort(c, port, size);
    writePort(this.board, port, size, value);
  }

  /** One value after another; the last one again and again. */
  random(): bigint | null {
    if (this.values.length === 0) return null;
    const at = Math.min(this.taken++, this.values.length - 1);
    return this.values[at];
  }
}
