/**
 * Arrays that tell which of their elements somebody looks at or writes. Of a machine made of them it is known what part of the state a
 * transition depends on: what it does not touch it cannot depend on.
 */

/** Called with the number of an element. */
export type OnTouch = (index: number) => void;

const watched = new WeakSet<object>();

/** Whether it is such an array, or a copy that was made of one. */
export const isWatched = (array: object): boolean => watched.has(array);

/** Elements count as touched when they are read or written, and copies are watched like the array itself. Its length is taken for a constant. */
export const watchedArray = <T>(raw: readonly T[], onTouch: OnTouch): readonly T[] => {
  const proxy = new Proxy(raw as T[], {
    get(target, key, receiver) {
      if (key === 'slice')
        return (from?: number, to?: number) =>
          from === undefined && to === undefined ? watchedArray(target.slice(), onTouch) : Array.from(receiver as T[]).slice(from, to);
      if (key === 'with')
        return (index: number, value: T) => {
          onTouch(index);
          return watchedArray(target.with(index, value), onTouch);
        };
      const index = indexOf(key);
      if (index >= 0) onTouch(index);
      return Reflect.get(target, key, receiver);
    },
    has(target, key) {
      const index = indexOf(key);
      if (index >= 0) onTouch(index);
      return Reflect.has(target, key);
    },
    set(target, key, value) {
      const index = indexOf(key);
      if (index >= 0) onTouch(index);
      return Reflect.set(target, key, value);
    },
  });
  watched.add(proxy);
  return proxy;
};

const indexOf = (key: string | symbol): number => (typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : -1);
