/**
 * The steps that callers of the shared state make again and again: counting, and lists that several write and read. Each is
 * one change, so that nothing is lost between two replicas; nobody reads a value to put it back.
 */
import type { MaybePromise, StateNamespace, StateStore } from './state-store.ts'
import type { StateValues } from './state-values.ts'

type NamespaceOf<T> = { [N in StateNamespace]: StateValues[N] extends T ? N : never }[StateNamespace]
type ListNamespace = NamespaceOf<readonly unknown[]>
type ItemOf<N extends ListNamespace> = StateValues[N][number]

/** Adds to a counter, which begins at nothing, and resolves with what it is then. It lives until `expires` (Unix milliseconds). */
export function add(state: StateStore, namespace: NamespaceOf<number>, key: string, amount: number, expires: number): MaybePromise<number> {
  return state.change(namespace, key, (before = 0) => ({ value: before + amount, expires, result: before + amount }))
}

/** Puts an item at the end of a list of at most `most`; resolves with those that fell off its front. The list lives until `expires`. */
export function push<N extends ListNamespace>(
  state: StateStore,
  namespace: N,
  key: string,
  item: ItemOf<N>,
  { most, expires }: { readonly most: number; readonly expires: number },
): MaybePromise<readonly ItemOf<N>[]> {
  return state.change<N, readonly ItemOf<N>[]>(namespace, key, (before) => {
    const items: readonly ItemOf<N>[] = [...(before ?? []), item]
    const over = Math.max(0, items.length - most)
    return { value: items.slice(over) as unknown as StateValues[N], expires, result: items.slice(0, over) }
  })
}

/** Takes the first item off a list: of several who take, each gets another one. Undefined when it is empty. */
export function pop<N extends ListNamespace>(
  state: StateStore,
  namespace: N,
  key: string,
  expires: number,
): MaybePromise<ItemOf<N> | undefined> {
  return state.change<N, ItemOf<N> | undefined>(namespace, key, (before) => {
    const [first, ...rest]: readonly ItemOf<N>[] = before ?? []
    return { value: rest.length === 0 ? undefined : (rest as unknown as StateValues[N]), expires, result: first }
  })
}
