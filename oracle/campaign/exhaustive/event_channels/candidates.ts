/** Every state of the event channels in which the two ends of each channel name each other, reachable or not; bits of any value. */
import { type ChannelScope, kindsOf } from './scope.ts';

/** Numbers as `channelCode` makes them, when domains cannot be taken for one another. */
export function* channelCandidates(scope: ChannelScope): Generator<number> {
  const { domids, ports, vcpus, bits } = scope;
  const { channels, placeOf } = kindsOf(scope);
  const perPort = channels.length * 4;
  const ends = ports * 2;
  const places = new Array<number>(ends).fill(0);
  const isOpen = new Array<boolean>(ends).fill(true);
  const perVcpus = 4 ** vcpus;
  const alone = channels.flatMap((channel, place) => (channel?.state === 'interdomain' ? [] : [place]));

  const to = (other: number, vcpu: number): number =>
    placeOf({ state: 'interdomain', vcpu, remoteDom: domids[Math.floor(other / ports)]!, remotePort: (other % ports) + 1 }, false);

  function* from(end: number): Generator<number> {
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

  function* withBits(): Generator<number> {
    const values = bits ? 4 ** ends * perVcpus * perVcpus : 1;
    for (let value = 0; value < values; value++) {
      let rest = value;
      const digit = (base: number): number => {
        const found = rest % base;
        rest = Math.floor(rest / base);
        return found;
      };
      let state = 0;
      for (let d = 0; d < 2; d++) {
        for (let p = 0; p < ports; p++) state = state * perPort + places[d * ports + p]! * 4 + digit(4);
        state = state * perVcpus + digit(perVcpus);
      }
      yield state;
    }
  }

  yield* from(0);
}
