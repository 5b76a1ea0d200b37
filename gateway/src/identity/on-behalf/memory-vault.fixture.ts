/** A place for secrets that forgets everything with the test. */
import type { KeptSecret, SecretPlace, SecretVault } from './secret-vault.ts'

export interface MemoryVault extends SecretVault {
  /** Everything that is kept, by kind, owner and name. */
  readonly contents: ReadonlyMap<string, string>
}

export function memoryVault(): MemoryVault {
  const contents = new Map<string, string>()
  const nameOf = ({ kind, owner, name }: SecretPlace): string => `${kind}/${owner}/${name}`
  const read = (place: SecretPlace): KeptSecret | undefined => {
    const content = contents.get(nameOf(place))
    return content === undefined ? undefined : { content }
  }
  return {
    contents,
    get: async (place) => read(place),
    put: async (place, content) => void contents.set(nameOf(place), content),
    async change(place, next) {
      const after = next(read(place))
      if (after === null) contents.delete(nameOf(place))
      else if (after !== undefined) contents.set(nameOf(place), after.content)
    },
    remove: async (place) => contents.delete(nameOf(place)),
  }
}
