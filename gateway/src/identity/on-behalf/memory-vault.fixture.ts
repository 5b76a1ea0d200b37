/** A place for secrets that forgets everything with the test. */
import type { SecretPlace } from '../../store/sealed-secrets.ts'
import type { KeptSecret, SecretVault } from './secret-vault.ts'

export interface MemoryVault extends SecretVault {
  /** Everything that is kept, by kind, owner and name. */
  readonly contents: ReadonlyMap<string, string>
}

export function memoryVault(): MemoryVault {
  const kept = new Map<string, KeptSecret>()
  const nameOf = ({ kind, owner, name }: SecretPlace): string => `${kind}/${owner}/${name}`
  const write = (place: SecretPlace, content: string): true => {
    kept.set(nameOf(place), { content, version: (kept.get(nameOf(place))?.version ?? 0) + 1 })
    return true
  }
  return {
    get contents() {
      return new Map([...kept].map(([name, { content }]) => [name, content]))
    },
    get: async (place) => kept.get(nameOf(place)),
    put: async (place, content) => write(place, content),
    replace: async (place, version, content) => ((kept.get(nameOf(place))?.version ?? 0) === version ? write(place, content) : undefined),
    remove: async (place) => kept.delete(nameOf(place)),
  }
}
