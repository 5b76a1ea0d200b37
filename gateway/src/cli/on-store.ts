/** What a verb does with the store of a configuration, and what it prints of it. Works while the gateway runs. */
import { openStore, type Store } from '../store/store.ts'
import { fail, type OutputOptions, print } from './output.ts'
import { storePlaceAt } from './places.ts'

/** `shown`: the result as `--json` has it; the result itself unless said. What is thrown is printed as a failure. */
export async function onStore<R>(
  options: OutputOptions & { readonly config: string },
  work: (store: Store) => Promise<R>,
  text: (result: R) => string,
  shown: (result: R) => unknown = (result) => result,
): Promise<void> {
  try {
    const store = await openStore(await storePlaceAt(options.config))
    try {
      const result = await work(store)
      print(options, shown(result), text(result))
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}
