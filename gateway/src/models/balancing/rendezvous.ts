/**
 * Rendezvous hashing with weights: everybody who knows the names comes to the same order for a key, without having to agree on
 * anything; an upstream that comes or goes moves only the keys that are its own.
 */
import { hash } from 'node:crypto'

/** A larger score comes first. Zero or less for a weight of 0. */
export function rendezvousScore(key: string, name: string, weight: number): number {
  if (weight <= 0) return 0
  // 48 bits of a digest, as a number above 0 and below 1.
  const digest = Number.parseInt(hash('sha256', `${key.length}:${key}${name}`, 'hex').slice(0, 12), 16)
  return weight / -Math.log((digest + 0.5) / 2 ** 48)
}
