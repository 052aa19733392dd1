/** Cases made smaller: what a case has that it does not need for its clause goes. */
import type { SystemCase } from '../../image/bare/case.ts';
import { type InstructionCase, initialFx } from '../../image/instruction/case.ts';
import { fxImageOf, fxStateOf } from '../../image/instruction/fx_state.ts';

/** Whether a candidate still shows what it is for. */
type Shows<C> = (candidate: C) => Promise<boolean>;

/** Takes one change after the other, as far as the case shows the same. */
const afterChanges = async <C>(start: C, changes: readonly ((c: C) => C)[], shows: Shows<C>): Promise<C> => {
  let c = start;
  for (const change of changes) {
    const candidate = change(c);
    if (await shows(candidate)) c = candidate;
  }
  return c;
};

const OPTIONAL = ['flags', 'segments', 'cr0', 'cr3', 'cr4', 'cr8', 'efer', 'ldt', 'tr', 'dr', 'ip', 'sp'] as const;

const systemChanges = (c: SystemCase): readonly ((c: SystemCase) => SystemCase)[] => [
  ...OPTIONAL.filter((name) => c[name] !== undefined).map((name) => (now: SystemCase) => {
    const { [name]: _, ...rest } = now;
    return rest as SystemCase;
  }),
  ...Object.keys(c.gpr ?? {}).map((register) => (now: SystemCase) => {
    const { [Number(register)]: _, ...gpr } = now.gpr ?? {};
    return { ...now, gpr };
  }),
  ...(c.before ?? []).map((action) => (now: SystemCase) => ({ ...now, before: (now.before ?? []).filter((one) => one !== action) })),
];

/** What puts devices right afterwards stays: other cases may share the image that judges run. */
export const smallerSystem = (c: SystemCase, shows: Shows<SystemCase>): Promise<SystemCase> => afterChanges(c, systemChanges(c), shows);

/** Flags that cases always have: the fixed bit and IF. */
const FLAGS = 0x202;
const RSP = 4;

const instructionChanges = (c: InstructionCase): readonly ((c: InstructionCase) => InstructionCase)[] => [
  (now) => ({ ...now, fx: now.fx === null ? null : initialFx() }),
  ...c.pokes.map((poke) => (now: InstructionCase) => ({ ...now, pokes: now.pokes.filter((one) => one !== poke) })),
  (now) => ({ ...now, flags: FLAGS }),
  (now) => ({ ...now, fsBase: 0n, gsBase: 0n }),
  // The helper's way back needs a stack as the case has it.
  ...Array.from({ length: 16 }, (_, n) => n)
    .filter((n) => n !== RSP && c.regs[n] !== 0n)
    .map((n) => (now: InstructionCase) => ({ ...now, regs: now.regs.map((value, r) => (r === n ? 0n : value)) })),
  ...(['registers', 'xmm'] as const).flatMap((file) =>
    Array.from({ length: file === 'xmm' ? 16 : 8 }, (_, n) => (now: InstructionCase) => {
      if (now.fx === null) return now;
      const state = fxStateOf(now.fx);
      return { ...now, fx: fxImageOf({ ...state, [file]: state[file].map((value, i) => (i === n ? 0n : value)) }) };
    }),
  ),
];

export const smallerInstruction = (c: InstructionCase, shows: Shows<InstructionCase>): Promise<InstructionCase> =>
  afterChanges(c, instructionChanges(c), shows);
