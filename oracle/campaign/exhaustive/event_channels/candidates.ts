/** Every state of the event channels in which the two ends of each channel name each other, reachable or not; bits of any value. */
import type { Values } from '../slots.ts';
import { type ChannelScope, kindsOf, slotsOf } from './scope.ts';

/** The same array again and again. */
export function* channelCandidates(scope: ChannelScope): Generator<Values> {
  const { domids, ports, vcpus, bits } = scope;
  const { channels, placeOf } = kindsOf(scope);
  const ends = ports * 2;
  const slots = slotsOf(scope);
  const state = new Int32Array(slots.count);
  const places = new Array<number>(ends).fill(0);
  const isOpen = new Array<boolean>(ends).fill(true);
  const perVcpus = 4 ** vcpus;
  const alone = channels.flatMap((channel, place) => (channel?.state === 'interdomain' ? [] : [place]));

  const to = (other: number, vcpu: number): number =>
    placeOf({ state: 'interdomain', vcpu, remoteDom: domids[Math.floor(other / ports)]!, remotePort: (other % ports) + 1 }, false);

  function* from(end: number): Generator<Values> {
    if (end === ends) return yield* withBits();
    if (!isOpen[end]) return yield* from(end + 1);
    for (const place of alone) {
      places[end] = place;
      yield* from(end + 1);
    }
    for (let other = end + 1; other < ends; other++) {
      if (!isOpen[other]) continue;
      isOpen[other] = false;
      for (let near = 0; near < vcpus; near++)
        for (let far = 0; far < vcpus; far++) {
          places[end] = to(other, near);
          places[other] = to(end, far);
          yield* from(end + 1);
        }
      isOpen[other] = true;
    }
  }

  function* withBits(): Generator<Values> {
    const values = bits ? 4 ** ends * perVcpus * perVcpus : 1;
    for (let value = 0; value < values; value++) {
      let rest = value;
      const digit = (base: number): number => {
        const found = rest % base;
        rest = Math.floor(rest / base);
        return found;
      };
      for (let d = 0; d < 2; d++) {
        for (let p = 0; p < ports; p++) {
          state[slots.kind(d, p + 1)] = places[d * ports + p]!;
          state[slots.pending(d, p + 1)] = digit(2);
          state[slots.mask(d, p + 1)] = digit(2);
        }
        for (let v = 0; v < vcpus; v++) {
          state[slots.selector(d, v)] = digit(2);
          state[slots.upcall(d, v)] = digit(2);
        }
      }
      yield state;
    }
  }

  yield* from(0);
}
