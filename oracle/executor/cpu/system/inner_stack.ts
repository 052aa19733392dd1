/** The stack of an inner ring, for call gates and for deliveries alike. Source: Intel SDM volume 3, 5.8.5; AMD APM volume 2, 4.11 and 8.7. */
import type { Cpu } from '../cpu.ts';
import { TS } from '../exit.ts';
import { RSP, SS_REG } from '../interface.ts';
import { levelOf } from './access.ts';
import { type Descriptor, indexOf, isNull, markAccessed, setNull, setSegment } from './descriptor.ts';
import { checkStack } from './segments.ts';
import { Stack } from './stack.ts';
import { longStack, ringStack } from './tss.ts';

/** A stack that the task state names, before the processor is there. */
export type InnerStack = {
  readonly stack: Stack;
  /** Null in long mode, where SS becomes null. */
  readonly segment: { readonly selector: number; readonly descriptor: Descriptor } | null;
};

/**
 * The stack of ring `cpl`. Faults: #TS with the stack's selector.
 * @param ext bit 0 of error codes.
 */
export const innerStack = (c: Cpu, cpl: number, ext: number): InnerStack => {
  const { selector, sp } = ringStack(c, cpl, ext);
  const error = indexOf(selector) | ext;
  if (isNull(selector)) c.fault(TS, error);
  const descriptor = checkStack(c, selector, cpl, TS, ext);
  return { stack: Stack.of(c, descriptor, sp, cpl, error), segment: { selector, descriptor } };
};

/** The same in long mode, where there is only a pointer. */
export const innerLongStack = (c: Cpu, cpl: number): InnerStack => ({
  stack: new Stack(c, null, longStack(c, cpl, 0, 0), levelOf(cpl), 0),
  segment: null,
});

/** The place of the stack in use. */
export const pushOldStack = (c: Cpu, stack: Stack, size: number): void => {
  stack.push(c.selectors[SS_REG], size);
  stack.push(c.gpr(RSP), size);
};

/** Make it the stack in use, behind the last push. */
export const enterStack = (c: Cpu, { stack, segment }: InnerStack, cpl: number): void => {
  if (segment === null) setNull(c, SS_REG, cpl);
  else {
    markAccessed(c, segment.descriptor);
    setSegment(c, SS_REG, segment.selector, segment.descriptor);
  }
  stack.commit();
};
