/** What holds in every state of a machine. The statements are in `states`, each with the kind of defect that it is there for. */
import { authority } from './authority.ts';
import { pages, references, typeCounts } from './conservation.ts';
import { channelsOnce, channelsPair } from './event_channels.ts';
import { grantMappings } from './grants.ts';
import { neutral } from './neutral.ts';
import { mappings, tableOwners } from './ownership.ts';
import { quotas } from './quotas.ts';
import { remains } from './remains.ts';
import { totality } from './totality.ts';
import { translations } from './translations.ts';
import type { Invariant, View } from './view.ts';
import { work } from './work.ts';

export { Looks } from './looks.ts';
export type { Invariant, View, Violation } from './view.ts';
export { viewOf } from './view.ts';

export const INVARIANTS = {
  'count/references': references,
  'count/types': typeCounts,
  'count/pages': pages,
  'count/grants': grantMappings,
  'owner/mappings': mappings,
  'owner/tables': tableOwners,
  'owner/translations': translations,
  'channel/pairs': channelsPair,
  'channel/once': channelsOnce,
  'authority/ring': authority,
  'quota/limits': quotas,
  'gone/remains': remains,
  'work/bounded': work,
  'neutral/exit': neutral,
  'total/machine': totality,
} as const satisfies Record<string, Invariant>;
export type InvariantId = keyof typeof INVARIANTS;

/** Every place where some invariant does not hold. Of a machine that ended by a fault of its own nothing else is asked. */
export function* violations(view: View): Generator<{ readonly invariant: InvariantId; readonly what: string }> {
  if (view.fault !== undefined) {
    yield { invariant: 'total/machine', what: view.fault };
    return;
  }
  for (const [invariant, { violations: of }] of Object.entries(INVARIANTS) as [InvariantId, Invariant][])
    for (const what of of(view)) yield { invariant, what };
}
