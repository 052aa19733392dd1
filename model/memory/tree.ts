/** The frames of a machine in an immutable tree, 64 children a node, four levels: 2²⁴ frames. Missing parts are all zero. */
import { addSums, EMPTY_PAGE, isEmptyPage, NO_SUMS, type Page, pageSums, type Sums } from './page.ts';

/** A node above pages (`level` 0) or above other nodes. It remembers its digest sums once somebody asked. */
export class Tree {
  readonly level: number;
  readonly children: readonly (Tree | Page | null)[];
  sums: Sums | null;
  constructor(level: number, children: readonly (Tree | Page | null)[], sums: Sums | null) {
    this.level = level;
    this.children = children;
    this.sums = sums;
  }
}

const LEVELS = 4;
const NO_CHILDREN = new Array<null>(64).fill(null);
const EMPTY_NODES = Array.from({ length: LEVELS }, (_, level) => new Tree(level, NO_CHILDREN, NO_SUMS));

export const EMPTY_ROOT: Tree = EMPTY_NODES[LEVELS - 1];

const slot = (level: number, mfn: number): number => (mfn >>> (6 * level)) & 63;

export const pageAt = (root: Tree, mfn: number): Page => {
  let node = root;
  for (let level = LEVELS - 1; level > 0; level--) {
    const child = node.children[slot(level, mfn)];
    if (child === null) return EMPTY_PAGE;
    node = child as Tree;
  }
  return (node.children[slot(0, mfn)] as Page | null) ?? EMPTY_PAGE;
};

export const withPage = (node: Tree, mfn: number, page: Page): Tree => {
  const at = slot(node.level, mfn);
  const old = node.children[at];
  const child = node.level === 0 ? page : withPage((old as Tree | null) ?? EMPTY_NODES[node.level - 1], mfn, page);
  if (child === old) return node;
  const children = node.children.slice();
  children[at] = child;
  return new Tree(node.level, children, null);
};

/** Digest sums of all frames below a node whose first frame is `first`. */
export const treeSums = (node: Tree, first = 0): Sums => {
  if (node.sums) return node.sums;
  let sums = NO_SUMS;
  node.children.forEach((child, i) => {
    if (child === null) return;
    const at = first + i * 64 ** node.level;
    sums = addSums(sums, node.level === 0 ? pageSums(child as Page, at) : treeSums(child as Tree, at));
  });
  node.sums = sums;
  return sums;
};

/** Frames with a byte that is not zero, ascending. */
export function* populatedFrames(node: Tree, first = 0): Iterable<number> {
  for (let i = 0; i < 64; i++) {
    const child = node.children[i];
    if (child === null) continue;
    const at = first + i * 64 ** node.level;
    if (node.level > 0) yield* populatedFrames(child as Tree, at);
    else if (!isEmptyPage(child as Page)) yield at;
  }
}
