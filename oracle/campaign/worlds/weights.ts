/** Which kinds of acts a domain draws from, and how often. */
import type { Act } from './act.ts';
import { channelAct, endGrant, grantAct, windowAct } from './acts_channels.ts';
import { memoryAct, tableAct } from './acts_memory.ts';
import { controlAct, processorAct, questionAct, secretAct, secretArgument } from './acts_processor.ts';
import { copyWords } from './code.ts';
import { VA } from './layout.ts';
import type { Scene } from './scene.ts';

type Family = (scene: Scene) => Act;
const ALL: readonly Family[] = [
  channelAct,
  channelAct,
  channelAct,
  grantAct,
  grantAct,
  grantAct,
  windowAct,
  tableAct,
  tableAct,
  processorAct,
];
/** How much memory is free is no secret, so that a stranger, whose acts may be left out in one world, leaves memory alone. */
const SHARERS: readonly Family[] = [memoryAct, memoryAct];
const KEEPERS: readonly Family[] = [secretAct, secretAct, secretArgument, endGrant];

const familiesOf = (scene: Scene): readonly Family[] => [
  ...ALL,
  ...(scene.isStranger ? [] : SHARERS),
  ...(scene.isObserver ? [memoryAct, questionAct, questionAct] : KEEPERS),
  ...(scene.self === 0 && scene.canControl ? [controlAct, controlAct] : []),
];

const WORDS = 12;
/** What a call does not say, padding and room for answers, holds secrets: Xen may copy them in and out, for their domain alone. */
const withSecrets = (scene: Scene, act: Act): Act => ({
  ...act,
  before: copyWords(VA.secret + 8 * scene.draw.below(256), VA.data, WORDS),
});

export const anAct = (scene: Scene): Act => {
  const families = familiesOf(scene);
  const act = families[scene.draw.below(families.length)]!(scene);
  return scene.isObserver || act.stores.length === 0 ? act : withSecrets(scene, act);
};
