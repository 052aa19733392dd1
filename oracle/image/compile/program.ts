/** Programs into images. */
import type { Program, Step } from '#spec/program.ts';
import { Assembler } from '../asm/assembler.ts';
import { addressOf, at, imm } from '../asm/operand.ts';
import { writeElf } from '../elf.ts';
import { HYPERCALL_PAGE, POOL_PAGES, PROGRAMS, RUNTIME, VAR, VIRT_BASE } from '../layout.ts';
import { runtime, runtimeFor } from '../runtime/runtime.ts';
import { Context, DOMIDS, type Domids } from './context.ts';
import { Data } from './data.ts';
import { accept, awaitTurn, handOver, keepOut, letIn, offer, sleep } from './peers.ts';
import { emitSecond } from './second_vcpu.ts';
import { compileStep } from './steps.ts';

const PAGE = 4096;
const roundUp = (n: number): number => Math.ceil(n / PAGE) * PAGE;

/** How many domains a program takes: 1 or 2. */
export const domainsOf = (program: Program): number => (program.steps.some((s) => s.domain === 1) ? 2 : 1);

/** One ELF file for each domain of a program, the first one first; that one's memory reaches up to `end` at least. `domids`: who they will be. */
export const buildImages = (program: Program, end = 0, domids: Domids = DOMIDS): Uint8Array[] => {
  const domains = domainsOf(program);
  return Array.from({ length: domains }, (_, domain) => link([program], domain, domains, domain === 0 ? end : 0, domids));
};

/** Many programs of one domain in one image, one after the other, the domain reset in between. */
export const buildBatch = (programs: readonly Program[], end = 0): Uint8Array => link(programs, 0, 1, end, DOMIDS);

/** A guess at the room for code; it doubles until the code fits. */
const link = (programs: readonly Program[], domain: number, domains: number, end: number, domids: Domids): Uint8Array => {
  const steps = programs.reduce((sum, p) => sum + p.steps.length, 0);
  for (let window = roundUp(steps * 384 + PAGE); ; window *= 2) {
    const image = tryLink(programs, domain, domains, window, end, domids);
    if (image) return image;
  }
};

const tryLink = (
  programs: readonly Program[],
  domain: number,
  domains: number,
  window: number,
  least: number,
  domids: Domids,
): Uint8Array | null => {
  const { labels } = runtime();
  const a = new Assembler(PROGRAMS, labels);
  const dataBase = PROGRAMS + window;
  const dataWindow = window * 2;
  const pools = dataBase + dataWindow;
  const data = new Data(dataBase);
  programs.forEach((program, number) => {
    const c = new Context(a, data, number, pools + number * POOL_PAGES * PAGE, program, domain, domains, domids);
    if (number > 0) c.call('reset');
    compileProgram(c, program);
  });
  a.op('jmp', addressOf('poweroff'));
  const { bytes } = a.finish();
  if (bytes.length > window || data.length > dataWindow) return null;
  const end = Math.max(least, pools + programs.length * POOL_PAGES * PAGE);
  return writeElf({
    segments: [
      { address: RUNTIME, bytes: runtimeFor(PROGRAMS, programs[0]?.release), size: PROGRAMS - RUNTIME },
      { address: PROGRAMS, bytes, size: bytes.length },
      { address: dataBase, bytes: data.bytes.subarray(0, data.length), size: end - dataBase },
    ],
    entry: labels.get('start') as number,
    virtBase: VIRT_BASE,
    hypercallPage: HYPERCALL_PAGE,
  });
};

/** The steps of this domain; in a program of two domains, turns in between. */
const compileProgram = (c: Context, program: Program): void => {
  const { a } = c;
  a.op('mov', at(64, VAR.pool), imm(c.pool));
  if (c.domains === 1 || c.domain === 1) {
    for (const [address, value] of c.initialSlots()) {
      c.load('rax', value);
      c.storeRax(address);
    }
  }
  emitSecond(c, program);
  if (c.domains === 1) {
    for (const step of program.steps) compileStep(c, step);
    return;
  }
  takeTurns(c, program.steps);
};

/** The steps of one of two domains, with the turns of both in between. */
const takeTurns = (c: Context, steps: readonly Step[]): void => {
  if (c.domain === 1) {
    offer(c);
    keepOut(c);
  } else accept(c);
  let turn = 0;
  const pass = (to: number) => {
    if (to === turn) return;
    if (turn === c.domain) {
      keepOut(c);
      handOver(c);
    } else {
      awaitTurn(c);
      letIn(c);
    }
    turn = to;
  };
  const rest = steps.findIndex((step) => step.do === 'rest');
  for (const step of rest < 0 ? steps : steps.slice(0, rest)) {
    const owner = step.domain ?? 0;
    pass(owner);
    if (owner === c.domain) compileStep(c, step);
  }
  // Domain 0's end is the machine's, so it goes last.
  pass(0);
  if (rest >= 0) lastTurn(c, steps.slice(rest));
  if (c.domain === 0) c.call('show_peer');
};

/** Domain 1 sleeps from here on, and domain 0 is alone. */
const lastTurn = (c: Context, steps: readonly Step[]): void => {
  if (c.domain === 1) {
    sleep(c);
    return;
  }
  c.call('rest_peer');
  for (const step of steps) if ((step.domain ?? 0) === 0) compileStep(c, step);
};
