/** What the devices of the bare machine hold. Bytes and words are numbers, times are ns as in BareInput; null stands for never. */

/** One 8259A. `line`: levels of its eight inputs, as the edge detectors saw them last. `priority`: the input that comes first. `init`: 0 ready, else the next of ICW2, ICW3, ICW4 that it waits for (2, 3, 4). */
export type PicObservation = {
  readonly irr: number;
  readonly isr: number;
  readonly imr: number;
  readonly line: number;
  readonly base: number;
  readonly elcr: number;
  readonly priority: number;
  readonly auto_eoi: boolean;
  readonly rotate_on_auto_eoi: boolean;
  readonly read_isr: boolean;
  readonly special_mask: boolean;
  readonly poll: boolean;
  /** Special fully nested mode. */
  readonly nested: boolean;
  readonly init: number;
};

/** One counter of the 8254. `count`: initial count (65536 for 0); `loaded`: when counting began. */
export type PitCounterObservation = {
  readonly mode: number;
  readonly bcd: boolean;
  /** Access: 1 low byte, 2 high byte, 3 low then high; 0, before any was chosen, is like 1. */
  readonly access: number;
  readonly count: number;
  readonly loaded: number;
  readonly gate: boolean;
  /** Latched count and status that wait to be read; null when none. */
  readonly latch: number | null;
  readonly status_latch: number | null;
};

export type SerialObservation = {
  readonly ier: number;
  readonly iir: number;
  readonly lcr: number;
  readonly mcr: number;
  readonly lsr: number;
  readonly msr: number;
  readonly scr: number;
  readonly divisor: number;
  /** Received bytes that wait to be read, and behind them those that wait on the line for room. */
  readonly received: readonly number[];
};

export type RtcObservation = {
  /** Index port, NMI mask bit included. */
  readonly index: number;
  /**
   * Registers A, B and C as they are held (A without the update bit), and the 128 bytes of CMOS as hex digits: time registers as a read
   * would find them now, 0 in place of A to D and of 0x37, which is another name of 0x32.
   */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly cmos: string;
};

export type LapicObservation = {
  readonly id: number;
  readonly tpr: number;
  readonly svr: number;
  readonly esr: number;
  readonly ldr: number;
  readonly dfr: number;
  /** 256 bits as 64 hex digits, vector 255 first. */
  readonly irr: string;
  readonly isr: string;
  readonly tmr: string;
  /** Timer, thermal, performance, LINT0, LINT1, error. */
  readonly lvt: readonly number[];
  readonly icr_low: number;
  readonly icr_high: number;
  readonly initial_count: number;
  readonly divide: number;
  /** When the timer's present count began, in ns; null while it stands (initial count 0, or the one shot is over). */
  readonly started: number | null;
};

export type IoapicObservation = {
  readonly id: number;
  readonly select: number;
  /** The 24 redirection entries as hex. */
  readonly redirection: readonly string[];
  /** Levels of its 24 inputs. */
  readonly line: number;
};

export type DeviceObservation = {
  /** Master and slave. */
  readonly pic: readonly [PicObservation, PicObservation];
  readonly pit: readonly [PitCounterObservation, PitCounterObservation, PitCounterObservation];
  /** Port 0x61: bit 0 gate of counter 2, bit 1 the speaker, bit 4 changes with every read. */
  readonly speaker: number;
  readonly serial: SerialObservation;
  readonly rtc: RtcObservation;
  readonly lapic: LapicObservation;
  readonly ioapic: IoapicObservation;
  readonly a20: boolean;
};
