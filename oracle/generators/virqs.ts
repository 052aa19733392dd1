/** VIRQs that programs bind: all but that of messages on Xen's console, which come when Xen pleases (`open/console-messages`). */
import { NR_VIRQS, VIRQ } from '#spec/abi/xen.ts';
import type { Random } from './random.ts';

const QUIET = Array.from({ length: NR_VIRQS }, (_, virq) => virq).filter((virq) => virq !== VIRQ.CON_RING);
/** All but the timer's too, which fires by the clock. */
const TIMELESS = QUIET.filter((virq) => virq !== VIRQ.TIMER);

export const quietVirq = (r: Random): number => r.pick(QUIET);
export const timelessVirq = (r: Random): number => r.pick(TIMELESS);
