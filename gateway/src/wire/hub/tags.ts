/** Stands for a name or id in what clients are given to keep: they need not know what an upstream is called, or a call they never had. */
import { sha256 } from '../../core/hash.ts'

/** The same for the same name, and nothing about it. */
export function tagOf(name: string): string {
  return sha256(name).slice(0, 16)
}
