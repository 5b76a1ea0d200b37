/** Names that a test gives to a gateway it starts, and an address of this machine that is not its loopback. */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repositoryRoot } from './gateway-process.ts'

/** The environment of a gateway that resolves these names so: answers one after the other, of which the last stays. */
export function resolving(names: Readonly<Record<string, readonly (readonly string[])[]>>): Readonly<Record<string, string>> {
  const preload = pathToFileURL(join(repositoryRoot, 'conformance/harness/test-resolver.mjs')).href
  return { NODE_OPTIONS: `--import=${preload}`, TEST_NAMES: JSON.stringify(names) }
}

/** A private address of this machine; undefined where it has none. */
export const privateAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ address, internal }) => !internal && /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/.test(address))?.address
