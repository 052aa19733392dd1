/** Guests for tests of the command line: each comes to an end of its own kind. */
import type { Program, Step } from '#spec/program.ts';
import { buildImages, EXAMPLES } from '../../image/index.ts';

const CONSOLEIO_WRITE = 0;
const SCHEDOP_BLOCK = 1;
const XENOPROF_GET_BUFFER = 14;
const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

const program = (...steps: readonly Step[]): Program => ({ steps: [...steps] });
const write = (id: number, text: string): Step => ({
  id,
  do: 'hypercall',
  call: 'console_io',
  args: [CONSOLEIO_WRITE, text.length, { text }],
});

const PROGRAMS = {
  hello: EXAMPLES.hello,
  /** Every byte there is, on the console. */
  binary: program({
    id: 1,
    do: 'hypercall',
    call: 'console_io',
    args: [CONSOLEIO_WRITE, ALL_BYTES.length, { array: ALL_BYTES, size: 1, show: 'nothing' }],
  }),
  crash: program(write(1, 'before\n'), { id: 2, do: 'end', how: 'unhandled' }),
  reboot: program({ id: 1, do: 'end', how: 'shutdown', reason: 1 }),
  /** Blocks with nothing that could wake it. */
  idle: program({ id: 1, do: 'hypercall', call: 'sched_op', args: [SCHEDOP_BLOCK, 0] }),
  not_modelled: program(write(1, 'before\n'), { id: 2, do: 'hypercall', call: 'xenoprof_op', args: [XENOPROF_GET_BUFFER, 0] }),
  /** Writes eight bytes after eight bytes without end. */
  endless: program({
    id: 1,
    do: 'code',
    regs: { rdi: CONSOLEIO_WRITE, rsi: 8, rdx: { page: 1, as: 'va' } },
    code: [
      { op: 'mov', args: ['eax', 18] },
      { op: 'syscall', args: [] },
      { op: 'jmp', args: [{ to: 0 }] },
    ],
  }),
} as const satisfies Record<string, Program>;

export type GuestName = keyof typeof PROGRAMS;

/** The image of a guest. */
export const guest = (name: GuestName): Uint8Array => buildImages(PROGRAMS[name])[0]!;

/** Images of two domains that talk to each other; the second crashes in the end. */
export const twoGuests = (): readonly Uint8Array[] => buildImages(EXAMPLES.two_domains);
