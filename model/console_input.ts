/** Bytes typed at Xen's console. Chapter: spec/chapters/console.md. */
import { VIRQ } from '#spec/abi/xen.ts';
import { sendGlobalVirq } from './hypercall/event_channel/virq.ts';
import { cite } from './journal.ts';
import type { Machine } from './machine.ts';
import { returnAll } from './traps/return_all.ts';

/** Keep the bytes for CONSOLEIO_read and tell dom0 by VIRQ_CONSOLE. */
export const typeAtConsole = (machine: Machine, bytes: string): Machine =>
  returnAll(sendGlobalVirq(cite({ ...machine, consoleInput: machine.consoleInput + bytes }, 'console/input'), VIRQ.CONSOLE));
