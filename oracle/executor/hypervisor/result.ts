/** What handlers answer, and reading their arguments. */
import { ERRNO, type Errno } from '#spec/abi/errno.ts';

/** RAX was set by the handler and the call's event shows no result (iret, shutdown of the caller, a crash). */
export const NO_RETURN: number = Number.NEGATIVE_INFINITY;
/** The result is `CALL_STATE.wideLo`, `CALL_STATE.wideHi`: more than a double can hold. */
export const WIDE: number = Number.POSITIVE_INFINITY;

/** `-errno`, as Xen returns it. */
export const minus = (name: Errno): number => -ERRNO[name];
