/** The hash chain: each record's hash covers its exact text and the hash before it. */
import { sha256 } from '../core/hash.ts'

/** The hash before the first record; binds the chain's name, so that records of another chain never fit. */
export function genesisHash(chain: string): string {
  return sha256(`turnward decision log\n${chain}`)
}

/** `hash_n = sha256(hash_{n-1} + '\n' + json_n)`, hex. */
export function nextHash(previous: string, json: string): string {
  return sha256(`${previous}\n${json}`)
}
